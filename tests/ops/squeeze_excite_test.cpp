#include "runtime/ops/squeeze_excite.h"

#include <gtest/gtest.h>

#include "tests/support/op_runner.h"
#include "tests/support/reference_activation.h"

// Channels weighted by a look at the whole image, as one step: near the naive reference, and on the
// CPU the bits of its parts one by one.
namespace skiff::test {
namespace {

using Unary = fb::UnaryFunction;
enum class Addend : std::uint8_t { none, image, other };

struct Case {
  Shape image{1, 7, 7, 16};
  std::int64_t hidden = 4;
  DType dtype = DType::float32, stored = DType::none;  ///< of the weights; none: the same
  bool reduce_bias = true, expand_bias = true;
  Unary reduce_then = Unary::relu, expand_then = Unary::sigmoid, last_then = Unary::none;
  Addend addend = Addend::none;
  bool turned = false;  ///< operands of product and sum the other way round
};

constexpr float kAlpha = 0.25f, kBeta = 0.5f;

/// The nodes of a case and their operands.
class Nodes {
 public:
  Nodes(const Case& c, unsigned seed) : c_(c) {
    const std::int64_t channels = c.image.back();
    const auto numbers = [&](DType dtype, const Shape& shape, double limit) {
      return random_tensor(dtype, shape, -limit, limit, seed++);
    };
    const DType stored = c.stored == DType::none ? c.dtype : c.stored;
    const auto window = [&](std::int64_t to, std::int64_t from) {
      Shape shape{to};
      for (int axis = 2; axis < c.image.rank(); ++axis) shape.push_back(1);
      shape.push_back(from);
      return constant(numbers(stored, shape, 2 / std::sqrt(static_cast<double>(from))));
    };
    inputs_.resize(SqueezeExcite::kMaxInputs);
    inputs_[SqueezeExcite::image] = numbers(c.dtype, c.image, 1);
    inputs_[SqueezeExcite::reduce_weights] = window(c.hidden, channels);
    inputs_[SqueezeExcite::expand_weights] = window(channels, c.hidden);
    if (c.reduce_bias) inputs_[SqueezeExcite::reduce_bias] = numbers(c.dtype, {c.hidden}, 1);
    if (c.expand_bias) inputs_[SqueezeExcite::expand_bias] = numbers(c.dtype, {channels}, 1);
    if (c.addend == Addend::other)
      inputs_[SqueezeExcite::addend] = numbers(c.dtype, c.image, 1);
    else
      inputs_.pop_back();
    describe();
  }

  TensorData one_by_one(const cpu::KernelTable& table) const {
    TensorData before;
    for (std::size_t p = 0; p < attributes_.size(); ++p) {
      std::vector<const TensorData*> operands;
      for (int i : net_.parts[p].operands)
        operands.push_back(i == Part::kPrevious ? &before : i < 0 ? nullptr : input(i));
      while (operands.back() == nullptr) operands.pop_back();
      before = run_op(net_.parts[p].def->op, attributes_[p], operands, {.table = &table})[0];
    }
    return before;
  }

  OpResult as_one(const cpu::KernelTable& table) const {
    return run_op(
        fb::OpKind::none, {}, operands_of(inputs_),
        {.table = &table, .threads = 3, .row = &squeeze_excite_op(), .attributes = &net_});
  }

  std::vector<double> reference() const {
    const std::vector<double> x = inputs_[SqueezeExcite::image].numbers();
    const auto channels = static_cast<std::size_t>(c_.image.back());
    const auto images = static_cast<std::size_t>(c_.image[0]);
    const std::size_t pixels = images == 0 ? 0 : x.size() / images / channels;
    std::vector<double> y;
    for (std::size_t n = 0; n < images; ++n) {
      std::vector<double> means(channels, 0);
      for (std::size_t i = 0; i < pixels * channels; ++i)
        means[i % channels] += x[n * pixels * channels + i] / static_cast<double>(pixels);
      const std::vector<double> gates =
          product(product(means, SqueezeExcite::reduce_weights, c_.reduce_then),
                  SqueezeExcite::expand_weights, c_.expand_then);
      for (std::size_t i = 0; i < pixels * channels; ++i)
        y.push_back(x[n * pixels * channels + i] * gates[i % channels]);
    }
    const std::vector<double> more = c_.addend == Addend::none    ? std::vector<double>(x.size())
                                     : c_.addend == Addend::image ? x
                                                                  : inputs_.back().numbers();
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = bend(c_.last_then, y[i] + more[i]);
    return y;
  }

 private:
  static double bend(Unary f, double v) {
    return f == Unary::none ? v
                            : reference_activation(f, v, static_cast<double>(kAlpha),
                                                   static_cast<double>(kBeta));
  }

  /// A convolution of one pixel; its bias is the input behind the weights.
  std::vector<double> product(const std::vector<double>& from, std::size_t weights,
                              Unary then) const {
    const std::vector<double> w = inputs_[weights].numbers();
    std::vector<double> to(w.size() / from.size(), 0);
    for (std::size_t i = 0; i < w.size(); ++i) to[i / from.size()] += w[i] * from[i % from.size()];
    const TensorData& bias = inputs_[weights + 1];
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = bend(then, to[i] + (bias.dtype == DType::none ? 0 : bias.numbers()[i]));
    return to;
  }

  const TensorData* input(int i) const {
    const TensorData& data = inputs_[static_cast<std::size_t>(i)];
    return data.dtype == DType::none ? nullptr : &data;
  }

  void add_part(fb::OpKind op, Attributes attributes, std::array<int, 4> operands) {
    for (int& i : operands)
      if (i >= 0 && input(i) == nullptr) i = -1;
    attributes_.push_back(std::move(attributes));
    net_.parts[static_cast<std::size_t>(net_.count++)] = {find_op(op), nullptr, "part", operands};
  }

  void describe() {
    fb::ReduceAttrsT mean;
    mean.function = fb::ReduceFunction::mean;
    for (int axis = 1; axis + 1 < c_.image.rank(); ++axis) mean.axes.push_back(axis);
    fb::ConvAttrsT reduce, expand;
    reduce.activation = c_.reduce_then, expand.activation = c_.expand_then;
    fb::BinaryAttrsT scale, add;
    scale.function = fb::BinaryFunction::mul, add.function = fb::BinaryFunction::add;
    (c_.addend == Addend::none ? scale : add).activation = c_.last_then;
    reduce.alpha = expand.alpha = scale.alpha = add.alpha = kAlpha;
    reduce.beta = expand.beta = scale.beta = add.beta = kBeta;
    constexpr int kBefore = Part::kPrevious;
    const auto two = [&](int other) {
      return c_.turned ? std::array{kBefore, other, -1, -1} : std::array{other, kBefore, -1, -1};
    };
    add_part(fb::OpKind::reduce, mean, {SqueezeExcite::image, -1, -1, -1});
    add_part(fb::OpKind::conv, reduce,
             {kBefore, SqueezeExcite::reduce_weights, SqueezeExcite::reduce_bias, -1});
    add_part(fb::OpKind::conv, expand,
             {kBefore, SqueezeExcite::expand_weights, SqueezeExcite::expand_bias, -1});
    add_part(fb::OpKind::binary, scale, two(SqueezeExcite::image));
    if (c_.addend != Addend::none)
      add_part(fb::OpKind::binary, add,
               two(c_.addend == Addend::image ? SqueezeExcite::image : SqueezeExcite::addend));
    for (std::size_t p = 0; p < attributes_.size(); ++p)
      net_.parts[p].attributes = attributes_[p].table();
  }

  Case c_;
  std::vector<TensorData> inputs_;  // of no dtype: absent
  std::vector<Attributes> attributes_;
  SqueezeExcite net_;
};

void check_case(const Case& c, unsigned seed = 1) {
  SCOPED_TRACE(message(c.image, " hidden ", c.hidden, " ", c.dtype));
  const Nodes nodes(c, seed);
  const std::vector<double> expected = nodes.reference();
  for_each_table([&](const cpu::KernelTable& table) {
    const OpResult whole = nodes.as_one(table);
    ASSERT_TRUE(whole.status.ok());
    ASSERT_EQ(whole[0].shape, c.image);
    if (device_run() == nullptr) {
      EXPECT_EQ(whole[0].bytes, nodes.one_by_one(table).bytes) << "not the bits of the parts";
    }
    // The parts round what is between them to the stored type, a GPU's kernels only the result.
    const double roundings = c.dtype == DType::float32 ? 40 : device_run() == nullptr ? 12 : 1;
    expect_near(whole[0], expected, rounding(c.dtype, roundings), rounding(c.dtype, roundings));
  });
}

TEST(SqueezeExcite, OddShapes) {
  for (std::int64_t channels : {1, 3, 15, 16, 17, 255})
    for (std::int64_t hidden : {1, 8, 17})
      for (std::int64_t extent : {1, 2, 7, 8, 56})
        check_case({.image = {1, extent, extent, channels}, .hidden = hidden});
}

TEST(SqueezeExcite, ManyImagesAndOtherRanks) {
  check_case({.image = {3, 5, 9, 20}, .hidden = 5});
  check_case({.image = {2, 31, 40}, .hidden = 10});
  check_case({.image = {2, 3, 4, 5, 33}, .hidden = 9});
  check_case({.image = {0, 4, 4, 8}});
}

/// More hidden channels than threads of a block; and as many runs of pixels as there can be.
TEST(SqueezeExcite, WideAndLong) {
  for (std::int64_t hidden : {255, 256, 300, 1024})
    check_case({.image = {1, 3, 3, 40}, .hidden = hidden});
  check_case({.image = {2, 210, 190, 3}, .hidden = 1});
  check_case({.image = {1, 9000, 1, 2}, .hidden = 3});
}

TEST(SqueezeExcite, BiasesAndActivations) {
  for (Unary f : {Unary::none, Unary::hard_sigmoid, Unary::hard_swish, Unary::swish, Unary::clip})
    for (Unary g : {Unary::sigmoid, Unary::hard_sigmoid, Unary::tanh, Unary::none})
      for (int biases = 0; biases < 4; ++biases)
        check_case({.image = {2, 5, 6, 19},
                    .reduce_bias = biases % 2 != 0,
                    .expand_bias = biases / 2 != 0,
                    .reduce_then = f,
                    .expand_then = g});
}

TEST(SqueezeExcite, SumsAndWhatFollows) {
  for (Addend addend : {Addend::none, Addend::image, Addend::other})
    for (Unary last : {Unary::none, Unary::relu, Unary::hard_swish})
      for (bool turned : {false, true})
        check_case({.image = {2, 9, 8, 35}, .last_then = last, .addend = addend, .turned = turned});
}

TEST(SqueezeExcite, OtherTypes) {
  for (DType dtype : {DType::float16, DType::bfloat16})
    for (Addend addend : {Addend::none, Addend::other}) {
      check_case({.image = {2, 14, 14, 72}, .hidden = 24, .dtype = dtype, .addend = addend});
      check_case({.image = {1, 7, 7, 96}, .hidden = 24, .stored = dtype, .addend = addend});
    }
}

}  // namespace
}  // namespace skiff::test
