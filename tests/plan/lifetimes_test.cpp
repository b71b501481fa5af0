#include "runtime/plan/lifetimes.h"

#include <gtest/gtest.h>
#include <skiff/error.h>

#include <algorithm>
#include <vector>

#include "runtime/plan/judge.h"
#include "runtime/plan/solve.h"
#include "tests/plan/random.h"

namespace skiff::plan {
namespace {

using Ids = std::vector<std::int32_t>;
auto& memory() { return *std::pmr::get_default_resource(); }

enum class Kind { compute, elementwise, slice, concat };

/// A small random network. Every byte of every value has a content: a number that says who
/// computed it. Slices and concats hand contents on.
struct Network {
  struct Step {
    Kind kind;
    Ids reads, writes;
    std::int64_t scratch;
    std::int64_t offset = 0;  ///< of the slice
  };
  std::vector<ValueInfo> values;
  std::vector<std::vector<std::int64_t>> content;
  std::vector<Step> steps;
  std::vector<InPlace> in_place;
  std::vector<View> views;

  std::int32_t add(std::int64_t bytes, bool pinned) {
    values.push_back({bytes, pinned});
    auto& made = content.emplace_back();
    for (std::int64_t k = 0; k < bytes; ++k) made.push_back(next_++);
    return static_cast<std::int32_t>(values.size()) - 1;
  }

 private:
  std::int64_t next_ = 1;
};

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

void add_elementwise(Network& net, Random& random, std::int32_t input, bool pinned) {
  const auto step = static_cast<std::int32_t>(net.steps.size());
  const std::int64_t bytes = net.values[at(input)].bytes;
  const std::int32_t output = net.add(bytes, pinned);
  Ids reads = {input};
  for (std::int32_t v = 0; v < output && random.one_in(2); ++v) {
    if (net.values[at(v)].bytes == bytes) reads.push_back(v);
  }
  for (const std::int32_t v : reads) net.in_place.push_back({step, v, output});
  net.steps.push_back({Kind::elementwise, reads, {output}, 0});
}

void add_slice(Network& net, Random& random, std::int32_t input, bool pinned) {
  const std::int64_t bytes = net.values[at(input)].bytes;
  const std::int64_t offset = random.one_in(3) ? 0 : random.below(static_cast<std::int32_t>(bytes));
  const std::int64_t length = random.one_in(3)
                                  ? bytes - offset
                                  : 1 + random.below(static_cast<std::int32_t>(bytes - offset));
  const std::int32_t output = net.add(length, pinned);
  const auto from = net.content[at(input)].begin() + offset;
  net.content[at(output)].assign(from, from + length);
  net.steps.push_back({Kind::slice, {input}, {output}, 0, offset});
  net.views.push_back({input, output, offset});
}

void add_concat(Network& net, Random& random, bool pinned) {
  Ids reads;
  std::vector<std::int64_t> content;
  const auto count = static_cast<std::int32_t>(net.values.size());
  for (int k = 1 + random.below(3); k > 0; --k) {
    reads.push_back(random.below(count));
    const auto& part = net.content[at(reads.back())];
    content.insert(content.end(), part.begin(), part.end());
  }
  if (content.size() > 200) return;
  const std::int32_t output = net.add(static_cast<std::int64_t>(content.size()), pinned);
  net.content[at(output)] = content;
  std::int64_t offset = 0;
  for (const std::int32_t v : reads) {
    net.views.push_back({output, v, offset});
    offset += net.values[at(v)].bytes;
  }
  net.steps.push_back({Kind::concat, reads, {output}, random.below(9)});
}

Network random_network(std::uint64_t seed) {
  Random random(seed);
  Network net;
  net.add(4 + random.below(20), true);
  for (int k = 2 + random.below(14); k > 0; --k) {
    const std::int32_t input =
        std::max(0, static_cast<std::int32_t>(net.values.size()) - 1 - random.below(4));
    const bool pinned = random.one_in(10);
    switch (random.below(5)) {
      case 0: {
        const std::int32_t output = net.add(4 + random.below(20), pinned);
        net.steps.push_back({Kind::compute, {input, -1}, {output}, random.below(20)});
        break;
      }
      case 1:
        add_concat(net, random, pinned);
        break;
      case 2:
        add_slice(net, random, input, pinned);
        break;
      default:
        add_elementwise(net, random, input, pinned);
        break;
    }
  }
  for (std::size_t i = net.views.size(); i > 1; --i) {
    std::swap(net.views[i - 1], net.views[at(random.below(static_cast<std::int32_t>(i)))]);
  }
  return net;
}

/// Plans a network, then runs it on an arena whose bytes are contents.
class Execution {
 public:
  explicit Execution(const Network& net) : net_(net), lives_(plan()) {}

  void run() {
    const Problem problem{lives_.buffers, 8, 0};
    const Solution solution = solve(problem, {}, memory());
    ASSERT_TRUE(valid(problem, solution.offsets, solution.height, memory()));
    ASSERT_EQ(solution.lower_bound, lives_.lower_bound);
    ASSERT_LE(lives_.lower_bound, lives_.lower_bound_unaliased);
    offsets_.assign(solution.offsets.begin(), solution.offsets.end());
    arena_.assign(at(solution.height), 0);
    for (std::size_t s = 0; s < net_.steps.size(); ++s) {
      const auto& step = net_.steps[s];
      for (const std::int32_t v : step.reads) check(v, s);
      if (lives_.scratch[s] >= 0) fill(offsets_[at(lives_.scratch[s])], step.scratch);
      write(step);
      for (const std::int32_t v : step.reads) check_after(v, s);
      for (const std::int32_t v : step.writes) check(v, s);
    }
  }

  const Lifetimes& lives() const { return lives_; }

 private:
  Lifetimes plan() {
    for (const auto& step : net_.steps) steps_.push_back({step.reads, step.writes, step.scratch});
    return lifetimes({net_.values, steps_, net_.in_place, net_.views, 8, 1}, memory());
  }

  std::int64_t place(std::int32_t v) const {
    return offsets_[at(lives_.values[at(v)].buffer)] + lives_.values[at(v)].offset;
  }

  void fill(std::int64_t from, std::int64_t count) {
    std::fill_n(arena_.begin() + from, count, -7);
  }

  void check(std::int32_t v, std::size_t step) const {
    if (v < 0 || net_.values[at(v)].pinned) return;
    ASSERT_TRUE(std::equal(net_.content[at(v)].begin(), net_.content[at(v)].end(),
                           arena_.begin() + place(v)))
        << "step " << step << " sees value " << v << " damaged";
  }

  /// Inputs outlive the step's writes: a kernel may read them again, but for the in-place one.
  void check_after(std::int32_t v, std::size_t step) const {
    for (std::size_t k = 0; k < net_.in_place.size(); ++k) {
      const InPlace& wish = net_.in_place[k];
      const bool here = at(wish.step) == step && wish.input == v;
      if (here && lives_.in_place[k] == Alias::granted) return;
    }
    check(v, step);
  }

  bool granted(std::int32_t base, std::int32_t value, std::int64_t offset) const {
    for (std::size_t k = 0; k < net_.views.size(); ++k) {
      const View& wish = net_.views[k];
      const bool same = wish.base == base && wish.value == value && wish.offset == offset;
      if (same && lives_.views[k] == Alias::granted) return true;
    }
    return false;
  }

  /// Writes the output as a kernel would: what a granted view holds already is left alone.
  void write(const Network::Step& step) {
    const std::int32_t output = step.writes[0];
    if (net_.values[at(output)].pinned) return;
    if (step.kind == Kind::slice && granted(step.reads[0], output, step.offset)) return;
    std::int64_t offset = 0;
    for (const std::int32_t v : step.kind == Kind::concat ? step.reads : Ids{output}) {
      const std::int64_t bytes = net_.values[at(v)].bytes;
      const auto from = net_.content[at(output)].begin() + offset;
      const bool there = step.kind == Kind::concat && granted(output, v, offset);
      if (!there) std::copy(from, from + bytes, arena_.begin() + place(output) + offset);
      offset += bytes;
    }
  }

  const Network& net_;
  std::vector<StepInfo> steps_;
  Lifetimes lives_;
  std::vector<std::int64_t> offsets_, arena_;
};

TEST(Lifetimes, NoStepOfARandomNetworkSeesOverwrittenBytes) {
  std::size_t in_place = 0, views = 0, wishes = 0, saved = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const Network net = random_network(seed);
    Execution execution(net);
    execution.run();
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    const Lifetimes& lives = execution.lives();
    in_place += at(std::count(lives.in_place.begin(), lives.in_place.end(), Alias::granted));
    views += at(std::count(lives.views.begin(), lives.views.end(), Alias::granted));
    wishes += net.in_place.size() + net.views.size();
    saved += lives.lower_bound < lives.lower_bound_unaliased;
  }
  EXPECT_GT(in_place, 10'000U);
  EXPECT_GT(views, 10'000U);
  EXPECT_LT(in_place + views, wishes);
  EXPECT_GT(saved, 2'000U);
}

struct Hand {
  std::vector<ValueInfo> values;
  std::vector<std::pair<Ids, Ids>> steps;
  std::vector<InPlace> in_place;
  std::vector<View> views;

  Lifetimes lives() const {
    std::vector<StepInfo> infos;
    for (const auto& [reads, writes] : steps) infos.push_back({reads, writes, 0});
    return lifetimes({values, infos, in_place, views, 1, 1}, memory());
  }
};

TEST(Lifetimes, ResidualAddIsDoneInPlace) {
  // 1 = f(0); 2 = g(1); 3 = 2 + 1
  Hand net{{{0, true}, {100}, {100}, {100}}, {{{0}, {1}}, {{1}, {2}}, {{2, 1}, {3}}}, {}, {}};
  EXPECT_EQ(net.lives().lower_bound, 300);
  net.in_place = {{1, 1, 2}, {2, 2, 3}, {2, 1, 3}};
  const Lifetimes lives = net.lives();
  EXPECT_EQ(lives.in_place[0], Alias::still_used) << "the skip path still reads value 1";
  EXPECT_EQ(lives.in_place[1], Alias::granted);
  EXPECT_EQ(lives.in_place[2], Alias::still_used) << "one operand only";
  EXPECT_EQ(lives.lower_bound, 200);
  EXPECT_EQ(lives.lower_bound_unaliased, 300);
  EXPECT_EQ(lives.values[0].buffer, -1);
  EXPECT_EQ(lives.values[2].buffer, lives.values[3].buffer);
}

TEST(Lifetimes, ConcatInputsAreWrittenWhereTheyBelong) {
  // 1 = f(0); 2 = f(0); 3 = concat(1, 2); 4 = g(3)
  const Hand net{{{0, true}, {64}, {32}, {96}, {8}},
                 {{{0}, {1}}, {{0}, {2}}, {{1, 2}, {3}}, {{3}, {4}}},
                 {},
                 {{3, 1, 0}, {3, 2, 64}}};
  const Lifetimes lives = net.lives();
  EXPECT_EQ(lives.views[0], Alias::granted);
  EXPECT_EQ(lives.views[1], Alias::granted);
  EXPECT_EQ(lives.values[2].buffer, lives.values[3].buffer);
  EXPECT_EQ(lives.values[2].offset, 64);
  EXPECT_EQ(lives.buffers[at(lives.values[3].buffer)].first, 0);
  EXPECT_EQ(lives.buffers[at(lives.values[3].buffer)].end, 4);
  EXPECT_EQ(lives.lower_bound, 104);
  EXPECT_EQ(lives.lower_bound_unaliased, 192);
}

TEST(Lifetimes, ConcatOfTheSameValueTwiceSharesOnlyOnce) {
  const Hand net{
      {{0, true}, {64}, {128}}, {{{0}, {1}}, {{1, 1}, {2}}}, {}, {{2, 1, 0}, {2, 1, 64}}};
  const Lifetimes lives = net.lives();
  EXPECT_EQ(lives.views[0], Alias::granted);
  EXPECT_EQ(lives.views[1], Alias::still_used);
}

TEST(Lifetimes, ConcatInputsAreKeptApart) {
  const Hand net{{{0, true}, {64}, {64}, {96}},
                 {{{0}, {1}}, {{0}, {2}}, {{1, 2}, {3}}},
                 {},
                 {{3, 1, 0}, {3, 2, 32}}};
  EXPECT_EQ(net.lives().views[1], Alias::still_used);
}

TEST(Lifetimes, NothingIsWrittenOverASliceThatIsStillRead) {
  // 1 = f(0); 2 = 1[0:32]; 3 = relu(1); 4 = g(2, 3)
  Hand net{{{0, true}, {64}, {32}, {64}, {8}},
           {{{0}, {1}}, {{1}, {2}}, {{1}, {3}}, {{2, 3}, {4}}},
           {{2, 1, 3}},
           {{1, 2, 0}}};
  const Lifetimes lives = net.lives();
  EXPECT_EQ(lives.in_place[0], Alias::granted);
  EXPECT_EQ(lives.views[0], Alias::still_used);
}

TEST(Lifetimes, AViewThatWouldRaiseThePeakIsNotGranted) {
  // 1 is large and dies at once; its slice lives on while 3 is large too.
  const Hand net{{{0, true}, {1000}, {10}, {900}, {10}},
                 {{{0}, {1}}, {{1}, {2}}, {{0}, {3}}, {{2, 3}, {4}}},
                 {},
                 {{1, 2, 0}}};
  const Lifetimes lives = net.lives();
  EXPECT_EQ(lives.views[0], Alias::wasteful);
  EXPECT_EQ(lives.lower_bound, 1010);
}

TEST(Lifetimes, WishesThatDoNotFitTheProgramAreRefused) {
  const Hand net{{{64, true}, {64}, {32}, {64}},
                 {{{0}, {1}}, {{1}, {2}}, {{2}, {3}}},
                 {{0, 0, 1}, {1, 1, 2}, {5, 1, 2}, {2, 1, 3}, {0, -4, 99}},
                 {{1, 2, 40}, {1, 2, -8}, {0, 1, 0}, {1, 3, 0}, {1, 99, 0}}};
  const Lifetimes lives = net.lives();
  const std::vector<Alias> in_place(lives.in_place.begin(), lives.in_place.end());
  const std::vector<Alias> views(lives.views.begin(), lives.views.end());
  EXPECT_EQ(in_place, (std::vector<Alias>{Alias::pinned, Alias::mismatch, Alias::mismatch,
                                          Alias::mismatch, Alias::pinned}));
  EXPECT_EQ(views, (std::vector<Alias>{Alias::mismatch, Alias::mismatch, Alias::pinned,
                                       Alias::mismatch, Alias::pinned}));
}

TEST(Lifetimes, BrokenProgramsAreTypedErrors) {
  const auto refusal = [](const Hand& net) {
    try {
      (void)net.lives();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::ok;
  };
  const std::int64_t huge = std::int64_t{1} << 60;
  EXPECT_EQ(refusal({{{8}}, {{{}, {0}}}, {}, {}}), ErrorCode::ok);
  EXPECT_EQ(refusal({{{8}}, {{{}, {1}}}, {}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{{8}}, {{{-2}, {0}}}, {}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{{8}, {8}}, {{{1}, {0}}, {{}, {1}}}, {}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{{8}}, {{{}, {0}}, {{}, {0}}}, {}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{{8}}, {}, {}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{{-8}}, {{{}, {0}}}, {}, {}}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal({{{huge}, {huge}}, {{{}, {0, 1}}}, {}, {}}), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace skiff::plan
