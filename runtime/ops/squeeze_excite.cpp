#include "runtime/ops/squeeze_excite.h"

#include "runtime/ops/made.h"

namespace skiff {

namespace {

void infer_squeeze_excite(const NodeView& node, std::span<TensorInfo> outputs) {
  outputs[0].dtype = node.input(SqueezeExcite::image).dtype;
  outputs[0].shape = node.input(SqueezeExcite::image).shape;
}

}  // namespace

const OpDef& squeeze_excite_op() noexcept {
  static constexpr OpDef kRow{.op = made::squeeze_excite,
                              .name = "squeeze_excite",
                              .attrs = fb::Attrs::NONE,
                              .min_inputs = 2,
                              .max_inputs = SqueezeExcite::kMaxInputs,
                              .min_outputs = 1,
                              .max_outputs = 1,
                              .infer = infer_squeeze_excite,
                              .make_cpu = make_squeeze_excite_cpu};
  return kRow;
}

}  // namespace skiff
