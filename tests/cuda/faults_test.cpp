#include <gtest/gtest.h>
#include <skiff/skiff.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "converters/writer.h"
#include "gpu.h"
#include "runtime/tune/tuner.h"
#include "tests/support/integer_graphs.h"
#include "tests/support/model_samples.h"
#include "tests/support/operator_samples.h"
#include "tests/support/squeeze_graphs.h"
#include "tests/support/thorough.h"

// Every call of CUDA, cuDNN and cuBLASLt fails once, while a session is made, run and destroyed. It
// may cost the session, as an error with a text, but never memory, an object or the process.
namespace skiff::test {
namespace {

constexpr int kInvalidValue = 1, kOutOfMemory = 2, kLaunchFailure = 719;

/// What a session with a failing call comes to.
struct Outcome {
  ErrorCode code = ErrorCode::ok;
  std::string text;
};

/// The same for another batch. A size that cannot be prepared changes nothing.
Status run_larger(Session& session) {
  std::vector<InputShape> shapes;
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    if (session.model().input_symbol(i, 0) < 0) continue;
    shapes.push_back({input.name(), input.shape()});
    shapes.back().shape[0] = 3;
  }
  if (shapes.empty()) return {};  // only what it counts itself
  try {
    session.prepare(shapes);
  } catch (const Error& error) {
    EXPECT_FALSE(session.resize(shapes).ok()) << "a failed prepare() left something";
    throw;
  }
  const Status resized = session.resize(shapes);
  return resized.ok() ? session.run() : resized;
}

/// A tuned session times anew, and keeps nothing.
Outcome use(const std::vector<std::byte>& bytes, bool strict, Tuning tuning = Tuning::off) {
  SessionOptions options{.device = DeviceKind::cuda, .strict_gpu = strict, .tuning = tuning};
  if (tuning != Tuning::off) {
    tune::forget_tuning();
    options.plan_cache = "/proc/plans";
  }
  try {
    const Model model = Model::from_bytes(bytes);
    Session session(model, options);
    Status status = session.run();
    if (status.ok() && model.symbol_count() > 0) status = run_larger(session);
    return {status.code(), status.message()};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

long calls_of(const std::vector<std::byte>& bytes, bool strict, Tuning tuning = Tuning::off) {
  const long before = cuda_double_calls();
  EXPECT_EQ(use(bytes, strict, tuning).code, ErrorCode::ok);
  return cuda_double_calls() - before;
}

/// Whether use() says it when its call number `call` gives `code`.
bool is_refused(const std::vector<std::byte>& bytes, bool strict, Tuning tuning, long call,
                int code) {
  SCOPED_TRACE("call " + std::to_string(call) + " gives " + std::to_string(code));
  const WithGpu gpu;
  cuda_double_fail_at(nullptr, call, code);
  const Outcome outcome = use(bytes, strict, tuning);
  EXPECT_NE(outcome.text, "");
  EXPECT_NE(outcome.code, ErrorCode::internal) << outcome.text;
  return outcome.code != ErrorCode::ok;
}

class Faults : public ::testing::TestWithParam<ModelSample> {};

TEST_P(Faults, EachCallOnce) {
  const std::vector<std::byte> bytes = file_of(GetParam());
  const WithGpu gpu;
  const bool strict = use(bytes, true).code == ErrorCode::ok;  // nothing of it is the CPU's
  const long calls = calls_of(bytes, strict);
  ASSERT_GT(calls, 50);
  long refused = 0;
  for (const int code : {kInvalidValue, kOutOfMemory})
    for (long call = 1; call <= calls; ++call)
      refused += is_refused(bytes, strict, Tuning::off, call, code) ? 1 : 0;
  // Only what gives back and what has an alternative may fail unnoticed.
  if (strict) {
    EXPECT_GT(refused, calls);
  }
}

/// A node alone with its constants; what else it reads is an input. `graph` has fixed sizes.
Graph alone(const Graph& graph, ir::NodeId id) {
  const ir::Node& node = graph.node(id);
  Graph g;
  g.name = node.name;
  std::map<ValueId, ValueId> made = {{ir::kAbsent, ir::kAbsent}};
  std::vector<ValueId> inputs;
  for (const ValueId input : node.inputs) {
    if (!made.contains(input)) {
      const ir::Value& value = graph.value(input);
      made[input] = value.constant
                        ? g.add_constant(value.name, value.dtype, value.shape, *value.constant)
                        : g.add_input(value.name, value.dtype, value.shape);
      g.value(made[input]).quantization = value.quantization;
    }
    inputs.push_back(made[input]);
  }
  const ir::NodeId own = g.add_node(node.op, node.attrs, inputs, node.name, node.outputs.size());
  g.outputs = g.node(own).outputs;
  for (std::size_t i = 0; i < g.outputs.size(); ++i)
    g.value(g.outputs[i]).quantization = graph.value(node.outputs[i]).quantization;
  return g;
}

/// The nodes of a graph, each a graph of its own; one with open sizes stays whole.
std::vector<Graph> nodes_of(const Graph& graph) {
  if (!graph.symbols.empty()) return {graph};
  std::vector<Graph> nodes;
  for (const ir::NodeId id : graph.order()) nodes.push_back(alone(graph, id));
  return nodes;
}

/// Convolutions of 16-bit floats: cuDNN's, ours on tensor cores, depthwise and transposed.
Graph convolutions(DType dtype) {
  Graph g;
  g.name = "convolutions";
  const auto zeros = [&](const char* name, const Shape& shape) {
    return g.add_constant(name, dtype, shape,
                          std::vector<std::byte>(2 * static_cast<std::size_t>(shape.elements())));
  };
  const ValueId x = g.add_input("x", dtype, {1, 4, 4, 8});
  fb::ConvAttrsT conv;
  conv.strides = conv.dilations = {1, 1};
  conv.pads = {1, 1, 1, 1};
  const ValueId wide =
      g.add(Op::conv, conv, {x, zeros("w8", {8, 3, 3, 8}), zeros("b", {8})}, "wide");
  conv.activation = fb::UnaryFunction::relu;
  const ValueId narrow = g.add(Op::conv, conv, {x, zeros("w3", {3, 3, 3, 8})}, "narrow");
  conv.groups = 8;
  const ValueId depthwise = g.add(Op::conv, conv, {x, zeros("w1", {8, 3, 3, 1})}, "depthwise");
  conv.groups = 1;
  conv.output_pads = {0, 0};
  const ValueId turned =
      g.add(Op::conv_transpose, conv, {x, zeros("wt", {3, 3, 3, 8})}, "transposed");
  g.outputs = {wide, narrow, depthwise, turned};
  return g;
}
Graph halves() { return convolutions(DType::float16); }
Graph bfloats() { return convolutions(DType::bfloat16); }

/// Nodes of operator_samples() in forms that the GPU leaves to the CPU.
const std::set<std::string> kLeft = {"pictures.pool", "pictures.apart", "pictures.lp",
                                     "pictures.part", "steps.lstm",     "steps.squared"};

/// Every call fails once with each code; of many calls only some, other ones of each node.
void fail_calls(const std::vector<std::byte>& bytes, Tuning tuning, long number) {
  const long tried = thorough() ? 120 : 12;  // untuned nodes make fewer; timing repeats itself
  const long calls = calls_of(bytes, true, tuning);
  const long stride = calls / tried + 1;
  long refused = 0;
  for (const int code : {kInvalidValue, kOutOfMemory})
    for (long call = 1 + number++ % stride; call <= calls; call += stride)
      refused += is_refused(bytes, true, tuning, call, code) ? 1 : 0;
  EXPECT_GT(refused, 0);
}

class NodeFaults : public ::testing::TestWithParam<ModelSample> {};

TEST_P(NodeFaults, EachOperatorAlone) {
  long number = 0;
  for (const Graph& graph : nodes_of(GetParam().graph())) {
    const std::string name = std::string(GetParam().name) + "." + graph.name;
    SCOPED_TRACE(name);
    convert::Manifest manifest;
    manifest.name = graph.name;
    const std::vector<std::byte> bytes = convert::write_model(graph, manifest);
    const WithGpu gpu;
    const Outcome outcome = use(bytes, true);
    EXPECT_EQ(outcome.code == ErrorCode::ok, !kLeft.contains(name)) << outcome.text;
    if (outcome.code != ErrorCode::ok) continue;
    for (const Tuning tuning : {Tuning::off, Tuning::fast}) fail_calls(bytes, tuning, number += 2);
  }
}

/// In a process of its own: the context is lost for good.
int lose_context(const std::vector<std::byte>& bytes, const char* function, long call) {
  if (const pid_t child = fork(); child != 0) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const Outcome first = (cuda_double_fail_at(function, call, kLaunchFailure), use(bytes, true));
  cuda_double_fail_at(nullptr, 0, 0);
  const Outcome second = use(bytes, true);
  const bool said = first.code == ErrorCode::device && second.code == ErrorCode::device &&
                    second.text.find("restart the process") != std::string::npos;
  const bool quiet = std::string(cuda_double_complaints()).empty();
  const bool cpu_works = use(bytes, false).code == ErrorCode::ok;
  std::_Exit((said ? 0 : 1) + (quiet ? 0 : 2) + (cpu_works ? 0 : 4));
}

TEST(LostContext, IsLeftAlone) {
  const std::vector<std::byte> bytes = file_of(model_samples()[0]);
  const WithGpu gpu;
  for (const char* function : {"cudaStreamSynchronize", "cudaGraphLaunch", "cudaMemcpyAsync"})
    EXPECT_EQ(lose_context(bytes, function, 1), 0) << function;
}

TEST(MemoryThatIsShort, HasACodeOfItsOwn) {
  const std::vector<std::byte> bytes = file_of(model_samples()[0]);
  const WithGpu gpu;
  for (const char* function : {"cudaMalloc", "cudaHostAlloc"}) {
    cuda_double_fail_at(function, 1, kOutOfMemory);
    EXPECT_EQ(use(bytes, true).code, ErrorCode::out_of_memory) << function;
    cuda_double_fail_at(function, 1, kInvalidValue);
    EXPECT_EQ(use(bytes, true).code, ErrorCode::device) << function;
  }
}

/// Products of integers, and a chain between them.
Graph integers() {
  return residual_block(8, {fb::DType::int8, 1.0f / 64, 3}, {fb::DType::uint8, 1.0f / 32});
}

/// Nodes that only a GPU's session makes: channels weighted by gates, and a chain.
Graph joined() {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {1, 6, 5, 12});
  const ValueId y = binary(g, Binary::add, weighted(g, x, 3, 1), x);
  g.outputs = {unary(g, Unary::tanh, unary(g, Unary::exp, y))};
  return g;
}

constexpr ModelSample kNarrow[] = {{"halves", halves}, {"bfloats", bfloats}};
INSTANTIATE_TEST_SUITE_P(Samples, NodeFaults, ::testing::ValuesIn(operator_samples()),
                         [](const auto& tested) { return std::string(tested.param.name); });
INSTANTIATE_TEST_SUITE_P(Narrow, NodeFaults, ::testing::ValuesIn(kNarrow),
                         [](const auto& tested) { return std::string(tested.param.name); });
INSTANTIATE_TEST_SUITE_P(Joined, Faults,
                         ::testing::Values(ModelSample{"joined", joined},
                                           ModelSample{"integers", integers}),
                         [](const auto& tested) { return std::string(tested.param.name); });
INSTANTIATE_TEST_SUITE_P(Samples, Faults, ::testing::ValuesIn(model_samples()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace skiff::test
