#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <list>

#include "converters/passes/passes.h"
#include "converters/writer.h"
#include "tests/converters/onnx_builder.h"
#include "tests/support/memory_promise.h"
#include "tests/support/model_samples.h"

// Models with nested graphs, from ONNX to results. Expected numbers are computed here, in plain
// loops.
namespace skiff::test {
namespace {

constexpr int kInt64 = 7, kBoolean = 9;

Model model_of(const OnnxBuilder& builder, const convert::ImportOptions& options = {}) {
  convert::Imported imported = builder.import(options);
  passes::run_pipeline(imported.graph, passes::all_groups(), {.check = true});
  static std::list<std::vector<std::byte>> files;  // a model does not own its bytes
  return Model::from_bytes(files.emplace_back(convert::write_model(imported.graph, {})));
}

template <typename T>
void set(const Session& session, const char* name, std::vector<T> numbers) {
  const auto to = session.input(name).values<T>();
  ASSERT_EQ(to.size(), numbers.size());
  std::copy(numbers.begin(), numbers.end(), to.begin());
}
void set_flag(const Session& session, const char* name, bool flag) {
  session.input(name).bytes()[0] = std::byte{flag};
}
std::vector<float> get(const Session& session, const char* name) {
  const auto from = session.output(name).values<const float>();
  return {from.begin(), from.end()};
}

/// y = c ? x w + x : -x, z = x on both sides.
OnnxBuilder branches() {
  OnnxBuilder yes, no, model;
  yes.node("Mul", {"x", "w"}, {"p"}).node("Add", {"p", "x"}, {"q"}).output("q").output("x");
  no.node("Neg", {"x"}, {"n"}).output("n").output("x");
  model.input("c", {}, kBoolean).input("in", {3}).floats("w", {3}, {2, 3, 4});
  model.node("Abs", {"in"}, {"x"});
  model.node("If", {"c"}, {"y", "z"}).attr("then_branch", yes.graph());
  model.attr("else_branch", no.graph()).output("y").output("z");
  return model;
}

TEST(Nested, ABranchIsChosenAtRunTime) {
  Session session(model_of(branches()));
  set<float>(session, "in", {-1, 2, -3});
  for (bool choice : {true, false, true}) {
    set_flag(session, "c", choice);
    ASSERT_TRUE(session.run().ok());
    const std::vector<float> chosen = {3, 8, 15}, other = {-1, -2, -3};
    EXPECT_EQ(get(session, "y"), choice ? chosen : other);
    EXPECT_EQ(get(session, "z"), (std::vector<float>{1, 2, 3}));
  }
}

/// From s = x, n times: s = s / 2 + b while s[0] < limit; the rows of all turns are collected.
OnnxBuilder loop(bool collects) {
  OnnxBuilder body, model;
  body.input("i", {}, kInt64).input("go", {}, kBoolean).input("s", {2});
  body.node("Mul", {"s", "half"}, {"h"}).node("Add", {"h", "b"}, {"next"});
  body.node("Gather", {"next", "zero"}, {"first"}).node("Less", {"first", "limit"}, {"low"});
  body.output(collects ? "go" : "low").output("next");
  if (collects) body.output("s");
  model.input("n", {}, kInt64).input("x", {2}).input("b", {2}).floats("half", {}, {0.5f});
  model.floats("limit", {}, {1.9f}).integers("zero", {0}).integers("many", {300});
  if (collects)
    model.node("Loop", {"many", "", "x"}, {"y", "rows"}).attr("body", body.graph());
  else
    model.node("Loop", {"n", "", "x"}, {"y"}).attr("body", body.graph());
  model.output("y");
  if (collects) model.output("rows");
  return model;
}

std::vector<float> turns(std::vector<float> s, const std::vector<float>& b, std::int64_t n,
                         float limit, std::vector<float>* rows = nullptr) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (rows != nullptr) rows->insert(rows->end(), s.begin(), s.end());
    for (std::size_t k = 0; k < s.size(); ++k) s[k] = s[k] * 0.5f + b[k];
    if (!(s[0] < limit)) break;
  }
  return s;
}

TEST(Nested, ALoopEndsByCountOrCondition) {
  Session session(model_of(loop(false), {.max_turns = 50}));
  set<float>(session, "x", {-4, 8});
  set<float>(session, "b", {1, 0.25f});
  for (std::int64_t n : {0, 1, 3, 40, 1000}) {
    set<std::int64_t>(session, "n", {n});
    ASSERT_TRUE(session.run().ok());
    EXPECT_EQ(get(session, "y"), turns({-4, 8}, {1, 0.25f}, n, 1.9f)) << n;
  }
}

TEST(Nested, ALoopBeyondItsBoundFailsAndTheNextRunIsRight) {
  Session session(model_of(loop(false), {.max_turns = 3}));
  set<float>(session, "x", {-4, 8});
  set<float>(session, "b", {0, 0});
  set<std::int64_t>(session, "n", {4});
  EXPECT_EQ(session.run().code(), ErrorCode::bad_value);
  set<std::int64_t>(session, "n", {3});
  ASSERT_TRUE(session.run().ok());
  EXPECT_EQ(get(session, "y"), turns({-4, 8}, {0, 0}, 3, 1.9f));
}

TEST(Nested, ManyKnownTurnsAreALoopThatCollects) {
  const Model model = model_of(loop(true));
  Session session(model);
  EXPECT_LE(session.step_count(), 3u);
  set<float>(session, "x", {-4, 8});
  set<float>(session, "b", {1, 0.25f});
  ASSERT_TRUE(session.run().ok());
  std::vector<float> rows;
  EXPECT_EQ(get(session, "y"), turns({-4, 8}, {1, 0.25f}, 300, INFINITY, &rows));
  EXPECT_EQ(get(session, "rows"), rows);
}

TEST(Nested, AnUnboundedLoopIsRefusedByName) {
  const auto refusals = refusals_of(loop(false));
  ASSERT_EQ(refusals.size(), 1u);
  EXPECT_NE(refusals[0].reason.find("bounded"), std::string::npos) << refusals[0].reason;
  EXPECT_NE(refusals[0].help.find("--max-turns"), std::string::npos);
}

/// Over the columns of x [2, 600], backwards: s = s + column, collected along axis 1.
TEST(Nested, AScanWalksAxesInBothDirections) {
  constexpr std::int64_t kTurns = 600;
  OnnxBuilder body, model;
  body.input("s", {2}).input("column", {2});
  body.node("Mul", {"column", "w"}, {"p"}).node("Add", {"s", "p"}, {"next"});
  body.node("Identity", {"next"}, {"copy"}).output("next").output("copy").output("s");
  model.input("start", {2}).input("x", {2, kTurns}).floats("w", {2}, {1, -1});
  model.node("Scan", {"start", "x"}, {"end", "sums", "before"}).attr("body", body.graph());
  model.attr("num_scan_inputs", std::int64_t{1}).attr("scan_input_axes", {1});
  model.attr("scan_input_directions", {1}).attr("scan_output_axes", {1, 0});
  model.attr("scan_output_directions", {0, 1});
  model.output("end").output("sums").output("before");
  Session session(model_of(model));
  EXPECT_LE(session.step_count(), 3u);
  std::vector<float> x(2 * kTurns), sums(2 * kTurns), before(2 * kTurns);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7 % 13);
  std::vector<float> s = {1, 2};
  for (std::size_t t = 0; t < kTurns; ++t)
    for (std::size_t k = 0; k < 2; ++k) {
      before[(kTurns - 1 - t) * 2 + k] = s[k];
      s[k] += x[k * kTurns + kTurns - 1 - t] * (k == 0 ? 1.0f : -1.0f);
      sums[k * kTurns + t] = s[k];
    }
  set<float>(session, "start", {1, 2});
  set<float>(session, "x", x);
  ASSERT_TRUE(session.run().ok());
  EXPECT_EQ(get(session, "end"), s);
  EXPECT_EQ(get(session, "sums"), sums);
  EXPECT_EQ(get(session, "before"), before);
}

/// Two carried values change places on every turn.
TEST(Nested, CarriedValuesMayChangePlaces) {
  OnnxBuilder body, model;
  body.input("i", {}, kInt64).input("go", {}, kBoolean).input("a", {2}).input("b", {2});
  body.output("go").output("b").output("a");
  model.input("n", {}, kInt64).input("x", {2}).input("y", {2});
  model.node("Loop", {"n", "", "x", "y"}, {"p", "q"}).attr("body", body.graph());
  model.output("p").output("q");
  Session session(model_of(model, {.max_turns = 10}));
  set<float>(session, "x", {1, 2});
  set<float>(session, "y", {3, 4});
  for (std::int64_t n : {0, 1, 2, 7}) {
    set<std::int64_t>(session, "n", {n});
    ASSERT_TRUE(session.run().ok());
    EXPECT_EQ(get(session, "p"),
              n % 2 == 0 ? (std::vector<float>{1, 2}) : (std::vector<float>{3, 4}));
  }
}

/// Each branch takes a large value of its own: the arena holds one of them at a time.
TEST(Nested, BranchesShareTheirMemory) {
  const auto large = [](bool both) {
    OnnxBuilder yes, no, model;
    const auto fill = [&](OnnxBuilder& branch, const char* f, const char* w) {
      branch.node("MatMul", {"x", w}, {"wide"}).node(f, {"wide"}, {"bent"});
      branch.node("MatMul", {"bent", "back"}, {"r"}).output("r");
    };
    fill(yes, "Tanh", "w");
    if (both)
      fill(no, "Sigmoid", "v");
    else
      no.node("Neg", {"x"}, {"r"}).output("r");
    model.input("c", {}, kBoolean).input("x", {1, 4});
    model.floats("w", {4, 4096}, std::vector<float>(4 * 4096, 0.5f));
    model.floats("v", {4, 4096}, std::vector<float>(4 * 4096, 0.25f));
    model.floats("back", {4096, 4}, std::vector<float>(4 * 4096, 0.125f));
    model.node("If", {"c"}, {"y"}).attr("then_branch", yes.graph());
    model.attr("else_branch", no.graph()).output("y");
    return Session::predict(model_of(model)).arena;
  };
  EXPECT_GE(large(false), 4096u * 4);
  EXPECT_EQ(large(true), large(false));
}

const std::vector<std::byte>& sample() {
  static const std::vector<std::byte> bytes = [] {
    for (const ModelSample& one : model_samples())
      if (std::string(one.name) == "nested") return file_of(one);
    return std::vector<std::byte>();
  }();
  return bytes;
}

std::vector<std::byte> run_all(Session& session, int runs) {
  std::vector<std::byte> results;
  for (int i = 0; i < runs; ++i) {
    const auto x = session.input("x").values<float>();
    for (std::size_t k = 0; k < x.size(); ++k)
      x[k] = static_cast<float>(static_cast<int>(k * 3 + static_cast<std::size_t>(i)) % 5 - 2) / 2;
    set_flag(session, "choice", i % 2 == 0);
    EXPECT_TRUE(session.run().ok());
    for (std::size_t o = 0; o < session.output_count(); ++o) {
      const auto bytes = session.output(o).bytes();
      results.insert(results.end(), bytes.begin(), bytes.end());
    }
  }
  return results;
}

TEST(Nested, VariablesLastUntilReset) {
  Session session(Model::from_bytes(sample()));
  EXPECT_EQ(session.input_count(), 2u) << "a variable is no input";
  const auto first = run_all(session, 5);
  EXPECT_NE(run_all(session, 5), first) << "nothing was kept";
  session.reset();
  EXPECT_EQ(run_all(session, 5), first);
}

TEST(Nested, MemoryIsAsPredictedAndRunTakesNone) {
  Session session = session_as_predicted(sample());
  run_all(session, 1);
  const auto x = session.input("x").values<float>();
  expect_no_allocation([&] {
    for (int i = 0; i < 10; ++i) {
      x[0] = static_cast<float>(i);
      set_flag(session, "choice", i % 2 == 0);
      static_cast<void>(session.run());
      session.reset();
    }
  });
}

TEST(Nested, AnyNumberOfThreadsGivesTheSameBits) {
  const Model model = Model::from_bytes(sample());
  Session one(model, {.threads = 1}), three(model, {.threads = 3});
  EXPECT_EQ(run_all(one, 6), run_all(three, 6));
}

TEST(Nested, StepsAreThoseOfTheMainGraph) {
  Session session(Model::from_bytes(sample()));
  std::vector<std::size_t> seen;
  const auto note = [](void* list, std::size_t step) {
    static_cast<std::vector<std::size_t>*>(list)->push_back(step);
  };
  ASSERT_TRUE(session.run(note, &seen).ok());
  ASSERT_EQ(seen.size(), session.step_count() + 1);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
  bool found = false;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    found |= std::string(session.step(i).op) == "loop";
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace skiff::test
