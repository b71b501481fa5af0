#include <skiff_device/launch.h>

#include <limits>

#include "runtime/cuda/activation.cuh"
#include "runtime/cuda/dispatch.h"
#include "runtime/cuda/kernels.h"
#include "runtime/cuda/number.cuh"
#include "runtime/ops/rnn.h"

namespace skiff::cuda {
namespace {

constexpr int kThreads = 256;

/// ONNX's order of gates: input, output, forget, cell.
enum Gate { kInput, kOutput, kForget, kCell, kGates };

struct LstmShape {
  int steps, batch, inputs, hidden, directions;
  bool batch_first, reverse;  ///< reverse: the first direction already walks back
  float cell_clip;            ///< infinity: none
};

/// Operands of an LSTM; null ones are zero, or not wanted.
template <typename T>
struct LstmOperands {
  const T *x, *w, *r, *bias, *h0, *c0;
  T *y, *h, *c;
};

/// Where a direction and a batch index keep their state, [D, B, H] or [B, D, H].
__device__ std::int64_t state_of(const LstmShape& s, int direction, int batch) {
  const int row = s.batch_first ? batch * s.directions + direction : direction * s.batch + batch;
  return static_cast<std::int64_t>(row) * s.hidden;
}

template <typename A, typename B>
__device__ float dot(const A* a, const B* b, int count) {
  float sum = 0.0f;
  for (int i = 0; i < count; ++i) sum += to_float(a[i]) * to_float(b[i]);
  return sum;
}

__device__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// A block a direction and batch index walks all steps. `scratch` holds, for each block, h and c
/// [hidden] and the gates [4, hidden] in float.
template <typename T>
__global__ void __launch_bounds__(kThreads)
    walk_lstm(LstmShape s, LstmOperands<T> o, float* scratch) {
  const int direction = static_cast<int>(blockIdx.x) / s.batch;
  const int batch = static_cast<int>(blockIdx.x) % s.batch;
  const int rows = kGates * s.hidden;
  float* const h = scratch + static_cast<std::int64_t>(blockIdx.x) * (2 + kGates) * s.hidden;
  float *const c = h + s.hidden, *const gates = c + s.hidden;
  const std::int64_t state = state_of(s, direction, batch);
  for (int j = static_cast<int>(threadIdx.x); j < s.hidden; j += kThreads) {
    h[j] = o.h0 == nullptr ? 0.0f : to_float(o.h0[state + j]);
    c[j] = o.c0 == nullptr ? 0.0f : to_float(o.c0[state + j]);
  }
  const T* const w = o.w + static_cast<std::int64_t>(direction) * rows * s.inputs;
  const T* const r = o.r + static_cast<std::int64_t>(direction) * rows * s.hidden;
  const T* const bias = o.bias == nullptr ? nullptr : o.bias + direction * 2 * rows;
  for (int step = 0; step < s.steps; ++step) {
    const int t = (direction == 1) != s.reverse ? s.steps - 1 - step : step;
    const int line = s.batch_first ? batch * s.steps + t : t * s.batch + batch;
    const T* const x = o.x + static_cast<std::int64_t>(line) * s.inputs;
    __syncthreads();  // h and c are those of the step before
    for (int row = static_cast<int>(threadIdx.x); row < rows; row += kThreads) {
      float sum = dot(w + static_cast<std::int64_t>(row) * s.inputs, x, s.inputs) +
                  dot(r + static_cast<std::int64_t>(row) * s.hidden, h, s.hidden);
      if (bias != nullptr) sum += to_float(bias[row]) + to_float(bias[rows + row]);
      gates[row] = row / s.hidden == kCell ? tanhf(sum) : sigmoid(sum);
    }
    __syncthreads();  // all gates are there
    const int place = s.batch_first ? line * s.directions + direction
                                    : (t * s.directions + direction) * s.batch + batch;
    for (int j = static_cast<int>(threadIdx.x); j < s.hidden; j += kThreads) {
      const float cell = gates[kForget * s.hidden + j] * c[j] +
                         gates[kInput * s.hidden + j] * gates[kCell * s.hidden + j];
      c[j] = cell > s.cell_clip ? s.cell_clip : cell < -s.cell_clip ? -s.cell_clip : cell;
      h[j] = gates[kOutput * s.hidden + j] * tanhf(c[j]);
      o.y[static_cast<std::int64_t>(place) * s.hidden + j] = from_float<T>(h[j]);
    }
  }
  for (int j = static_cast<int>(threadIdx.x); j < s.hidden; j += kThreads) {
    if (o.h != nullptr) o.h[state + j] = from_float<T>(h[j]);
    if (o.c != nullptr) o.c[state + j] = from_float<T>(c[j]);
  }
}

/// The LSTM that networks have: sigmoid gates, tanh, no peepholes, all of the same length.
class Lstm final : public Kernel {
 public:
  explicit Lstm(const KernelSpec& spec) : dtype_(spec.input(0).dtype) {
    const NodeView& node = spec.node;
    const auto& attrs = node.attrs<fb::RnnAttrs>();
    if (attrs.kind() != fb::RnnKind::lstm) refuse("no GPU kernel for recurrence but LSTM");
    if (attrs.activations() != nullptr && attrs.activations()->size() > 0)
      refuse("no GPU kernel for an LSTM with activations of its own");
    if (attrs.clip() > 0 || attrs.input_forget() || node.has_input(4) || node.has_input(7))
      refuse("no GPU kernel for an LSTM with clip, coupled gates, lengths or peepholes");
    const RnnGeometry g = rnn_geometry(node);
    shape_ = {narrow(g.steps),
              narrow(g.batch),
              narrow(g.inputs),
              narrow(g.hidden),
              narrow(g.directions),
              attrs.batch_first(),
              attrs.direction() == fb::RnnDirection::reverse,
              attrs.cell_clip() > 0 ? attrs.cell_clip() : std::numeric_limits<float>::infinity()};
    narrow(spec.output(0).elements());
    for (int i = 0; i < kInputs; ++i) has_[i] = node.has_input(i);
    outputs_ = spec.outputs.size();
    flops_ = 2 * g.directions * g.steps * g.batch * kGates * g.hidden * (g.inputs + g.hidden);
    dispatch_float(dtype_, [](auto) {});
  }

  std::size_t workspace_bytes() const noexcept override {
    return static_cast<std::size_t>(blocks()) * (2 + kGates) *
           static_cast<std::size_t>(shape_.hidden) * sizeof(float);
  }
  std::int64_t flops() const noexcept override { return flops_; }
  const char* algorithm() const noexcept override { return "block a sequence"; }

  void enqueue(const LaunchArgs& args) override {
    if (blocks() == 0 || shape_.hidden == 0) return;
    dispatch_float(dtype_, [&](auto type) {
      using T = typename decltype(type)::type;
      const auto in = [&](int i) { return has_[i] ? args.input<T>(i) : nullptr; };
      const auto out = [&](int i) {
        return static_cast<std::size_t>(i) < outputs_ ? args.output<T>(i) : nullptr;
      };
      const LstmOperands<T> operands{in(0), in(1),  in(2),  in(3), in(5),
                                     in(6), out(0), out(1), out(2)};
      check(Launch<walk_lstm<T>>::run(static_cast<unsigned>(blocks()), kThreads, args.stream(),
                                      shape_, operands, static_cast<float*>(args.workspace())),
            "lstm");
    });
  }

 private:
  static constexpr int kInputs = 8;
  int blocks() const noexcept { return shape_.directions * shape_.batch; }

  DType dtype_;
  LstmShape shape_{};
  bool has_[kInputs] = {};
  std::size_t outputs_ = 1;
  std::int64_t flops_ = 0;
};

}  // namespace

KernelPtr make_rnn(const KernelSpec& spec) { return make_kernel<Lstm>(spec.memory, spec); }

}  // namespace skiff::cuda
