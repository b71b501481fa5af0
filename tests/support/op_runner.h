#pragma once

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/cpu/isa.h"
#include "runtime/cpu/kernel_table.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/kernel.h"

// Runs one operator without a model file: rule, kernel, packed constants, workspace, run.
namespace skiff::test {

/// A dense tensor that owns its bytes. `constant` operands are offered to the kernel for packing.
struct TensorData {
  DType dtype = DType::none;
  Shape shape;
  std::vector<std::byte> bytes;
  bool constant = false;
  const fb::Quantization* quantization = nullptr;

  std::int64_t elements() const { return shape.elements(); }

  /// Elements as T, which must be the stored type (Float16 and BFloat16 included).
  template <typename T>
  std::vector<T> values() const {
    EXPECT_EQ(dtype, dtype_of<T>());
    std::vector<T> result;
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(T)) {
      T value;
      std::memcpy(&value, bytes.data() + i, sizeof(T));
      result.push_back(value);
    }
    return result;
  }
  /// Every element as a double, whatever the stored type (64-bit integers may round).
  std::vector<double> numbers() const;
};

/// A tensor of the given elements; their count must be the shape's.
template <typename T>
TensorData tensor(const Shape& shape, const std::vector<T>& values) {
  TensorData data{dtype_of<T>(), shape, {}, false, nullptr};
  EXPECT_EQ(static_cast<std::size_t>(shape.elements()), values.size());
  data.bytes.resize(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = values[i];
    std::memcpy(data.bytes.data() + i * sizeof(T), &value, sizeof(T));
  }
  return data;
}
template <typename T>
TensorData tensor(const Shape& shape, std::initializer_list<T> values) {
  return tensor(shape, std::vector<T>(values));
}
/// Numbers converted to a stored type as C++ does it (16-bit floats round to nearest even).
TensorData tensor_of(DType dtype, const Shape& shape, const std::vector<double>& numbers);

/// The same tensor as an operand known at load.
inline TensorData constant(TensorData data) {
  data.constant = true;
  return data;
}

/// An attribute table, built and owned.
struct Attributes {
  fb::Attrs type = fb::Attrs::NONE;
  std::vector<std::uint8_t> buffer;

  Attributes() = default;
  /// From the generated object form, e.g. fb::UnaryAttrsT.
  template <typename Object>
  requires requires { typename Object::TableType; }
  Attributes(const Object& object) {  // NOLINT: implicit, so that tests can pass objects
    using Table = typename Object::TableType;
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(Table::Pack(builder, &object));
    type = fb::AttrsTraits<Table>::enum_value;
    buffer.assign(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
  }
  const void* table() const {
    return type == fb::Attrs::NONE ? nullptr
                                   : flatbuffers::GetRoot<flatbuffers::Table>(buffer.data());
  }
};

struct OpResult {
  Status status;
  std::vector<TensorData> outputs;
  std::string algorithm;

  const TensorData& operator[](std::size_t i) const { return outputs[i]; }
};

struct OpOptions {
  int outputs = 1;
  const cpu::KernelTable* table = nullptr;  ///< null: the best of this machine
  std::string name = "node";
  int threads = 2;  ///< most to run with
  /// A row in place of the op table's, with attributes that are no table of the schema.
  const OpDef* row = nullptr;
  const void* attributes = nullptr;
  const fb::Quantization* result = nullptr;  ///< of the first output
  bool same_bits = false;  ///< another device must give the bytes that the CPU gives
};

/// A node for another device than the CPU.
struct DeviceRequest {
  const NodeView& node;
  std::span<const TensorInfo> outputs;
  const std::vector<const TensorData*>& operands;
  bool same_bits = false;  ///< OpOptions::same_bits
};
/// When set, run_op() hands every node on, with the CPU's result; what is left in `result` is what
/// the test sees.
using DeviceRun = void (*)(const DeviceRequest& request, OpResult& result);
inline DeviceRun& device_run() {
  static DeviceRun run = nullptr;
  return run;
}

/// The algorithm that another device is to take where it has it; null: the one ranked first.
inline const char*& device_choice() {
  static const char* choice = nullptr;
  return choice;
}

/// Only the rule: dtypes and shapes of the outputs. Throws what the rule throws.
std::vector<TensorInfo> infer_op(fb::OpKind op, const Attributes& attributes,
                                 const std::vector<const TensorData*>& inputs, int outputs = 1);

/// Runs the operator with one thread and with more, and once more in place for every operand that
/// the kernel would overwrite; expects equal bytes (and an equal status) from all. A null input is
/// an absent one. Inputs, outputs and workspace lie in blocks of exactly their size. See also
/// device_run().
OpResult run_op(fb::OpKind op, const Attributes& attributes,
                const std::vector<const TensorData*>& inputs, const OpOptions& options = {});

/// The same for operands that are all present; the run must succeed.
std::vector<TensorData> run_op(fb::OpKind op, const Attributes& attributes,
                               const std::vector<TensorData>& inputs,
                               const OpOptions& options = {});

/// Operands as run_op() takes them: of no dtype stands for absent.
std::vector<const TensorData*> operands_of(const std::vector<TensorData>& inputs);

/// Runs f(table) for every instruction set of this machine.
template <typename F>
void for_each_table(F&& f) {
  for (const cpu::KernelTable* table : cpu::available_tables()) {
    SCOPED_TRACE(table->name);
    f(*table);
  }
}

/// Expects Error{code} from the rule; the message must name the node.
void expect_refused(fb::OpKind op, const Attributes& attributes,
                    const std::vector<TensorData>& inputs, int outputs = 1,
                    ErrorCode code = ErrorCode::invalid_model);

/// |actual - expected| <= absolute + relative |expected| for every element; NaN equals NaN, an
/// infinity itself.
void expect_near(const TensorData& actual, const std::vector<double>& expected, double relative,
                 double absolute = 0);

/// Reproducible numbers in [low, high), of every sign when low < 0.
std::vector<double> random_numbers(std::int64_t count, double low, double high, unsigned seed = 1);
inline TensorData random_tensor(DType dtype, const Shape& shape, double low = -4, double high = 4,
                                unsigned seed = 1) {
  return tensor_of(dtype, shape, random_numbers(shape.elements(), low, high, seed));
}
/// float32 in [-1, 1).
inline TensorData random_tensor(const Shape& shape, unsigned seed) {
  return random_tensor(DType::float32, shape, -1, 1, seed);
}

/// Relative error that one rounding to a float type makes, times `roundings`.
double rounding(DType dtype, double roundings = 1);

}  // namespace skiff::test
