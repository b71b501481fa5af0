#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "converters/convert.h"
#include "tests/runtime/networks.h"
#include "tests/support/agreement.h"
#include "tests/support/memory_promise.h"
#include "tests/support/shared_data.h"

// Models whose sizes stay open: any shape within the bounds, without an allocation, and the same
// answers as a file made for that shape alone.
namespace skiff::test {
namespace {

std::int64_t random_value(const SymbolDesc& s, std::mt19937& random) {
  const std::int64_t low = (s.min + s.multiple_of - 1) / s.multiple_of;
  return s.multiple_of *
         (low + static_cast<std::int64_t>(
                    random() % static_cast<std::uint64_t>(s.max / s.multiple_of - low + 1)));
}

/// Shapes of all inputs for random values of the symbols.
std::vector<InputShape> random_shapes(const Model& model, std::mt19937& random) {
  std::vector<std::int64_t> values;
  for (std::size_t s = 0; s < model.symbol_count(); ++s)
    values.push_back(random_value(model.symbol(s), random));
  std::vector<InputShape> shapes;
  for (std::size_t i = 0; i < model.input_count(); ++i) {
    shapes.push_back({model.input(i).name, model.input(i).shape});
    for (int axis = 0; axis < shapes.back().shape.rank(); ++axis)
      if (const int symbol = model.input_symbol(i, axis); symbol >= 0)
        shapes.back().shape[axis] = values[static_cast<std::size_t>(symbol)];
  }
  return shapes;
}

void fill(const Session& session, std::mt19937& random) {
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    if (input.dtype() == DType::float32)
      for (float& x : input.values<float>()) x = static_cast<float>(random() % 2001) / 1000 - 1;
    else  // ids and a mask that hides nothing
      std::ranges::fill(input.values<std::int64_t>(), 1);
  }
}

std::vector<double> numbers_of(const Tensor& tensor) {
  const auto values = tensor.values<const float>();
  return {values.begin(), values.end()};
}

/// Only the number of items is open.
bool is_batch(const Model& model) { return model.symbol_count() == 1 && model.symbol(0).max <= 4; }

class AnySize : public NetworkTest {};

TEST_P(AnySize, ResizeTakesNothing) {
  const Model model = Model::from_bytes(*bytes_);
  for (int threads : {1, 2}) {
    Session session(model, {.threads = threads});
    std::mt19937 random(1);
    for (int i = 0; i < 1000; ++i) {
      const auto shapes = random_shapes(model, random);
      Status resized, ran;
      expect_no_allocation([&] {
        resized = session.resize(shapes);
        if (i % 100 == 0) ran = session.run();
      });
      ASSERT_TRUE(resized.ok()) << resized.message();
      ASSERT_TRUE(ran.ok()) << ran.message();
      ASSERT_FALSE(HasFailure()) << "resize " << i;
    }
  }
}

TEST_P(AnySize, AgreesWithAFileMadeForOneSize) {
  const Model model = Model::from_bytes(*bytes_);
  Session session(model), threaded(model, {.threads = 2});
  std::mt19937 random(7);
  for (int i = 0; i < 3; ++i) {
    const auto shapes = random_shapes(model, random);
    ASSERT_TRUE(session.resize(shapes).ok());
    ASSERT_TRUE(threaded.resize(shapes).ok());
    fill(session, random);
    for (std::size_t k = 0; k < session.input_count(); ++k)
      std::ranges::copy(session.input(k).bytes(), threaded.input(k).bytes().begin());
    ASSERT_TRUE(session.run().ok());
    ASSERT_TRUE(threaded.run().ok());
    for (std::size_t o = 0; o < session.output_count(); ++o) {
      EXPECT_TRUE(std::ranges::equal(session.output(o).bytes(), threaded.output(o).bytes()))
          << "threads change bits";
      for (double x : numbers_of(session.output(o))) ASSERT_FALSE(std::isnan(x));
    }
    convert::ConvertOptions options;
    for (const InputShape& shape : shapes)
      options.import.shapes[std::string(shape.name)] = shape.shape;
    if (is_batch(model)) continue;  // may be frozen at export: see Batch.ItemsDoNotMix
    const auto fixed =
        convert::convert_file((shared_data() / "models" / GetParam().model).string(), options);
    Session alone(Model::from_bytes(fixed));
    for (std::size_t k = 0; k < session.input_count(); ++k)
      std::ranges::copy(session.input(k).bytes(), alone.input(k).bytes().begin());
    ASSERT_TRUE(alone.run().ok());
    for (std::size_t o = 0; o < session.output_count(); ++o) {
      EXPECT_EQ(session.output(o).shape(), alone.output(o).shape());
      expect_agreement(numbers_of(session.output(o)), numbers_of(alone.output(o)),
                       std::string(session.output(o).name()), 1e-5, GetParam().floor);
    }
  }
}

TEST_P(AnySize, WhatLiesOutsideIsRefusedByName) {
  const Model model = Model::from_bytes(*bytes_);
  Session session(model);
  ASSERT_GT(model.symbol_count(), 0u);
  for (std::size_t i = 0; i < model.input_count(); ++i) {
    const Shape before = session.input(i).shape();
    for (int axis = 0; axis < before.rank(); ++axis) {
      const int symbol = model.input_symbol(i, axis);
      Shape beyond = before;
      beyond[axis] =
          symbol < 0 ? before[axis] + 1 : model.symbol(static_cast<std::size_t>(symbol)).max + 1;
      const Status status = session.resize(model.input(i).name, beyond);
      EXPECT_EQ(status.code(), ErrorCode::invalid_argument);
      const std::string text = status.message();
      const auto named = symbol < 0
                             ? std::string(model.input(i).name)
                             : std::string(model.symbol(static_cast<std::size_t>(symbol)).name);
      EXPECT_NE(text.find("'" + named + "'"), std::string::npos) << text;
      EXPECT_EQ(session.input(i).shape(), before);
    }
  }
  EXPECT_EQ(session.resize("nobody", {1}).code(), ErrorCode::not_found);
  EXPECT_TRUE(session.run().ok());
}

INSTANTIATE_TEST_SUITE_P(Networks, AnySize, ::testing::ValuesIn(open_networks()),
                         [](const auto& tested) { return test_label(tested.param.label()); });

/// A batch computes for each item what one item alone gives.
TEST(Batch, ItemsDoNotMix) {
  for (const Network& network : open_networks()) {
    const auto files = golden_files(network);
    if (files.empty()) GTEST_SKIP() << "no shared data (set SKIFF_DATA)";
    const Model model = Model::from_bytes(converted(network, npy::load_npz(files[0].string())));
    if (!is_batch(model)) continue;
    SCOPED_TRACE(network.golden);
    Session together(model), alone(model);
    std::vector<InputShape> many, one;
    for (std::size_t i = 0; i < model.input_count(); ++i) {
      many.push_back({model.input(i).name, model.input(i).shape});
      one.push_back(many.back());
      one.back().shape[0] = 1;
    }
    ASSERT_TRUE(together.resize(many).ok());
    ASSERT_TRUE(alone.resize(one).ok());
    std::mt19937 random(3);
    fill(together, random);
    ASSERT_TRUE(together.run().ok());
    for (std::int64_t item = 0; item < model.symbol(0).max; ++item) {
      for (std::size_t i = 0; i < model.input_count(); ++i) {
        const std::size_t bytes = alone.input(i).bytes().size();
        std::memcpy(alone.input(i).bytes().data(),
                    together.input(i).bytes().data() + static_cast<std::size_t>(item) * bytes,
                    bytes);
      }
      alone.reset();  // every item starts with states of its own
      ASSERT_TRUE(alone.run().ok());
      for (std::size_t o = 0; o < alone.output_count(); ++o) {
        const std::vector<double> all = numbers_of(together.output(o)),
                                  single = numbers_of(alone.output(o));
        const auto begin = all.begin() + item * static_cast<std::ptrdiff_t>(single.size());
        expect_agreement({begin, begin + static_cast<std::ptrdiff_t>(single.size())}, single,
                         "item " + std::to_string(item), 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace skiff::test
