#pragma once

#include <skiff/session.h>

#include <memory>
#include <optional>

#include "runtime/bind.h"
#include "runtime/counts.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/lower.h"
#include "runtime/model_impl.h"

namespace skiff {

/// Opens the GPU that the options ask for, or says why there is none: null, or Error{device} where
/// the options insist.
std::unique_ptr<backend::Device> open_device(const Graph& graph, const SessionOptions& options);

/// Steps that run one after the other: first the device's [device_begin, device_end) with the
/// copies that belong to them, in one launch, then the host's up to host_end.
struct Segment {
  backend::Program program;  ///< empty: nothing for the device
  std::size_t device_begin = 0, device_end = 0, host_end = 0;
};

struct Session::Impl {
  /// Binds and plans. `frugal`: see bind(); copied.
  Impl(const Model& source, const SessionOptions& session_options,
       std::span<const std::uint8_t> frugal = {});

  /// Counts what was taken for a moment before, `bytes` at most at once. Throws
  /// Error{budget_exceeded} where the total passes the limit.
  void settle(std::uint64_t bytes);
  std::uint64_t limit() const noexcept {
    return options.memory_limit != 0 ? options.memory_limit : shared.options.memory_limit;
  }

  /// Takes the memory, fills the weights and points every step to its operands.
  void materialise();
  MemoryReport report() const noexcept;

  Model model;
  Model::Impl& shared;
  SessionOptions options;
  const cpu::KernelTable& table;
  MemoryBook book;
  std::pmr::monotonic_buffer_resource arena;
  std::span<const std::uint8_t> frugal;  // in `arena`
  Shapes shapes;
  std::unique_ptr<backend::Device> device;  // null: everything is the CPU's
  std::optional<KernelMaker> maker;         // of a model with symbols
  std::optional<Counts> counts;             // the same
  Binding binding;
  Layout layout;
  std::span<const StateLink> states;
  MemoryReport memory;
  Block arena_block, io_block;
  backend::Memory device_arena, pinned_arena, pinned_io;  // of a session with a GPU
  std::byte* activations = nullptr;
  std::byte* io = nullptr;
  std::int32_t* bad_value = nullptr;  // set by kernels of the device
  const std::byte* weights = nullptr;
  const std::byte* device_weights = nullptr;
  std::pmr::vector<Segment> segments;
  std::optional<cpu::ThreadPool> pool;

  const Graph& graph() const noexcept { return shared.verified.graph(); }
  std::byte* address(std::int32_t value) const noexcept;
  bool broken = false;  // a failed resize could not be taken back
  Status run(void (*observe)(void*, std::size_t), void* context) noexcept;
  Status resize(std::span<const InputShape> wanted) noexcept;
  void reset() noexcept;
  /// A result of a step as it lies in the device's memory now, copied. Throws Error.
  Tensor watched(std::int32_t value);
  bool shared_io() const noexcept { return device != nullptr && device->integrated(); }

 private:
  Binding bind_all();
  void check_placement() const;
  std::uint64_t io_bytes() const noexcept;
  void take_device_memory();
  void take_host_memory();
  void fill_device_set(WeightSet& set);
  std::byte* device_address(std::int32_t value) const noexcept;
  void connect_on_host(std::size_t step);
  void connect_on_device(std::size_t step);
  void renumber_borders() noexcept;
  void enqueue(const Border& border);
  void enqueue(const Step& step);
  void make_segments(bool record);
  void record();
  Status bad_value_status() noexcept;
  Status run_on_device(const Segment& segment) noexcept;
  Status watch_on_device(const Segment& segment, void (*observe)(void*, std::size_t),
                         void* context) noexcept;
  Status run_on_host(const Segment& segment, void (*observe)(void*, std::size_t),
                     void* context) noexcept;
  Status follow_count(const Step& counted, std::int64_t count) noexcept;
  void take_weights();
  void connect();
  std::byte* stored(std::int32_t buffer) const noexcept;
  void carry_states() noexcept;
  void start_shapes();
  void set_symbols(const InputShape& wanted, std::span<std::int64_t> symbols) const;
  void check_shared(const InputShape& wanted, std::span<const std::int64_t> symbols) const;
  void adopt(std::span<const std::int64_t> symbols);
  Status refuse(const Error& error) noexcept;

  std::vector<std::byte> seen;  // what watched() shows
  char refusal_[512] = {};      // text of the last resize or run that failed
};

/// The value of that name among `ids`. Throws Error{not_found} that lists the names there are.
std::int32_t find_value(const Graph& graph, std::span<const std::int32_t> ids,
                        std::string_view name, const char* what);

}  // namespace skiff
