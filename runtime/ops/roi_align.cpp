#include <cmath>

#include "runtime/ops/attributes.h"
#include "runtime/ops/dispatch.h"
#include "runtime/ops/ops.h"

namespace skiff {

void infer_roi_align(const NodeView& node, std::span<TensorInfo> outputs) {
  const auto& attrs = node.attrs<fb::RoiAlignAttrs>();
  const TensorInfo &x = node.input(0), &rois = node.input(1), &batches = node.input(2);
  check(node, x.shape.rank() == 4 && holds(FloatTypes{}, x.dtype), "operand is ", x.dtype, " ",
        x.shape, ", must be floats [N, H, W, C]");
  check(node, rois.dtype == x.dtype && rois.shape.rank() == 2 && rois.shape[1] == 4, "boxes are ",
        rois.dtype, " ", rois.shape, ", must be ", x.dtype, " [R, 4]");
  check(node,
        batches.shape.rank() == 1 && batches.shape[0] == rois.shape[0] &&
            holds(IndexTypes{}, batches.dtype),
        "batch indices are ", batches.dtype, " ", batches.shape, ", must be int64 or int32 [",
        rois.shape[0], "]");
  check(node, x.shape[1] > 0 && x.shape[2] > 0, "operand ", x.shape, " has no pixels");
  check(node, attrs.output_height() > 0 && attrs.output_width() > 0, "the output is ",
        attrs.output_height(), " x ", attrs.output_width());
  check(node, attrs.sampling_ratio() >= 0 && attrs.sampling_ratio() <= 1024, "sampling_ratio is ",
        attrs.sampling_ratio(), ", must be in [0, 1024]");
  check(node, std::isfinite(attrs.spatial_scale()), "spatial_scale is not finite");
  outputs[0].dtype = x.dtype;
  outputs[0].shape = Shape{rois.shape[0], attrs.output_height(), attrs.output_width(), x.shape[3]};
}

}  // namespace skiff
