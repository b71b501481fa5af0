#include "tests/converters/tflite_samples.h"

#include "tests/converters/tflite_builder.h"

namespace skiff::test {

using tflite::Builtin;
using tflite::Padding;
using tflite::TensorType;

std::vector<std::byte> picture_model() {
  TfliteBuilder model;
  const int x = model.tensor("x", {1, 6, 6, 2}), a = model.tensor("a", {1, 3, 3, 4}),
            b = model.tensor("b", {1, 1, 1, 4}), c = model.tensor("c", {1, 4}),
            w = model.constant("w", {1, 3, 3, 4}, noise(36, 1)),
            to = model.constant<std::int32_t>("to", {2}, {1, -1}), d = model.tensor("d", {1, 4});
  model.op(Builtin::DEPTHWISE_CONV_2D, {x, w, -1}, {a},
           tflite::CreateDepthwiseConv2D(model.tables(), Padding::same, 2, 2, 2));
  model.op(Builtin::AVERAGE_POOL_2D, {a}, {b},
           tflite::CreatePool2D(model.tables(), Padding::valid, 1, 1, 3, 3));
  model.op(Builtin::RESHAPE, {b, to}, {c});
  model.op(Builtin::SOFTMAX, {c}, {d}, tflite::CreateSoftmax(model.tables(), 1));
  return model.finish({x}, {d});
}

std::vector<std::byte> list_model() {
  TfliteBuilder model;
  const int x = model.tensor("x", {2, 3}), b = model.constant<std::int32_t>("b", {2}, {0, 1}),
            e = model.constant<std::int32_t>("e", {2}, {2, 3}),
            s = model.constant<std::int32_t>("s", {2}, {1, 1}), y = model.tensor("y", {2, 2}),
            axes = model.constant<std::int32_t>("axes", {1}, {1}), z = model.tensor("z", {2}),
            q = model.constant<std::int8_t>("q", {2, 2}, {1, 2, 3, 4},
                                            model.scales({1, 2}, {0, 0}, 1)),
            f = model.tensor("f", {2, 2}), t = model.tensor("t", {2, 2});
  model.op(Builtin::STRIDED_SLICE, {x, b, e, s}, {y},
           tflite::CreateStridedSlice(model.tables(), 1, 2));
  model.op(Builtin::SUM, {y, axes}, {z}, tflite::CreateReducer(model.tables(), false));
  model.op(Builtin::DEQUANTIZE, {q}, {f});
  model.op(Builtin::BATCH_MATMUL, {y, f}, {t},
           tflite::CreateBatchMatMul(model.tables(), false, true));
  return model.finish({x}, {z, t});
}

std::vector<std::byte> recurrent_model() {
  TfliteBuilder model;
  auto& fbb = model.tables();
  const std::vector<std::int32_t> order = {0, 1}, marks = {0, 1, 1, 2, 3}, places = {1, 0, 2};
  const auto segments = tflite::CreateInt32Indices(fbb, fbb.CreateVector(marks)).Union();
  const auto indices = tflite::CreateInt32Indices(fbb, fbb.CreateVector(places)).Union();
  const std::vector<flatbuffers::Offset<tflite::Dimension>> levels = {
      tflite::CreateDimension(fbb, tflite::DimensionFormat::dense, 4),
      tflite::CreateDimension(fbb, tflite::DimensionFormat::sparse, 0,
                              tflite::Indices::Int32Indices, segments,
                              tflite::Indices::Int32Indices, indices)};
  const auto sparsity =
      tflite::CreateSparsity(fbb, fbb.CreateVector(order), 0, fbb.CreateVector(levels));
  const int x = model.tensor("x", {1, 2, 3}),
            w = model.constant<float>("w", {4, 3}, {1, 2, 3}, 0, sparsity),
            half = model.constant<std::uint16_t>("half", {4}, {0x3c00, 0, 0xbc00, 0x3800}),
            b = model.tensor("b", {4}), r = model.constant("r", {4, 4}, noise(16, 2)),
            h = model.variable("h", {1, 4}), y = model.tensor("y", {1, 2, 4}),
            axis = model.constant<std::int32_t>("axis", {}, {2}),
            left = model.tensor("l", {1, 2, 2}), right = model.tensor("r", {1, 2, 2}),
            z = model.tensor("z", {1, 2, 4});
  model.op(Builtin::DEQUANTIZE, {half}, {b});
  model.op(Builtin::UNIDIRECTIONAL_SEQUENCE_RNN, {x, w, r, b, h}, {y},
           tflite::CreateSequenceRnn(fbb, false, tflite::Activation::tanh));
  model.op(Builtin::SPLIT, {axis, y}, {left, right}, tflite::CreateSplit(fbb, 2));
  model.op(Builtin::CONCATENATION, {right, left}, {z}, tflite::CreateConcatenation(fbb, -1));
  return model.finish({x}, {z});
}

std::vector<std::byte> stateful_model() {
  TfliteBuilder model;
  auto& fbb = model.tables();
  const int in = model.tensor("in", {1, 2}), out = model.tensor("out", {1, 1});
  model.composite({in}, {out}, 1);
  model.end_graph({in}, {out});
  const int x = model.tensor("x", {1, 2}), y = model.tensor("y", {1, 2}),
            z = model.tensor("z", {1, 1}), w = model.constant("w", {2, 2}, noise(4, 1)),
            v = model.constant("v", {2}, noise(2, 2));
  TfliteBuilder::Dims operands(9, w);
  operands[0] = x;
  operands.insert(operands.end(), 7, v);
  for (int operand : {w, v, model.variable("h", {1, 2}), model.variable("c", {1, 2}), v, v, v, v})
    operands.push_back(operand);
  model.op(Builtin::LSTM, operands, {y}, tflite::CreateLstm(fbb, tflite::Activation::tanh, 1, 1));
  model.op(Builtin::SVDF,
           {y, w, w, model.constant("bias", {1}, noise(1, 3)), model.variable("memory", {1, 4})},
           {z}, tflite::CreateSvdf(fbb, 2, tflite::Activation::relu));
  return model.finish({x}, {z});
}

}  // namespace skiff::test
