#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/cli/commands.h"
#include "runtime/cli/compare.h"
#include "runtime/cli/fingerprint.h"
#include "runtime/cli/output.h"
#include "runtime/core/error.h"
#include "runtime/graph/shapes.h"
#include "runtime/model_impl.h"

namespace skiff::cli {
namespace {

/// How far a layer may stray, in units of what the outputs may: a fingerprint only estimates the
/// norm of a difference (four signed sums), so it gets a margin.
constexpr double kMargin = 4;

struct Layer {
  std::size_t step = 0;
  std::string name, op;
  double error = 0;  ///< estimated relative L2
};

/// Compares every step's results with their fingerprints while the session runs.
class Watch {
 public:
  Watch(const Session& session, const fb::GoldenCase& golden)
      : session_(session), expected_(golden.fingerprints()) {}

  /// Called before step `next`: the one before it has just written its results.
  static void before(void* self, std::size_t next) {
    if (next > 0) static_cast<Watch*>(self)->look(next - 1);
  }
  const std::vector<Layer>& layers() const { return layers_; }

 private:
  void look(std::size_t step) {
    for (std::size_t o = 0; o < session_.step_output_count(step); ++o) {
      const fb::Fingerprint* print = find(session_.step_output_value(step, o));
      const Tensor value = session_.step_output(step, o);
      // Nothing can be told from the sums of a tensor that holds infinities (a mask, say).
      if (print == nullptr || value.bytes().data() == nullptr || !std::isfinite(print->l2()))
        continue;
      const StepInfo info = session_.step(step);
      layers_.push_back(
          {step, std::string(info.name), std::string(info.op), estimated_error(value, *print)});
    }
  }
  const fb::Fingerprint* find(std::int32_t value) const {
    for (std::size_t i = 0; i < model::length(expected_); ++i)
      if (const auto* print = expected_->Get(static_cast<unsigned>(i)); print->value() == value)
        return print;
    return nullptr;
  }

  const Session& session_;
  const flatbuffers::Vector<flatbuffers::Offset<fb::Fingerprint>>* expected_;
  std::vector<Layer> layers_;
};

void fill_inputs(const Session& session, const fb::GoldenCase& golden) {
  const model::Verified& verified = session.model().impl()->verified;
  for (std::size_t i = 0; i < model::length(golden.inputs()); ++i) {
    const fb::GoldenTensor& tensor = *golden.inputs()->Get(static_cast<unsigned>(i));
    const auto ids = verified.graph().inputs;
    const auto found = std::find(ids.begin(), ids.end(), tensor.value());
    require(found != ids.end(), ErrorCode::invalid_model, "golden data for value ", tensor.value(),
            ", which is no input");
    const Tensor input = session.input(static_cast<std::size_t>(found - ids.begin()));
    verified.read_buffer_checked(tensor.buffer(), input.bytes());
  }
}

/// Floats within the case's tolerance, everything else equal.
bool agrees(const Tensor& output, const Difference& d, const fb::GoldenCase& golden) {
  const bool real = output.dtype() == DType::float32 || output.dtype() == DType::float16 ||
                    output.dtype() == DType::bfloat16 || output.dtype() == DType::float64;
  if (!real) return d.max_absolute == 0;
  return d.relative_l2 <= static_cast<double>(golden.relative_l2()) &&
         d.max_relative <= static_cast<double>(golden.max_relative());
}

bool check_outputs(const Session& session, const fb::GoldenCase& golden, Json& json,
                   std::string& text) {
  const model::Verified& verified = session.model().impl()->verified;
  bool good = true;
  for (std::size_t i = 0; i < model::length(golden.outputs()); ++i) {
    const fb::GoldenTensor& tensor = *golden.outputs()->Get(static_cast<unsigned>(i));
    const auto ids = verified.graph().outputs;
    const auto found = std::find(ids.begin(), ids.end(), tensor.value());
    require(found != ids.end(), ErrorCode::invalid_model, "golden data for value ", tensor.value(),
            ", which is no output");
    const Tensor output = session.output(static_cast<std::size_t>(found - ids.begin()));
    std::vector<std::byte> expected(verified.buffer_size(tensor.buffer()));
    verified.read_buffer_checked(tensor.buffer(), expected);
    // What is counted may be counted otherwise here.
    const bool sizes = expected.size() == output.bytes().size();
    const Difference d = sizes ? compare(output, expected, 0, 0) : Difference{INFINITY, INFINITY};
    const bool right = sizes && agrees(output, d, golden);
    good = good && right;
    text += fmt::format("  output {}: {}; relative L2 {:.3g} (at most {:g}), largest {:.3g}\n",
                        output.name(), right ? "right" : "WRONG", d.relative_l2,
                        golden.relative_l2(), d.max_absolute);
    json["outputs"].push_back({{"name", output.name()},
                               {"right", right},
                               {"relative_l2", d.relative_l2},
                               {"max_relative", d.max_relative}});
  }
  return good;
}

/// Layers whose results never exist, because a step computes them on the way to others.
int fused_layers(const Session& session) {
  int count = 0;
  for (std::size_t s = 0; s < session.step_count(); ++s) count += session.step(s).layers - 1;
  return count;
}

bool check_layers(const Session& session, const Watch& watch, const fb::GoldenCase& golden,
                  Json& json, std::string& text) {
  if (const int fused = fused_layers(session); fused > 0) {
    text += fmt::format("  {} layers lie inside fused ones; --fuse=off looks at them too\n", fused);
    json["layers_fused"] = fused;
  }
  const double most = kMargin * static_cast<double>(golden.relative_l2());
  const auto& layers = watch.layers();
  const auto off = std::find_if(layers.begin(), layers.end(),
                                [&](const Layer& layer) { return !(layer.error <= most); });
  json["layers_checked"] = layers.size();
  if (off == layers.end()) {
    text += fmt::format("  {} layers checked\n", layers.size());
    return true;
  }
  text += fmt::format("  first layer that is off: step {}, {} '{}', relative L2 about {:.3g}\n",
                      off->step, off->op, off->name, off->error);
  json["first_off"] = {
      {"step", off->step}, {"name", off->name}, {"op", off->op}, {"relative_l2", off->error}};
  return false;
}

/// The sizes of the case.
void take_sizes(Session& session, const fb::GoldenCase& golden) {
  const Graph& graph = session.model().impl()->verified.graph();
  if (graph.symbols == nullptr) return;
  Shapes shapes(graph, *std::pmr::get_default_resource());
  shapes.assign(model::numbers(golden.symbols()));
  std::vector<InputShape> wanted;
  for (std::int32_t id : graph.inputs)
    wanted.push_back({shapes.info(id).name, shapes.info(id).shape});
  take_shapes(session, wanted);
}

bool verify_case(Session& session, const fb::GoldenCase& golden, Json& json, std::string& text) {
  take_sizes(session, golden);
  session.reset();
  fill_inputs(session, golden);
  Watch watch(session, golden);
  const Status status = session.run(Watch::before, &watch);
  require(status.ok(), status.code(), "node ", status.node(), ": ", status.message());
  text += fmt::format("golden case '{}'\n", model::text(golden.name()));
  json["name"] = model::text(golden.name());
  const bool outputs = check_outputs(session, golden, json, text);
  const bool layers = check_layers(session, watch, golden, json, text);
  return outputs && layers;
}

int verify(const Common& common) {
  const Model model = common.load();
  const auto* cases = model.impl()->verified.metadata().golden();
  require(model::length(cases) > 0, ErrorCode::invalid_model,
          "the model holds no golden data; convert it with skiff-convert --golden=auto or a .npz");
  Session session = common.session(model);
  bool good = true;
  std::string text;
  Json json = {{"model", model.name()}, {"isa", session.isa()}, {"cases", Json::array()}};
  for (std::size_t i = 0; i < model::length(cases); ++i) {
    Json entry;
    good = verify_case(session, *cases->Get(static_cast<unsigned>(i)), entry, text) && good;
    json["cases"].push_back(entry);
  }
  json["right"] = good;
  const bool gpu = session.device() == DeviceKind::cuda;
  text += fmt::format("{}: {} on {}\n", common.model, good ? "right" : "WRONG",
                      gpu ? "cuda" : session.isa());
  if (common.json != "-") fmt::print("{}", text);
  write_json(json, common.json);
  return good ? 0 : 1;
}

}  // namespace

Action add_verify(CLI::App& app) {
  auto common = std::make_shared<Common>();
  add_common_flags(app, *common);
  return [common] { return verify(*common); };
}

}  // namespace skiff::cli
