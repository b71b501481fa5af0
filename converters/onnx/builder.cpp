#include "converters/onnx/builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "converters/ir/counts.h"
#include "converters/ir/evaluate.h"
#include "converters/ir/work.h"
#include "runtime/core/half.h"

namespace skiff::onnx {
namespace {

// Larger results are left to the fold pass, which sees what is used at all.
constexpr std::int64_t kEagerBytes = std::int64_t{1} << 20;
// A few bytes of a model can ask for any amount of constants and work; real ones stay far below.
constexpr std::int64_t kMaxFoldedBytes = std::int64_t{1} << 30;
constexpr std::int64_t kMaxFoldedWork = std::int64_t{1} << 35;
constexpr int kMaxFoldDepth = 64;

/// Numbers that To does not have become its nearest one, NaN 0.
template <typename To, typename From>
To convert(From number) {
  if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    constexpr auto low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr auto high = static_cast<From>(std::numeric_limits<To>::max());
    if (!(number > low)) return std::isnan(number) ? To{} : std::numeric_limits<To>::min();
    if (number >= high) return std::numeric_limits<To>::max();
  }
  return static_cast<To>(number);
}

template <typename To, typename From>
void store(std::vector<std::byte>& bytes, From number) {
  const To value = convert<To>(number);
  const auto* begin = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), begin, begin + sizeof(To));
}

template <typename From>
void store_as(std::vector<std::byte>& bytes, DType dtype, From number) {
  switch (dtype) {
    case DType::float32:
      return store<float>(bytes, number);
    case DType::float64:
      return store<double>(bytes, number);
    case DType::float16:
      return store<std::uint16_t>(bytes, float_to_half(static_cast<float>(number)));
    case DType::bfloat16:
      return store<std::uint16_t>(bytes, float_to_bfloat16(static_cast<float>(number)));
    case DType::int8:
      return store<std::int8_t>(bytes, number);
    case DType::uint8:
      return store<std::uint8_t>(bytes, number);
    case DType::int16:
      return store<std::int16_t>(bytes, number);
    case DType::uint16:
      return store<std::uint16_t>(bytes, number);
    case DType::int32:
      return store<std::int32_t>(bytes, number);
    case DType::uint32:
      return store<std::uint32_t>(bytes, number);
    case DType::int64:
      return store<std::int64_t>(bytes, number);
    case DType::uint64:
      return store<std::uint64_t>(bytes, number);
    case DType::boolean:
      return store<std::uint8_t>(bytes, number != From{});
    case DType::none:
      break;
  }
}

bool is_identity(const Ints& perm) {
  for (std::size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

fb::ShapeAttrsT shape_attrs(const Shape& shape) {
  fb::ShapeAttrsT attrs;
  attrs.shape = to_ints(shape);
  return attrs;
}

}  // namespace

Ints to_ints(const Shape& shape) { return {shape.begin(), shape.end()}; }

Shape to_shape(std::span<const std::int64_t> extents) {
  require(extents.size() <= static_cast<std::size_t>(kMaxRank), ErrorCode::unsupported,
          "a tensor of rank ", extents.size(), " is needed, at most ", kMaxRank, " is possible");
  return Shape(extents);
}

void Builder::begin(std::string name, std::string source) {
  name_ = std::move(name);
  source_ = std::move(source);
  count_ = 0;
}

bool Builder::varies(ValueId id) const {
  const auto index = static_cast<std::size_t>(id);
  if (graph_.value(id).constant) return false;
  return index >= varies_.size() || varies_[index] != 0;
}

bool Builder::known(ValueId id) { return fold(id, 0); }

bool Builder::fold(ValueId id, int depth) {
  if (graph_.value(id).constant) return true;
  if (varies(id) || depth > kMaxFoldDepth) return false;
  const ir::NodeId producer = graph_.value(id).producer;
  const std::vector<ValueId> inputs = graph_.node(producer).inputs;
  for (ValueId input : inputs)
    if (input != kAbsent && !fold(input, depth + 1)) return false;
  require(take_budget(producer), ErrorCode::budget_exceeded, "constants that are computed at ",
          "conversion would take more than ", kMaxFoldedBytes, " bytes or endless work");
  return ir::evaluate(graph_, producer);
}

void Builder::charge(std::int64_t bytes) {
  require(bytes <= kMaxFoldedBytes - budget_->bytes, ErrorCode::budget_exceeded,
          "constants that are computed at conversion would take more than ", kMaxFoldedBytes,
          " bytes");
  budget_->bytes += bytes;
}

bool Builder::take_budget(ir::NodeId id) {
  std::int64_t bytes = 0;
  for (ValueId output : graph_.node(id).outputs) bytes += graph_.info(output).bytes();
  const std::int64_t work = ir::work_of(graph_, id);
  if (bytes > kMaxFoldedBytes - budget_->bytes || work > kMaxFoldedWork - budget_->work)
    return false;
  budget_->bytes += bytes;
  budget_->work += work;
  return true;
}

void Builder::fold_small(ir::NodeId id) {
  const std::vector<ValueId> outputs = graph_.node(id).outputs;
  std::int64_t bytes = 0;
  for (ValueId output : outputs) bytes += graph_.info(output).bytes();
  bool constant = true, variable = false;
  for (ValueId input : graph_.node(id).inputs) {
    if (input == kAbsent) continue;
    constant &= graph_.value(input).constant.has_value();
    variable |= varies(input);
  }
  varies_.resize(graph_.value_count(), 1);
  for (ValueId output : outputs) varies_[static_cast<std::size_t>(output)] = variable;
  if (constant && bytes <= kEagerBytes && ir::worth_folding(graph_, id) && take_budget(id))
    ir::evaluate(graph_, id);
}

std::vector<std::string> Builder::origins(ValueId id) const {
  std::vector<std::string> names;
  std::set<ValueId> seen{id};
  std::vector<ValueId> open{id};
  while (!open.empty()) {
    const ir::Value& value = graph_.value(open.back());
    open.pop_back();
    if (value.producer < 0) {
      if (!value.constant) names.push_back(value.name);
      continue;
    }
    for (ValueId input : graph_.node(value.producer).inputs)
      if (input != kAbsent && seen.insert(input).second) open.push_back(input);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<ValueId> Builder::add_many(fb::OpKind op, ir::Attributes attrs,
                                       std::vector<ValueId> inputs, std::size_t outputs,
                                       std::vector<ir::Graph> bodies) {
  std::string name = ++count_ == 1 ? name_ : name_ + "/" + std::to_string(count_);
  const ir::NodeId id = graph_.add_node(op, std::move(attrs), std::move(inputs), std::move(name),
                                        outputs, {}, std::move(bodies));
  graph_.node(id).source = source_;
  const std::vector<ValueId> results = graph_.node(id).outputs;
  const bool counts = ir::is_counting(graph_.node(id));
  if (counts)
    for (ValueId input : std::vector<ValueId>(graph_.node(id).inputs)) known(input);
  fold_small(id);
  if (counts && !graph_.node(id).removed) ir::assume_count(graph_, id);
  return results;
}

ValueId Builder::add(fb::OpKind op, ir::Attributes attrs, std::vector<ValueId> inputs) {
  return add_many(op, std::move(attrs), std::move(inputs), 1)[0];
}

ValueId Builder::constant(DType dtype, const Shape& shape, std::vector<std::byte> bytes) {
  return graph_.add_constant(name_ + "/constant", dtype, shape, std::move(bytes));
}

ValueId Builder::scalar(DType dtype, double number) {
  return from_numbers(dtype, Shape(), std::span(&number, 1));
}

ValueId Builder::from_numbers(DType dtype, const Shape& shape, std::span<const double> numbers) {
  charge(static_cast<std::int64_t>(numbers.size() * size_of(dtype)));
  std::vector<std::byte> bytes;
  for (double number : numbers) store_as(bytes, dtype, number);
  return constant(dtype, shape, std::move(bytes));
}

ValueId Builder::from_integers(DType dtype, const Shape& shape,
                               std::span<const std::int64_t> integers) {
  charge(static_cast<std::int64_t>(integers.size() * size_of(dtype)));
  std::vector<std::byte> bytes;
  for (std::int64_t number : integers) store_as(bytes, dtype, number);
  return constant(dtype, shape, std::move(bytes));
}

ValueId Builder::unary(fb::UnaryFunction f, ValueId x, double alpha, double beta) {
  fb::UnaryAttrsT attrs;
  attrs.function = f;
  attrs.alpha = static_cast<float>(alpha);
  attrs.beta = static_cast<float>(beta);
  return add(fb::OpKind::unary, attrs, {x});
}

ValueId Builder::binary(fb::BinaryFunction f, ValueId a, ValueId b) {
  fb::BinaryAttrsT attrs;
  attrs.function = f;
  return add(fb::OpKind::binary, attrs, {a, b});
}

ValueId Builder::binary_number(fb::BinaryFunction f, ValueId a, double b) {
  return binary(f, a, scalar(dtype(a), b));
}

ValueId Builder::where(ValueId condition, ValueId a, ValueId b) {
  return add(fb::OpKind::where, {}, {condition, a, b});
}

ValueId Builder::cast(ValueId x, DType to, bool saturate) {
  if (dtype(x) == to) return x;
  fb::CastAttrsT attrs;
  attrs.to = static_cast<fb::DType>(to);
  attrs.saturate = saturate;
  return add(fb::OpKind::cast, attrs, {x});
}

ValueId Builder::reshape(ValueId x, const Shape& to) {
  if (shape(x) == to) return x;
  return add(fb::OpKind::reshape, shape_attrs(to), {x});
}

ValueId Builder::transpose(ValueId x, const Ints& perm) {
  if (is_identity(perm)) return x;
  fb::TransposeAttrsT attrs;
  attrs.perm = perm;
  return add(fb::OpKind::transpose, attrs, {x});
}

ValueId Builder::expand(ValueId x, const Shape& to) {
  if (shape(x) == to) return x;
  return add(fb::OpKind::expand, shape_attrs(to), {x});
}

ValueId Builder::concat(std::vector<ValueId> parts, int axis) {
  if (parts.size() == 1) return parts[0];
  fb::AxisAttrsT attrs;
  attrs.axis = axis;
  return add(fb::OpKind::concat, attrs, std::move(parts));
}

ValueId Builder::slice(ValueId x, const Ints& starts, const Ints& sizes, const Ints& steps) {
  const bool whole = std::all_of(steps.begin(), steps.end(), [](auto step) { return step == 1; });
  if (whole && sizes == to_ints(shape(x))) return x;
  fb::SliceAttrsT attrs;
  attrs.starts = starts;
  attrs.sizes = sizes;
  attrs.steps = steps;
  return add(fb::OpKind::slice, attrs, {x});
}

ValueId Builder::slice_axis(ValueId x, int axis, std::int64_t start, std::int64_t size) {
  Ints starts(static_cast<std::size_t>(rank(x)), 0), sizes = to_ints(shape(x));
  starts[static_cast<std::size_t>(axis)] = start;
  sizes[static_cast<std::size_t>(axis)] = size;
  return slice(x, starts, sizes, Ints(sizes.size(), 1));
}

ValueId Builder::pad(ValueId x, Ints pads, fb::PadMode mode, double value, ValueId value_input) {
  Ints starts(static_cast<std::size_t>(rank(x)), 0), sizes = to_ints(shape(x));
  const std::size_t count = starts.size();
  for (std::size_t axis = 0; axis < count; ++axis) {
    for (std::size_t side : {axis, axis + count}) {
      if (pads[side] >= 0) continue;
      if (side == axis) starts[axis] = -pads[side];
      sizes[axis] += pads[side];
      pads[side] = 0;
    }
    require(sizes[axis] >= 0, ErrorCode::invalid_model, "more is cut off axis ", axis, " than ",
            shape(x), " has");
  }
  x = slice(x, starts, sizes, Ints(count, 1));
  if (std::all_of(pads.begin(), pads.end(), [](auto pad) { return pad == 0; })) return x;
  fb::PadAttrsT attrs;
  attrs.pads = std::move(pads);
  attrs.mode = mode;
  attrs.value = value;
  std::vector<ValueId> inputs{x};
  if (value_input != kAbsent) inputs.push_back(value_input);
  return add(fb::OpKind::pad, attrs, std::move(inputs));
}

ValueId Builder::gather(ValueId x, ValueId indices, int axis) {
  fb::GatherAttrsT attrs;
  attrs.axis = axis;
  return add(fb::OpKind::gather, attrs, {x, indices});
}

ValueId Builder::unsqueeze(ValueId x, Ints axes) {
  std::sort(axes.begin(), axes.end());
  Ints extents = to_ints(shape(x));
  for (std::int64_t axis : axes) extents.insert(extents.begin() + axis, 1);
  return reshape(x, to_shape(extents));
}

ValueId Builder::squeeze(ValueId x, const Ints& axes) {
  Shape to;
  for (int axis = 0; axis < rank(x); ++axis)
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) to.push_back(dim(x, axis));
  return reshape(x, to);
}

ValueId Builder::reduce(fb::ReduceFunction f, ValueId x, Ints axes, bool keep) {
  std::sort(axes.begin(), axes.end());
  fb::ReduceAttrsT attrs;
  attrs.function = f;
  attrs.axes = std::move(axes);
  attrs.keep_dims = keep;
  return add(fb::OpKind::reduce, attrs, {x});
}

ValueId Builder::softmax(ValueId x, int axis, fb::SoftmaxFunction f) {
  fb::SoftmaxAttrsT attrs;
  attrs.function = f;
  attrs.axis = axis;
  return add(fb::OpKind::softmax, attrs, {x});
}

ValueId Builder::matmul(ValueId a, ValueId b, bool transpose_a, bool transpose_b, double scale) {
  fb::MatMulAttrsT attrs;
  attrs.transpose_a = transpose_a;
  attrs.transpose_b = transpose_b;
  attrs.scale = static_cast<float>(scale);
  return add(fb::OpKind::matmul, attrs, {a, b});
}

ValueId Builder::channels_last(ValueId x) {
  Ints perm{0};
  for (int axis = 2; axis < rank(x); ++axis) perm.push_back(axis);
  perm.push_back(1);
  return transpose(x, perm);
}

ValueId Builder::channels_first(ValueId x) {
  Ints perm{0, rank(x) - 1};
  for (int axis = 1; axis < rank(x) - 1; ++axis) perm.push_back(axis);
  return transpose(x, perm);
}

ValueId Builder::per_channel(ValueId x, int to_rank) {
  Shape to{shape(x).elements()};
  for (int axis = 2; axis < to_rank; ++axis) to.push_back(1);
  return reshape(x, to);
}

}  // namespace skiff::onnx
