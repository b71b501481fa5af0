#pragma once

#include <optional>

#include "runtime/cuda/cudnn/plan.h"
#include "runtime/ops/conv_cuda.h"

namespace skiff::cuda {

/// How much of activation(conv + bias + residual) cuDNN does in one engine.
enum class Fusion : std::uint8_t { all, sum, none };

/// The operation graph of a convolution and the tensors to bind.
struct ConvGraph {
  Fusion fusion = Fusion::all;
  cudnn::TensorId x{}, w{}, bias{}, residual{}, y{};
};

/// [N, spatial..., C] with at least two spatial axes, as cuDNN wants them.
Shape image(const ConvGeometry& geometry, std::int64_t n, const ConvGeometry::Axes& axes,
            std::int64_t channels);
cudnn::Window window_of(const ConvGeometry& geometry);

/// Writes the graph; false when this fusion does not exist for the convolution (an activation that
/// cuDNN has no single operation for). The order of operations is the one its precompiled engines
/// know: convolution, residual, bias, activation.
bool write_conv_graph(const ConvPlan& plan, Fusion fusion, cudnn::OperationGraph& graph,
                      ConvGraph& result);

struct ConvEngine {
  ConvGraph graph;
  cudnn::Plan plan;
};
/// The best fusion that has an engine on the target; nothing when none has. `choice` names one of
/// conv_engine_names(). Empty: the one ranked first. For a convolution that our own kernel takes
/// (fits_mma) only one on tensor cores that fuses all, is compiled already and reads the tensors as
/// they lie: cuDNN copies those whose channels are no multiple of 8. For TF32 the best fusion that
/// has one on tensor cores goes before a better one that has not.
std::optional<ConvEngine> find_conv_engine(const ConvPlan& plan, const cudnn::Target& target,
                                           std::uint64_t most_workspace = UINT64_MAX,
                                           std::string_view choice = {});
/// Names of engines, `most` for each fusion.
std::vector<std::string> conv_engine_names(const ConvPlan& plan, const cudnn::Target& target,
                                           int most);

}  // namespace skiff::cuda
