#include <cmath>

#include "converters/onnx/importer.h"
#include "converters/onnx/table.h"

// Operators whose results are known at conversion.
namespace skiff::onnx {
namespace {

constexpr double kMaxElements = 16'777'216;

void import_constant(Op& op) {
  if (const AttributeProto* value = op.find("value"))
    return op.out(op.importer.tensor(value->t(), op.node.output(0), "the constant"));
  if (const AttributeProto* value = op.find("sparse_value"))
    return op.out(op.importer.tensor(value->sparse_tensor(), op.node.output(0), "the constant"));
  if (op.has_attr("value_float"))
    return op.out(op.b.scalar(DType::float32, static_cast<double>(op.number("value_float", 0))));
  if (op.has_attr("value_int")) {
    const std::int64_t number = op.integer("value_int");
    return op.out(op.b.from_integers(DType::int64, {}, std::span(&number, 1)));
  }
  if (op.has_attr("value_floats")) {
    const std::vector<float> list = op.numbers("value_floats");
    const std::vector<double> numbers(list.begin(), list.end());
    return op.out(
        op.b.from_numbers(DType::float32, {static_cast<std::int64_t>(list.size())}, numbers));
  }
  op.check(op.has_attr("value_ints"), "it has no value that is a tensor or numbers");
  const Ints numbers = op.integers("value_ints");
  op.out(op.b.from_integers(DType::int64, {static_cast<std::int64_t>(numbers.size())}, numbers));
}

void import_constant_of_shape(Op& op) {
  const Ints extents = op.known_integers(0, "its input, a shape,");
  ValueId value = op.b.scalar(DType::float32, 0);
  if (const AttributeProto* given = op.find("value"))
    value = op.importer.tensor(given->t(), "", "value");
  op.check(op.b.shape(value).elements() == 1, "value has the shape ", op.b.shape(value));
  op.out(op.b.expand(op.b.reshape(value, Shape()), to_shape(extents)));
}

void import_range(Op& op) {
  op.ignore({"stash_type"});
  const double start = op.known_number(0, "start"), limit = op.known_number(1, "limit"),
               delta = op.known_number(2, "delta");
  const double count = std::max(std::ceil((limit - start) / delta), 0.0);
  op.check(delta != 0 && count <= kMaxElements, "it would have ", count, " elements");
  std::vector<double> numbers;
  for (double i = 0; i < count; ++i) numbers.push_back(start + i * delta);
  op.out(op.b.from_numbers(op.dtype(0), {static_cast<std::int64_t>(count)}, numbers));
}

void import_eye_like(Op& op) {
  op.check(op.rank(0) == 2, "the input has the shape ", op.shape(0), ", must be a matrix");
  const std::int64_t k = op.integer("k", 0);
  DType dtype = op.dtype(0);
  if (op.has_attr("dtype")) dtype = need_dtype(static_cast<int>(op.integer("dtype")), "dtype");
  const std::int64_t rows = op.shape(0)[0], columns = op.shape(0)[1];
  const std::int64_t count = op.shape(0).elements();
  op.check(static_cast<double>(count) <= kMaxElements, "it would have ", count, " elements");
  std::vector<double> numbers(static_cast<std::size_t>(count), 0);
  op.check(std::abs(k) <= (std::int64_t{1} << 40), "k is ", k);
  for (std::int64_t row = 0; row < (count == 0 ? 0 : rows); ++row)
    if (row + k >= 0 && row + k < columns)
      numbers[static_cast<std::size_t>(row * columns + row + k)] = 1;
  op.out(op.b.from_numbers(dtype, op.shape(0), numbers));
}

constexpr Adapter kAdapters[] = {
    {"Constant", {1, 9, 11, 12, 13, 19, 21, 23, 24, 25}, import_constant},
    {"ConstantOfShape", {9, 20, 21, 23, 24, 25}, import_constant_of_shape},
    {"EyeLike", {9, 22}, import_eye_like},
    {"Range", {11, 27}, import_range},
};

}  // namespace

std::span<const Adapter> constant_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
