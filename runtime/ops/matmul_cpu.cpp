#include "runtime/ops/matmul.h"

#include <algorithm>
#include <bit>

#include "runtime/core/hash.h"
#include "runtime/cpu/activation.h"
#include "runtime/cpu/packing.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/ops/half_product.h"
#include "runtime/ops/matmul_generic.h"
#include "runtime/ops/ops.h"

namespace skiff {
namespace {

/// One b for consecutive matrices of a: they are one tall matrix.
void flatten(MatMulGeometry& g) noexcept {
  if (g.b_matrices != 1 || g.a_matrices != g.batches || g.transpose_a) return;
  g.m *= g.batches;
  g.batches = g.a_matrices = 1;
  g.batch = {};
}

/// float32 product on packed panels of b: packed at load when b is constant, else into the
/// workspace at the start of each run. A transposed a is turned round in the workspace too.
class PackedMatMul final : public Kernel {
 public:
  /// Of flattened geometries.
  PackedMatMul(const KernelSpec& spec, const MatMulGeometry& g, const MatMulGeometry& widest)
      : table_(spec.table),
        g_(g),
        b_type_(spec.input(1).dtype),
        constant_(spec.input(1).constant),
        has_bias_(spec.node.has_input(2)),
        has_residual_(spec.node.has_input(3)) {
    const auto& attrs = spec.node.attrs<fb::MatMulAttrs>();
    epilogue_ = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta());
    scale_ = attrs.scale();
    require(constant_ || b_type_ == DType::float32, ErrorCode::unsupported, "node '",
            spec.node.name, "' (matmul): a ", b_type_, " operand must be constant");
    // A constant's panels are packed once, for the largest shapes.
    layout_ = cpu::choose_layout(table_, constant_ ? widest.m : g_.m, g_.n, g_.k);
    partition_ = cpu::choose_partition(table_, layout_, g_.m, g_.k, spec.threads);
    // With few rows packing would cost as much as the product.
    direct_ = !constant_ && !g_.transpose_b && scale_ == 1.0f && g_.n % table_.lanes == 0 &&
              g_.m <= 2 * table_.max_rows[layout_.vectors];
  }

  std::size_t workspace_bytes() const noexcept override { return a_bytes() + b_bytes(); }
  std::size_t packed_bytes(int input) const noexcept override {
    return input == 1 && constant_ ? packed() : 0;
  }
  std::size_t pack_scratch_bytes(int input) const noexcept override {
    if (input != 1) return 0;
    return g_.transpose_b ? cpu::column_scratch_bytes(layout_) : cpu::row_scratch_bytes(layout_);
  }
  std::uint64_t pack_key(int) const noexcept override {
    const auto number = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
    std::uint64_t key = number(layout_.lanes * 8 + layout_.vectors) * 2 + (g_.transpose_b ? 1 : 0);
    for (std::uint64_t value : {number(g_.k), number(g_.n), number(g_.b_matrices),
                                static_cast<std::uint64_t>(std::bit_cast<std::uint32_t>(scale_))})
      key = hashed(key, value);
    return key;
  }

  void pack(int, ConstantReader& reader, std::span<std::byte> packed,
            std::span<std::byte> scratch) override {
    auto* to = reinterpret_cast<float*>(packed.data());
    const auto pack_matrix = g_.transpose_b ? cpu::pack_columns : cpu::pack_rows;
    for (std::int64_t i = 0; i < g_.b_matrices; ++i, to += layout_.elements())
      pack_matrix(table_, layout_, reader, b_type_, scale_, to, scratch.data());
  }

  bool can_overwrite(int input, int) const noexcept override { return input == 3; }

  Status run(const RunArgs& args) noexcept override {
    const float* a = rows_of(args);
    const float* b = panels_of(args);
    cpu::ConvArgs common;
    common.k = g_.k, common.n = g_.n;
    common.in_x = g_.k, common.out_x = g_.n;
    common.vectors = static_cast<std::int32_t>(layout_.vectors);
    common.linear = true;
    common.k_stride = direct_ ? g_.n : 0;
    common.bias = has_bias_ ? args.input<float>(2) : nullptr;
    common.epilogue = epilogue_;
    const std::int64_t tasks = partition_.tasks();
    args.pool.parallel_for(g_.batches * tasks, [&](std::int64_t task) {
      const std::int64_t index = task / tasks, at = index * g_.m * g_.n;
      cpu::ConvArgs c = common;
      c.input = a + g_.matrix_of(g_.a_steps, index) * g_.m * g_.k;
      c.weights = b + g_.matrix_of(g_.b_steps, index) * layout_.elements();  // direct: k n as well
      c.output = args.output<float>(0) + at;
      if (has_residual_) c.residual = args.input<float>(3) + at;
      cpu::run_task(table_, partition_, c, task % tasks);
    });
    return {};
  }

  std::int64_t flops() const noexcept override {
    return cpu::work_of({2, g_.batches, g_.m, g_.k, g_.n});
  }
  const char* algorithm() const noexcept override {
    return constant_ ? "product" : direct_ ? "product, as stored" : "product, packed on each run";
  }

 private:
  std::size_t packed() const noexcept {
    return static_cast<std::size_t>(g_.b_matrices * layout_.elements()) * sizeof(float);
  }
  std::size_t a_bytes() const noexcept {
    const std::int64_t elements = g_.transpose_a ? g_.a_matrices * g_.m * g_.k : 0;
    return static_cast<std::size_t>(round_up(elements, 16)) * sizeof(float);
  }
  std::size_t b_bytes() const noexcept { return constant_ || direct_ ? 0 : packed(); }

  const float* rows_of(const RunArgs& args) const noexcept {
    if (!g_.transpose_a) return args.input<float>(0);
    const float* from = args.input<float>(0);
    auto* to = static_cast<float*>(args.workspace);
    constexpr std::int64_t kBlock = 16;
    const std::int64_t blocks = ceil_div(g_.m, kBlock);
    args.pool.parallel_for(g_.a_matrices * blocks, [&](std::int64_t task) {
      const std::int64_t matrix = task / blocks * g_.m * g_.k, begin = task % blocks * kBlock;
      const std::int64_t end = std::min(g_.m, begin + kBlock);
      for (std::int64_t k = 0; k < g_.k; ++k)
        for (std::int64_t i = begin; i < end; ++i)
          to[matrix + i * g_.k + k] = from[matrix + k * g_.m + i];
    });
    return to;
  }

  const float* panels_of(const RunArgs& args) const noexcept {
    const float* from = args.input<float>(1);
    if (constant_ || direct_) return from;
    auto* to = reinterpret_cast<float*>(static_cast<std::byte*>(args.workspace) + a_bytes());
    const std::int64_t k_stride = g_.transpose_b ? 1 : g_.n;
    const std::int64_t column_stride = g_.transpose_b ? g_.k : 1;
    const std::int64_t panels = layout_.panels();
    args.pool.parallel_for(g_.b_matrices * panels, [&](std::int64_t task) {
      const std::int64_t matrix = task / panels;
      cpu::pack_from_memory(table_, layout_, task % panels, from + matrix * g_.k * g_.n, k_stride,
                            column_stride, scale_, to + matrix * layout_.elements());
    });
    return to;
  }

  const cpu::KernelTable& table_;
  MatMulGeometry g_;
  cpu::PanelLayout layout_;
  cpu::Partition partition_;
  cpu::Epilogue epilogue_;
  float scale_ = 1;
  DType b_type_;
  bool constant_;
  bool direct_ = false;  // b is read as it lies, without packing
  bool has_bias_;
  bool has_residual_;
};

/// One matrix of weights, as it is stored.
bool half_matmul_fits(const KernelSpec& spec, const MatMulGeometry& g) noexcept {
  const auto& attrs = spec.node.attrs<fb::MatMulAttrs>();
  return allows_half_sums(spec.node, attrs.sums(), spec.table) && attrs.scale() == 1.0f &&
         g.batches == 1 && !g.transpose_a;
}

/// Of flattened geometries.
KernelPtr make_half_matmul(const KernelSpec& spec, const MatMulGeometry& g,
                           const MatMulGeometry& widest) {
  const auto& attrs = spec.node.attrs<fb::MatMulAttrs>();
  HalfForm form{.rows = g.m,
                .usual_rows = widest.m,
                .inputs = g.m * g.k,
                .columns_stored = g.transpose_b,
                .epilogue = cpu::epilogue_of(attrs.activation(), attrs.alpha(), attrs.beta())};
  form.grid.k = form.grid.in_x = g.k;
  form.grid.n = form.grid.out_x = g.n;
  form.grid.linear = true;
  return make_half_product(spec, form);
}

}  // namespace

KernelPtr make_matmul_cpu(const KernelSpec& spec) {
  MatMulGeometry g = read_matmul_geometry(spec.node);
  if (spec.input(0).dtype != DType::float32) return make_generic_matmul(spec, g);
  flatten(g);
  MatMulGeometry widest = read_matmul_geometry(spec.widest());
  flatten(widest);
  if (half_matmul_fits(spec, widest)) return make_half_matmul(spec, g, widest);
  return make_kernel<PackedMatMul>(spec.memory, spec, g, widest);
}

}  // namespace skiff
