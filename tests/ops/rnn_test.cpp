#include <cmath>

#include "tests/support/op_runner.h"

namespace skiff::test {
namespace {

using F = fb::UnaryFunction;
using Values = std::vector<double>;

double activation(F f, double x) {
  switch (f) {
    case F::sigmoid:
      return 1 / (1 + std::exp(-x));
    case F::relu:
      return std::max(0.0, x);
    case F::leaky_relu:
      return x < 0 ? 0.01 * x : x;
    case F::softsign:
      return x / (1 + std::abs(x));
    default:
      return std::tanh(x);
  }
}

struct Case {
  fb::RnnAttrsT attrs;
  std::int64_t steps = 5, batch = 3, inputs = 4, hidden = 6;
  bool bias = true, lengths = true, states = true, peephole = false;

  std::int64_t gates() const { return attrs.kind == fb::RnnKind::rnn ? 1 : lstm() ? 4 : 3; }
  std::int64_t directions() const {
    return attrs.direction == fb::RnnDirection::bidirectional ? 2 : 1;
  }
  bool lstm() const { return attrs.kind == fb::RnnKind::lstm; }
};

struct Operands {
  TensorData x, w, r, b, lengths, h, c, p;
  std::vector<const TensorData*> list(const Case& k) const {
    const auto when = [](bool given, const TensorData& t) { return given ? &t : nullptr; };
    return {&x,
            &w,
            &r,
            when(k.bias, b),
            when(k.lengths, lengths),
            when(k.states, h),
            when(k.states && k.lstm(), c),
            when(k.peephole, p)};
  }
};

TensorData random(const Shape& shape, unsigned seed) {
  return tensor_of(DType::float32, shape, random_numbers(shape.elements(), -1, 1, seed));
}

Operands operands(const Case& k) {
  const std::int64_t d = k.directions(), rows = k.gates() * k.hidden;
  const bool bf = k.attrs.batch_first;
  const Shape state = bf ? Shape{k.batch, d, k.hidden} : Shape{d, k.batch, k.hidden};
  std::vector<double> lengths;
  for (std::int64_t b = 0; b < k.batch; ++b)
    lengths.push_back(static_cast<double>((k.steps + 3 * b) % (k.steps + 1)));
  return {random(bf ? Shape{k.batch, k.steps, k.inputs} : Shape{k.steps, k.batch, k.inputs}, 1),
          random({d, rows, k.inputs}, 2),
          random({d, rows, k.hidden}, 3),
          random({d, 2 * rows}, 4),
          tensor_of(DType::int32, {k.batch}, lengths),
          random(state, 5),
          random(state, 6),
          random({d, 3 * k.hidden}, 7)};
}

/// The equations of ONNX's operators for one sequence and direction, in doubles.
struct Reference {
  const Case& k;
  const Operands& o;
  std::vector<Values> outputs;

  Reference(const Case& of, const Operands& operands_) : k(of), o(operands_) {
    const std::int64_t states = k.directions() * k.batch * k.hidden;
    outputs = {Values(static_cast<std::size_t>(states * k.steps)),
               Values(static_cast<std::size_t>(states)), Values(static_cast<std::size_t>(states))};
    for (std::int64_t d = 0; d < k.directions(); ++d)
      for (std::int64_t b = 0; b < k.batch; ++b) sequence(d, b);
  }

  static double at(const TensorData& t, std::int64_t i) {
    float value = 0;
    std::memcpy(&value, t.bytes.data() + i * 4, 4);
    return static_cast<double>(value);
  }
  double f(std::int64_t d, int which, double x) const {
    if (k.attrs.clip > 0) {
      const auto clip = static_cast<double>(k.attrs.clip);
      x = std::min(clip, std::max(-clip, x));
    }
    const int count = k.lstm() ? 3 : k.gates() == 3 ? 2 : 1;
    if (!k.attrs.activations.empty())
      return activation(k.attrs.activations[static_cast<std::size_t>(d * count + which)], x);
    return activation(count > 1 && which == 0 ? F::sigmoid : F::tanh, x);
  }
  double from_x(std::int64_t d, std::int64_t row, std::int64_t b, std::int64_t t) const {
    const std::int64_t all = k.gates() * k.hidden;
    double sum = k.bias ? at(o.b, d * 2 * all + row) : 0;
    const std::int64_t place = k.attrs.batch_first ? b * k.steps + t : t * k.batch + b;
    for (std::int64_t i = 0; i < k.inputs; ++i)
      sum += at(o.w, (d * all + row) * k.inputs + i) * at(o.x, place * k.inputs + i);
    return sum;
  }
  double from_h(std::int64_t d, std::int64_t row, const Values& h) const {
    const std::int64_t all = k.gates() * k.hidden;
    double sum = k.bias ? at(o.b, (d * 2 + 1) * all + row) : 0;
    for (std::int64_t i = 0; i < k.hidden; ++i)
      sum += at(o.r, (d * all + row) * k.hidden + i) * h[static_cast<std::size_t>(i)];
    return sum;
  }
  double peep(std::int64_t d, int which, std::int64_t i, double c) const {
    return k.peephole ? at(o.p, (d * 3 + which) * k.hidden + i) * c : 0;
  }

  void step(std::int64_t d, std::int64_t b, std::int64_t t, Values& h, Values& c) const {
    const std::int64_t n = k.hidden;
    const Values before = h, cell = c;
    Values gated(before.size());
    if (k.gates() == 3)
      for (std::int64_t i = 0; i < n; ++i)
        gated[static_cast<std::size_t>(i)] =
            f(d, 0, from_x(d, n + i, b, t) + from_h(d, n + i, before)) *
            before[static_cast<std::size_t>(i)];
    for (std::int64_t i = 0; i < n; ++i) {
      const auto u = static_cast<std::size_t>(i);
      const auto sum = [&](std::int64_t gate) {
        return from_x(d, gate * n + i, b, t) + from_h(d, gate * n + i, before);
      };
      if (k.gates() == 1) h[u] = f(d, 0, sum(0));
      if (k.gates() == 3) {
        const double z = f(d, 0, sum(0)), r = f(d, 0, sum(1));
        const double inner = k.attrs.linear_before_reset ? r * from_h(d, 2 * n + i, before)
                                                         : from_h(d, 2 * n + i, gated);
        h[u] = (1 - z) * f(d, 1, from_x(d, 2 * n + i, b, t) + inner) + z * before[u];
      }
      if (k.gates() == 4) {
        const double in = f(d, 0, sum(0) + peep(d, 0, i, cell[u]));
        const double forget =
            k.attrs.input_forget ? 1 - in : f(d, 0, sum(2) + peep(d, 2, i, cell[u]));
        c[u] = forget * cell[u] + in * f(d, 1, sum(3));
        const auto most = static_cast<double>(k.attrs.cell_clip);
        if (most > 0) c[u] = std::min(most, std::max(-most, c[u]));
        h[u] = f(d, 0, sum(1) + peep(d, 1, i, c[u])) * f(d, 2, c[u]);
      }
    }
  }

  void sequence(std::int64_t d, std::int64_t b) {
    const std::int64_t n = k.hidden, dirs = k.directions();
    const bool bf = k.attrs.batch_first;
    const std::int64_t state = (bf ? b * dirs + d : d * k.batch + b) * n;
    Values h(static_cast<std::size_t>(n)), c(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; k.states && i < n; ++i) {
      h[static_cast<std::size_t>(i)] = at(o.h, state + i);
      c[static_cast<std::size_t>(i)] = at(o.c, state + i);
    }
    const std::int64_t length =
        k.lengths ? o.lengths.values<std::int32_t>()[static_cast<std::size_t>(b)] : k.steps;
    const bool back = k.attrs.direction == fb::RnnDirection::reverse || d == 1;
    for (std::int64_t s = 0; s < length; ++s) {
      const std::int64_t t = back ? length - 1 - s : s;
      step(d, b, t, h, c);
      const std::int64_t row = bf ? (b * k.steps + t) * dirs + d : (t * dirs + d) * k.batch + b;
      std::copy(h.begin(), h.end(), outputs[0].begin() + row * n);
    }
    std::copy(h.begin(), h.end(), outputs[1].begin() + state);
    std::copy(c.begin(), c.end(), outputs[2].begin() + state);
  }
};

void check_rnn(Case k) {
  k.attrs.hidden_size = k.hidden;
  const Operands o = operands(k);
  const Reference expected(k, o);
  const OpOptions options{.outputs = k.lstm() ? 3 : 2};
  const OpResult y = run_op(fb::OpKind::rnn, k.attrs, o.list(k), options);
  ASSERT_TRUE(y.status.ok()) << y.status.message();
  for (std::size_t i = 0; i < y.outputs.size(); ++i)
    expect_near(y[i], expected.outputs[i], 1e-5, 1e-5);
}

TEST(Rnn, EveryKindDirectionAndLayout) {
  for (fb::RnnKind kind : fb::EnumValuesRnnKind()) {
    for (fb::RnnDirection direction : fb::EnumValuesRnnDirection()) {
      for (int bits = 0; bits < 16; ++bits) {
        Case k;
        k.attrs.kind = kind;
        k.attrs.direction = direction;
        k.attrs.batch_first = bits & 1;
        k.bias = bits & 2;
        k.lengths = bits & 4;
        k.states = bits & 8;
        check_rnn(k);
      }
    }
  }
}

TEST(Rnn, Variants) {
  Case k;
  k.attrs.kind = fb::RnnKind::gru;
  k.attrs.linear_before_reset = true;
  check_rnn(k);
  k.attrs.clip = 0.5f;
  check_rnn(k);
  k.attrs.activations = {F::softsign, F::relu};
  check_rnn(k);
  Case l;
  l.peephole = true;
  check_rnn(l);
  l.attrs.input_forget = true;
  check_rnn(l);
  l.attrs.clip = 0.7f;
  l.attrs.direction = fb::RnnDirection::bidirectional;
  l.attrs.activations = {F::sigmoid, F::tanh, F::leaky_relu, F::sigmoid, F::softsign, F::relu};
  check_rnn(l);
  l.hidden = 37;
  l.inputs = 50;
  check_rnn(l);
}

/// Cells of every step are bounded, before the output gate's peephole and the result read them.
TEST(Rnn, BoundedCells) {
  for (float most : {0.05f, 0.3f, 100.0f}) {
    for (fb::RnnDirection direction : fb::EnumValuesRnnDirection()) {
      Case k;
      k.attrs.cell_clip = most;
      k.attrs.direction = direction;
      k.lengths = false;
      check_rnn(k);
      k.lengths = k.peephole = true;
      k.attrs.batch_first = true;
      check_rnn(k);
    }
  }
}

TEST(Rnn, Empty) {
  for (int which = 0; which < 3; ++which) {
    Case k;
    k.lengths = false;
    (which == 0 ? k.steps : which == 1 ? k.batch : k.inputs) = 0;
    check_rnn(k);
  }
}

TEST(Rnn, Hostile) {
  Case k;
  k.attrs.hidden_size = k.hidden;
  const Operands o = operands(k);
  const std::vector<TensorData> inputs{o.x, o.w, o.r, o.b, o.lengths, o.h, o.c, o.p};
  const auto refused = [&](const fb::RnnAttrsT& attrs) {
    expect_refused(fb::OpKind::rnn, attrs, inputs, 3);
  };
  for (std::int64_t hidden : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
    auto attrs = k.attrs;
    attrs.hidden_size = hidden;
    refused(attrs);
  }
  for (const std::vector<F>& list : {std::vector<F>{F::tanh},
                                     {F::tanh, F::tanh, F::sqrt},
                                     {F::tanh, F::tanh, static_cast<F>(200)}}) {
    auto attrs = k.attrs;
    attrs.activations = list;
    refused(attrs);
  }
  auto attrs = k.attrs;
  attrs.clip = NAN;
  refused(attrs);
  for (float most : {-1.0f, NAN, INFINITY}) {
    attrs = k.attrs;
    attrs.cell_clip = most;
    refused(attrs);
  }
  Case gru;
  gru.attrs.kind = fb::RnnKind::gru;
  gru.attrs.hidden_size = gru.hidden;
  const Operands of_gru = operands(gru);
  gru.attrs.cell_clip = 1;
  expect_refused(fb::OpKind::rnn, gru.attrs, {of_gru.x, of_gru.w, of_gru.r}, 2);
  attrs = k.attrs;
  attrs.kind = static_cast<fb::RnnKind>(9);
  refused(attrs);
  attrs = k.attrs;
  attrs.direction = fb::RnnDirection::bidirectional;
  refused(attrs);
  attrs = k.attrs;
  attrs.kind = fb::RnnKind::gru;
  refused(attrs);
  Operands bad = o;
  for (double length : {-1.0, 6.0, 2147483647.0}) {
    bad.lengths = tensor_of(DType::int32, {3}, {1, length, 2});
    EXPECT_EQ(run_op(fb::OpKind::rnn, k.attrs, bad.list(k), OpOptions{.outputs = 3}).status.code(),
              ErrorCode::bad_value);
  }
}

}  // namespace
}  // namespace skiff::test
