#include "converters/tflite/importer.h"
#include "converters/tflite/tensors.h"

namespace skiff::convert::tfl {
namespace {

bool is_control_flow(tflite::Builtin builtin) {
  switch (builtin) {
    case tflite::Builtin::CALL:
    case tflite::Builtin::STABLEHLO_WHILE:
    case tflite::Builtin::STABLEHLO_CASE:
      return true;
    default:
      return false;
  }
}

bool is_stateful(tflite::Builtin builtin) {
  switch (builtin) {
    case tflite::Builtin::HASHTABLE:
    case tflite::Builtin::HASHTABLE_FIND:
    case tflite::Builtin::HASHTABLE_IMPORT:
    case tflite::Builtin::HASHTABLE_LOOKUP:
    case tflite::Builtin::HASHTABLE_SIZE:
      return true;
    default:
      return false;
  }
}

/// Operators that may hand on the handle of a variable.
bool takes_handles(tflite::Builtin builtin) {
  switch (builtin) {
    case tflite::Builtin::IF:
    case tflite::Builtin::WHILE:
    case tflite::Builtin::VAR_HANDLE:
    case tflite::Builtin::READ_VARIABLE:
    case tflite::Builtin::ASSIGN_VARIABLE:
      return true;
    default:
      return false;
  }
}

bool is_integer(tflite::TensorType type) {
  switch (dtype_of(type)) {
    case DType::int8:
    case DType::uint8:
    case DType::int16:
    case DType::int32:
    case DType::int64:
      return true;
    default:
      return type == tflite::TensorType::uint4 || type == tflite::TensorType::int2;
  }
}

/// `computed`: its values are not in the file.
std::string reason_against_tensor(const Model& model, int index, bool computed, std::string& help) {
  const tflite::Tensor& tensor = model.tensor(index);
  if (computed && is_quantized(tensor) && is_integer(tensor.type())) {
    help = "convert the float model this one was made from";
    return message("it computes on quantised integers (", type_name(tensor), ")");
  }
  const bool packed = computed && tensor.type() == tflite::TensorType::int4;
  if (packed || dtype_of(tensor.type()) == DType::none)
    return message("tensor '", model.tensor_name(index), "' is of type ", type_name(tensor));
  return {};
}

}  // namespace

std::string reason_against(const Model& model, const tflite::Operator& op, std::string& help) {
  const tflite::Builtin builtin = model.builtin(op);
  const bool known = find_import(model, op) != nullptr;
  if (!known && builtin == tflite::Builtin::CUSTOM)
    return "custom operators have no meaning outside the program they were written for";
  if (!known && is_control_flow(builtin)) return "control flow is not supported";
  if (!known && is_stateful(builtin)) return "hash tables are not supported";
  const auto is_handle = [&](std::int64_t tensor) {
    return takes_handles(builtin) &&
           model.tensor(static_cast<int>(tensor)).type() == tflite::TensorType::resource;
  };
  for (std::int64_t output : to_list(op.outputs()))
    if (is_handle(output)) {
      continue;
    } else if (auto reason = reason_against_tensor(model, static_cast<int>(output), true, help);
               !reason.empty())
      return reason;
  for (std::int64_t input : to_list(op.inputs())) {
    if (input < 0 || is_handle(input)) continue;
    const auto tensor = static_cast<int>(input);
    if (auto reason = reason_against_tensor(model, tensor, model.data(tensor).empty(), help);
        !reason.empty())
      return reason;
  }
  return known ? "" : "the operator is not supported";
}

}  // namespace skiff::convert::tfl
