#include <algorithm>
#include <utility>

#include "runtime/backend/module.h"
#include "runtime/core/error.h"
#include "runtime/session_impl.h"
#include "runtime/weights.h"

// What a session does with a GPU. Its steps and the copies between the memories are recorded when
// the session is made; a run launches each recorded stretch and waits for it.
namespace skiff {
namespace {

/// Kernels report an index out of range in a word behind the inputs and outputs.
constexpr std::uint64_t kBadValueBytes = Block::kAlignment;

std::unique_ptr<backend::Device> try_open(const Graph& graph, const SessionOptions& options) {
  std::string why;
  const skiff_backend* table = backend::module(why);
  require(table != nullptr, ErrorCode::device, why);
  require(!graph.resizable(), ErrorCode::unsupported,
          "models with flexible shapes run on the CPU in this version");
  return std::make_unique<backend::Device>(*table, options.gpu);
}

}  // namespace

std::unique_ptr<backend::Device> open_device(const Graph& graph, const SessionOptions& options) {
  const bool wanted = options.device == DeviceKind::cuda || options.strict_gpu;
  if (options.device == DeviceKind::cpu && !options.strict_gpu) return nullptr;
  if (!wanted && options.log.function == nullptr && !backend::module_exists()) return nullptr;
  try {
    return try_open(graph, options);
  } catch (const Error& error) {
    require(!options.strict_gpu, error.code(), error.what(),
            " (leave out --strict-gpu to use the CPU)");
    if (options.log.function != nullptr)
      options.log.function(options.log.user, wanted ? LogLevel::warning : LogLevel::info,
                           message("the CPU is used: ", error.what()).c_str());
    return nullptr;
  }
}

/// --strict-gpu: no step may fall back to the CPU.
void Session::Impl::check_placement() const {
  if (!options.strict_gpu) return;
  for (const Step& step : binding.steps)
    require(step.space == Space::device, ErrorCode::device, "node '",
            graph().nodes[static_cast<std::size_t>(step.node)].name,
            "' would run on the CPU: ", step.why_host, " (leave out --strict-gpu to let it)");
}

std::uint64_t Session::Impl::io_bytes() const noexcept {
  return layout.io_bytes + (device ? kBadValueBytes : 0);
}

void Session::Impl::take_device_memory() {
  if (!device) return;
  device_arena = device->allocate(backend::MemoryKind::device, layout.device.bytes);
  pinned_io = device->allocate(backend::MemoryKind::pinned, io_bytes());
  io = pinned_io.data();
  bad_value = reinterpret_cast<std::int32_t*>(io + layout.io_bytes);
  if (!options.arena.empty()) return;
  pinned_arena = device->allocate(backend::MemoryKind::pinned, layout.host.bytes);
  if (pinned_arena.data() != nullptr) activations = pinned_arena.data();
}

void Session::Impl::fill_device_set(WeightSet& set) {
  if (!device) return;
  backend::Memory block =
      device->allocate(backend::MemoryKind::device, binding.device_weights_bytes);
  Block staging(book, binding.device_staging);
  fill_device_weights(shared.verified, binding, *device, block.data(), staging.bytes());
  set.device_block = std::move(block);
}

std::byte* Session::Impl::device_address(std::int32_t id) const noexcept {
  const auto i = static_cast<std::size_t>(id);
  if (layout.device.value_offset[i] >= 0)
    return device_arena.mapped() + layout.device.value_offset[i];
  const bool io_value = layout.io_offset[i] >= 0 && is_shared(graph().value(id), shared_io());
  return io_value ? pinned_io.mapped() + layout.io_offset[i] : nullptr;
}

void Session::Impl::connect_on_device(std::size_t s) {
  Step& step = binding.steps[s];
  const GraphNode& node = graph().nodes[static_cast<std::size_t>(step.node)];
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    step.inputs[i] = node.inputs[i] < 0 ? nullptr : device_address(node.inputs[i]);
  for (std::size_t o = 0; o < node.outputs.size(); ++o)
    step.outputs[o] = device_address(node.outputs[o]);
  const std::int64_t workspace = layout.device.workspace_offset[s];
  step.workspace = workspace < 0 ? nullptr : device_arena.mapped() + workspace;
}

/// Borders name steps by number: steps that are views are about to be left out.
void Session::Impl::renumber_borders() noexcept {
  std::size_t step = 0;
  std::int32_t left = 0;
  for (Border& border : layout.borders) {
    for (; step < static_cast<std::size_t>(border.step); ++step)
      left += binding.steps[step].elided ? 0 : 1;
    border.step = left;
  }
}

void Session::Impl::enqueue(const Border& border) {
  const auto bytes = static_cast<std::uint64_t>(graph().value(border.value).info.bytes());
  if (bytes == 0) return;
  const bool to_device = border.to == Space::device;
  void *on_host = address(border.value), *on_device = device_address(border.value);
  device->copy(to_device ? on_device : on_host, to_device ? on_host : on_device, bytes, to_device);
}

void Session::Impl::enqueue(const Step& step) {
  auto* const word = reinterpret_cast<std::int32_t*>(pinned_io.mapped() + layout.io_bytes);
  device->enqueue(static_cast<const backend::DeviceKernel&>(*step.kernel),
                  {step.inputs, step.outputs, step.workspace, step.tables, word});
}

/// Splits the steps into stretches: copies and steps of the device, then steps of the host.
void Session::Impl::make_segments(bool record) {
  segments.clear();
  auto border = layout.borders.begin();
  const auto due = [&](std::size_t step) {
    return border != layout.borders.end() && static_cast<std::size_t>(border->step) <= step;
  };
  const std::size_t count = binding.steps.size();
  std::size_t s = 0;
  do {
    Segment segment;
    segment.device_begin = s;
    if (device) device->begin(record);
    for (;;) {
      while (due(s)) enqueue(*border++);
      if (s == count || binding.steps[s].space != Space::device) break;
      enqueue(binding.steps[s++]);
    }
    if (device) segment.program = device->end();
    segment.device_end = s;
    while (s < count && binding.steps[s].space == Space::host &&
           (s == segment.device_end || !due(s)))
      ++s;
    segment.host_end = s;
    segments.push_back(std::move(segment));
  } while (s < count || due(count));
}

void Session::Impl::record() {
  if (device) make_segments(false);  // loads the kernels' code, which a capture must not do
  if (device) *bad_value = 0;
  make_segments(true);
}

Status Session::Impl::bad_value_status() noexcept {
  if (std::exchange(*bad_value, 0) == 0) return {};
  return {ErrorCode::bad_value, "an index is out of range"};
}

Status Session::Impl::run_on_device(const Segment& segment) noexcept {
  if (segment.program.get() == nullptr) return {};
  const Status status = device->run(segment.program);
  return status.ok() ? bad_value_status() : status;
}

/// The device's part of a segment step by step, with a wait behind each: for whoever watches.
Status Session::Impl::watch_on_device(const Segment& segment, void (*observe)(void*, std::size_t),
                                      void* context) noexcept {
  if (segment.program.get() == nullptr) return {};
  try {
    const auto copies = [&](std::size_t step) {
      for (const Border& border : layout.borders)
        if (static_cast<std::size_t>(border.step) == step) enqueue(border);
    };
    for (std::size_t s = segment.device_begin; s < segment.device_end; ++s) {
      observe(context, s);
      device->begin(false);
      copies(s);
      enqueue(binding.steps[s]);
      static_cast<void>(device->end());
    }
    device->begin(false);
    copies(segment.device_end);
    static_cast<void>(device->end());
    return bad_value_status();
  } catch (const Error& error) {
    return refuse(error);
  }
}

Tensor Session::Impl::watched(std::int32_t id) {
  const TensorInfo& info = shapes.info(id);
  seen.resize(static_cast<std::size_t>(info.bytes()));
  if (device_address(id) == nullptr) return Tensor(describe(info), nullptr);
  device->begin(false);
  device->copy(seen.data(), device_address(id), seen.size(), false);
  static_cast<void>(device->end());
  return Tensor(describe(info), seen.data());
}

}  // namespace skiff
