#pragma once

#include <cstdint>
#include <vector>

#include "schema/skiff_generated.h"

namespace skiff::ir {

/// The attributes of one node: a finished FlatBuffer of the schema's own table, so that rules and
/// kernels read the very type they read from a file. A value; empty for operators without any.
class Attributes {
 public:
  Attributes() = default;

  /// From a native table, e.g. fb::ConvAttrsT.
  template <typename Native>
  Attributes(const Native& native)  // NOLINT: conversion is the point
      : type_(fb::AttrsTraits<typename Native::TableType>::enum_value) {
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(Native::TableType::Pack(builder, &native));
    bytes_.assign(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
  }

  fb::Attrs type() const noexcept { return type_; }
  /// The table as NodeView::attributes wants it; null when empty.
  const void* table() const noexcept {
    return bytes_.empty() ? nullptr : flatbuffers::GetRoot<std::uint8_t>(bytes_.data());
  }
  template <typename Table>
  const Table& get() const noexcept {
    return *static_cast<const Table*>(table());
  }
  /// A native copy to change and assign back.
  template <typename Table>
  typename Table::NativeTableType unpack() const {
    typename Table::NativeTableType native;
    get<Table>().UnPackTo(&native);
    return native;
  }
  friend bool operator==(const Attributes&, const Attributes&) = default;

 private:
  fb::Attrs type_ = fb::Attrs::NONE;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace skiff::ir
