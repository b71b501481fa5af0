#include <algorithm>
#include <utility>

#include "runtime/backend/module.h"
#include "runtime/core/error.h"
#include "runtime/lower/weights.h"
#include "runtime/session/impl.h"
#include "runtime/tune/tuner.h"

// What a session does with a GPU. Its steps and the copies between the memories are recorded when
// the session is made; a run launches each recorded stretch and waits for it.
namespace skiff {
namespace {

/// Kernels report an index out of range in a word behind the inputs and outputs, and what they
/// count in one a symbol behind that.
constexpr std::uint64_t kBadValueBytes = Block::kAlignment;
constexpr std::uint64_t kCountBytes = Symbols::kMaxCount * sizeof(std::int64_t);

std::unique_ptr<backend::Device> try_open(const SessionOptions& options) {
  std::string why;
  const skiff_backend* table = backend::module(why);
  require(table != nullptr, ErrorCode::device, why);
  return std::make_unique<backend::Device>(
      *table, options.gpu,
      backend::DeviceOptions{options.stream, options.tf32, tune::code_folder(options)});
}

}  // namespace

std::unique_ptr<backend::Device> open_device(const SessionOptions& options) {
  const bool wanted = options.device == DeviceKind::cuda || options.strict_gpu;
  if (options.device == DeviceKind::cpu && !options.strict_gpu) return nullptr;
  if (!wanted && options.log.function == nullptr && !backend::module_exists()) return nullptr;
  try {
    return try_open(options);
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
    require(step.space == Space::device, ErrorCode::device, "node '", graph_node(step).name,
            "' would run on the CPU: ", step.why_host, " (leave out --strict-gpu to let it)");
}

std::uint64_t Session::Impl::io_bytes() const noexcept {
  return layout.io_bytes + (device ? kBadValueBytes : 0) + (counts_on_device() ? kCountBytes : 0);
}

bool Session::Impl::counts_on_device() const noexcept {
  return std::ranges::any_of(binding.steps, [&](const Step& step) {
    return step.space == Space::device && graph_node(step).sets >= 0;
  });
}

/// Where a step of the device's writes the number of its results; null: it does not count.
std::int64_t* Session::Impl::count_word(const Step& step, std::byte* base) const noexcept {
  const std::int32_t symbol = graph_node(step).sets;
  if (symbol < 0) return nullptr;
  return reinterpret_cast<std::int64_t*>(base + layout.io_bytes + kBadValueBytes) + symbol;
}

void Session::Impl::take_device_memory() {
  if (!device) return;
  device_activations = options.device_arena.data();
  if (options.device_arena.empty()) {
    device_arena = device->allocate(backend::MemoryKind::device, layout.device.bytes);
    device_activations = device_arena.mapped();
  }
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
  if (layout.device.value_offset[i] >= 0) return device_activations + layout.device.value_offset[i];
  const bool io_value = layout.io_offset[i] >= 0 && is_shared(graph().value(id), shared_io());
  return io_value ? pinned_io.mapped() + layout.io_offset[i] : nullptr;
}

void Session::Impl::connect_on_device(std::size_t s) {
  Step& step = binding.steps[s];
  const GraphNode& node = graph_node(step);
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    step.inputs[i] = node.inputs[i] < 0 ? nullptr : device_address(node.inputs[i]);
  for (std::size_t o = 0; o < node.outputs.size(); ++o)
    step.outputs[o] = device_address(node.outputs[o]);
  const std::int64_t workspace = layout.device.workspace_offset[s];
  step.workspace = workspace < 0 ? nullptr : device_activations + workspace;
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

/// What a run will have counted is not known when it is recorded.
std::uint64_t Session::Impl::bytes_of(const Border& border) const noexcept {
  const GraphValue& value = graph().value(border.value);
  const bool counted =
      value.producer >= 0 && graph().nodes[static_cast<std::size_t>(value.producer)].sets >= 0;
  const TensorInfo& info = counted ? value.info : shapes.info(border.value);
  return static_cast<std::uint64_t>(info.bytes());
}

void Session::Impl::enqueue(const Border& border) {
  const std::uint64_t bytes = bytes_of(border);
  if (bytes == 0) return;
  const bool to_device = border.to == Space::device;
  void *on_host = address(border.value), *on_device = device_address(border.value);
  device->copy(to_device ? on_device : on_host, to_device ? on_host : on_device, bytes, to_device);
}

void Session::Impl::enqueue(const Step& step) {
  auto* const word = reinterpret_cast<std::int32_t*>(pinned_io.mapped() + layout.io_bytes);
  device->enqueue(static_cast<const backend::DeviceKernel&>(*step.kernel),
                  {step.inputs, step.outputs, step.workspace, step.tables, word,
                   count_word(step, pinned_io.mapped())});
}

/// No more than make_segments() makes.
std::size_t Session::Impl::most_segments() const noexcept {
  std::size_t turns = 2 + layout.borders.size();
  for (std::size_t s = 1; s < binding.steps.size(); ++s)
    turns += binding.steps[s].space != binding.steps[s - 1].space ? 1u : 0u;
  return turns;
}

/// Splits the steps into stretches: copies and steps of the device, then steps of the host.
void Session::Impl::make_segments() {
  const std::size_t count = binding.steps.size();
  std::size_t s = 0, border = 0;
  const auto due = [&](std::size_t step) {
    return border < layout.borders.size() &&
           static_cast<std::size_t>(layout.borders[border].step) <= step;
  };
  do {
    Segment segment;
    segment.device_begin = s;
    segment.border_begin = border;
    while (s < count && binding.steps[s].space == Space::device) ++s;
    while (due(s)) ++border;
    segment.device_end = s;
    segment.border_end = border;
    while (s < count && binding.steps[s].space == Space::host &&
           (s == segment.device_end || !due(s)))
      ++s;
    segment.host_end = s;
    segments.push_back(std::move(segment));
  } while (s < count || due(count));
}

/// The device's part of a segment: each step behind the copies that are due.
template <typename Each>
void Session::Impl::enqueue(const Segment& segment, Each&& before_step) {
  std::size_t border = segment.border_begin;
  for (std::size_t s = segment.device_begin; s <= segment.device_end; ++s) {
    if (s < segment.device_end) before_step(s);
    for (; border < segment.border_end; ++border) {
      if (static_cast<std::size_t>(layout.borders[border].step) > s) break;
      enqueue(layout.borders[border]);
    }
    if (s < segment.device_end) enqueue(binding.steps[s]);
  }
}

/// Makes the segments' programs for the present sizes.
void Session::Impl::record() {
  if (!device) return;
  const auto all = [&](bool record) {
    for (Segment& segment : segments) {
      device->begin(record);
      enqueue(segment, [](std::size_t) {});
      segment.program = device->end();
    }
  };
  all(false);  // loads the kernels' code, which a capture must not do
  *bad_value = 0;
  all(true);
}

Status Session::Impl::bad_value_status() noexcept {
  if (std::exchange(*bad_value, 0) == 0) return {};
  return {ErrorCode::bad_value, "an index is out of range"};
}

Status Session::Impl::run_on_device(const Segment& segment) noexcept {
  if (segment.program.get() == nullptr) return {};
  Status status = device->run(segment.program);
  if (status.ok()) status = bad_value_status();
  if (!counts) return status;
  for (std::size_t s = segment.device_begin; status.ok() && s < segment.device_end; ++s)
    status = follow_device_count(binding.steps[s]);
  return status;
}

/// Behind the run of a step of the device's.
Status Session::Impl::follow_device_count(const Step& step) noexcept {
  const std::int64_t* const word = count_word(step, pinned_io.data());
  if (word == nullptr) return {};
  const Status status = follow_count(step, *word);
  return status.ok() ? status : Status(status.code(), status.message(), graph_node(step).index);
}

/// The device's part of a segment step by step, with a wait behind each: for whoever watches.
Status Session::Impl::watch_on_device(const Segment& segment, void (*observe)(void*, std::size_t),
                                      void* context) noexcept {
  if (segment.program.get() == nullptr) return {};
  Status status;
  const auto end_step = [&](std::size_t s) {  // and the copies before the one behind it
    static_cast<void>(device->end());
    if (s > segment.device_begin && status.ok()) status = follow_device_count(binding.steps[s - 1]);
  };
  try {
    device->begin(false);
    enqueue(segment, [&](std::size_t s) {
      end_step(s);
      observe(context, binding.steps[s].shown);
      device->begin(false);
    });
    end_step(segment.device_end);
    const Status values = bad_value_status();
    return values.ok() ? status : values;
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
