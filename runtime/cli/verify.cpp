#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/cli/commands.h"
#include "runtime/cli/compare.h"
#include "runtime/cli/gpu.h"
#include "runtime/cli/layer_watch.h"
#include "runtime/cli/output.h"
#include "runtime/cli/progress.h"
#include "runtime/core/error.h"
#include "runtime/graph/shapes.h"
#include "runtime/model_impl.h"

namespace skiff::cli {
namespace {

/// What came of one golden case.
struct CaseReport {
  const fb::GoldenCase* golden = nullptr;
  Json json;
  std::string text;
  bool outputs_right = true;
  std::size_t layers_checked = 0;
  int layers_fused = 0;  ///< their results never existed
  std::optional<Layer> first_off;
  // Of a first_off that is fused:
  std::optional<Layer> inside;    ///< the first one off when nothing is fused
  std::string not_looked_inside;  ///< why that could not be seen

  bool right() const { return outputs_right && !first_off; }
  bool fused_is_off() const { return first_off && first_off->layers > 1; }
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

void check_outputs(const Session& session, CaseReport& report) {
  const fb::GoldenCase& golden = *report.golden;
  const model::Verified& verified = session.model().impl()->verified;
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
    report.outputs_right = report.outputs_right && right;
    report.text += fmt::format(
        "  output {}: {}; relative L2 {:.3g} (at most {:g}), largest {:.3g}\n", output.name(),
        right ? "right" : "WRONG", d.relative_l2, golden.relative_l2(), d.max_absolute);
    report.json["outputs"].push_back({{"name", output.name()},
                                      {"right", right},
                                      {"relative_l2", d.relative_l2},
                                      {"max_relative", d.max_relative}});
  }
}

/// Layers whose results never exist, because a step computes them on the way to others.
int fused_layers(const Session& session) {
  int count = 0;
  for (std::size_t s = 0; s < session.step_count(); ++s) count += session.step(s).layers - 1;
  return count;
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

/// Runs a case.
LayerWatch watch_case(Session& session, const fb::GoldenCase& golden) {
  take_sizes(session, golden);
  session.reset();
  fill_inputs(session, golden);
  LayerWatch watch(session, golden);
  const Status status = session.run(LayerWatch::before, &watch);
  require(status.ok(), status.code(), "node ", status.node(), ": ", status.message());
  return watch;
}

CaseReport verify_case(Session& session, const fb::GoldenCase& golden) {
  CaseReport report;
  report.golden = &golden;
  report.text = fmt::format("golden case '{}'\n", model::text(golden.name()));
  report.json["name"] = model::text(golden.name());
  const LayerWatch watch = watch_case(session, golden);
  check_outputs(session, report);
  report.layers_checked = watch.checked();
  report.layers_fused = fused_layers(session);
  report.first_off = watch.first_off();
  return report;
}

/// A fused step that is off leaves open which of its layers is: only without fusing do they have
/// results. Cases with such a step run once more, in a session that fuses nothing.
void look_inside(const Common& common, const Model& model, std::span<CaseReport> reports) {
  if (std::ranges::none_of(reports, &CaseReport::fused_is_off)) return;
  Common unfused = common;
  unfused.fuse = "off";
  std::string failure;
  try {
    Session session = unfused.session(model);
    for (CaseReport& report : reports)
      if (report.fused_is_off()) report.inside = watch_case(session, *report.golden).first_off();
  } catch (const Error& error) {
    failure = error.what();
  }
  for (CaseReport& report : reports)
    if (report.fused_is_off() && !report.inside) report.not_looked_inside = failure;
}

Json layer_json(const Layer& layer) {
  return {
      {"step", layer.step}, {"name", layer.name}, {"op", layer.op}, {"relative_l2", layer.error}};
}

void describe_first_off(CaseReport& report) {
  const auto line = [&](const char* steps, const Layer& layer) {
    report.text +=
        fmt::format("  first layer that is off: step {}{}, {} '{}', relative L2 about {:.3g}\n",
                    layer.step, steps, layer.op, layer.name, layer.error);
    report.json["first_off"] = layer_json(layer);
  };
  const Layer& off = *report.first_off;
  if (!report.fused_is_off()) return line("", off);
  report.text += fmt::format("  step {}, {} '{}', is off; it is {} layers in one", off.step, off.op,
                             off.name, off.layers);
  report.json["fused_off"] = layer_json(off);
  if (report.inside) {
    report.text += ", so looked again without fusing:\n";
    return line(" of --fuse=off", *report.inside);
  }
  report.text +=
      report.not_looked_inside.empty()
          ? "; without fusing no layer is off\n"
          : ", which could not be run without fusing: " + report.not_looked_inside + "\n";
  report.json["first_off"] = layer_json(off);
}

void describe_layers(CaseReport& report) {
  report.text += fmt::format("  {} layers checked", report.layers_checked);
  if (report.layers_fused > 0) {
    report.text +=
        fmt::format(", {} more by the results of those they are fused with", report.layers_fused);
    report.json["layers_fused"] = report.layers_fused;
  }
  report.text += "\n";
  report.json["layers_checked"] = report.layers_checked;
  if (report.first_off) describe_first_off(report);
}

std::vector<CaseReport> verify_all(Session& session, std::span<const fb::GoldenCase* const> cases) {
  std::vector<CaseReport> reports;
  Progress progress;
  for (const fb::GoldenCase* golden : cases) {
    progress.show("verifying",
                  static_cast<double>(reports.size()) / static_cast<double>(cases.size()));
    reports.push_back(verify_case(session, *golden));
  }
  return reports;
}

int verify(const Common& common) {
  const Model model = common.load();
  const auto* golden = model.impl()->verified.metadata().golden();
  require(model::length(golden) > 0, ErrorCode::invalid_model,
          "the model holds no golden data; convert it with skiff-convert --golden=auto or a .npz");
  std::optional<Session> session(common.session(model));
  Json json = {{"model", model.name()},
               {"device", name_of(session->device())},
               {"isa", session->isa()},
               {"cases", Json::array()},
               {"environment", environment_json(*session)}};
  const std::string processor =
      session->device() == DeviceKind::cuda ? processor_text(*session) : session->isa();
  const std::vector<const fb::GoldenCase*> cases(golden->begin(), golden->end());
  std::vector<CaseReport> reports = verify_all(*session, cases);
  session.reset();  // its memory is the next one's
  look_inside(common, model, reports);

  std::string text;
  for (CaseReport& report : reports) {
    describe_layers(report);
    text += report.text;
    json["cases"].push_back(report.json);
  }
  const bool good = std::ranges::all_of(reports, &CaseReport::right);
  json["right"] = good;
  text += fmt::format("{}: {} on {}\n", common.model, good ? "right" : "WRONG", processor);
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
