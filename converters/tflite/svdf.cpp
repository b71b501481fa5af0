#include "converters/tflite/imports.h"
#include "converters/tflite/recurrence.h"

namespace skiff::convert::tfl {

/// A layer of filters whose weights over features and time are a product each ("Compressing deep
/// neural networks using a rank-constrained topology", Nakkiran et al., 2015). Operands: x [B, I],
/// weights of features [F, I] and of time [F, M], bias [F / rank]?, and the last M results of each
/// filter [B, F * M].
void import_svdf(Operation& op) {
  using Binary = fb::BinaryFunction;
  const auto& options = op.options<tflite::Svdf>();
  const Shape x = op.shape(0), features = op.shape(1), time = op.shape(2);
  op.check(x.rank() == 2 && features.rank() == 2 && time.rank() == 2 && time[1] > 0,
           "operands of shapes ", x, ", ", features, " and ", time);
  const std::int64_t batch = x[0], filters = time[0], memory = time[1], rank = options.rank();
  op.check(rank > 0 && filters % rank == 0, filters, " filters of rank ", rank);
  const ir::ValueId before =
      op.reshape(first_state(op, 4, {batch, filters * memory}), {batch, filters, memory});
  const ir::ValueId result =
      op.reshape(product(op, op.in(0), op.in(1), ir::kAbsent), {batch, filters, 1});
  const ir::ValueId now =
      memory == 1
          ? result
          : concat(op, {op.slice(before, {0, 0, 1}, {batch, filters, memory - 1}), result}, 2);
  op.keep(4, op.reshape(now, {batch, filters * memory}));
  fb::ReduceAttrsT sum;
  sum.axes = {2, 3};
  sum.keep_dims = false;
  const ir::ValueId weighed =
      op.reshape(op.binary(Binary::mul, now, op.in(2)), {batch, filters / rank, rank, memory});
  ir::ValueId y = op.add(fb::OpKind::reduce, sum, {weighed});
  if (op.has(3)) y = op.binary(Binary::add, y, op.in(3));
  op.output(y, options.activation());
}

}  // namespace skiff::convert::tfl
