#include <skiff/session.h>

#include <algorithm>
#include <cstring>

#include "platform/thread.h"
#include "runtime/budget.h"
#include "runtime/core/error.h"
#include "runtime/cpu/isa.h"
#include "runtime/graph/fuse_blocks.h"
#include "runtime/ops/conv_block.h"
#include "runtime/session_impl.h"
#include "runtime/weights.h"

namespace skiff {
namespace {

/// Stands for memory of zero bytes, so that no kernel sees a null pointer.
alignas(Block::kAlignment) std::byte g_nothing[Block::kAlignment];

std::byte* base_of(const Block& block) noexcept {
  return block.data() == nullptr ? g_nothing : block.data();
}

std::span<const std::uint8_t> copy_of(std::span<const std::uint8_t> bytes,
                                      std::pmr::memory_resource& memory) {
  if (bytes.empty()) return {};
  auto* copy = static_cast<std::uint8_t*>(memory.allocate(bytes.size(), 1));
  std::copy(bytes.begin(), bytes.end(), copy);
  return {copy, bytes.size()};
}

/// Memory that the caller gives instead of having it allocated.
void check_given(std::span<const std::byte> memory, std::uint64_t bytes, const char* what) {
  require(memory.empty() || memory.size() >= bytes, ErrorCode::invalid_argument, "the ", what,
          " given has ", memory.size(), " bytes, the session needs ", bytes);
  require(reinterpret_cast<std::uintptr_t>(memory.data()) % Block::kAlignment == 0,
          ErrorCode::invalid_argument, "the ", what, " given is not aligned to ",
          Block::kAlignment);
}

int check_threads(int threads) {
  require(threads >= 1 && threads <= cpu::ThreadPool::kMaxThreads, ErrorCode::invalid_argument,
          "threads is ", threads, ", must be 1 to ", cpu::ThreadPool::kMaxThreads);
  return threads;
}

}  // namespace

Session::Impl::Impl(const Model& source, const SessionOptions& session_options,
                    const SessionMaking& making)
    : model(source),
      shared(*source.impl()),
      options(session_options),
      table(cpu::choose_table(options.isa == nullptr ? "" : options.isa)),
      book(options.allocator),
      arena(kMetadataChunk, &book),
      frugal(copy_of(making.frugal, arena)),
      device(open_device(options)),
      fused(fuse_all()),
      shapes(graph(), arena),
      prepared_memory(&book),
      prepared(&book),
      binding(bind_all(making)),
      layout(lower(graph(), binding, shared_io(), arena, book)),
      states(graph().states),
      segments(&arena),
      shown(&arena) {
  if (graph().has_bodies) shown.reserve(binding.steps.size());
  check_placement();
  if (graph().symbols != nullptr) {
    maker.emplace(graph(), table, options.threads, frugal, arena);
    counts.emplace(graph(), binding.steps, arena);
  }
  segments.reserve(most_segments());  // before the account is made
  book.charge(sizeof(Impl));
  memory = report();
}

void Session::Impl::settle(std::uint64_t bytes) {
  if (bytes > memory.total) {
    memory.other += bytes - memory.total;
    memory.total = bytes;
  }
  require(limit() == 0 || memory.total <= limit(), ErrorCode::budget_exceeded, "the session needs ",
          memory.total, " bytes (weights ", memory.weights, ", arena ", memory.arena,
          ", inputs and outputs ", memory.io, ", other ", memory.other, "), the limit is ",
          limit());
}

std::optional<Graph> Session::Impl::fuse_all() {
  check_threads(options.threads);
  if (device) return {};
  std::pmr::monotonic_buffer_resource scratch(kMetadataChunk, &book);
  return fuse_blocks(shared.host_graph(), options.fuse, options.threads, arena, scratch);
}

Binding Session::Impl::bind_all(const SessionMaking& making) {
  if (device) {
    tuner.emplace(*device, options, making.measure);
    device_maker.emplace(*device, *tuner, making.most_workspace);
  }
  std::pmr::monotonic_buffer_resource scratch(kMetadataChunk, &book);
  return skiff::bind(shared.verified, graph(), table, options.threads, frugal,
                     device ? &*device_maker : nullptr, arena, scratch);
}

MemoryReport Session::Impl::report() const noexcept {
  MemoryReport r;
  const ArenaLayout &host = layout.host, &on_device = layout.device;
  r.weights = binding.weights_bytes + binding.device_weights_bytes;
  r.arena = host.bytes + on_device.bytes;
  r.device_arena = on_device.bytes;
  r.arena_lower_bound = host.lower_bound + on_device.lower_bound;
  r.arena_lower_bound_plain = host.lower_bound_plain + on_device.lower_bound_plain;
  r.arena_proved_minimal = host.certificate != plan::Certificate::unproved &&
                           on_device.certificate != plan::Certificate::unproved;
  r.workspace = std::max(host.largest_workspace, on_device.largest_workspace);
  r.io = io_bytes();
  const auto workers = static_cast<std::uint64_t>(options.threads - 1);
  const std::uint64_t threads =
      cpu::ThreadPool::memory_bytes(options.threads) + workers * platform::thread_overhead_bytes();
  // Packing borrows the arena where that is large enough.
  const std::uint64_t own_arena = r.arena - (options.arena.empty() ? 0 : host.bytes) -
                                  (options.device_arena.empty() ? 0 : on_device.bytes);
  const std::uint64_t packing = std::max(
      binding.pack_scratch <= host.bytes ? 0 : binding.pack_scratch, binding.device_staging);
  const std::uint64_t blocks = r.weights + own_arena + r.io + threads + packing;
  r.total = std::max({shared.load_peak, shared.metadata_bytes + book.peak(),
                      shared.metadata_bytes + book.current() + blocks});
  r.other = r.total - r.weights - own_arena - r.io;
  return r;
}

void Session::Impl::materialise() {
  check_given(options.arena, layout.host.bytes, "arena");
  check_given(options.device_arena, layout.device.bytes, "device arena");
  activations = options.arena.empty() ? g_nothing : options.arena.data();
  take_device_memory();
  if (!device) take_host_memory();
  std::fill_n(io, io_bytes(), std::byte{0});
  pool.emplace(options.threads, book);
  take_weights();
  connect();
  if (maker) start_shapes();
  make_segments();
  record();
  if (tuner) tuner->save();
  reset();
}

void Session::Impl::take_host_memory() {
  if (options.arena.empty()) {
    arena_block = Block(book, layout.host.bytes);
    activations = base_of(arena_block);
  }
  io_block = Block(book, layout.io_bytes);
  io = base_of(io_block);
}

void Session::Impl::take_weights() {
  const std::lock_guard lock(shared.mutex);
  auto* const end = shared.weights + Model::Impl::kMaxWeightSets;
  const int gpu = device ? device->ordinal() : -1;
  auto* set = std::find_if(shared.weights, end, [&](const WeightSet& s) {
    return !s.table || (s.table == &table && s.gpu == gpu && s.forms_key == binding.forms_key);
  });
  require(set != end, ErrorCode::unsupported, "more than ", Model::Impl::kMaxWeightSets,
          " instruction sets, memory limits and tunings in use");
  if (set->table == nullptr) {
    Block block(shared.book, binding.weights_bytes);
    const bool borrow = binding.pack_scratch <= layout.host.bytes;
    Block scratch(book, borrow ? 0 : binding.pack_scratch);
    const std::span<std::byte> space =
        borrow ? std::span(activations, layout.host.bytes) : scratch.bytes();
    fill_weights(shared.verified, binding, block.bytes(), space);
    scratch.reset();
    fill_device_set(*set);
    set->block = std::move(block);
    set->table = &table;
    set->gpu = gpu;
    set->forms_key = binding.forms_key;
    // The model's account is that of its metadata; weights stand in every session's report.
  }
  require(set->block.size() == binding.weights_bytes &&
              set->device_block.size() == binding.device_weights_bytes,
          ErrorCode::internal, "two sessions disagree on the form of the weights");
  weights = base_of(set->block);
  device_weights = set->device_block.mapped();
}

std::byte* Session::Impl::address(std::int32_t id) const noexcept {
  const std::int32_t root = graph().root(id);
  const auto i = static_cast<std::size_t>(root);
  if (layout.io_offset[i] >= 0) return io + layout.io_offset[i];
  if (layout.host.value_offset[i] >= 0) return activations + layout.host.value_offset[i];
  return stored(graph().value(root).buffer);
}

std::byte* Session::Impl::stored(std::int32_t buffer) const noexcept {
  for (const ConstantForm& form : binding.forms)
    if (form.buffer == buffer && form.step < 0 && form.space == Space::host &&
        form.stored == DType::none)
      return const_cast<std::byte*>(weights) + form.offset;
  return g_nothing;
}

void Session::Impl::connect_on_host(std::size_t s) {
  Step& step = binding.steps[s];
  const GraphNode& node = graph().nodes[static_cast<std::size_t>(step.node)];
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const std::int32_t id = node.inputs[i];
    const bool constant = id >= 0 && graph().value(id).buffer >= 0;
    step.inputs[i] = id < 0 ? nullptr : constant ? g_nothing : address(id);
  }
  for (std::size_t o = 0; o < node.outputs.size(); ++o) step.outputs[o] = address(node.outputs[o]);
  const std::int64_t workspace = layout.host.workspace_offset[s];
  step.workspace = workspace < 0 ? g_nothing : activations + workspace;
}

void Session::Impl::connect() {
  for (std::size_t s = 0; s < binding.steps.size(); ++s)
    binding.steps[s].space == Space::device ? connect_on_device(s) : connect_on_host(s);
  for (const ConstantUse& use : binding.uses) {
    Step& step = binding.steps[static_cast<std::size_t>(use.step)];
    const ConstantForm& form = binding.forms[static_cast<std::size_t>(use.form)];
    const std::byte* base = form.space == Space::device ? device_weights : weights;
    (use.input < 0 ? step.tables : step.inputs[use.input]) = base + form.offset;
  }
  // Steps that are views have nothing to do.
  renumber_borders();
  std::erase_if(binding.steps, [](const Step& step) { return step.elided; });
  number_steps();
}

Status Session::Impl::run(void (*observe)(void*, std::size_t), void* context) noexcept {
  if (broken) return Status(ErrorCode::internal, "the session was lost by a failed resize");
  for (const Segment& segment : segments) {
    Status status =
        observe == nullptr ? run_on_device(segment) : watch_on_device(segment, observe, context);
    if (status.ok()) status = run_on_host(segment, observe, context);
    if (status.ok()) continue;
    pool->rest();
    return status;
  }
  if (observe != nullptr) observe(context, shown_count());
  pool->rest();
  if (counts) counts->end();
  carry_states();
  return {};
}

Status Session::Impl::run_on_host(const Segment& segment, void (*observe)(void*, std::size_t),
                                  void* context) noexcept {
  for (std::size_t i = segment.device_end; i < segment.host_end; i = next_step(i)) {
    if (observe != nullptr) observe(context, binding.steps[i].shown);
    const Status status = run_step(i);
    if (!status.ok()) return status;
  }
  return {};
}

Status Session::Impl::follow_count(const Step& counted, std::int64_t count) noexcept {
  try {
    counts->follow(counted, count, shapes, *maker, binding.steps);
    return {};
  } catch (const Error& error) {
    return refuse(error);
  } catch (const std::bad_alloc&) {
    return {ErrorCode::out_of_memory, "a kernel had no room for what was counted"};
  }
}

Status Session::Impl::run_step(std::size_t i) noexcept {
  Step& step = binding.steps[i];
  const GraphNode& node = graph().nodes[static_cast<std::size_t>(step.node)];
  switch (node.def->op) {
    case fb::OpKind::if_else:
      return run_branch(i);
    case fb::OpKind::loop:
    case fb::OpKind::scan:
      return run_loop(i);
    default:
      break;
  }
  std::int64_t count = -1;
  const RunArgs args{step.inputs, step.outputs, step.workspace, *pool, &count};
  Status status = step.kernel->run(args);
  if (status.ok() && count >= 0) status = follow_count(step, count);
  return status.ok() ? status : Status(status.code(), status.message(), node.index);
}

void Session::Impl::carry_states() noexcept {
  for (const StateLink& state : states)
    std::memcpy(address(state.input), address(state.output),
                static_cast<std::size_t>(shapes.info(state.input).bytes()));
}

void Session::Impl::reset() noexcept {
  for (const StateLink& state : states) {
    const auto bytes = static_cast<std::size_t>(shapes.info(state.input).bytes());
    start_value(address(state.input), state.initial_buffer, bytes);
  }
  for (const GraphVariable& variable : graph().variables)
    start_value(address(variable.value), variable.initial_buffer,
                static_cast<std::size_t>(shapes.info(variable.value).bytes()));
}

void Session::Impl::start_value(std::byte* to, std::int32_t buffer, std::size_t bytes) noexcept {
  if (buffer < 0)
    std::memset(to, 0, bytes);
  else
    std::memcpy(to, stored(buffer), bytes);
}

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

}  // namespace

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

static int layers_of(const GraphNode& node) noexcept {
  const bool block = node.def == &conv_block_op();
  return block ? static_cast<const ConvBlock*>(node.attributes)->count : 1;
}

std::size_t Session::step_count() const noexcept { return impl_->shown_count(); }

StepInfo Session::step(std::size_t i) const noexcept {
  const Step& step = impl_->shown_step(i);
  const Graph& graph = impl_->graph();
  const GraphNode& node = graph.nodes[static_cast<std::size_t>(step.node)];
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
  for (std::int32_t id : node.inputs)
    if (id >= 0) info.bytes += impl_->shapes.info(id).bytes();
  for (std::int32_t id : node.outputs) info.bytes += impl_->shapes.info(id).bytes();
  return info;
}

std::size_t Session::step_output_count(std::size_t i) const noexcept {
  const Step& step = impl_->shown_step(i);
  return impl_->graph().nodes[static_cast<std::size_t>(step.node)].outputs.size();
}

std::int32_t Session::step_output_value(std::size_t i, std::size_t output) const noexcept {
  const Step& step = impl_->shown_step(i);
  return impl_->graph().nodes[static_cast<std::size_t>(step.node)].outputs[output];
}

Tensor Session::step_output(std::size_t i, std::size_t output) const {
  const std::int32_t value = step_output_value(i, output);
  return impl_->shown_step(i).space == Space::device ? impl_->watched(value)
                                                     : tensor_of(*impl_, value);
}

}  // namespace skiff
