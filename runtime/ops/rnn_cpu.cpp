#include <algorithm>
#include <cstring>

#include "runtime/cpu/activation.h"
#include "runtime/ops/indices.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/parallel.h"
#include "runtime/ops/rnn.h"

namespace skiff {
namespace {

using F = fb::UnaryFunction;

/// Sixteen partial sums in a fixed order, so that the compiler may use vectors.
float dot(const float* a, const float* b, std::int64_t count) noexcept {
  constexpr int kSums = 16;
  float sums[kSums] = {};
  std::int64_t i = 0;
  for (; i + kSums <= count; i += kSums)
    for (int j = 0; j < kSums; ++j) sums[j] += a[i + j] * b[i + j];
  for (int j = 0; i < count; ++i, ++j) sums[j] += a[i] * b[i];
  float sum = 0;
  for (float part : sums) sum += part;
  return sum;
}

/// float32. The equations are those of ONNX's RNN, GRU and LSTM; a product is a row of weights
/// times a row of x or h, in the order they are stored.
class RnnKernel final : public Kernel {
 public:
  explicit RnnKernel(const KernelSpec& spec);
  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(g_.batch * g_.hidden * (g_.gates + 3)) * sizeof(float);
  }
  Status run(const RunArgs& args) noexcept override;
  std::int64_t flops() const noexcept override {
    return 2 * g_.steps * g_.batch * g_.directions * g_.gates * g_.hidden * (g_.inputs + g_.hidden);
  }

 private:
  /// One direction of one run.
  struct Pass {
    const RunArgs& args;
    const Indices& lengths;
    std::int64_t direction;
    const float *w, *r, *b, *peephole;  // b, peephole: may be null
    float *gates, *hidden, *cell, *scratch;
  };

  std::int64_t length(const Pass& p, std::int64_t batch) const noexcept {
    return has_lengths_ ? p.lengths[batch] : g_.steps;
  }
  /// The step that batch takes as its s-th, -1 when its sequence is over.
  std::int64_t time(const Pass& p, std::int64_t batch, std::int64_t s) const noexcept {
    const std::int64_t steps = length(p, batch);
    if (s >= steps) return -1;
    return reverse_ || p.direction == 1 ? steps - 1 - s : s;
  }
  std::int64_t state_at(std::int64_t direction, std::int64_t batch) const noexcept {
    return (batch_first_ ? batch * g_.directions + direction : direction * g_.batch + batch) *
           g_.hidden;
  }
  void activate(const Pass& p, int which, float* x) const noexcept;
  void run_direction(const Pass& p) const noexcept;
  void sum_gates(const Pass& p, std::int64_t s, std::int64_t first, std::int64_t last,
                 const float* h) const noexcept;
  void step(const Pass& p, std::int64_t batch) const noexcept;
  void reset_hidden(const Pass& p, std::int64_t s) const noexcept;
  void finish_gru(const Pass& p, std::int64_t batch) const noexcept;
  void step_lstm(const Pass& p, std::int64_t batch) const noexcept;
  void store(const Pass& p, std::int64_t batch, std::int64_t t) const noexcept;
  void load_state(const Pass& p, int input, float* to) const noexcept;
  void store_state(const Pass& p, int output, const float* from) const noexcept;

  const cpu::KernelTable& table_;
  RnnGeometry g_;
  fb::RnnKind kind_;
  bool reverse_, batch_first_, linear_before_reset_, input_forget_, has_lengths_;
  bool has_bias_, has_peephole_, has_state_[2];
  DType length_type_ = DType::int32;
  float clip_, cell_clip_;
  int outputs_;
  cpu::Epilogue activations_[6];
};

cpu::Epilogue default_parameters(F f) noexcept {
  const bool elu_like = f == F::elu || f == F::thresholded_relu;
  const float alpha = f == F::leaky_relu ? 0.01f : f == F::hard_sigmoid ? 0.2f : elu_like ? 1 : 0;
  return cpu::epilogue_of(f, alpha, f == F::hard_sigmoid ? 0.5f : 0);
}

/// Parameters come in the order of the activations that have any, as ONNX lists them.
void read_activations(const fb::RnnAttrs& attrs, int per_direction, int count,
                      cpu::Epilogue* to) noexcept {
  const auto size = [](const auto* field) { return field == nullptr ? 0u : field->size(); };
  unsigned alphas = 0, betas = 0;
  for (int i = 0; i < count; ++i) {
    const bool gate = i % per_direction == 0 && attrs.kind() != fb::RnnKind::rnn;
    F f = gate ? F::sigmoid : F::tanh;
    if (size(attrs.activations()) > 0)
      f = static_cast<F>(attrs.activations()->Get(static_cast<unsigned>(i)));
    to[i] = default_parameters(f);
    const bool has_alpha = to[i].alpha != 0, has_beta = to[i].beta != 0;
    if (has_alpha && alphas < size(attrs.activation_alpha()))
      to[i].alpha = attrs.activation_alpha()->Get(alphas++);
    if (has_beta && betas < size(attrs.activation_beta()))
      to[i].beta = attrs.activation_beta()->Get(betas++);
  }
}

RnnKernel::RnnKernel(const KernelSpec& spec)
    : table_(spec.table),
      g_(rnn_geometry(spec.node)),
      outputs_(static_cast<int>(spec.outputs.size())) {
  const NodeView& node = spec.node;
  const auto& attrs = node.attrs<fb::RnnAttrs>();
  require(spec.input(0).dtype == DType::float32, ErrorCode::unsupported, "node '", node.name,
          "' (rnn): dtype ", spec.input(0).dtype, " is not supported here, only float32");
  kind_ = attrs.kind();
  reverse_ = attrs.direction() == fb::RnnDirection::reverse;
  batch_first_ = attrs.batch_first();
  linear_before_reset_ = attrs.linear_before_reset();
  input_forget_ = attrs.input_forget();
  has_bias_ = node.has_input(3);
  has_lengths_ = node.has_input(4);
  if (has_lengths_) length_type_ = node.input(4).dtype;
  has_state_[0] = node.has_input(5);
  has_state_[1] = node.has_input(6);
  has_peephole_ = node.has_input(7);
  clip_ = attrs.clip();
  cell_clip_ = attrs.cell_clip();
  read_activations(attrs, g_.activations, static_cast<int>(g_.directions) * g_.activations,
                   activations_);
}

Status RnnKernel::run(const RunArgs& args) noexcept {
  const Indices lengths(has_lengths_ ? args.inputs[4] : nullptr, length_type_);
  for (std::int64_t b = 0; has_lengths_ && b < g_.batch; ++b)
    if (lengths[b] < 0 || lengths[b] > g_.steps)
      return {ErrorCode::bad_value, "a sequence's length is out of range"};
  const std::int64_t rows = g_.gates * g_.hidden, states = g_.batch * g_.hidden;
  auto* gates = static_cast<float*>(args.workspace);
  float* hidden = gates + g_.batch * rows;
  for (std::int64_t d = 0; d < g_.directions; ++d)
    run_direction({args, lengths, d, args.input<float>(1) + d * rows * g_.inputs,
                   args.input<float>(2) + d * rows * g_.hidden,
                   has_bias_ ? args.input<float>(3) + d * 2 * rows : nullptr,
                   has_peephole_ ? args.input<float>(7) + d * 3 * g_.hidden : nullptr, gates,
                   hidden, hidden + states, hidden + 2 * states});
  return {};
}

void RnnKernel::run_direction(const Pass& p) const noexcept {
  load_state(p, 0, p.hidden);
  load_state(p, 1, p.cell);
  const bool two_parts = kind_ == fb::RnnKind::gru && !linear_before_reset_;
  for (std::int64_t s = 0; s < g_.steps; ++s) {
    sum_gates(p, s, 0, two_parts ? 2 : g_.gates, p.hidden);
    for (std::int64_t b = 0; b < g_.batch; ++b)
      if (time(p, b, s) >= 0) step(p, b);
    if (two_parts) sum_gates(p, s, 2, 3, p.scratch);
    for (std::int64_t b = 0; b < g_.batch; ++b) {
      const std::int64_t t = time(p, b, s);
      if (t >= 0 && kind_ == fb::RnnKind::gru) finish_gru(p, b);
      store(p, b, t >= 0 ? t : s);  // beyond the end of a sequence: zeros
    }
  }
  store_state(p, 1, p.hidden);
  store_state(p, 2, p.cell);
}

/// gates = w x + r h + biases for the gates [first, last).
void RnnKernel::sum_gates(const Pass& p, std::int64_t s, std::int64_t first, std::int64_t last,
                          const float* h) const noexcept {
  const std::int64_t n = g_.hidden, rows = (last - first) * n, all = g_.gates * n;
  parallel_chunks(p.args, g_.batch * rows, grain_for(g_.inputs + n), [&](auto begin, auto end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t b = i / rows, row = first * n + i % rows, t = time(p, b, s);
      if (t < 0) continue;
      const float* x = p.args.template input<float>(0) +
                       (batch_first_ ? b * g_.steps + t : t * g_.batch + b) * g_.inputs;
      const float from_x = dot(p.w + row * g_.inputs, x, g_.inputs) + (p.b ? p.b[row] : 0);
      const float from_h = dot(p.r + row * n, h + b * n, n) + (p.b ? p.b[all + row] : 0);
      // The reset gate of this form weighs the recurrent part alone.
      const bool apart = kind_ == fb::RnnKind::gru && linear_before_reset_ && row >= 2 * n;
      if (apart) p.scratch[b * n + row - 2 * n] = from_h;
      p.gates[b * all + row] = apart ? from_x : from_x + from_h;
    }
  });
}

void RnnKernel::activate(const Pass& p, int which, float* x) const noexcept {
  if (clip_ > 0)
    for (std::int64_t i = 0; i < g_.hidden; ++i) x[i] = std::clamp(x[i], -clip_, clip_);
  table_.activate(activations_[p.direction * g_.activations + which], x, x, g_.hidden);
}

void RnnKernel::step(const Pass& p, std::int64_t batch) const noexcept {
  const std::int64_t n = g_.hidden;
  float* gates = p.gates + batch * g_.gates * n;
  float* h = p.hidden + batch * n;
  if (kind_ == fb::RnnKind::lstm) return step_lstm(p, batch);
  activate(p, 0, gates);
  if (kind_ == fb::RnnKind::rnn) {
    std::copy_n(gates, n, h);
    return;
  }
  activate(p, 0, gates + n);
  float* scratch = p.scratch + batch * n;
  for (std::int64_t i = 0; i < n; ++i)
    scratch[i] = gates[n + i] * (linear_before_reset_ ? scratch[i] : h[i]);
}

void RnnKernel::finish_gru(const Pass& p, std::int64_t batch) const noexcept {
  const std::int64_t n = g_.hidden;
  const float* update = p.gates + batch * 3 * n;
  float* candidate = p.gates + batch * 3 * n + 2 * n;
  float* h = p.hidden + batch * n;
  for (std::int64_t i = 0; linear_before_reset_ && i < n; ++i)
    candidate[i] += p.scratch[batch * n + i];
  activate(p, 1, candidate);
  for (std::int64_t i = 0; i < n; ++i) h[i] = (1 - update[i]) * candidate[i] + update[i] * h[i];
}

void RnnKernel::step_lstm(const Pass& p, std::int64_t batch) const noexcept {
  const std::int64_t n = g_.hidden;
  float* input = p.gates + batch * 4 * n;
  float *output = input + n, *forget = input + 2 * n, *candidate = input + 3 * n;
  float *h = p.hidden + batch * n, *c = p.cell + batch * n;
  const auto peep = [&](float* gate, int which) {
    for (std::int64_t i = 0; p.peephole && i < n; ++i) gate[i] += p.peephole[which * n + i] * c[i];
  };
  peep(input, 0);
  peep(forget, 2);
  activate(p, 0, input);
  activate(p, 0, forget);
  for (std::int64_t i = 0; input_forget_ && i < n; ++i) forget[i] = 1 - input[i];
  activate(p, 1, candidate);
  for (std::int64_t i = 0; i < n; ++i) c[i] = forget[i] * c[i] + input[i] * candidate[i];
  if (cell_clip_ > 0)
    for (std::int64_t i = 0; i < n; ++i) c[i] = std::clamp(c[i], -cell_clip_, cell_clip_);
  peep(output, 1);
  activate(p, 0, output);
  std::copy_n(c, n, h);
  activate(p, 2, h);
  for (std::int64_t i = 0; i < n; ++i) h[i] *= output[i];
}

void RnnKernel::store(const Pass& p, std::int64_t batch, std::int64_t t) const noexcept {
  const bool over = t >= length(p, batch);
  const std::int64_t row = batch_first_ ? (batch * g_.steps + t) * g_.directions + p.direction
                                        : (t * g_.directions + p.direction) * g_.batch + batch;
  float* y = p.args.output<float>(0) + row * g_.hidden;
  if (over) {
    std::fill_n(y, g_.hidden, 0.0f);
  } else {
    std::copy_n(p.hidden + batch * g_.hidden, g_.hidden, y);
  }
}

/// Which: 0 hidden, 1 cell; zeros unless given.
void RnnKernel::load_state(const Pass& p, int which, float* to) const noexcept {
  for (std::int64_t b = 0; b < g_.batch; ++b) {
    if (has_state_[which]) {
      std::copy_n(p.args.input<float>(5 + which) + state_at(p.direction, b), g_.hidden,
                  to + b * g_.hidden);
    } else {
      std::fill_n(to + b * g_.hidden, g_.hidden, 0.0f);
    }
  }
}

void RnnKernel::store_state(const Pass& p, int output, const float* from) const noexcept {
  for (std::int64_t b = 0; output < outputs_ && b < g_.batch; ++b)
    std::copy_n(from + b * g_.hidden, g_.hidden,
                p.args.output<float>(output) + state_at(p.direction, b));
}

}  // namespace

KernelPtr make_rnn_cpu(const KernelSpec& spec) { return make_kernel<RnnKernel>(spec.memory, spec); }

}  // namespace skiff
