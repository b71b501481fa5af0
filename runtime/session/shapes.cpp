#include <algorithm>
#include <new>

#include "runtime/core/error.h"
#include "runtime/session/impl.h"

namespace skiff {

std::int32_t find_value(const Graph& graph, std::span<const std::int32_t> ids,
                        std::string_view name, const char* what) {
  for (std::int32_t id : ids)
    if (graph.value(id).info.name == name) return id;
  std::string names;
  for (std::int32_t id : ids) {
    names += names.empty() ? "'" : ", '";
    names += graph.value(id).info.name;
    names += "'";
  }
  fail(ErrorCode::not_found, "the model has no ", what, " '", name, "'; it has ", names);
}

/// From the largest sizes, which everything was planned for, to the usual ones.
void Session::Impl::start_shapes() { adopt(graph().symbols->corner(Symbols::Corner::usual)); }

/// The symbols that make an input of that shape.
void Session::Impl::set_symbols(const InputShape& wanted, std::span<std::int64_t> symbols) const {
  const std::int32_t id = find_value(graph(), graph().inputs, wanted.name, "input");
  const Shape& now = shapes.info(id).shape;
  require(wanted.shape.rank() == now.rank(), ErrorCode::invalid_argument, "input '", wanted.name,
          "' has ", now.rank(), " axes, the shape ", wanted.shape, " has ", wanted.shape.rank());
  for (int axis = 0; axis < now.rank(); ++axis) {
    const std::int32_t symbol = graph().symbol_of(id, axis);
    if (symbol >= 0)
      symbols[static_cast<std::size_t>(symbol)] = wanted.shape[axis];
    else
      require(wanted.shape[axis] == now[axis], ErrorCode::invalid_argument, "axis ", axis,
              " of input '", wanted.name, "' is ", now[axis], " and cannot become ",
              wanted.shape[axis]);
  }
}

/// An axis may share its symbol with another one.
void Session::Impl::check_shared(const InputShape& wanted,
                                 std::span<const std::int64_t> symbols) const {
  const std::int32_t id = find_value(graph(), graph().inputs, wanted.name, "input");
  for (int axis = 0; axis < wanted.shape.rank(); ++axis) {
    const std::int32_t symbol = graph().symbol_of(id, axis);
    if (symbol < 0) continue;
    const auto s = static_cast<std::size_t>(symbol);
    require(symbols[s] == wanted.shape[axis], ErrorCode::invalid_argument, "symbol '",
            graph().symbols->name(s), "' cannot be ", wanted.shape[axis], " (axis ", axis,
            " of input '", wanted.name, "') and ", symbols[s]);
  }
}

void Session::Impl::adopt(std::span<const std::int64_t> symbols) {
  shapes.assign_inputs(symbols);
  counts->forget();
  for (Step& step : binding.steps) {
    const GraphNode& node = graph_node(step);
    if (step.region != nullptr && node.waits_for() == 0) maker->remake(step, node, shapes);
  }
}

/// Back to sizes that did work.
void Session::Impl::adopt_again(std::span<const std::int64_t> symbols) noexcept {
  try {
    adopt(symbols);
  } catch (const std::exception&) {
    broken = true;
  }
}

Symbols::Values Session::Impl::present_symbols() const noexcept {
  Symbols::Values values{};
  if (maker) std::ranges::copy(shapes.symbols(), values.begin());
  return values;
}

Symbols::Values Session::Impl::symbols_for(std::span<const InputShape> wanted) const {
  Symbols::Values symbols = present_symbols();
  for (const InputShape& shape : wanted) set_symbols(shape, symbols);
  for (const InputShape& shape : wanted) check_shared(shape, symbols);
  return symbols;
}

Status Session::Impl::refuse(const Error& error) noexcept {
  const std::string_view text = error.what();
  refusal_[text.copy(refusal_, sizeof refusal_ - 1)] = '\0';
  return Status(error.code(), refusal_);
}

Status Session::Impl::resize(std::span<const InputShape> wanted) noexcept {
  const Symbols::Values before = present_symbols();
  Status failure;
  try {
    const Symbols::Values symbols = symbols_for(wanted);
    if (symbols == before) return {};
    Prepared* const ready = uses_device() ? &at_prepared(symbols) : nullptr;
    try {
      adopt(symbols);
      if (ready != nullptr) {
        exchange(*ready);
        ready->symbols = set_by_inputs(before);
      }
      reset();
      return {};
    } catch (const Error& error) {
      failure = refuse(error);
    } catch (const std::bad_alloc&) {
      failure = Status(ErrorCode::out_of_memory, "a kernel had no room for these sizes");
    }
  } catch (const Error& error) {
    return refuse(error);
  }
  adopt_again(before);
  return failure;
}

}  // namespace skiff
