#include <skiff/session.h>

#include "runtime/core/error.h"
#include "runtime/ops/conv_block.h"
#include "runtime/ops/made.h"
#include "runtime/ops/pixels.h"
#include "runtime/ops/pointwise_chain.h"
#include "runtime/ops/squeeze_excite.h"
#include "runtime/session/budget.h"
#include "runtime/session/impl.h"

// The public class: everything is handed on to the session's Impl.
namespace skiff {
namespace {

Tensor tensor_of(const Session::Impl& impl, std::int32_t id) {
  return Tensor(describe(impl.shapes.info(id)), impl.address(id));
}

Tensor at(const Session::Impl& impl, std::span<const std::int32_t> ids, std::size_t i,
          const char* what) {
  require(i < ids.size(), ErrorCode::not_found, "the model has ", ids.size(), " ", what,
          "s, number ", i, " was asked for");
  return tensor_of(impl, ids[i]);
}

/// A cast and its steps are one part.
int layers_of(std::span<const Part> parts) noexcept {
  const bool pixels = parts[0].def->op == made::pixels;
  return static_cast<int>(parts.size()) +
         (pixels ? static_cast<const Pixels*>(parts[0].attributes)->count : 0);
}

/// Nodes of the model in one of what runs.
int layers_of(const GraphNode& node) noexcept {
  const auto op = node.def->op;
  if (op == made::conv_block)
    return layers_of(static_cast<const ConvBlock*>(node.attributes)->used());
  if (op == made::pixel_conv)
    return layers_of(static_cast<const PixelConv*>(node.attributes)->parts);
  if (op == made::squeeze_excite) return static_cast<const SqueezeExcite*>(node.attributes)->count;
  if (op != made::pointwise_chain) return 1;
  const auto& chain = *static_cast<const PointwiseChain*>(node.attributes);
  return chain.count + chain.conversions();
}

/// A view whose result the plan put over its operand: StepInfo::bytes is 0.
bool moves_nothing(const Step& step, const GraphNode& node) noexcept {
  const bool view = node.def->op == fb::OpKind::reshape || node.def->op == fb::OpKind::identity;
  return view && step.inputs[0] == step.outputs[0];
}

}  // namespace

Session::Session(const Model& model, const SessionOptions& options) {
  if (options.tuning == Tuning::full) Impl::tune_in_place(model, options);
  impl_ = bind_within_limit(model, options);
  impl_->materialise();
}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

MemoryReport Session::predict(const Model& model, const SessionOptions& options) {
  return bind_within_limit(model, options, false)->memory;
}

std::size_t Session::input_count() const noexcept { return impl_->graph().inputs.size(); }
std::size_t Session::output_count() const noexcept { return impl_->graph().outputs.size(); }

Tensor Session::input(std::string_view name) const {
  return tensor_of(*impl_, find_value(impl_->graph(), impl_->graph().inputs, name, "input"));
}
Tensor Session::output(std::string_view name) const {
  return tensor_of(*impl_, find_value(impl_->graph(), impl_->graph().outputs, name, "output"));
}
Tensor Session::input(std::size_t i) const { return at(*impl_, impl_->graph().inputs, i, "input"); }
Tensor Session::output(std::size_t i) const {
  return at(*impl_, impl_->graph().outputs, i, "output");
}

Status Session::resize(std::string_view input, const Shape& shape) noexcept {
  const InputShape one{input, shape};
  return impl_->resize({&one, 1});
}
Status Session::resize(std::span<const InputShape> shapes) noexcept {
  return impl_->resize(shapes);
}
void Session::prepare(std::string_view input, const Shape& shape) {
  const InputShape one{input, shape};
  impl_->prepare({&one, 1});
}
void Session::prepare(std::span<const InputShape> shapes) { impl_->prepare(shapes); }
void Session::reset() noexcept { impl_->reset(); }

Status Session::run() noexcept { return impl_->run(nullptr, nullptr); }
Status Session::run(void (*observe)(void*, std::size_t), void* context) noexcept {
  return impl_->run(observe, context);
}

const MemoryReport& Session::memory() const noexcept { return impl_->memory; }
const Model& Session::model() const noexcept { return impl_->model; }
DeviceKind Session::device() const noexcept {
  return impl_->device ? DeviceKind::cuda : DeviceKind::cpu;
}
const char* Session::isa() const noexcept { return impl_->table.name; }
int Session::threads() const noexcept { return impl_->options.threads; }

std::size_t Session::step_count() const noexcept { return impl_->shown_count(); }

StepInfo Session::step(std::size_t i) const noexcept {
  const Step& step = impl_->shown_step(i);
  const GraphNode& node = impl_->graph_node(step);
  StepInfo info{
      .name = node.name,
      .op = node.def->name,
      .algorithm = step.kernel ? step.kernel->algorithm() : "none",
      .flops = step.kernel ? step.kernel->flops() : 0,
      .bytes = 0,
      .workspace = static_cast<std::int64_t>(step.workspace_bytes),
      .device = step.space == Space::device ? DeviceKind::cuda : DeviceKind::cpu,
      .tensor_cores = step.space == Space::device &&
                      static_cast<const backend::DeviceKernel&>(*step.kernel).tensor_cores(),
      .why_cpu = step.why_host,
      .output = impl_->shapes.info(node.outputs[0]).shape,
      .layers = layers_of(node)};
  if (moves_nothing(step, node)) return info;
  for (std::int32_t id : node.inputs)
    if (id >= 0) info.bytes += impl_->shapes.info(id).bytes();
  for (std::int32_t id : node.outputs) info.bytes += impl_->shapes.info(id).bytes();
  return info;
}

std::size_t Session::step_output_count(std::size_t i) const noexcept {
  return impl_->graph_node(impl_->shown_step(i)).outputs.size();
}

std::int32_t Session::step_output_value(std::size_t i, std::size_t output) const noexcept {
  return impl_->graph_node(impl_->shown_step(i)).outputs[output];
}

Tensor Session::step_output(std::size_t i, std::size_t output) const {
  const std::int32_t value = step_output_value(i, output);
  return impl_->shown_step(i).space == Space::device ? impl_->watched(value)
                                                     : tensor_of(*impl_, value);
}

}  // namespace skiff
