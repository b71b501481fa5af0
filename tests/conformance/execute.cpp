#include <skiff/model.h>
#include <skiff/session.h>

#include <algorithm>

#include "converters/dynamic/dynamic.h"
#include "converters/ir/counts.h"
#include "converters/passes/passes.h"
#include "converters/writer.h"
#include "runtime/backend/device.h"
#include "runtime/backend/module.h"
#include "runtime/core/error.h"
#include "tests/conformance/run_case.h"

namespace skiff::conformance {

ir::Graph prepare(const Import& import, const convert::ImportOptions& options) {
  const auto convert = [&](const dynamic::Sizes& sizes) {
    convert::ImportOptions at = options;
    at.shapes = sizes.shapes;
    at.assumption = sizes.assumption;
    ir::Graph graph = import(at).graph;
    passes::run_pipeline(graph, passes::all_groups(), {.check = true});
    return graph;
  };
  ir::Graph graph = convert({options.shapes, 0});
  if (!ir::has_counting(graph)) return graph;
  return dynamic::generalise({}, options.shapes, {}, convert, [](const ir::Graph&) {});
}

namespace {

/// A session falls back to the CPU where there is no GPU; here that would count for one.
void require_gpu() {
  std::string why;
  const skiff_backend* table = backend::module(why);
  require(table != nullptr, ErrorCode::device, why);
  static_cast<void>(backend::Device(*table, 0));
}

bool uses_gpu(const Session& session) {
  for (std::size_t i = 0; i < session.step_count(); ++i)
    if (session.step(i).device == DeviceKind::cuda) return true;
  return false;
}

}  // namespace

Run execute(const ir::Graph& graph, const Tensors& inputs, const std::string& device) {
  const std::vector<std::byte> file = convert::write_model(graph, {});
  const Model model = Model::from_bytes(file);
  const DeviceKind kind = device == "cuda" ? DeviceKind::cuda : DeviceKind::cpu;
  if (kind == DeviceKind::cuda) require_gpu();
  Session session(model, {.device = kind});
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    const auto& given = inputs.at(std::string(input.name()));
    require(given.dtype == input.dtype() && given.shape == input.shape(), ErrorCode::internal,
            "input '", input.name(), "' is ", input.dtype(), " ", input.shape(), ", the data ",
            given.dtype, " ", given.shape);
    std::copy(given.bytes.begin(), given.bytes.end(), input.bytes().begin());
  }
  const Status status = session.run();
  require(status.ok(), status.code(), "run: ", status.message());
  Run done{.results = {}, .on_gpu = uses_gpu(session)};
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const Tensor output = session.output(i);
    const auto bytes = output.bytes();
    done.results[std::string(output.name())] = {
        output.dtype(), output.shape(), {bytes.begin(), bytes.end()}};
  }
  return done;
}

}  // namespace skiff::conformance
