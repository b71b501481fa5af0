#include "converters/onnx/window.h"

#include <algorithm>

#include "runtime/core/checked.h"

namespace skiff::onnx {
namespace {

constexpr std::int64_t kMaxEntry = std::int64_t{1} << 31;

Ints entries(Op& op, std::string_view name, std::size_t count, std::int64_t least,
             std::int64_t fallback) {
  Ints list = op.integers(name);
  if (list.empty()) list.assign(count, fallback);
  op.check(list.size() == count, name, " has ", list.size(), " entries, needs ", count);
  for (std::int64_t entry : list)
    op.check(entry >= least && entry < kMaxEntry, name, " has the entry ", entry);
  return list;
}

/// Padding so that there are ceil(extent / stride) outputs; the odd one goes to the end (upper) or
/// to the begin (lower).
Ints same_pads(Op& op, const Window& window, bool upper) {
  const auto n = static_cast<std::size_t>(window.spatial);
  Ints pads(2 * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t extent = op.shape(0)[static_cast<int>(i) + 2];
    const std::int64_t outputs = ceil_div(extent, window.strides[i]);
    const std::int64_t span = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const std::int64_t total =
        std::max<std::int64_t>((outputs - 1) * window.strides[i] + span - extent, 0);
    pads[i] = upper ? total / 2 : total - total / 2;
    pads[i + n] = total - pads[i];
  }
  return pads;
}

}  // namespace

Window read_window(Op& op, Ints kernel) {
  Window window;
  window.spatial = op.rank(0) - 2;
  op.check(window.spatial >= 1 && window.spatial <= 3, "the input has the shape ", op.shape(0),
           ", needs 1 to 3 spatial axes");
  const auto n = static_cast<std::size_t>(window.spatial);
  op.check(kernel.size() == n, "kernel_shape has ", kernel.size(), " entries, needs ", n);
  for (std::int64_t entry : kernel)
    op.check(entry >= 1 && entry < kMaxEntry, "kernel_shape has the entry ", entry);
  window.kernel = std::move(kernel);
  window.strides = entries(op, "strides", n, 1, 1);
  window.dilations = entries(op, "dilations", n, 1, 1);
  window.pads = entries(op, "pads", 2 * n, 0, 0);
  const std::string mode = op.text("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
    window.pads = same_pads(op, window, mode == "SAME_UPPER");
  else if (mode == "VALID")
    window.pads.assign(2 * n, 0);
  else
    op.check(mode == "NOTSET" || mode.empty(), "auto_pad is '", mode, "'");
  return window;
}

}  // namespace skiff::onnx
