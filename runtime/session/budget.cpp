#include "runtime/session/budget.h"

#include <algorithm>
#include <optional>

namespace skiff {
namespace {

/// Bytes of scratch that a kernel of the GPU may take where all that it would like is too much.
constexpr std::uint64_t kDeviceWorkspaces[] = {std::uint64_t{4} << 20, std::uint64_t{256} << 10, 0};

/// A step whose kernel takes memory in order to be fast.
struct Candidate {
  std::size_t node;
  Bargain bargain;
};

/// Tries out which kernels to give up. One set of a session's metadata exists at a time.
class Haggling {
 public:
  Haggling(const Model& model, const SessionOptions& options)
      : model_(model), options_(options), book_(options.allocator) {
    bind();
    if (!impl_->device) collect();  // with a GPU its kernels decide
  }

  std::size_t candidates() const noexcept { return order_.size(); }
  const Candidate& candidate(std::size_t i) const noexcept { return order_[i]; }
  const Session::Impl& session() const noexcept { return *impl_; }
  std::uint64_t total() const noexcept { return std::max(impl_->memory.total, peak_); }

  /// Gives up the first `count` candidates.
  void give_up(std::size_t count) {
    for (std::size_t i = 0; i < order_.size(); ++i) frugal_[order_[i].node] = i < count;
    bind();
  }

  /// Takes the others back that fit into what the limit leaves, the most useful first.
  void take_back(std::size_t count, std::uint64_t limit) {
    for (std::size_t i = count; i-- > 0;) {
      if (total() + static_cast<std::uint64_t>(order_[i].bargain.bytes) > limit) continue;
      frugal_[order_[i].node] = 0;
      bind();
      if (total() <= limit) continue;
      frugal_[order_[i].node] = 1;
      bind();
    }
  }

  std::unique_ptr<Session::Impl> finish() {
    impl_->settle(peak_);
    return std::move(impl_);
  }

 private:
  void bind() {
    impl_.reset();
    impl_ = std::make_unique<Session::Impl>(model_, options_, SessionMaking{frugal_});
    peak_ = std::max(peak_, impl_->shared.metadata_bytes + book_.peak() + impl_->book.peak());
  }

  void collect() {
    const Session::Impl& impl = *impl_;
    for (const Step& step : impl.binding.steps)
      if (const Bargain bargain = step.kernel->bargain(); bargain.bytes > 0)
        order_.push_back({static_cast<std::size_t>(step.node), bargain});
    if (order_.empty()) return;
    std::sort(order_.begin(), order_.end(), [](const Candidate& a, const Candidate& b) {
      const double left =
          static_cast<double>(a.bargain.saved) * static_cast<double>(b.bargain.bytes);
      const double right =
          static_cast<double>(b.bargain.saved) * static_cast<double>(a.bargain.bytes);
      return left != right ? left < right : a.node < b.node;
    });
    frugal_.assign(impl.graph().nodes.size(), 0);
  }

  const Model& model_;
  const SessionOptions& options_;
  MemoryBook book_;
  std::pmr::vector<Candidate> order_{&book_};
  std::pmr::vector<std::uint8_t> frugal_{&book_};
  std::uint64_t peak_ = 0;
  std::unique_ptr<Session::Impl> impl_;
};

/// Most bytes that making the session took at once.
std::uint64_t peak_of(const Session::Impl& impl) noexcept {
  return impl.shared.metadata_bytes + impl.book.peak();
}

std::unique_ptr<Session::Impl> haggle(const Model& model, const SessionOptions& options,
                                      std::uint64_t limit) {
  Haggling haggling(model, options);
  // Enough are given up somewhere in (low, high].
  std::size_t low = 0, high = haggling.candidates();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    haggling.give_up(middle);
    (haggling.total() <= limit ? high : low) = middle;
  }
  if (haggling.candidates() > 0) {
    haggling.give_up(high);
    // Small kernels may need more beside their weights: then a later step down is no saving.
    for (std::size_t i = 0; haggling.total() > limit && i < haggling.candidates(); ++i)
      haggling.give_up(high = i);
    if (haggling.total() > limit) haggling.give_up(haggling.candidates());
    haggling.take_back(high, limit);
  }
  return haggling.finish();
}

/// Gives up one candidate after the other and adds what is less than the last point of the curve.
void walk_down(Haggling& haggling, std::vector<BudgetPoint>& curve) {
  const Session::Impl& impl = haggling.session();
  double all = 0, lost = 0;
  for (const Step& step : impl.binding.steps)
    all += static_cast<double>(step.kernel->flops()) / (2.0 * impl.table.lanes) -
           static_cast<double>(step.kernel->bargain().saved);
  for (std::size_t i = 0; i < haggling.candidates(); ++i) {
    haggling.give_up(i + 1);
    lost += static_cast<double>(haggling.candidate(i).bargain.saved);
    if (haggling.total() < curve.back().total)
      curve.push_back({haggling.total(), (all + lost) / all});
  }
}

}  // namespace

std::unique_ptr<Session::Impl> bind_within_limit(const Model& model, const SessionOptions& options,
                                                 bool measure) {
  SessionMaking making{.measure = measure};
  auto impl = std::make_unique<Session::Impl>(model, options, making);
  const std::uint64_t limit = impl->limit();
  if (limit == 0 || impl->memory.total <= limit) return impl;
  if (impl->device) {
    // Algorithms of the GPU that take less scratch.
    for (const std::uint64_t workspace : kDeviceWorkspaces) {
      making.most_workspace = workspace;
      impl.reset();
      impl = std::make_unique<Session::Impl>(model, options, making);
      if (impl->memory.total <= limit) break;
    }
    impl->settle(0);
    return impl;
  }
  // Fusing more costs less time than smaller kernels do.
  SessionOptions smaller = options;
  if (options.fuse == Fuse::automatic) {
    const std::uint64_t total = impl->memory.total, peak = peak_of(*impl);
    smaller.fuse = Fuse::on;
    impl.reset();
    impl = std::make_unique<Session::Impl>(model, smaller, making);
    if (std::max(impl->memory.total, peak) <= limit) {
      impl->settle(peak);
      return impl;
    }
    if (impl->memory.total >= total) smaller.fuse = Fuse::automatic;
  }
  impl.reset();
  return haggle(model, smaller, limit);
}

std::vector<BudgetPoint> budget_curve(const Model& model, const SessionOptions& options) {
  SessionOptions unlimited = options;
  unlimited.memory_limit = UINT64_MAX;
  Haggling fastest(model, unlimited);
  std::vector<BudgetPoint> curve{{fastest.total(), 1.0}};
  SessionOptions fusing = unlimited;
  fusing.fuse = Fuse::on;
  std::optional<Haggling> fused;
  if (options.fuse == Fuse::automatic && !fastest.session().device) fused.emplace(model, fusing);
  const bool smaller = fused && fused->total() < fastest.total();
  if (smaller) curve.push_back({fused->total(), 1.0});
  walk_down(smaller ? *fused : fastest, curve);
  return curve;
}

}  // namespace skiff
