#include <gtest/gtest.h>

#include "tests/converters/tflite_builder.h"

// Operators that move elements. Expected values are those of TensorFlow's documentation where it
// gives an example, else written out.
namespace skiff::test {
namespace {

using tflite::Builtin;
using tflite::TensorType;
using Dims = TfliteBuilder::Dims;
using Ints = std::vector<std::int32_t>;
using Numbers = std::vector<double>;

TEST(TfliteLayout, ReshapeTakesAnOpenExtentAndOptions) {
  TfliteBuilder open;
  const int x = open.constant("x", {2, 3}, counting(6)),
            to = open.constant<std::int32_t>("to", {2}, {-1, 2}), y = open.tensor("y", {});
  open.op(Builtin::RESHAPE, {x, to}, {y});
  EXPECT_EQ(computed_value(open, y).shape, (Shape{3, 2}));

  TfliteBuilder old;
  const int a = old.constant("x", {2, 3}, counting(6)), b = old.tensor("y", {});
  old.op(Builtin::RESHAPE, {a}, {b},
         tflite::CreateReshape(old.tables(), old.tables().CreateVector(Ints{3, -1})));
  EXPECT_EQ(computed_value(old, b).shape, (Shape{3, 2}));

  TfliteBuilder scalar;
  const int one = scalar.constant<float>("x", {1, 1}, {5}), s = scalar.tensor("y", {});
  scalar.op(Builtin::RESHAPE, {one}, {s},
            tflite::CreateReshape(scalar.tables(), scalar.tables().CreateVector(Ints{0})));
  EXPECT_EQ(computed_value(scalar, s).shape, Shape());
}

TEST(TfliteLayout, ReshapeToAShapeThatIsComputed) {
  // The way converters write "flatten": SHAPE, STRIDED_SLICE, PACK, RESHAPE.
  TfliteBuilder model;
  const int x = model.constant("x", {2, 3, 2}, counting(12)),
            shape = model.tensor("shape", {3}, TensorType::int32),
            zero = model.constant<std::int32_t>("zero", {1}, {0}),
            one = model.constant<std::int32_t>("one", {1}, {1}),
            batch = model.tensor("batch", {}, TensorType::int32),
            rest = model.constant<std::int32_t>("rest", {}, {6}),
            to = model.tensor("to", {2}, TensorType::int32), y = model.tensor("y", {});
  model.op(Builtin::SHAPE, {x}, {shape});
  model.op(Builtin::STRIDED_SLICE, {shape, zero, one, one}, {batch},
           tflite::CreateStridedSlice(model.tables(), 0, 0, 0, 0, 1));
  model.op(Builtin::PACK, {batch, rest}, {to}, tflite::CreatePack(model.tables(), 2, 0));
  model.op(Builtin::RESHAPE, {x, to}, {y});
  EXPECT_EQ(computed_value(model, y).shape, (Shape{2, 6}));
}

TEST(TfliteLayout, SqueezeTakesListedAxesOrAllOnes) {
  TfliteBuilder all;
  const int x = all.constant("x", {1, 2, 1}, counting(2)), y = all.tensor("y", {});
  all.op(Builtin::SQUEEZE, {x}, {y});
  EXPECT_EQ(computed_value(all, y).shape, Shape{2});
  TfliteBuilder last;
  const int a = last.constant("x", {1, 2, 1}, counting(2)), b = last.tensor("y", {});
  last.op(Builtin::SQUEEZE, {a}, {b},
          tflite::CreateSqueeze(last.tables(), last.tables().CreateVector(Ints{-1})));
  EXPECT_EQ(computed_value(last, b).shape, (Shape{1, 2}));
}

TEST(TfliteLayout, PackAndUnpack) {
  TfliteBuilder pack;
  const int a = pack.constant<float>("a", {2}, {1, 4}), b = pack.constant<float>("b", {2}, {2, 5}),
            c = pack.constant<float>("c", {2}, {3, 6}), y = pack.tensor("y", {});
  pack.op(Builtin::PACK, {a, b, c}, {y}, tflite::CreatePack(pack.tables(), 3, -1));
  EXPECT_EQ(computed(pack, y), (Numbers{1, 2, 3, 4, 5, 6}));

  TfliteBuilder unpack;
  const int x = unpack.constant("x", {2, 3}, counting(6)), first = unpack.tensor("0", {}),
            second = unpack.tensor("1", {}), third = unpack.tensor("2", {});
  unpack.op(Builtin::UNPACK, {x}, {first, second, third},
            tflite::CreateUnpack(unpack.tables(), 3, 1));
  EXPECT_EQ(computed(unpack, second), (Numbers{2, 5}));
}

TEST(TfliteLayout, SplitVGivesTheRestToTheOpenPart) {
  TfliteBuilder model;
  const int x = model.constant("x", {6}, counting(6)),
            sizes = model.constant<std::int32_t>("sizes", {3}, {1, -1, 2}),
            axis = model.constant<std::int32_t>("axis", {}, {0}), a = model.tensor("a", {}),
            b = model.tensor("b", {}), c = model.tensor("c", {});
  model.op(Builtin::SPLIT_V, {x, sizes, axis}, {a, b, c}, tflite::CreateSplitV(model.tables(), 3));
  EXPECT_EQ(computed(model, b), (Numbers{2, 3, 4}));
}

TEST(TfliteLayout, PadsAndReverses) {
  TfliteBuilder mirror;
  const int x = mirror.constant("x", {2, 3}, counting(6)),
            pads = mirror.constant<std::int32_t>("pads", {2, 2}, {1, 1, 2, 2}),
            y = mirror.tensor("y", {});
  mirror.op(Builtin::MIRROR_PAD, {x, pads}, {y},
            tflite::CreateMirrorPad(mirror.tables(), tflite::MirrorMode::symmetric));
  EXPECT_EQ(computed(mirror, y), (Numbers{2, 1, 1, 2, 3, 3, 2, 2, 1, 1, 2, 3, 3, 2,
                                          5, 4, 4, 5, 6, 6, 5, 5, 4, 4, 5, 6, 6, 5}));
  TfliteBuilder value;
  const int a = value.constant("x", {2}, counting(2)),
            p = value.constant<std::int32_t>("pads", {1, 2}, {1, 2}),
            c = value.constant<float>("c", {}, {9}), b = value.tensor("y", {});
  value.op(Builtin::PADV2, {a, p, c}, {b});
  EXPECT_EQ(computed(value, b), (Numbers{9, 1, 2, 9, 9}));
  TfliteBuilder reverse;
  const int r = reverse.constant("x", {2, 3}, counting(6)),
            axis = reverse.constant<std::int32_t>("axis", {1}, {-1}), s = reverse.tensor("y", {});
  reverse.op(Builtin::REVERSE_V2, {r, axis}, {s});
  EXPECT_EQ(computed(reverse, s), (Numbers{3, 2, 1, 6, 5, 4}));
}

// TensorFlow's documentation of space_to_batch_nd, examples 1 and 4, and batch_to_space_nd.
TEST(TfliteLayout, SpaceToBatchAndBack) {
  TfliteBuilder simple;
  const int x = simple.constant("x", {1, 2, 2, 1}, counting(4)),
            block = simple.constant<std::int32_t>("block", {2}, {2, 2}),
            none = simple.constant<std::int32_t>("pads", {2, 2}, {0, 0, 0, 0}),
            y = simple.tensor("y", {});
  simple.op(Builtin::SPACE_TO_BATCH_ND, {x, block, none}, {y});
  const ir::Value value = computed_value(simple, y);
  EXPECT_EQ(value.shape, (Shape{4, 1, 1, 1}));
  EXPECT_EQ(ir::numbers(value), (Numbers{1, 2, 3, 4}));

  TfliteBuilder padded;
  const int a = padded.constant("x", {2, 2, 4, 1}, counting(16)),
            blocks = padded.constant<std::int32_t>("block", {2}, {2, 2}),
            pads = padded.constant<std::int32_t>("pads", {2, 2}, {0, 0, 2, 0}),
            b = padded.tensor("y", {});
  padded.op(Builtin::SPACE_TO_BATCH_ND, {a, blocks, pads}, {b});
  EXPECT_EQ(computed(padded, b), (Numbers{0, 1, 3, 0, 9,  11, 0, 2, 4, 0, 10, 12,
                                          0, 5, 7, 0, 13, 15, 0, 6, 8, 0, 14, 16}));

  TfliteBuilder back;
  const int c = back.constant<float>("x", {8, 1, 3, 1}, {0, 1, 3, 0, 9,  11, 0, 2, 4, 0, 10, 12,
                                                         0, 5, 7, 0, 13, 15, 0, 6, 8, 0, 14, 16}),
            size = back.constant<std::int32_t>("block", {2}, {2, 2}),
            crops = back.constant<std::int32_t>("crops", {2, 2}, {0, 0, 2, 0}),
            d = back.tensor("y", {});
  back.op(Builtin::BATCH_TO_SPACE_ND, {c, size, crops}, {d});
  const ir::Value restored = computed_value(back, d);
  EXPECT_EQ(restored.shape, (Shape{2, 2, 4, 1}));
  const auto expected = counting(16);
  EXPECT_EQ(ir::numbers(restored), Numbers(expected.begin(), expected.end()));
}

struct SliceCase {
  const char* what;
  Ints begin, end, step;
  int begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_mask;
  Shape shape;
  Numbers numbers;
};
class TfliteStridedSlice : public ::testing::TestWithParam<SliceCase> {};

// x = [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]], sliced as Python does.
TEST_P(TfliteStridedSlice, SlicesAsPythonDoes) {
  const SliceCase& c = GetParam();
  TfliteBuilder model;
  const Dims n = {static_cast<std::int32_t>(c.begin.size())};
  const int x = model.constant("x", {2, 3, 2}, counting(12)), b = model.constant("b", n, c.begin),
            e = model.constant("e", n, c.end), s = model.constant("s", n, c.step),
            y = model.tensor("y", {});
  model.op(Builtin::STRIDED_SLICE, {x, b, e, s}, {y},
           tflite::CreateStridedSlice(model.tables(), c.begin_mask, c.end_mask, c.ellipsis_mask,
                                      c.new_axis_mask, c.shrink_mask));
  const ir::Value value = computed_value(model, y);
  EXPECT_EQ(value.shape, c.shape) << c.what;
  EXPECT_EQ(ir::numbers(value), c.numbers) << c.what;
}

INSTANTIATE_TEST_SUITE_P(
    Masks, TfliteStridedSlice,
    ::testing::Values(
        SliceCase{"x[0:1]", {0}, {1}, {1}, 0, 0, 0, 0, 0, {1, 3, 2}, {1, 2, 3, 4, 5, 6}},
        SliceCase{"x[1]", {1}, {2}, {1}, 0, 0, 0, 0, 1, {3, 2}, {7, 8, 9, 10, 11, 12}},
        SliceCase{"x[-1]", {-1}, {0}, {1}, 0, 0, 0, 0, 1, {3, 2}, {7, 8, 9, 10, 11, 12}},
        SliceCase{"x[..., 0]", {0, 0}, {0, 1}, {1, 1}, 0, 0, 1, 0, 2, {2, 3}, {1, 3, 5, 7, 9, 11}},
        SliceCase{"x[:, None, 2]",
                  {0, 0, 2},
                  {0, 0, 3},
                  {1, 1, 1},
                  1,
                  1,
                  0,
                  2,
                  4,
                  {2, 1, 2},
                  {5, 6, 11, 12}},
        SliceCase{"x[0, ::-2]", {0, 0}, {1, 0}, {1, -2}, 2, 2, 0, 0, 1, {2, 2}, {5, 6, 1, 2}},
        SliceCase{"x[0, -2:99, 1]", {0, -2, 1}, {1, 99, 2}, {1, 1, 1}, 0, 0, 0, 0, 5, {2}, {4, 6}},
        SliceCase{"x[0, 2:1]", {0, 2}, {1, 1}, {1, 1}, 0, 0, 0, 0, 1, {0, 2}, {}},
        SliceCase{
            "x[1, 2:0:-1, 0]", {1, 2, 0}, {2, 0, 1}, {1, -1, 1}, 0, 0, 0, 0, 5, {2}, {11, 9}}));

TEST(TfliteLayout, ResizeNearestFollowsItsThreeConventions) {
  const auto resized = [](bool corners, bool half) {
    TfliteBuilder model;
    const int x = model.constant("x", {1, 1, 4, 1}, counting(4)),
              size = model.constant<std::int32_t>("size", {2}, {1, 6}), y = model.tensor("y", {});
    model.op(Builtin::RESIZE_NEAREST_NEIGHBOR, {x, size}, {y},
             tflite::CreateResizeNearest(model.tables(), corners, half));
    return computed(model, y);
  };
  EXPECT_EQ(resized(false, false), (Numbers{1, 1, 2, 3, 3, 4}));  // floor(o * 4 / 6)
  EXPECT_EQ(resized(false, true), (Numbers{1, 2, 2, 3, 4, 4}));   // floor((o + 0.5) * 4 / 6)
  EXPECT_EQ(resized(true, false), (Numbers{1, 2, 2, 3, 3, 4}));   // round(o * 3 / 5)
}

TEST(TfliteLayout, ResizeBilinearFollowsItsThreeConventions) {
  const auto resized = [](bool corners, bool half) {
    TfliteBuilder model;
    const int x = model.constant<float>("x", {1, 1, 2, 1}, {0, 12}),
              size = model.constant<std::int32_t>("size", {2}, {1, 4}), y = model.tensor("y", {});
    model.op(Builtin::RESIZE_BILINEAR, {x, size}, {y},
             tflite::CreateResizeBilinear(model.tables(), 0, 0, corners, half));
    return computed(model, y);
  };
  EXPECT_EQ(resized(false, false), (Numbers{0, 6, 12, 12}));
  EXPECT_EQ(resized(false, true), (Numbers{0, 3, 9, 12}));
  EXPECT_EQ(resized(true, false), (Numbers{0, 4, 8, 12}));
}

}  // namespace
}  // namespace skiff::test
