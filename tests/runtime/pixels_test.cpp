#include "converters/dynamic/dynamic.h"
#include "tests/support/memory_promise.h"
#include "tests/support/pixel_graphs.h"

// A convolution takes in what becomes of pixels before it: the bits are those of the nodes one by
// one, and no picture of floats is ever in the arena.
namespace skiff::test {
namespace {

constexpr SessionOptions kOneByOne{.device = DeviceKind::cpu, .fuse = Fuse::off};

/// `layers`: of each step that is several nodes.
void expect_same_bits(const Graph& graph, const std::vector<int>& layers,
                      Fuse fuse = Fuse::automatic) {
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session single(model, kOneByOne);
  EXPECT_EQ(chains(single), std::vector<int>());
  const std::vector<float> expected = outputs_of_pixels(single);
  for (int threads = 1; threads <= 3; ++threads) {
    Session session(model, {.device = DeviceKind::cpu, .threads = threads, .fuse = fuse});
    EXPECT_EQ(chains(session), layers);
    ASSERT_NO_FATAL_FAILURE(expect_equal_bits(outputs_of_pixels(session), expected,
                                              std::to_string(threads) + " threads"));
  }
}

TEST(Pixels, OfAnyNumberOfChannels) {
  for (std::int64_t c = 1; c <= 4; ++c)
    for (std::int64_t kernel : {2, 3, 5}) {
      SCOPED_TRACE(c * 10 + kernel);
      Graph g;
      g.outputs = {conv(g, normalised(g, {2, 23, 37, c}), 9, kernel, halving())};
      expect_same_bits(g, {4});
    }
}

TEST(Pixels, StepsOfEveryKind) {
  const auto with = [](const auto& steps, int layers) {
    Graph g;
    g.outputs = {conv(g, steps(g, as_floats(g, picture(g, {1, 19, 21, 3}))), 8, 3, halving())};
    expect_same_bits(g, {layers});
  };
  with([](Graph&, ValueId x) { return x; }, 2);
  with([](Graph& g, ValueId x) { return binary(g, Binary::mul, x, constant(g, {}, 1)); }, 3);
  with([](Graph& g, ValueId x) { return binary(g, Binary::add, constant(g, {1, 3}, 1), x); }, 3);
  with(
      [](Graph& g, ValueId x) {
        x = binary(g, Binary::sub, x, constant(g, {1, 1, 1, 3}, 1));
        return binary(g, Binary::div, x, factors(g, {3}, 2));
      },
      4);
  with(
      [](Graph& g, ValueId x) {
        x = binary(g, Binary::div, x, factors(g, {1}, 1));
        x = binary(g, Binary::sub, x, constant(g, {3}, 2));
        return binary(g, Binary::mul, factors(g, {3}, 3), x);
      },
      5);
}

/// Rows longer than what is converted at a time, and one axis alone.
TEST(Pixels, LongRowsAndOneAxis) {
  Graph g, h;
  g.outputs = {conv(g, normalised(g, {1, 5, 1001, 3}), 4, 3, halving())};
  expect_same_bits(g, {4});
  h.outputs = {conv(h, normalised(h, {2, 700, 1}), 4, 5)};
  expect_same_bits(h, {4});
}

TEST(Pixels, WithAResidual) {
  Graph g;
  const ValueId x = normalised(g, {1, 8, 9, 3});
  const ValueId other = g.add_input("other", DType::float32, {1, 6, 7, 5});
  g.outputs = {g.add(Op::conv, fb::ConvAttrsT(),
                     {x, constant(g, {5, 3, 3, 3}, 1), ir::kAbsent, other}, "conv")};
  expect_same_bits(g, {4});
}

/// A block of convolutions takes the pixels in as well.
TEST(Pixels, AsTheFirstOfABlock) {
  Graph g;
  fb::ConvAttrsT depthwise;
  depthwise.groups = 16;
  depthwise.pads = {1, 1, 1, 1};
  ValueId x = conv(g, normalised(g, {2, 33, 40, 3}), 16, 3, halving());
  x = conv(g, x, 16, 3, depthwise, 11);
  g.outputs = {conv(g, x, 8, 1, {}, 21)};
  expect_same_bits(g, {6}, Fuse::on);
}

/// Of other readers, several ways, other nodes: all stays as it is.
TEST(Pixels, NotWhereItCannotBe) {
  const auto stays = [](const auto& make, const Shape& shape = {1, 12, 12, 3}) {
    Graph g;
    make(g, as_floats(g, picture(g, shape)));
    expect_same_bits(g, {});
  };
  stays([](Graph& g, ValueId x) { g.outputs = {conv(g, x, 4, 3), x}; });
  stays([](Graph& g, ValueId x) { g.outputs = {conv(g, x, 4, 3), conv(g, x, 4, 3, {}, 9)}; });
  stays([](Graph& g, ValueId x) {
    g.outputs = {conv(g, binary(g, Binary::sub, constant(g, {3}, 1), x), 4, 3)};
  });
  stays([](Graph& g, ValueId x) {
    g.outputs = {conv(g, binary(g, Binary::maximum, x, constant(g, {3}, 1)), 4, 3)};
  });
  stays([](Graph& g, ValueId x) {
    g.outputs = {conv(g, binary(g, Binary::mul, x, constant(g, {3}, 1), Unary::relu), 4, 3)};
  });
  stays([](Graph& g, ValueId x) {
    g.outputs = {conv(g, binary(g, Binary::mul, x, constant(g, {12, 1}, 1)), 4, 3)};
  });
  stays([](Graph& g, ValueId x) {
    const ValueId given = g.add_input("given", DType::float32, {3});
    g.outputs = {conv(g, binary(g, Binary::mul, x, given), 4, 3)};
  });
  stays([](Graph& g, ValueId x) {
    const ValueId weights = g.add_input("given", DType::float32, {4, 3, 3, 3});
    g.outputs = {g.add(Op::conv, fb::ConvAttrsT(), {x, weights}, "conv")};
  });
  stays([](Graph& g, ValueId x) { g.outputs = {conv(g, x, 4, 3)}; }, {1, 12, 12, 5});
  stays([](Graph& g, ValueId x) { g.outputs = {conv(g, x, 4, 1)}; });
  Graph g;
  const ValueId bytes = g.add_input("bytes", DType::int8, {1, 12, 12, 3});
  g.outputs = {conv(g, as_floats(g, bytes), 4, 3)};
  expect_same_bits(g, {});
}

/// A chain too long to be taken in whole is one of elementwise nodes.
TEST(Pixels, FourStepsStay) {
  Graph g;
  ValueId x = as_floats(g, picture(g, {1, 12, 12, 3}));
  for (unsigned i = 0; i < 4; ++i) x = binary(g, Binary::mul, x, factors(g, {3}, i));
  g.outputs = {conv(g, x, 4, 3)};
  expect_same_bits(g, {4});
}

TEST(Pixels, NoPictureOfFloatsInTheArena) {
  Graph g;
  g.outputs = {conv(g, normalised(g, {1, 256, 256, 3}), 4, 3, halving())};
  const std::vector<std::byte> bytes = file_of(g);
  constexpr std::uint64_t kFloats = 256 * 256 * 3 * 4;
  const Model model = Model::from_bytes(bytes);
  EXPECT_GE(Session(model, kOneByOne).memory().arena, kFloats);
  for (int threads : {1, 2}) {
    const SessionOptions options{.device = DeviceKind::cpu, .threads = threads};
    Session session = session_as_predicted(bytes, options);
    EXPECT_LT(session.memory().arena, kFloats / 2);  // strips
    expect_run_allocates_nothing(session);
  }
}

Graph open_sizes(std::int64_t batch, std::int64_t height, std::int64_t width) {
  Graph g;
  g.outputs = {conv(g, normalised(g, {batch, height, width, 3}), 6, 3, halving())};
  return g;
}

TEST(Pixels, OfOpenSizes) {
  const Graph graph = dynamic::generalise(
      {{"picture", {{-1, "n"}, {-1, "h"}, {-1, "w"}, {3, {}}}}}, {},
      {{"n", 1, 1, 3, 1}, {"h", 4, 8, 40, 1}, {"w", 4, 8, 90, 1}},
      [](const dynamic::Sizes& sizes) {
        const Shape& x = sizes.shapes.at("picture");
        return open_sizes(x[0], x[1], x[2]);
      },
      [](const Graph&) {});
  const std::vector<std::byte> bytes = file_of(graph);
  const Model model = Model::from_bytes(bytes);
  Session single(model, kOneByOne), session(model, {.device = DeviceKind::cpu, .threads = 2});
  EXPECT_EQ(chains(session), std::vector{4});
  for (std::int64_t n : {3, 1})
    for (std::int64_t h : {4, 17, 40})
      for (std::int64_t w : {90, 5, 31}) {
        SCOPED_TRACE(n * 10000 + h * 100 + w);
        const InputShape shapes[] = {{"picture", {n, h, w, 3}}};
        ASSERT_TRUE(single.resize(shapes).ok());
        ASSERT_TRUE(session.resize(shapes).ok());
        ASSERT_NO_FATAL_FAILURE(
            expect_equal_bits(outputs_of_pixels(session), outputs_of_pixels(single), "resized"));
      }
}

}  // namespace
}  // namespace skiff::test
