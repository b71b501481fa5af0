#include <algorithm>
#include <cmath>

#include "converters/tflite/imports.h"
#include "runtime/core/checked.h"

// Operators whose results are known at conversion: they become constants.
namespace skiff::convert::tfl {
namespace {

/// Whole numbers as a constant of one of the index types.
ir::ValueId index_constant(Operation& op, const Shape& shape,
                           const std::vector<std::int64_t>& numbers, DType dtype) {
  return op.cast(op.constant<std::int64_t>(shape, numbers), dtype);
}

ir::ValueId filled(Operation& op, ir::ValueId number, const std::vector<std::int64_t>& dims) {
  fb::ShapeAttrsT attrs;
  attrs.shape = dims;
  return op.add(fb::OpKind::expand, attrs, {op.reshape(number, Shape())});
}

}  // namespace

void import_shape(Operation& op) {
  const Shape x = op.shape(0);
  op.output(index_constant(op, Shape{x.rank()}, {x.begin(), x.end()}, op.output_dtype(0)));
}

void import_rank(Operation& op) {
  op.output(index_constant(op, Shape(), {op.shape(0).rank()}, op.output_dtype(0)));
}

void import_zeros_like(Operation& op) {
  const Shape x = op.shape(0);
  const ir::ValueId zero = op.cast(op.constant<float>(Shape(), {0.0F}), op.dtype(0));
  op.output(filled(op, zero, {x.begin(), x.end()}));
}

void import_fill(Operation& op) { op.output(filled(op, op.in(1), op.integers(0))); }

void import_range(Operation& op) {
  const double start = op.numbers(0).at(0), limit = op.numbers(1).at(0), step = op.numbers(2).at(0);
  op.check(step != 0 && std::isfinite(start) && std::isfinite(limit) && std::isfinite(step),
           "from ", start, " to ", limit, " by ", step);
  const double count = std::max(std::ceil((limit - start) / step), 0.0);
  op.check(count < 1e9, count, " numbers");
  op.charge(static_cast<std::int64_t>(count) * 8);
  std::vector<double> numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = start + static_cast<double>(i) * step;
  op.output(op.cast(op.constant<double>(Shape{static_cast<std::int64_t>(count)}, numbers),
                    op.output_dtype(0)));
}

/// The shape two shapes broadcast to.
void import_broadcast_args(Operation& op) {
  std::vector<std::int64_t> longer = op.integers(0), shorter = op.integers(1);
  if (longer.size() < shorter.size()) std::swap(longer, shorter);
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& extent = longer[offset + i];
    op.check(extent == shorter[i] || extent == 1 || shorter[i] == 1, extent, " and ", shorter[i],
             " do not broadcast");
    if (extent == 1) extent = shorter[i];
  }
  op.output(index_constant(op, Shape{static_cast<std::int64_t>(longer.size())}, longer,
                           op.output_dtype(0)));
}

}  // namespace skiff::convert::tfl
