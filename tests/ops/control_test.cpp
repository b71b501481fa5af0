#include <limits>

#include "tests/support/op_runner.h"

// Rules of nodes with nested graphs, and variables. What such nodes compute is tested with whole
// models (tests/runtime/nested_test.cpp): the session walks their graphs.
namespace skiff::test {
namespace {

using Infos = std::vector<TensorInfo>;

TensorInfo info(DType dtype, const Shape& shape) {
  return {.dtype = dtype, .shape = shape, .name = "value"};
}
const TensorInfo kRow = info(DType::float32, {2, 3}), kYes = info(DType::boolean, {}),
                 kNumber = info(DType::int64, {});

std::vector<const TensorInfo*> pointers(const Infos& infos) {
  std::vector<const TensorInfo*> result;
  for (const TensorInfo& one : infos) result.push_back(&one);
  return result;
}

/// A node with nested graphs that a test changes before it asks the rule.
struct Nested {
  fb::OpKind op = fb::OpKind::none;
  Attributes attributes;
  Infos inputs;
  std::vector<std::pair<Infos, Infos>> bodies;
  std::size_t outputs = 1;

  Infos infer() const {
    std::vector<std::vector<const TensorInfo*>> lists;
    lists.reserve(2 * bodies.size());
    std::vector<BodyView> views;
    for (const auto& [in, out] : bodies) {
      lists.push_back(pointers(in));
      lists.push_back(pointers(out));
      views.push_back({lists[lists.size() - 2], lists.back()});
    }
    const auto operands = pointers(inputs);
    const NodeView view{.op = op,
                        .attributes = attributes.table(),
                        .inputs = operands,
                        .name = "node",
                        .bodies = views};
    Infos results(outputs);
    infer_outputs(view, attributes.type, results);
    return results;
  }
  void refused() const {
    try {
      infer();
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_model) << error.what();
      EXPECT_NE(std::string(error.what()).find("node"), std::string::npos);
    }
  }
};

Nested branches() {
  return {fb::OpKind::if_else,
          fb::IfAttrsT(),
          {kYes, kRow},
          {{{kRow}, {kRow, kNumber}}, {{kRow}, {kRow, kNumber}}},
          2};
}

/// One carried value, one captured, one collected.
Nested loop(std::int64_t turns = 5, int captures = 1) {
  fb::LoopAttrsT attrs;
  attrs.max_trip_count = turns;
  attrs.captures = captures;
  return {fb::OpKind::loop,
          attrs,
          {kNumber, kYes, kRow, kNumber},
          {{{kNumber, kYes, kRow, kNumber}, {kYes, kRow, info(DType::float32, {7})}}},
          2};
}

/// One carried value, one scanned along axis 1, one collected along axis 1.
Nested scan(std::int64_t turns = 4, std::vector<std::int64_t> in = {1},
            std::vector<std::int64_t> out = {1}) {
  fb::LoopAttrsT attrs;
  attrs.max_trip_count = turns;
  attrs.scan_inputs = 1;
  attrs.scan_input_axes = std::move(in);
  attrs.scan_output_axes = std::move(out);
  return {fb::OpKind::scan,
          attrs,
          {kRow, info(DType::int64, {3, 4})},
          {{{kRow, info(DType::int64, {3})}, {kRow, info(DType::float32, {7})}}},
          2};
}

TEST(IfElse, GivesWhatBothBranchesGive) {
  const Infos results = branches().infer();
  EXPECT_EQ(results[0].shape, kRow.shape);
  EXPECT_EQ(results[1].dtype, DType::int64);
}

TEST(IfElse, Hostile) {
  Nested node = branches();
  node.inputs[0] = info(DType::boolean, {2});
  node.refused();
  node = branches();
  node.inputs[0] = kNumber;
  node.refused();
  node = branches();
  node.bodies.pop_back();
  node.refused();
  node = branches();
  node.bodies[1].first.clear();
  node.refused();
  node = branches();
  node.bodies[1].first[0] = kNumber;
  node.refused();
  node = branches();
  node.bodies[1].second[0] = info(DType::float32, {3, 2});
  node.refused();
  node = branches();
  node.outputs = 1;
  node.refused();
}

TEST(Loop, CarriesAndCollects) {
  const Infos results = loop().infer();
  EXPECT_EQ(results[0].shape, kRow.shape);
  EXPECT_EQ(results[1].shape, (Shape{5, 7}));
  EXPECT_EQ(loop(0).infer()[1].shape, (Shape{0, 7}));
}

TEST(Loop, Hostile) {
  for (std::int64_t turns :
       {std::int64_t{-1}, std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max()})
    loop(turns).refused();
  for (int captures : {-1, 0, 3, 1000, std::numeric_limits<int>::max()})
    loop(5, captures).refused();
  for (std::size_t input = 0; input < 4; ++input) {
    Nested node = loop();
    node.inputs[input] = info(DType::float32, {9});
    node.refused();
    node = loop();
    node.bodies[0].first[input] = info(DType::float32, {9});
    node.refused();
  }
  for (std::size_t output : {0u, 1u}) {
    Nested node = loop();
    node.bodies[0].second[output] = info(DType::float32, {9});
    node.refused();
  }
  Nested node = loop();
  node.bodies.clear();
  node.refused();
  node = loop();
  node.outputs = 3;
  node.refused();
  node = loop();
  node.bodies[0].second[2].shape = Shape{1, 1, 1, 1, 1, 1, 1, 1};
  node.refused();
}

TEST(Scan, TakesSlicesAndStacksResults) {
  const Infos results = scan().infer();
  EXPECT_EQ(results[0].shape, kRow.shape);
  EXPECT_EQ(results[1].shape, (Shape{7, 4}));
  EXPECT_EQ(scan(4, {1}, {0}).infer()[1].shape, (Shape{4, 7}));
}

TEST(Scan, Hostile) {
  scan(3).refused();
  for (std::int64_t axis : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{2},
                            std::numeric_limits<std::int64_t>::min()})
    scan(4, {axis}).refused();
  for (std::int64_t axis :
       {std::int64_t{-1}, std::int64_t{2}, std::numeric_limits<std::int64_t>::max()})
    scan(4, {1}, {axis}).refused();
  Nested node = scan();
  node.bodies[0].first[1] = info(DType::int64, {4});
  node.refused();
  fb::LoopAttrsT attrs;
  attrs.max_trip_count = 4;
  for (int scanned : {-1, 0, 3, std::numeric_limits<int>::max()}) {
    attrs.scan_inputs = scanned;
    node.attributes = attrs;
    node.refused();
  }
}

TEST(Variable, IsCopied) {
  const TensorData held = tensor<float>({2}, {1, 2}), now = tensor<float>({2}, {3, 4});
  const fb::VariableAttrsT attrs;
  EXPECT_EQ(run_op(fb::OpKind::read_variable, attrs, {held})[0].bytes, held.bytes);
  EXPECT_EQ(run_op(fb::OpKind::assign_variable, attrs, {now, held})[0].bytes, now.bytes);
  expect_refused(fb::OpKind::assign_variable, attrs, {tensor<float>({3}, {1, 2, 3}), held});
  expect_refused(fb::OpKind::assign_variable, attrs, {tensor<double>({2}, {1, 2}), held});
}

}  // namespace
}  // namespace skiff::test
