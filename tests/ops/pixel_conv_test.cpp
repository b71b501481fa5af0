#include "runtime/ops/pixels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/support/closeness.h"
#include "tests/support/conv_cases.h"

// Convolutions that read pixels as they are stored, against the definition in double precision, and
// those of few channels of floats, which a GPU has a kernel of its own for.
namespace skiff::test {
namespace {

using Step = fb::BinaryFunction;

struct PixelStep {
  Step function;
  bool each_channel = true;
};

double step(Step function, double a, double b) {
  switch (function) {
    case Step::add:
      return a + b;
    case Step::sub:
      return a - b;
    case Step::mul:
      return a * b;
    default:
      return a / b;
  }
}

/// A convolution's case, its image as uint8, and what is done to that.
class PixelNode {
 public:
  PixelNode(const ConvCase& c, const std::vector<PixelStep>& steps, DType dtype, unsigned seed)
      : case_(c), conv_(node_of(c, seed)), dtype_(dtype) {
    const Shape shape = conv_.inputs[0].shape;
    const std::vector<double> bytes = random_numbers(shape.elements(), 0, 255.99, seed);
    image_ = tensor_of(DType::uint8, shape, bytes);
    for (std::size_t s = 0; s < steps.size(); ++s) {
      const Step f = steps[s].function;
      const bool term = f == Step::add || f == Step::sub;
      pixels_.steps[s] = f;
      operands_.push_back(constant(
          random_tensor(dtype, steps[s].each_channel ? Shape{c.cin} : Shape{}, term ? -2 : 0.25,
                        term ? 2 : 4, seed + 10 + static_cast<unsigned>(s))));
    }
    pixels_.count = static_cast<int>(steps.size());
    pixels_.to = dtype;
    for (std::size_t i = 1; i < conv_.inputs.size(); ++i) {
      if (conv_.inputs[i].dtype == DType::none) continue;
      const bool is_constant = conv_.inputs[i].constant;
      conv_.inputs[i] = tensor_of(dtype, conv_.inputs[i].shape, conv_.inputs[i].numbers());
      conv_.inputs[i].constant = is_constant;
    }
  }

  void store_weights_as(DType stored) {
    TensorData& weights = conv_.inputs[1];
    weights = constant(tensor_of(stored, weights.shape, weights.numbers()));
  }

  TensorData as_one(const cpu::KernelTable& table) const {
    PixelConv attributes;
    std::vector<const TensorData*> inputs{&image_};
    const auto add = [&](const TensorData& data) {
      inputs.push_back(&data);
      return static_cast<int>(inputs.size()) - 1;
    };
    attributes.parts[0] = {&pixels_op(), &pixels_, "pixels", {0, -1, -1, -1}};
    attributes.parts[1] = {
        find_op(fb::OpKind::conv), conv_.attributes.table(), "conv", {Part::kPrevious, -1, -1, -1}};
    for (std::size_t s = 0; s < operands_.size(); ++s)
      attributes.parts[0].operands[1 + s] = add(operands_[s]);
    for (std::size_t i = 1; i < conv_.inputs.size(); ++i)
      if (conv_.inputs[i].dtype != DType::none)
        attributes.parts[1].operands[i] = add(conv_.inputs[i]);
    const OpResult result =
        run_op(fb::OpKind::none, {}, inputs,
               {.table = &table, .threads = 3, .row = &pixel_conv_op(), .attributes = &attributes});
    EXPECT_TRUE(result.status.ok());
    return result[0];
  }

  TensorData one_by_one(const cpu::KernelTable& table) const {
    fb::CastAttrsT cast;
    cast.to = static_cast<fb::DType>(dtype_);
    TensorData x = run_op(fb::OpKind::cast, cast, {image_}, {.table = &table})[0];
    for (std::size_t s = 0; s < operands_.size(); ++s) {
      fb::BinaryAttrsT attributes;
      attributes.function = pixels_.steps[s];
      x = run_op(fb::OpKind::binary, attributes, {x, operands_[s]}, {.table = &table})[0];
    }
    ConvNode conv = conv_;
    conv.inputs[0] = x;
    return conv.run(table);
  }

  /// From the definition; the magnitudes are those of what the steps reached, too.
  ReferenceResult reference() const {
    std::vector<double> x = image_.numbers();
    double reached = 255;
    for (std::size_t s = 0; s < operands_.size(); ++s) {
      const std::vector<double> numbers = operands_[s].numbers();
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = step(pixels_.steps[s], x[i], numbers[i % numbers.size()]);
        reached = std::max(reached, std::abs(x[i]));
      }
    }
    ConvNode conv = conv_;
    conv.inputs[0] = tensor_of(DType::float32, image_.shape, x);
    conv.inputs[1] = tensor_of(DType::float32, conv_.inputs[1].shape, conv_.inputs[1].numbers());
    ReferenceResult result = expected_of(case_, conv, output());
    double weights = 0;  // of any filter
    const std::vector<double> w = conv.inputs[1].numbers();
    const std::size_t depth = w.size() / static_cast<std::size_t>(case_.cout);
    for (std::size_t i = 0; i < w.size(); i += depth) {
      double sum = 0;
      for (std::size_t k = i; k < i + depth; ++k) sum += std::abs(w[k]);
      weights = std::max(weights, sum);
    }
    for (double& magnitude : result.magnitude) magnitude = reached * weights + 4;
    return result;
  }

  Shape output() const {
    ConvNode conv = conv_;
    conv.inputs[0] = TensorData{dtype_, image_.shape, {}, false, nullptr};
    return conv.output();
  }
  DType dtype() const { return dtype_; }

 private:
  ConvCase case_;
  ConvNode conv_;
  DType dtype_;
  TensorData image_;
  Pixels pixels_;
  std::vector<TensorData> operands_;
};

void check_pixels(const PixelNode& node) {
  const DType dtype = node.dtype();
  const ReferenceResult expected = node.reference();
  for_each_table([&](const cpu::KernelTable& table) {
    const TensorData y = node.as_one(table);
    ASSERT_EQ(y.shape, node.output());
    if (device_run() == nullptr) {
      EXPECT_EQ(y.bytes, node.one_by_one(table).bytes);
    }
    const std::vector<double> found = y.numbers();
    const double bound = rounding(dtype, dtype == DType::float32 ? 8 : 4);
    for (std::size_t i = 0; i < found.size(); ++i)
      ASSERT_NEAR(found[i], expected.value[i], 1.2 * bound * expected.magnitude[i]) << i;
  });
}

void check_pixels(const ConvCase& c, const std::vector<PixelStep>& steps, unsigned seed,
                  DType dtype = DType::float32) {
  check_pixels(PixelNode(c, steps, dtype, seed));
}

const std::vector<PixelStep> kScaleAndShift = {{Step::mul}, {Step::add}};

TEST(PixelConv, AsNetworksBegin) {
  ConvCase c{.cin = 3,
             .cout = 24,
             .in = {33, 47},
             .kernel = {5, 5},
             .stride = {2, 2},
             .pads = {1, 1, 2, 2},
             .activation = fb::UnaryFunction::relu};
  check_pixels(c, kScaleAndShift, 1);
  c.cout = 32, c.kernel = {3, 3}, c.batch = 2;
  c.activation = fb::UnaryFunction::hard_swish;
  check_pixels(c, kScaleAndShift, 2);
}

TEST(PixelConv, Steps) {
  const ConvCase c{.cin = 3, .cout = 5, .in = {9, 11}, .kernel = {3, 3}, .pads = {1, 1, 1, 1}};
  check_pixels(c, {}, 3);
  check_pixels(c, {{Step::div, false}}, 4);
  check_pixels(c, {{Step::sub}, {Step::div}}, 5);
  check_pixels(c, {{Step::add}, {Step::mul, false}, {Step::sub}}, 6);
  check_pixels(c, {{Step::mul}, {Step::div}, {Step::add, false}}, 7);
}

/// Windows of more rows than a GPU's kernel has weights of in shared memory at a time.
TEST(PixelConv, LargeWindows) {
  const ConvCase c{.cin = 4, .cout = 3, .in = {40, 70}, .kernel = {20, 30}, .pads = {3, 2, 1, 4}};
  check_pixels(c, kScaleAndShift, 8);
  ConvCase wide = c;
  wide.kernel = {3, 64}, wide.cout = 17;
  check_pixels(wide, kScaleAndShift, 9);
}

TEST(PixelConv, OneAxis) {
  check_pixels({.batch = 2, .cin = 2, .cout = 20, .in = {301}, .kernel = {4}, .stride = {3}},
               kScaleAndShift, 10);
}

TEST(PixelConv, HalfStoredWeights) {
  PixelNode node({.cin = 3, .cout = 20, .in = {9, 11}, .kernel = {3, 3}}, kScaleAndShift,
                 DType::float32, 12);
  node.store_weights_as(DType::float16);
  check_pixels(node);
}

TEST(PixelConv, NothingToDo) {
  check_pixels({.batch = 0, .cin = 3, .cout = 4, .in = {5, 5}, .kernel = {3, 3}}, kScaleAndShift,
               11);
}

ConvCase random_case(std::mt19937& random) {
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() % static_cast<unsigned>(high - low + 1));
  };
  ConvCase c{.batch = pick(1, 2),
             .cin = pick(1, 4),
             .cout = pick(1, 3) == 1 ? 16 * pick(1, 2) : pick(1, 37),
             .in = {pick(9, 22), pick(8, 30)},
             .kernel = {pick(1, 5), pick(2, 5)},
             .stride = {pick(1, 3), pick(1, 3)},
             .dilation = {pick(1, 2), 1},
             .pads = {pick(0, 3), pick(0, 3), pick(0, 3), pick(0, 3)},
             .bias = pick(0, 3) > 0,
             .residual = pick(0, 3) == 0};
  if (pick(0, 1) == 1) c.activation = fb::UnaryFunction::relu;
  return c;
}

TEST(PixelConv, RandomForms) {
  std::mt19937 random(3);
  for (unsigned i = 0; i < 40; ++i) {
    SCOPED_TRACE(i);
    ASSERT_NO_FATAL_FAILURE(check_pixels(random_case(random), kScaleAndShift, 100 + i));
  }
}

TEST(PixelConv, OtherTypes) {
  std::mt19937 random(4);
  for (const DType dtype : {DType::float16, DType::bfloat16})
    for (unsigned i = 0; i < 10; ++i) {
      SCOPED_TRACE(i);
      ASSERT_NO_FATAL_FAILURE(
          check_pixels(random_case(random), {{Step::mul}, {Step::add}}, 200 + i, dtype));
    }
}

/// On a GPU by the kernel of few channels, whatever is ranked first.
class StemConv : public ::testing::Test {
 protected:
  StemConv() { device_choice() = "stem"; }
  ~StemConv() override { device_choice() = nullptr; }
};

TEST_F(StemConv, RandomForms) {
  std::mt19937 random(5);
  for (unsigned i = 0; i < 40; ++i) {
    SCOPED_TRACE(i);
    ConvCase c = random_case(random);
    c.constant = i % 4 != 0;
    c.dilation[1] = 1 + i % 2;
    c.in[1] += 9;
    ASSERT_NO_FATAL_FAILURE(check_case(c, 300 + i));
  }
}

TEST_F(StemConv, OneAxisAndLargeWindows) {
  check_case({.batch = 2, .cin = 2, .cout = 20, .in = {301}, .kernel = {4}, .stride = {3}}, 20);
  check_case({.cin = 4, .cout = 3, .in = {40, 70}, .kernel = {20, 30}, .pads = {3, 2, 1, 4}}, 21);
}

TEST_F(StemConv, OtherTypes) {
  std::mt19937 random(6);
  for (const DType dtype : {DType::float16, DType::bfloat16})
    for (unsigned i = 0; i < 10; ++i) {
      SCOPED_TRACE(i);
      const ConvCase c = random_case(random);
      ConvNode node = node_of(c, 400 + i);
      const ReferenceResult expected = expected_of(c, node, node.output());
      for (TensorData& input : node.inputs) {
        if (input.dtype == DType::none) continue;
        const bool is_constant = input.constant;
        input = tensor_of(dtype, input.shape, input.numbers());
        input.constant = is_constant;
      }
      for_each_table([&](const cpu::KernelTable& table) {
        const std::vector<double> found = node.run(table).numbers();
        for (std::size_t k = 0; k < found.size(); ++k)
          ASSERT_NEAR(found[k], expected.value[k],
                      rounding(dtype, 4) * (expected.magnitude[k] + 4));
      });
    }
}

}  // namespace
}  // namespace skiff::test
