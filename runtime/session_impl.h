#pragma once

#include <skiff/session.h>

#include <optional>

#include "runtime/bind.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/lower.h"
#include "runtime/model_impl.h"

namespace skiff {

struct Session::Impl {
  Impl(const Model& source, const SessionOptions& session_options);

  /// Takes the memory, fills the weights and points every step to its operands.
  void materialise();
  MemoryReport report() const noexcept;

  Model model;
  Model::Impl& shared;
  SessionOptions options;
  const cpu::KernelTable& table;
  MemoryBook book;
  std::pmr::monotonic_buffer_resource arena;
  Shapes shapes;
  std::optional<KernelMaker> maker;  // of a model with symbols
  Binding binding;
  Layout layout;
  std::span<const StateLink> states;
  MemoryReport memory;
  Block arena_block, io_block;
  std::byte* activations = nullptr;
  const std::byte* weights = nullptr;
  std::optional<cpu::ThreadPool> pool;

  const Graph& graph() const noexcept { return shared.verified.graph(); }
  std::byte* address(std::int32_t value) const noexcept;
  bool broken = false;  // a failed resize could not be taken back
  Status run(void (*observe)(void*, std::size_t), void* context) noexcept;
  Status resize(std::span<const InputShape> wanted) noexcept;
  void reset() noexcept;

 private:
  Binding bind_all();
  void take_weights();
  void connect();
  std::byte* stored(std::int32_t buffer) const noexcept;
  void carry_states() noexcept;
  void start_shapes();
  std::int32_t symbol_of(std::int32_t input, int axis) const;
  void set_symbols(const InputShape& wanted, std::span<std::int64_t> symbols) const;
  void check_shared(const InputShape& wanted, std::span<const std::int64_t> symbols) const;
  void adopt(std::span<const std::int64_t> symbols);
  Status refuse(const Error& error) noexcept;

  char refusal_[512] = {};  // text of the last resize that failed
  std::uint64_t limit() const noexcept {
    return options.memory_limit != 0 ? options.memory_limit : shared.options.memory_limit;
  }
};

/// The value of that name among `ids`. Throws Error{not_found} that lists the names there are.
std::int32_t find_value(const Graph& graph, std::span<const std::int32_t> ids,
                        std::string_view name, const char* what);

}  // namespace skiff
