#include "tests/support/reference_axes.h"

namespace skiff::test {
namespace {

/// A case in the form with four axes, q [B, H, T, D], k [B, G, S, D], v [B, G, S, E].
struct Case {
  std::int64_t batches, heads, kv_heads, queries, keys, depth, width;
  float scale = 0, softcap = 0;
  bool causal = false;
};

TensorData random_operand(const Shape& shape, unsigned seed) {
  return random_tensor(DType::float32, shape, -2, 2, seed);
}

/// softmax(scale q k^T + mask) v from the definition, in double. Masks by one index tuple at a
/// time.
std::vector<double> expected(const Case& c, const TensorData& q, const TensorData& k,
                             const TensorData& v, const TensorData* mask) {
  const auto qs = q.numbers(), ks = k.numbers(), vs = v.numbers();
  const auto ms = mask == nullptr ? std::vector<double>() : mask->numbers();
  const double scale =
      c.scale == 0 ? 1 / std::sqrt(static_cast<double>(c.depth)) : static_cast<double>(c.scale);
  std::vector<double> result;
  for_each_index({c.batches, c.heads, c.queries}, [&](const Index& i) {
    const std::int64_t kv = i[1] / (c.heads / c.kv_heads);
    std::vector<double> scores;
    for (std::int64_t s = 0; s < c.keys; ++s) {
      double dot = 0;
      for (std::int64_t d = 0; d < c.depth; ++d)
        dot += qs[static_cast<std::size_t>(flat(q.shape, {i[0], i[1], i[2], d}))] *
               ks[static_cast<std::size_t>(flat(k.shape, {i[0], kv, s, d}))];
      dot *= scale;
      if (c.softcap > 0)
        dot = static_cast<double>(c.softcap) * std::tanh(dot / static_cast<double>(c.softcap));
      if (mask != nullptr) {
        Index at;
        const Index whole = {i[0], i[1], i[2], s};
        const auto skipped = static_cast<std::size_t>(4 - mask->shape.rank());
        for (int axis = 0; axis < mask->shape.rank(); ++axis)
          at.push_back(mask->shape[axis] == 1 ? 0
                                              : whole[skipped + static_cast<std::size_t>(axis)]);
        const double m = ms[static_cast<std::size_t>(flat(mask->shape, at))];
        dot = mask->dtype == DType::boolean ? (m != 0 ? dot : -INFINITY) : dot + m;
      }
      if (c.causal && s > i[2]) dot = -INFINITY;
      scores.push_back(dot);
    }
    double largest = -INFINITY, sum = 0;
    for (double s : scores) largest = std::max(largest, s);
    for (double& s : scores) sum += s = std::exp(s - largest);
    for (std::int64_t e = 0; e < c.width; ++e) {
      double y = 0;
      for (std::int64_t s = 0; s < c.keys; ++s)
        y += scores[static_cast<std::size_t>(s)] / sum *
             vs[static_cast<std::size_t>(flat(v.shape, {i[0], kv, s, e}))];
      result.push_back(y);
    }
  });
  return result;
}

/// [B, H, R, E] as [B, R, H E].
TensorData folded(const TensorData& x) {
  const Shape& s = x.shape;
  TensorData y = moved(x, {s[0], s[2], s[1], s[3]}, [](const Index& i) -> std::optional<Index> {
    return Index{i[0], i[2], i[1], i[3]};
  });
  y.shape = {s[0], s[2], s[1] * s[3]};
  return y;
}

void check_attention(const Case& c, const TensorData* mask = nullptr) {
  const TensorData q = random_operand({c.batches, c.heads, c.queries, c.depth}, 1),
                   k = random_operand({c.batches, c.kv_heads, c.keys, c.depth}, 2),
                   v = random_operand({c.batches, c.kv_heads, c.keys, c.width}, 3);
  fb::AttentionAttrsT attrs;
  attrs.scale = c.scale;
  attrs.softcap = c.softcap;
  attrs.causal = c.causal;
  std::vector<TensorData> operands = {q, k, v};
  if (mask != nullptr) operands.push_back(*mask);
  const auto numbers = expected(c, q, k, v, mask);
  for_each_table([&](const cpu::KernelTable& table) {
    const auto y = run_op(fb::OpKind::attention, attrs, operands, {1, &table, "node"});
    EXPECT_EQ(y[0].shape, (Shape{c.batches, c.heads, c.queries, c.width}));
    expect_near(y[0], numbers, 2e-5, 2e-5);
    fb::AttentionAttrsT flat_heads = attrs;
    flat_heads.q_heads = c.heads;
    flat_heads.kv_heads = c.kv_heads;
    std::vector<TensorData> flat_operands = {folded(q), folded(k), folded(v)};
    if (mask != nullptr) flat_operands.push_back(*mask);
    const auto z = run_op(fb::OpKind::attention, flat_heads, flat_operands, {1, &table, "node"});
    expect_same(z[0], folded(y[0]));
  });
}

TEST(Attention, Sizes) {
  check_attention({1, 1, 1, 1, 1, 1, 1});
  check_attention({2, 3, 3, 5, 7, 4, 6});
  check_attention({1, 2, 2, 49, 50, 16, 16});
  check_attention({1, 12, 12, 33, 17, 8, 5});
  check_attention({1, 1, 1, 200, 20, 3, 9});  // queries are divided
  check_attention({1, 1, 1, 3, 1100, 4, 4});  // several blocks of keys
  check_attention({1, 1, 1, 60, 513, 8, 20});
}

TEST(Attention, HeadsThatShareKeys) {
  check_attention({2, 6, 2, 5, 9, 4, 4});
  check_attention({1, 4, 1, 100, 20, 8, 8});
}

TEST(Attention, ScaleCapAndCausal) {
  check_attention({1, 2, 2, 6, 9, 4, 4, 0.3f});
  check_attention({1, 2, 2, 6, 9, 4, 4, 2.0f, 1.5f});
  check_attention({1, 2, 2, 9, 6, 4, 4, 0, 0, true});
  check_attention({1, 2, 2, 6, 9, 4, 4, 0, 0.7f, true});
  check_attention({1, 2, 1, 600, 600, 4, 4, 0, 0, true});
}

TEST(Attention, Masks) {
  const Case c{2, 3, 3, 5, 600, 4, 6};
  for (const Shape& shape : {Shape{600}, Shape{1}, Shape{5, 600}, Shape{2, 1, 1, 600},
                             Shape{3, 5, 1}, Shape{2, 3, 5, 600}, Shape{1, 3, 1, 1}, Shape()}) {
    const TensorData added = random_operand(shape, 4);
    check_attention(c, &added);
    TensorData kept = random_bytes(DType::boolean, shape, 5);
    if (shape.elements() < 100) std::fill(kept.bytes.begin(), kept.bytes.end(), std::byte{1});
    check_attention(c, &kept);
  }
  // A first block of keys that is hidden as a whole.
  TensorData late = random_bytes(DType::boolean, {600}, 5);
  std::fill_n(late.bytes.begin(), 512, std::byte{0});
  late.bytes[599] = std::byte{1};
  check_attention(c, &late);
  const Case longer{1, 2, 1, 3, 1100, 4, 5};
  const TensorData added = random_operand({3, 1100}, 4);
  check_attention(longer, &added);
  TensorData later = random_bytes(DType::boolean, {1100}, 5);
  std::fill_n(later.bytes.begin(), 1024, std::byte{0});
  later.bytes[1099] = std::byte{1};
  check_attention(longer, &later);
}

TEST(Attention, HalfTypes) {
  const Case c{2, 4, 2, 5, 40, 8, 6};
  for (DType dtype : {DType::float16, DType::bfloat16}) {
    const auto operand = [&](const Shape& shape, unsigned seed) {
      return random_tensor(dtype, shape, -2, 2, seed);
    };
    const TensorData q = operand({2, 4, 5, 8}, 1), k = operand({2, 2, 40, 8}, 2),
                     v = operand({2, 2, 40, 6}, 3), mask = operand({5, 40}, 4);
    const auto y = run_op(fb::OpKind::attention, fb::AttentionAttrsT(), {q, k, v, mask});
    EXPECT_EQ(y[0].dtype, dtype);
    expect_near(y[0], expected(c, q, k, v, &mask), rounding(dtype, 2), 1e-4);
  }
}

TEST(Attention, NothingToSee) {
  const TensorData x = random_operand({1, 1, 2, 4}, 1);
  const auto y = run_op(fb::OpKind::attention, fb::AttentionAttrsT(),
                        {x, x, x, tensor<bool>({2, 2}, {false, false, true, false})});
  for (std::size_t i = 0; i < 8; ++i) {
    const float v = y[0].values<float>()[i];
    EXPECT_EQ(std::isnan(v), i < 4) << v;
  }
  const TensorData none = random_operand({1, 1, 0, 4}, 1);
  EXPECT_EQ(
      run_op(fb::OpKind::attention, fb::AttentionAttrsT(), {x, none, none})[0].values<float>(),
      std::vector<float>(8, 0));
  EXPECT_EQ(run_op(fb::OpKind::attention, fb::AttentionAttrsT(), {none, x, x})[0].elements(), 0);
}

TEST(Attention, Hostile) {
  const auto refused = [](const Shape& q, const Shape& k, const Shape& v, std::int64_t heads = 0,
                          std::int64_t kv_heads = 0) {
    fb::AttentionAttrsT attrs;
    attrs.q_heads = heads;
    attrs.kv_heads = kv_heads;
    expect_refused(fb::OpKind::attention, attrs,
                   {random_operand(q, 1), random_operand(k, 2), random_operand(v, 3)});
  };
  refused({2, 3, 4}, {2, 3, 4}, {2, 3, 4});
  refused({1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, 2, 2);
  refused({1, 3, 4}, {1, 3, 4}, {1, 3, 4}, 3, 1);
  refused({1, 3, 4}, {1, 3, 4}, {1, 3, 4}, 1, 0);
  refused({1, 3, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4});
  refused({1, 2, 3, 4}, {1, 2, 3, 5}, {1, 2, 3, 5});
  refused({1, 2, 3, 4}, {1, 2, 5, 4}, {1, 2, 6, 4});
  refused({1, 2, 3, 4}, {2, 2, 3, 4}, {2, 2, 3, 4});
  refused({1, 0, 3, 4}, {1, 0, 3, 4}, {1, 0, 3, 4});
  const TensorData x = random_operand({1, 2, 3, 4}, 1);
  for (const Shape& mask : {Shape{4}, Shape{3, 2}, Shape{1, 1, 1, 1, 3}, Shape{2, 1, 3, 3}})
    expect_refused(fb::OpKind::attention, fb::AttentionAttrsT(),
                   {x, x, x, random_operand(mask, 1)});
  expect_refused(fb::OpKind::attention, fb::AttentionAttrsT(),
                 {x, x, x, random_bytes(DType::int32, {3}, 1)});
  fb::AttentionAttrsT attrs;
  attrs.softcap = -1;
  expect_refused(fb::OpKind::attention, attrs, {x, x, x});
  attrs = {};
  attrs.qk_output_mode = 1;
  expect_refused(fb::OpKind::attention, attrs, {x, x, x});
}

}  // namespace
}  // namespace skiff::test
