#include "runtime/ops/pool.h"

#include <algorithm>

#include "runtime/cpu/kernel_table.h"
#include "runtime/cpu/thread_pool.h"
#include "runtime/cpu/tiling.h"
#include "runtime/ops/ops.h"
#include "runtime/ops/pool_generic.h"
#include "runtime/ops/window_grid.h"

namespace skiff {
namespace {

/// float32 maximum and mean over at most two axes.
class FastPool final : public Kernel {
 public:
  FastPool(const KernelSpec& spec, const PoolGeometry& g) : rows_(g.batch * g.out[1]) {
    const auto& attrs = spec.node.attrs<fb::PoolAttrs>();
    const bool maximum = attrs.function() == fb::PoolFunction::maximum;
    pool_ = maximum ? spec.table.max_pool : spec.table.average_pool;
    static_cast<cpu::WindowGrid&>(args_) = read_window_grid(g, g.channels);
    args_.count_padding = attrs.count_include_pad();
    rows_per_task_ = cpu::window_rows_per_task(
        rows_, cpu::work_of({g.out[2], g.channels, std::min(g.kernel[1], g.in[1]),
                             std::min(g.kernel[2], g.in[2])}));
  }

  Status run(const RunArgs& args) noexcept override {
    cpu::WindowArgs a = args_;
    a.input = args.input<float>(0);
    a.output = args.output<float>(0);
    args.pool.parallel_for(ceil_div(rows_, rows_per_task_), [&](std::int64_t task) {
      const std::int64_t begin = task * rows_per_task_;
      pool_(a, begin, std::min(rows_, begin + rows_per_task_));
    });
    return {};
  }
  const char* algorithm() const noexcept override { return "window"; }

 private:
  cpu::WindowArgs args_;
  void (*pool_)(const cpu::WindowArgs&, std::int64_t, std::int64_t) = nullptr;
  std::int64_t rows_;
  std::int64_t rows_per_task_ = 1;
};

}  // namespace

KernelPtr make_pool_cpu(const KernelSpec& spec) {
  const PoolGeometry g = read_pool_geometry(spec.node);
  const bool lp = spec.node.attrs<fb::PoolAttrs>().function() == fb::PoolFunction::lp;
  if (spec.input(0).dtype == DType::float32 && g.spatial <= 2 && !lp && spec.outputs.size() == 1)
    return make_kernel<FastPool>(spec.memory, spec, g);
  return make_generic_pool(spec, g);
}

}  // namespace skiff
