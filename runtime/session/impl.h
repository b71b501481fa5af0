#pragma once

#include <skiff/session.h>

#include <list>
#include <memory>
#include <optional>

#include "runtime/cpu/thread_pool.h"
#include "runtime/lower/bind.h"
#include "runtime/lower/lower.h"
#include "runtime/model_impl.h"
#include "runtime/session/counts.h"

namespace skiff {

/// Stands for memory of zero bytes, so that no kernel sees a null pointer.
std::byte* nothing() noexcept;
/// Of a block's memory, which may be empty.
std::byte* base_of(const Block& block) noexcept;

/// Opens the GPU that the options ask for, or says why there is none: null, or Error{device} where
/// the options insist.
std::unique_ptr<backend::Device> open_device(const SessionOptions& options);

/// Steps that run one after the other: first the device's [device_begin, device_end) with the
/// copies that belong to them, in one launch, then the host's up to host_end.
struct Segment {
  backend::Program program;  ///< empty: nothing for the device
  std::size_t device_begin = 0, device_end = 0, host_end = 0;
  std::size_t border_begin = 0, border_end = 0;  ///< the copies, in Layout::borders
};

/// What a choice of the symbols takes on the GPU. The present one's is in the steps and segments;
/// the others', which were prepared, wait here.
struct Prepared {
  explicit Prepared(std::pmr::memory_resource& memory) : parts(&memory), programs(&memory) {}
  struct Part {
    KernelPtr kernel;  ///< null: a step of the host's
    const void* tables = nullptr;
  };
  Symbols::Values symbols{};
  std::pmr::vector<Part> parts;                 ///< one a step
  std::pmr::vector<backend::Program> programs;  ///< one a segment
  backend::Memory tables;  ///< of the sizes that were prepared here, wherever these are now
};

/// What a session is made with besides the options.
struct SessionMaking {
  std::span<const std::uint8_t> frugal = {};  ///< see bind(); copied
  bool measure = true;                        ///< tuning may time kernels
  std::uint64_t most_workspace = UINT64_MAX;  ///< of a kernel of the GPU that has a choice
};

struct [[gnu::visibility("hidden")]] Session::Impl {
  /// Binds and plans.
  Impl(const Model& source, const SessionOptions& session_options,
       const SessionMaking& making = {});

  /// Counts what was taken for a moment before, `bytes` at most at once. Throws
  /// Error{budget_exceeded} where the total passes the limit.
  void settle(std::uint64_t bytes);
  /// The session's, else the model's, else the one stored in the file; 0: none.
  std::uint64_t limit() const noexcept {
    if (options.memory_limit != 0) return options.memory_limit;
    const std::uint64_t of_model = shared.options.memory_limit;
    return of_model != 0 ? of_model : shared.verified.metadata().memory_budget();
  }
  /// Decides by the whole network's time between algorithms that alone are about equally fast.
  static void tune_in_place(const Model& model, const SessionOptions& options);
  /// Milliseconds of the GPU's part of a run.
  float time_on_device(int runs);

  /// Takes the memory, fills the weights and points every step to its operands.
  void materialise();
  MemoryReport report() const noexcept;

  Model model;
  Model::Impl& shared;
  SessionOptions options;
  const cpu::KernelTable& table;
  MemoryBook book;
  std::pmr::monotonic_buffer_resource arena;
  std::span<const std::uint8_t> frugal;     // in `arena`
  std::unique_ptr<backend::Device> device;  // null: everything is the CPU's
  std::optional<Graph> fused;               // what runs, where that is not the model's own graph
  Shapes shapes;
  std::optional<tune::Tuner> tuner;  // of a session with a GPU
  std::optional<DeviceMaker> device_maker;
  std::optional<KernelMaker> maker;  // of a model with symbols
  std::optional<Counts> counts;      // the same
  // Kernels move between `prepared` and the steps, their memory does not.
  std::pmr::list<std::pmr::monotonic_buffer_resource> prepared_memory;
  std::pmr::list<Prepared> prepared;
  Binding binding;
  Layout layout;
  std::span<const StateLink> states;
  MemoryReport memory;
  Block arena_block, io_block;
  backend::Memory device_arena, pinned_arena, pinned_io;  // of a session with a GPU
  std::byte* activations = nullptr;
  std::byte* device_activations = nullptr;
  std::byte* io = nullptr;
  std::int32_t* bad_value = nullptr;  // set by kernels of the device
  const std::byte* weights = nullptr;
  const std::byte* device_weights = nullptr;
  std::pmr::vector<Segment> segments;
  std::optional<cpu::ThreadPool> pool;
  std::pmr::vector<std::uint32_t> shown;  // steps of the main graph; empty: all are

  const Graph& graph() const noexcept {
    return fused ? *fused : device ? shared.verified.graph() : shared.host_graph();
  }
  const GraphNode& graph_node(const Step& step) const noexcept {
    return graph().nodes[static_cast<std::size_t>(step.node)];
  }
  std::byte* address(std::int32_t value) const noexcept;
  std::size_t shown_count() const noexcept {
    return graph().has_bodies ? shown.size() : binding.steps.size();
  }
  const Step& shown_step(std::size_t i) const noexcept {
    return binding.steps[graph().has_bodies ? shown[i] : i];
  }
  bool broken = false;  // a failed resize could not be taken back
  Status run(void (*observe)(void*, std::size_t), void* context) noexcept;
  Status resize(std::span<const InputShape> wanted) noexcept;
  void prepare(std::span<const InputShape> wanted);
  void reset() noexcept;
  /// A result of a step as it lies in the device's memory now, copied. Throws Error.
  Tensor watched(std::int32_t value);
  bool shared_io() const noexcept { return device != nullptr && device->integrated(); }
  bool uses_device() const noexcept;
  /// That a run copies there at the present sizes; all there can be of what runs count.
  std::uint64_t bytes_of(const Border& border) const noexcept;

 private:
  std::optional<Graph> fuse_all();
  Binding bind_all(const SessionMaking& making);
  void check_placement() const;
  std::uint64_t io_bytes() const noexcept;
  bool counts_on_device() const noexcept;
  std::int64_t* count_word(const Step& step, std::byte* base) const noexcept;
  void take_device_memory();
  void take_host_memory();
  void fill_set(WeightSet & set);
  void fill_device_set(WeightSet & set);
  std::byte* device_address(std::int32_t value) const noexcept;
  void connect_on_host(std::size_t step);
  void connect_on_device(std::size_t step);
  void renumber_borders() noexcept;
  void enqueue(const Border& border);
  void enqueue(const Step& step);
  std::size_t most_segments() const noexcept;
  void make_segments();
  template <typename Each>
  void enqueue(const Segment& segment, Each&& before_step);
  void record();
  Status bad_value_status() noexcept;
  Status run_on_device(const Segment& segment) noexcept;
  Status watch_on_device(const Segment& segment, void (*observe)(void*, std::size_t),
                         void* context) noexcept;
  Status run_on_host(const Segment& segment, void (*observe)(void*, std::size_t),
                     void* context) noexcept;
  Status follow_count(const Step& counted, std::int64_t count) noexcept;
  Status follow_device_count(const Step& step) noexcept;
  Status run_step(std::size_t step) noexcept;
  Status run_body(std::size_t step, int body) noexcept;
  Status run_branch(std::size_t step) noexcept;
  Status run_loop(std::size_t step) noexcept;
  void move_value(std::int32_t from, std::int32_t to) noexcept;
  void begin_turn(const GraphNode& node, const LoopForm& form, std::int64_t turn,
                  std::int64_t turns) noexcept;
  void end_turn(const GraphNode& node, const LoopForm& form, std::int64_t turn,
                std::int64_t turns) noexcept;
  void number_steps();
  void take_weights();
  void connect();
  std::byte* stored(std::int32_t buffer) const noexcept;
  void carry_states() noexcept;
  void start_value(std::byte * to, std::int32_t buffer, std::size_t bytes) noexcept;
  std::size_t next_step(std::size_t step) const noexcept;
  void start_shapes();
  void set_symbols(const InputShape& wanted, std::span<std::int64_t> symbols) const;
  void check_shared(const InputShape& wanted, std::span<const std::int64_t> symbols) const;
  Symbols::Values symbols_for(std::span<const InputShape> wanted) const;
  Symbols::Values present_symbols() const noexcept;
  void adopt(std::span<const std::int64_t> symbols);
  void adopt_again(std::span<const std::int64_t> symbols) noexcept;
  Symbols::Values set_by_inputs(Symbols::Values symbols) const noexcept;
  Prepared* find_prepared(const Symbols::Values& symbols) noexcept;
  Prepared& at_prepared(const Symbols::Values& symbols);
  void exchange(Prepared & other) noexcept;
  void make_prepared(Prepared & other, std::pmr::memory_resource & room);
  void fill_tables(Prepared & other);
  void record_for(Prepared & other);
  void prepare_on_device(const Symbols::Values& symbols);
  Status refuse(const Error& error) noexcept;

  std::vector<std::byte> seen;  // what watched() shows
  char refusal_[512] = {};      // text of the last resize or run that failed
};

/// The value of that name among `ids`. Throws Error{not_found} that lists the names there are.
std::int32_t find_value(const Graph& graph, std::span<const std::int32_t> ids,
                        std::string_view name, const char* what);

}  // namespace skiff
