#include "runtime/ops/attributes.h"

#include <algorithm>
#include <utility>

namespace skiff {

void fail_rule(const NodeView& node, std::uint64_t kinds, ...) {
  std::string text = message("node '", node.name, "' (", name_of(node.op), "): ");
  std::va_list values;
  va_start(values, kinds);
  pieces::append(text, kinds, values);
  va_end(values);
  throw Error(ErrorCode::invalid_model, std::move(text));
}

Shape read_dims(const NodeView& node, const flatbuffers::Vector<std::int64_t>* field,
                std::string_view what) {
  Shape shape;
  if (field == nullptr) return shape;
  check(node, field->size() <= static_cast<unsigned>(kMaxRank), what, " has ", field->size(),
        " entries, at most ", kMaxRank, " are possible");
  for (std::int64_t entry : *field) {
    const std::int64_t extent = node.dim(entry);
    check(node, extent >= 0, what, " has the negative entry ", extent);
    shape.push_back(extent);
  }
  return shape;
}

void read_numbers(const NodeView& node, const flatbuffers::Vector<std::int64_t>* field, int count,
                  std::int64_t least, std::int64_t most, std::int64_t fallback,
                  std::string_view what, std::span<std::int64_t> to) {
  if (field == nullptr || field->size() == 0) {
    std::fill_n(to.begin(), count, fallback);
    return;
  }
  check(node, field->size() == static_cast<unsigned>(count), what, " has ", field->size(),
        " entries, needs ", count);
  for (int i = 0; i < count; ++i) {
    const std::int64_t value = field->Get(static_cast<unsigned>(i));
    check(node, value >= least && value <= most, what, " has ", value, ", must be in [", least,
          ", ", most, "]");
    to[static_cast<std::size_t>(i)] = value;
  }
}

int read_axis(const NodeView& node, std::int64_t axis, int rank, std::string_view what) {
  check(node, axis >= 0 && axis < rank, what, " is ", axis, ", must be in [0, ", rank, ")");
  return static_cast<int>(axis);
}

void check_sums(const NodeView& node, fb::DType sums) {
  check(node, sums == fb::DType::none || sums == fb::DType::float16,
        "sums must be of type none or float16");
}

Shape broadcast(const NodeView& node, const Shape& a, const Shape& b) {
  Shape result;
  const int rank = std::max(a.rank(), b.rank());
  for (int axis = 0; axis < rank; ++axis) {
    const int ia = axis - (rank - a.rank()), ib = axis - (rank - b.rank());
    const std::int64_t ea = ia < 0 ? 1 : a[ia], eb = ib < 0 ? 1 : b[ib];
    check(node, ea == eb || ea == 1 || eb == 1, "shapes ", a, " and ", b,
          " do not broadcast to one another");
    result.push_back(ea == 1 ? eb : ea);
  }
  return result;
}

}  // namespace skiff
