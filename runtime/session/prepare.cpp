#include <algorithm>
#include <utility>

#include "runtime/core/error.h"
#include "runtime/lower/weights.h"
#include "runtime/session/impl.h"

// Other sizes on a GPU: kernels, tables and recorded programs are made beforehand, resize() only
// exchanges them with the present ones.
namespace skiff {

bool Session::Impl::uses_device() const noexcept {
  return std::ranges::any_of(binding.steps,
                             [](const Step& step) { return step.space == Space::device; });
}

/// Without those that runs count: nothing of the GPU's depends on them.
Symbols::Values Session::Impl::set_by_inputs(Symbols::Values symbols) const noexcept {
  const Symbols::Set counted = graph().symbols->counted();
  for (std::size_t i = 0; i < symbols.size(); ++i)
    if ((counted & Symbols::bit(static_cast<std::int32_t>(i))) != 0) symbols[i] = 0;
  return symbols;
}

Prepared* Session::Impl::find_prepared(const Symbols::Values& symbols) noexcept {
  const auto found = std::ranges::find(prepared, set_by_inputs(symbols), &Prepared::symbols);
  return found == prepared.end() ? nullptr : &*found;
}

Prepared& Session::Impl::at_prepared(const Symbols::Values& symbols) {
  Prepared* const found = find_prepared(symbols);
  require(found != nullptr, ErrorCode::invalid_argument,
          "these sizes were not prepared for the GPU: call Session::prepare() with them first");
  return *found;
}

/// The present sizes' part of the session against another's.
void Session::Impl::exchange(Prepared& other) noexcept {
  for (std::size_t s = 0; s < other.parts.size(); ++s) {
    if (other.parts[s].kernel == nullptr) continue;
    std::swap(other.parts[s].kernel, binding.steps[s].kernel);
    std::swap(other.parts[s].tables, binding.steps[s].tables);
  }
  for (std::size_t i = 0; i < other.programs.size(); ++i)
    std::swap(other.programs[i], segments[i].program);
}

/// Kernels for the sizes that `shapes` has now.
void Session::Impl::make_prepared(Prepared& other, std::pmr::memory_resource& room) {
  other.parts.resize(binding.steps.size());
  other.programs.resize(segments.size());
  for (std::size_t s = 0; s < binding.steps.size(); ++s) {
    const Step& step = binding.steps[s];
    if (step.space != Space::device) continue;
    const GraphNode& node = graph_node(step);
    device_maker->reach(s, binding.steps.size());
    KernelPtr kernel = device_maker->make(node, shapes, room, step.workspace_bytes);
    check_replacement(step, node, *kernel);
    other.parts[s].kernel = std::move(kernel);
  }
  fill_tables(other);
}

/// The kernels' own tables, in a block of their own.
void Session::Impl::fill_tables(Prepared& other) {
  std::uint64_t total = 0, largest = 0;
  const auto bytes_of = [](const Prepared::Part& part) -> std::uint64_t {
    return part.kernel == nullptr ? 0 : part.kernel->packed_bytes(-1);
  };
  const auto rounded = [](std::uint64_t bytes) {
    return static_cast<std::uint64_t>(
        round_up(static_cast<std::int64_t>(bytes), static_cast<std::int64_t>(Block::kAlignment)));
  };
  for (const Prepared::Part& part : other.parts) {
    total += rounded(bytes_of(part));
    largest = std::max(largest, bytes_of(part));
  }
  if (total == 0) return;
  other.tables = device->allocate(backend::MemoryKind::device, total);
  Block staging(book, largest);
  std::byte* to = other.tables.mapped();
  for (Prepared::Part& part : other.parts) {
    const std::uint64_t bytes = bytes_of(part);
    if (bytes == 0) continue;
    pack_tables(*part.kernel, *device, to, staging.bytes().first(bytes));
    part.tables = to;
    to += rounded(bytes);
  }
}

/// With `shapes` at these symbols.
void Session::Impl::prepare_on_device(const Symbols::Values& symbols) {
  const std::uint64_t before = book.current();
  auto& kernels = prepared_memory.emplace_back(kMetadataChunk, &book);
  Prepared& other = prepared.emplace_back(kernels);
  other.symbols = set_by_inputs(symbols);
  try {
    make_prepared(other, kernels);
    record_for(other);
    const std::uint64_t taken = book.current() - before + other.tables.size();
    require(limit() == 0 || memory.total + taken <= limit(), ErrorCode::budget_exceeded,
            "these sizes need ", taken, " bytes more, the session has ", memory.total,
            ", the limit is ", limit());
    tuner->save();
    memory.other += taken;
    memory.total += taken;
  } catch (...) {
    prepared.pop_back();
    prepared_memory.pop_back();
    throw;
  }
}

void Session::Impl::record_for(Prepared& other) {
  exchange(other);
  try {
    record();
  } catch (...) {
    exchange(other);
    throw;
  }
  exchange(other);
}

void Session::Impl::prepare(std::span<const InputShape> wanted) {
  require(!broken, ErrorCode::internal, "the session was lost by a failed resize");
  const Symbols::Values before = present_symbols(), symbols = symbols_for(wanted);
  if (symbols == before || find_prepared(symbols) != nullptr) return;
  try {
    adopt(symbols);
    if (uses_device()) prepare_on_device(symbols);
  } catch (...) {
    adopt_again(before);
    throw;
  }
  adopt_again(before);
}

}  // namespace skiff
