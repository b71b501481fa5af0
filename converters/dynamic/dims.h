#pragma once

#include "converters/ir/attributes.h"

namespace skiff::dynamic {

/// Calls visit(std::int64_t&) for every number of the fields the schema marks "dim", in a fixed
/// order, and keeps what it changes.
template <typename Visit>
void visit_dims(ir::Attributes& attributes, const Visit& visit) {
  const auto lists = [&]<typename Table>(const Table*, auto... fields) {
    auto native = attributes.unpack<Table>();
    const auto all = [&](std::vector<std::int64_t>& numbers) {
      for (std::int64_t& number : numbers) visit(number);
    };
    (all(native.*fields), ...);
    attributes = ir::Attributes(native);
  };
  const auto number = [&]<typename Table>(const Table*, auto field) {
    auto native = attributes.unpack<Table>();
    visit(native.*field);
    attributes = ir::Attributes(native);
  };
  switch (attributes.type()) {
    case fb::Attrs::ShapeAttrs:
      return lists(static_cast<const fb::ShapeAttrs*>(nullptr), &fb::ShapeAttrsT::shape);
    case fb::Attrs::MaxUnpoolAttrs:
      return lists(static_cast<const fb::MaxUnpoolAttrs*>(nullptr), &fb::MaxUnpoolAttrsT::shape);
    case fb::Attrs::SliceAttrs:
      return lists(static_cast<const fb::SliceAttrs*>(nullptr), &fb::SliceAttrsT::starts,
                   &fb::SliceAttrsT::sizes);
    case fb::Attrs::PadAttrs:
      return lists(static_cast<const fb::PadAttrs*>(nullptr), &fb::PadAttrsT::pads);
    case fb::Attrs::ResizeAttrs:
      return lists(static_cast<const fb::ResizeAttrs*>(nullptr), &fb::ResizeAttrsT::sizes);
    case fb::Attrs::TopKAttrs:
      return number(static_cast<const fb::TopKAttrs*>(nullptr), &fb::TopKAttrsT::k);
    case fb::Attrs::LoopAttrs:
      return number(static_cast<const fb::LoopAttrs*>(nullptr), &fb::LoopAttrsT::max_trip_count);
    case fb::Attrs::OneHotAttrs:
      return number(static_cast<const fb::OneHotAttrs*>(nullptr), &fb::OneHotAttrsT::depth);
    default:
      return;
  }
}

}  // namespace skiff::dynamic
