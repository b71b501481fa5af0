#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <skiff/error.h>
#include <skiff/model.h>
#include <skiff/options.h>
#include <skiff/tensor.h>

namespace skiff {

/// One step of a session, for profiles and listings. Texts live as long as the session.
struct StepInfo {
  std::string_view name;  ///< of the node
  std::string_view op;
  std::string_view algorithm;  ///< kernel chosen
  std::int64_t flops = 0;      ///< 0: not counted
  std::int64_t bytes = 0;      ///< operands and results
  std::int64_t workspace = 0;
  DeviceKind device = DeviceKind::cpu;  ///< where it runs
  bool tensor_cores = false;            ///< of a GPU
  std::string_view why_cpu;             ///< of a session with a GPU: why it does not run there
  Shape output;                         ///< of the first result
  int layers = 1;  ///< nodes of the model in it: more than one where they were fused
};

/// A shape for one input.
struct InputShape {
  std::string_view name;
  Shape shape;
};

/// A model bound to a device, with all memory it will ever need. Belongs to one thread at a time.
class SKIFF_API Session {
 public:
  /// All allocation, searching and failing happens here. Throws Error.
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// The memory such a session would take, to the byte, without allocating or reading weights.
  static MemoryReport predict(const Model& model, const SessionOptions& options = {});

  std::size_t input_count() const noexcept;
  std::size_t output_count() const noexcept;
  /// By name or index. Throws Error{not_found} that lists the names there are.
  Tensor input(std::string_view name) const;
  Tensor output(std::string_view name) const;
  Tensor input(std::size_t i) const;
  Tensor output(std::size_t i) const;

  /// Computes the outputs from the inputs. Allocates nothing. A model may count results (boxes it
  /// kept, say): outputs whose size depends on that have their largest shape before the first run
  /// and after a resize, and their real one after a run, dense at the start of their memory; take
  /// such Tensors anew. Fails with bad_value, invalid_argument or unsupported where the rest of the
  /// model cannot work with what was counted; the status' text is valid until the next call. On the
  /// CPU subnormal numbers (below 2^-126) are zeros, whatever the calling thread's mode is.
  Status run() noexcept;

  /// Gives inputs other shapes, within the bounds the model declares; further inputs that share
  /// their symbols change too. Allocates nothing and moves nothing: Tensors taken before keep
  /// their memory but show the old shape, so take them again. What inputs held is lost; states and
  /// variables start afresh as by reset(), whether their own size changed or not. On failure
  /// (not_found, invalid_argument: a fixed extent, a symbol out of bounds, sizes the model cannot
  /// work with; on a GPU, sizes that were not prepared) everything stays as it was; the status'
  /// text is valid until the next call. A session starts at the sizes the model was optimised for.
  Status resize(std::string_view input, const Shape& shape) noexcept;
  /// Several at once, where one alone would not fit the others.
  Status resize(std::span<const InputShape> shapes) noexcept;

  /// Makes resize() to these shapes free of allocation on a GPU, which needs kernels and a recorded
  /// launch for each; without it resize() to them is refused there. A session begins with its first
  /// sizes prepared. May allocate, which memory() then counts under `other`; the arena stays as it
  /// is. The sizes of the session and its states stay, what outputs held is lost. Throws Error with
  /// nothing changed. On the CPU it only tries the shapes.
  void prepare(std::string_view input, const Shape& shape);
  void prepare(std::span<const InputShape> shapes);

  /// A model may declare pairs of an output and an input as its state: run() itself hands such an
  /// output on to its input. It may also have variables, which nobody sees. Both start afresh, from
  /// their initial values.
  void reset() noexcept;

  const MemoryReport& memory() const noexcept;
  const Model& model() const noexcept;
  /// Instruction set in use, e.g. "avx512".
  const char* isa() const noexcept;
  /// cuda when a GPU takes part; then step() says which steps it runs.
  DeviceKind device() const noexcept;
  int threads() const noexcept;

  std::size_t step_count() const noexcept;
  StepInfo step(std::size_t i) const noexcept;
  /// run() with a call before each step (i < step_count()) and one at the end (i == step_count()).
  Status run(void (*observe)(void* context, std::size_t step), void* context) noexcept;
  /// The result `output` of step i as it lies in memory now; what it holds is valid right after
  /// the step ran. Not available (empty data) while kernels write beside it.
  Tensor step_output(std::size_t i, std::size_t output) const;
  std::size_t step_output_count(std::size_t i) const noexcept;
  /// Index of the node and of its result's value in the model's main graph.
  std::int32_t step_output_value(std::size_t i, std::size_t output) const noexcept;

  struct Impl;
  Impl& impl() const noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace skiff
