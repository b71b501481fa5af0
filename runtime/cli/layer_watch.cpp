#include "runtime/cli/layer_watch.h"

#include <algorithm>
#include <cmath>

#include "runtime/cli/fingerprint.h"

namespace skiff::cli {
namespace {

/// How far a layer may stray, in units of what the outputs may: a fingerprint only estimates the
/// norm of a difference (four signed sums), so it gets a margin.
constexpr double kMargin = 4;

const fb::Fingerprint* find_fingerprint(const fb::GoldenCase& golden, std::int32_t value) {
  const auto* all = golden.fingerprints();
  if (all == nullptr) return nullptr;
  const auto found =
      std::find_if(all->begin(), all->end(), [&](const auto* f) { return f->value() == value; });
  return found == all->end() ? nullptr : *found;
}

}  // namespace

void LayerWatch::look(std::size_t step) {
  for (std::size_t o = 0; o < session_.step_output_count(step); ++o) {
    const fb::Fingerprint* print = find_fingerprint(golden_, session_.step_output_value(step, o));
    const Tensor value = session_.step_output(step, o);
    // Nothing can be told from the sums of a tensor that holds infinities (a mask, say).
    if (print == nullptr || value.bytes().data() == nullptr || !std::isfinite(print->l2()))
      continue;
    const StepInfo info = session_.step(step);
    layers_.push_back({step, std::string(info.name), std::string(info.op), info.layers,
                       estimated_error(value, *print)});
  }
}

std::optional<Layer> LayerWatch::first_off() const {
  const double most = kMargin * static_cast<double>(golden_.relative_l2());
  const auto off = std::find_if(layers_.begin(), layers_.end(),
                                [&](const Layer& layer) { return !(layer.error <= most); });
  return off == layers_.end() ? std::nullopt : std::optional(*off);
}

}  // namespace skiff::cli
