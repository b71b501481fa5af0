#include <cstring>

#include "runtime/core/error.h"
#include "runtime/session/impl.h"

// A run: segments, their steps, and what a session keeps between runs.
namespace skiff {

Status Session::Impl::run(void (*observe)(void*, std::size_t), void* context) noexcept {
  if (broken) return Status(ErrorCode::internal, "the session was lost by a failed resize");
  const cpu::FlushSubnormals flush;
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
  const GraphNode& node = graph_node(step);
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

}  // namespace skiff
