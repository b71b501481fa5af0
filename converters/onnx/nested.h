#pragma once

#include "converters/onnx/importer.h"

// What the importers of control flow share.
namespace skiff::onnx {

/// The graph that an attribute holds; refuses when there is none.
const GraphProto& body_of(Op& op, std::string_view name);
/// What operand i stands for.
const Entry& entry_of(Op& op, int i);
/// Refuses what is no tensor.
ValueId tensor_of(const Op& op, const Entry& entry);
/// Refuses for a reason that would fall away if these operands were known at conversion: names the
/// inputs to bind.
[[noreturn]] void refuse_unless_bound(Op& op, Refuse why, std::initializer_list<int> operands);
/// Output i of the node, where it has one, is this.
void define(Op& op, int i, const Entry& entry);

}  // namespace skiff::onnx
