#include <skiff/session.h>

#include <algorithm>

#include "platform/thread.h"
#include "runtime/core/error.h"
#include "runtime/cpu/isa.h"
#include "runtime/graph/fuse_blocks.h"
#include "runtime/graph/fuse_chains.h"
#include "runtime/graph/fuse_pixels.h"
#include "runtime/graph/fuse_quantized.h"
#include "runtime/graph/fuse_squeeze_excite.h"
#include "runtime/session/impl.h"

namespace skiff {
namespace {

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
          ", inputs and outputs ", memory.io, ", other ", memory.other, "), the limit is ", limit(),
          limit() == options.memory_limit || limit() == shared.options.memory_limit
              ? ""
              : "; it was stored by skiff-convert --fit, and another is taken instead if given");
}

std::optional<Graph> Session::Impl::fuse_all() {
  check_threads(options.threads);
  if (options.fuse == Fuse::off) return {};
  std::pmr::monotonic_buffer_resource scratch(kMetadataChunk, &book);
  const Graph& source = device ? shared.verified.graph() : shared.host_graph();
  std::optional<Graph> result =
      device ? std::optional<Graph>()
             : fuse_blocks(source, options.fuse, options.threads, table, arena, scratch);
  if (device) fuse_squeeze_excite(source, result, arena, scratch);
  fuse_pixels(source, result, device != nullptr, arena, scratch);
  const Chains which = device ? Chains::all : Chains::of_long_rows;
  fuse_chains(source, result, which, arena, scratch);
  fuse_quantized(source, result, which, arena, scratch);
  return result;
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
  activations = options.arena.empty() ? nothing() : options.arena.data();
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

}  // namespace skiff
