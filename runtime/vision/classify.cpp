#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/vision/scores.h"

namespace skiff {

std::size_t classify(const Session& session, std::span<Classification> best) {
  const Postprocessing p = vision::postprocessing(session, {PostprocessKind::classify}, "classes");
  std::vector<float> scores =
      vision::real_values(session.output(static_cast<std::size_t>(p.scores)));
  vision::apply(p, scores, scores.size());
  for (float& score : scores)
    if (std::isnan(score)) score = 0;  // an order needs numbers
  std::vector<int> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  const std::size_t count = std::min(best.size(), order.size());
  const auto score_of = [&](int i) { return scores[static_cast<std::size_t>(i)]; };
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](int a, int b) { return score_of(a) != score_of(b) ? score_of(a) > score_of(b) : a < b; });
  for (std::size_t i = 0; i < count; ++i) best[i] = {order[i], score_of(order[i])};
  return count;
}

}  // namespace skiff
