#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "converters/import.h"
#include "converters/tflite/import_bytes.h"
#include "converters/tflite/tflite_generated.h"

namespace skiff::test {

/// A .tflite file made by hand, tensor by tensor and operator by operator.
class TfliteBuilder {
 public:
  using Dims = std::vector<std::int32_t>;

  /// Options, quantisation and sparsity of the operators and tensors to come are made with this.
  flatbuffers::FlatBufferBuilder& tables() { return fbb_; }

  int tensor(const std::string& name, const Dims& shape,
             tflite::TensorType type = tflite::TensorType::float32, const Dims& signature = {}) {
    return add(name, shape, type, 0, 0, 0, signature, false);
  }
  int variable(const std::string& name, const Dims& shape) {
    return add(name, shape, tflite::TensorType::float32, 0, 0, 0, {}, true);
  }
  template <typename T>
  int constant(const std::string& name, const Dims& shape, const std::vector<T>& numbers,
               flatbuffers::Offset<tflite::Quantization> quantization = 0,
               flatbuffers::Offset<tflite::Sparsity> sparsity = 0) {
    std::vector<std::uint8_t> bytes(numbers.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), numbers.data(), bytes.size());
    buffers_.push_back(tflite::CreateBuffer(fbb_, fbb_.CreateVector(bytes)));
    return add(name, shape, type_of<T>(), static_cast<std::uint32_t>(buffers_.size() - 1),
               quantization, sparsity, {}, false);
  }
  /// Another tensor on the buffer of the last constant.
  int alias(const std::string& name, const Dims& shape) {
    return add(name, shape, tflite::TensorType::float32,
               static_cast<std::uint32_t>(buffers_.size() - 1), 0, 0, {}, false);
  }
  int quantized(const std::string& name, const Dims& shape, tflite::TensorType type) {
    return add(name, shape, type, 0, scale(0.5F), 0, {}, false);
  }
  flatbuffers::Offset<tflite::Quantization> scale(float value, std::int64_t zero = 0) {
    return scales({value}, {zero}, 0);
  }
  flatbuffers::Offset<tflite::Quantization> scales(const std::vector<float>& values,
                                                   const std::vector<std::int64_t>& zeros,
                                                   int axis) {
    return tflite::CreateQuantization(fbb_, 0, 0, fbb_.CreateVector(values),
                                      fbb_.CreateVector(zeros), 0, 0, axis);
  }

  template <typename Options = tflite::O3>
  void op(tflite::Builtin builtin, const Dims& inputs, const Dims& outputs,
          flatbuffers::Offset<Options> options = 0) {
    const auto type =
        options.IsNull() ? tflite::Options::NONE : tflite::OptionsTraits<Options>::enum_value;
    add_op(builtin, "", inputs, outputs, type, options.Union(), {});
  }
  void custom(const std::string& name, const Dims& inputs, const Dims& outputs,
              const std::vector<std::uint8_t>& options = {}) {
    add_op(tflite::Builtin::CUSTOM, name, inputs, outputs, tflite::Options::NONE, 0, options);
  }
  /// An operator that another graph of the file defines.
  void composite(const Dims& inputs, const Dims& outputs, int graph) {
    const auto options = tflite::CreateComposite(fbb_, fbb_.CreateString("composite"), graph);
    add_op(tflite::Builtin::STABLEHLO_COMPOSITE, "", inputs, outputs, tflite::Options::NONE, 0, {},
           tflite::Options2::Composite, options.Union());
  }

  /// Ends one graph: what comes then belongs to the next, whose tensors count from 0 again.
  void end_graph(const Dims& inputs, const Dims& outputs) {
    graphs_.push_back(graph(inputs, outputs));
    tensors_.clear();
    operators_.clear();
  }
  /// The file, ended by the graph begun last. May be called again with other outputs.
  std::vector<std::byte> finish(const Dims& inputs, const Dims& outputs) {
    auto graphs = graphs_;
    graphs.push_back(graph(inputs, outputs));
    const auto model =
        tflite::CreateModel(fbb_, 3, fbb_.CreateVector(codes_), fbb_.CreateVector(graphs),
                            fbb_.CreateString("by hand"), fbb_.CreateVector(buffers_));
    tflite::FinishModelBuffer(fbb_, model);
    const auto bytes = std::as_bytes(std::span(fbb_.GetBufferPointer(), fbb_.GetSize()));
    return {bytes.begin(), bytes.end()};
  }

 private:
  flatbuffers::Offset<tflite::SubGraph> graph(const Dims& inputs, const Dims& outputs) {
    return tflite::CreateSubGraph(fbb_, fbb_.CreateVector(tensors_), fbb_.CreateVector(inputs),
                                  fbb_.CreateVector(outputs), fbb_.CreateVector(operators_));
  }

  flatbuffers::FlatBufferBuilder fbb_;
  std::vector<flatbuffers::Offset<tflite::SubGraph>> graphs_;
  std::vector<flatbuffers::Offset<tflite::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<tflite::Operator>> operators_;
  std::vector<flatbuffers::Offset<tflite::OperatorCode>> codes_;
  std::vector<flatbuffers::Offset<tflite::Buffer>> buffers_ = {tflite::CreateBuffer(fbb_)};

  template <typename T>
  static tflite::TensorType type_of() {
    if constexpr (std::is_same_v<T, float>) return tflite::TensorType::float32;
    if constexpr (std::is_same_v<T, std::int32_t>) return tflite::TensorType::int32;
    if constexpr (std::is_same_v<T, std::int64_t>) return tflite::TensorType::int64;
    if constexpr (std::is_same_v<T, std::int8_t>) return tflite::TensorType::int8;
    if constexpr (std::is_same_v<T, std::uint16_t>) return tflite::TensorType::float16;
    if constexpr (std::is_same_v<T, std::uint8_t>) return tflite::TensorType::boolean;
  }

  int add(const std::string& name, const Dims& shape, tflite::TensorType type, std::uint32_t buffer,
          flatbuffers::Offset<tflite::Quantization> quantization,
          flatbuffers::Offset<tflite::Sparsity> sparsity, const Dims& signature, bool variable) {
    const auto signature_list = signature.empty()
                                    ? flatbuffers::Offset<flatbuffers::Vector<std::int32_t>>()
                                    : fbb_.CreateVector(signature);
    tensors_.push_back(tflite::CreateTensor(fbb_, fbb_.CreateVector(shape), type, buffer,
                                            fbb_.CreateString(name), quantization, variable,
                                            sparsity, signature_list));
    return static_cast<int>(tensors_.size() - 1);
  }

  void add_op(tflite::Builtin builtin, const std::string& custom, const Dims& inputs,
              const Dims& outputs, tflite::Options type, flatbuffers::Offset<void> options,
              const std::vector<std::uint8_t>& custom_options,
              tflite::Options2 type_2 = tflite::Options2::NONE,
              flatbuffers::Offset<void> options_2 = 0) {
    const auto name =
        custom.empty() ? flatbuffers::Offset<flatbuffers::String>() : fbb_.CreateString(custom);
    const auto old_code = static_cast<std::int8_t>(std::min(static_cast<int>(builtin), 127));
    codes_.push_back(tflite::CreateOperatorCode(fbb_, old_code, name, 1, builtin));
    const auto raw = custom_options.empty()
                         ? flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>()
                         : fbb_.CreateVector(custom_options);
    operators_.push_back(tflite::CreateOperator(
        fbb_, static_cast<std::uint32_t>(codes_.size() - 1), fbb_.CreateVector(inputs),
        fbb_.CreateVector(outputs), type, options, raw, 0, 0, 0, 0, 0, type_2, options_2));
  }
};

/// Variables become constants: what they hold at first.
void start_variables(ir::Graph& graph);
/// The numbers of an output of a model whose operands are all constants: importing computes it.
std::vector<double> computed(TfliteBuilder& builder, int output);
/// The same with its shape.
ir::Value computed_value(TfliteBuilder& builder, int output);

/// 1, 2, 3 ... over n elements, times scale.
std::vector<float> counting(std::size_t n, float scale = 1);
/// n small numbers of both signs, the same for the same seed.
std::vector<float> noise(std::size_t n, unsigned seed);

}  // namespace skiff::test
