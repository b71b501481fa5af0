#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <utility>

#include "gpu.h"
#include "runtime/core/error.h"
#include "runtime/tune/tuner.h"
#include "tests/support/command.h"
#include "tests/support/integer_graphs.h"

// Chains that are compiled while loading: when they are, what they compute, what becomes of the
// code. The compiler is a double that compiles for the host.
namespace skiff::test {
namespace {

namespace fs = std::filesystem;

class CompiledChain : public ::testing::Test {
 protected:
  CompiledChain() { tune::forget_tuning(); }
  ~CompiledChain() override { tune::forget_tuning(); }

  SessionOptions tuned() const {
    return {.device = DeviceKind::cuda,
            .strict_gpu = true,
            .tuning = Tuning::fast,
            .plan_cache = path_.c_str()};
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (fs::exists(path_ + ".code"))
      for (const auto& entry : fs::directory_iterator(path_ + ".code"))
        found.push_back(entry.path());
    return found;
  }

  ScratchFolder folder_;
  std::string path_ = folder_ / "plans";
};

constexpr SessionOptions kUntuned{.device = DeviceKind::cuda, .strict_gpu = true};

int compiled_steps(const Session& session) {
  int count = 0;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    count += session.step(i).algorithm == "pointwise chain, compiled";
  return count;
}

void make_interpreting_slow() { cuda_double_set_cost("interpret", 4); }

Graph small_graph(std::int64_t size) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {3, size});
  g.outputs = {unary(g, Unary::tanh, binary(g, Binary::mul, x, constant(g, {size}, 1)))};
  return g;
}

/// Compiled and interpreted chains of a graph agree to the bit.
void expect_same(const Graph& graph, int chains, const SessionOptions& tuned) {
  const WithGpu gpu;
  make_interpreting_slow();
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session slow(model, kUntuned), fast(model, tuned);
  EXPECT_EQ(compiled_steps(slow), 0);
  EXPECT_EQ(compiled_steps(fast), chains);
  EXPECT_EQ(Session::predict(model, tuned).total, fast.memory().total);
  ASSERT_NO_FATAL_FAILURE(expect_equal_bits(outputs_of(fast), outputs_of(slow), ""));
}

/// All functions, as many in one chain as it holds, by element and in packs.
TEST_F(CompiledChain, EveryFunction) {
  for (const std::int64_t size : {5, 8}) {
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, {3, size});
    int chains = 0;
    const auto end_chain = [&](ValueId y) { g.outputs.push_back(y), ++chains; };
    ValueId y = x;
    for (int f = 1, n = 0; f <= static_cast<int>(Unary::cos); ++f) {
      y = unary(g, static_cast<Unary>(f), y);
      if (++n % 7 == 0 || f == static_cast<int>(Unary::cos)) end_chain(std::exchange(y, x));
    }
    for (int f = 0; f < static_cast<int>(Binary::equal); ++f) {
      y = binary(g, static_cast<Binary>(f), y, constant(g, {size}, static_cast<unsigned>(f)),
                 static_cast<Unary>(f + 1));
      if (f % 5 == 4 || f + 1 == static_cast<int>(Binary::equal)) end_chain(std::exchange(y, x));
    }
    expect_same(g, chains, tuned());
  }
}

TEST_F(CompiledChain, OperandsBroadcast) {
  for (const std::int64_t size : {5, 12}) {
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, {2, 3, 4, size});
    ValueId y = binary(g, Binary::mul, constant(g, {size}, 1), x);
    y = binary(g, Binary::sub, constant(g, {3, 1, 1}, 2), y, Unary::hard_swish);
    y = binary(g, Binary::add, y, constant(g, {}, 3));
    y = binary(g, Binary::squared_difference, y, constant(g, {2, 1, 4, 1}, 4));
    g.outputs = {y};
    expect_same(g, 1, tuned());
  }
}

TEST_F(CompiledChain, OtherTypes) {
  for (const DType dtype : {DType::float16, DType::bfloat16})
    for (const std::int64_t size : {7, 16}) {
      Graph g;
      fb::CastAttrsT narrow, wide;
      narrow.to = static_cast<fb::DType>(dtype);
      wide.to = fb::DType::float32;
      const ValueId x =
          g.add(Op::cast, narrow, {g.add_input("x", DType::float32, {9, size})}, "narrow");
      const ValueId z =
          g.add(Op::cast, narrow, {g.add_input("z", DType::float32, {size})}, "narrow");
      ValueId y = binary(g, Binary::mul, unary(g, Unary::exp, x), z, Unary::tanh);
      y = binary(g, Binary::div, y, unary(g, Unary::cos, x));
      g.outputs = {g.add(Op::cast, wide, {y}, "wide")};
      expect_same(g, 1, tuned());
    }
}

TEST_F(CompiledChain, OfIntegers) {
  for (const std::int64_t size : {7, 12}) {
    Graph g;
    g.outputs = chains_of_integers(g, g.add_input("x", DType::float32, {9, size}));
    expect_same(g, 2, tuned());
  }
}

/// More elements than a launch has threads in one block, and a last block that is not full.
TEST_F(CompiledChain, ManyBlocks) {
  expect_same(small_graph(1111), 1, tuned());
  expect_same(small_graph(1112), 1, tuned());
}

/// Results of whole lines of memory lie side by side, and not in the order they are made in.
TEST_F(CompiledChain, WriteNothingElse) {
  for (const Shape& shape : {Shape{4, 16}, Shape{32, 2}}) {  // packs, single elements
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, shape);
    const ValueId y = constant(g, {shape[0], 1}, 1);
    const auto chain = [&](Unary f) { return binary(g, Binary::mul, unary(g, f, x), y); };
    const ValueId first = chain(Unary::neg), second = chain(Unary::abs), third = chain(Unary::sin);
    g.outputs = {third, first, second};
    expect_same(g, 3, tuned());
  }
}

TEST_F(CompiledChain, ClipsWithoutBounds) {
  Graph g;
  const float infinity = std::numeric_limits<float>::infinity();
  const ValueId x = g.add_input("x", DType::float32, {3, 9});
  g.outputs = {unary(g, Unary::exp, unary(g, Unary::clip, x, 0.25f, infinity)),
               unary(g, Unary::exp, unary(g, Unary::clip, x, -infinity, 0.25f))};
  expect_same(g, 2, tuned());
}

TEST_F(CompiledChain, TuningDecides) {
  const WithGpu gpu;
  const std::vector<std::byte> bytes = file_of(small_graph(13));
  const Model model = Model::from_bytes(bytes);
  cuda_double_set_cost("interpret", 0.25);
  EXPECT_EQ(compiled_steps(Session(model, tuned())), 0);
  tune::forget_tuning();
  SessionOptions off = tuned();
  off.tuning = Tuning::off;
  EXPECT_EQ(compiled_steps(Session(model, off)), 0) << "the plan cache says so";
}

/// What an earlier session compiled is read; what is damaged is compiled again.
TEST_F(CompiledChain, CodeIsKept) {
  const WithGpu gpu;
  make_interpreting_slow();
  const std::vector<std::byte> bytes = file_of(small_graph(14));
  const Model model = Model::from_bytes(bytes);
  const std::vector<float> right = [&] {
    Session session(model, tuned());
    return outputs_of(session);
  }();
  ASSERT_EQ(files().size(), 1u);
  const std::string path = files()[0].string(), whole = read_text(path);
  const auto expect_compiled = [&](bool again) {
    cuda_double_fail_at("nvrtcCompileProgram", 1, 2);  // if it is asked
    Session session(model, tuned());
    EXPECT_EQ(compiled_steps(session), again ? 0 : 1);
    expect_equal_bits(outputs_of(session), right, "");
    cuda_double_fail_at(nullptr, 0, 0);
    Session healed(model, tuned());
    EXPECT_EQ(compiled_steps(healed), 1);
    EXPECT_EQ(read_text(path), whole);
  };
  expect_compiled(false);
  const auto damage = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    expect_compiled(true);
  };
  damage("");
  damage(whole.substr(0, 32));
  damage(whole.substr(0, whole.size() - 1));
  damage(whole + "x");
  std::string flipped = whole;
  flipped[whole.size() / 2] ^= 1;
  damage(flipped);
  fs::remove(path);
  expect_compiled(true);
}

/// Another kind of GPU gets code of its own.
TEST_F(CompiledChain, CodeIsForOneKindOfGpu) {
  const WithGpu gpu;
  make_interpreting_slow();
  const std::vector<std::byte> bytes = file_of(small_graph(15));
  const Model model = Model::from_bytes(bytes);
  EXPECT_EQ(compiled_steps(Session(model, tuned())), 1);
  constexpr cuda_double_device kOther{1, 13000, 9, 0, 0, 1, 0};
  cuda_double_set_device(&kOther);
  EXPECT_EQ(compiled_steps(Session(model, tuned())), 1);
  EXPECT_EQ(files().size(), 2u);
}

TEST_F(CompiledChain, NoFolderIsNoError) {
  const WithGpu gpu;
  make_interpreting_slow();
  const std::vector<std::byte> bytes = file_of(small_graph(16));
  const Model model = Model::from_bytes(bytes);
  SessionOptions options = tuned();
  options.plan_cache = "/proc/plans";
  EXPECT_EQ(compiled_steps(Session(model, options)), 1);
}

/// A chain without a compiler, or with one that fails, is interpreted.
TEST_F(CompiledChain, FailuresLeakNothing) {
  const Graph graph = small_graph(17);
  for (const char* function : {"nvrtcCreateProgram", "nvrtcCompileProgram", "nvrtcGetCUBINSize",
                               "nvrtcGetCUBIN", "cudaGetDriverEntryPointByVersion",
                               "cuModuleLoadData", "cuModuleGetFunction", "cuLaunchKernel"})
    for (long call = 1; call <= 2; ++call) {
      SCOPED_TRACE(message(function, " ", call));
      const WithGpu gpu;
      make_interpreting_slow();
      tune::forget_tuning();
      fs::remove_all(path_ + ".code");
      fs::remove(path_);
      const std::vector<std::byte> bytes = file_of(graph);
      const Model model = Model::from_bytes(bytes);
      cuda_double_fail_at(function, call, 2);
      try {
        Session session(model, tuned());
        EXPECT_TRUE(session.run().ok());
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::out_of_memory) << error.what();
      }
    }
}

/// Several sessions, each with its own copy of the code; run() allocates nothing.
TEST_F(CompiledChain, SessionsAreIndependent) {
  const WithGpu gpu;
  make_interpreting_slow();
  const std::vector<std::byte> bytes = file_of(small_graph(18));
  const Model model = Model::from_bytes(bytes);
  auto first = std::make_unique<Session>(model, tuned());
  Session second(model, tuned());
  const std::vector<float> right = outputs_of(*first);
  first = nullptr;
  const long allocations = cuda_double_allocations();
  expect_equal_bits(outputs_of(second), right, "");
  EXPECT_EQ(cuda_double_allocations(), allocations);
}

}  // namespace
}  // namespace skiff::test
