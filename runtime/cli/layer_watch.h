#pragma once

#include <skiff/session.h>

#include <optional>
#include <string>
#include <vector>

#include "schema/skiff_generated.h"

namespace skiff::cli {

/// A step whose result was compared with the golden case's fingerprint of it.
struct Layer {
  std::size_t step = 0;
  std::string name, op;
  int layers = 1;    ///< of the model in it: more than one where they were fused
  double error = 0;  ///< estimated relative L2
};

/// Compares every step's results with their fingerprints while the session runs. Session and case
/// outlive it.
class LayerWatch {
 public:
  LayerWatch(const Session& session, const fb::GoldenCase& golden)
      : session_(session), golden_(golden) {}

  /// For Session::run(), with the watch as its context. Called before step `next`: the one before
  /// it has just written its results.
  static void before(void* self, std::size_t next) {
    if (next > 0) static_cast<LayerWatch*>(self)->look(next - 1);
  }

  std::size_t checked() const noexcept { return layers_.size(); }
  /// The first one that strays further than the case allows.
  std::optional<Layer> first_off() const;

 private:
  void look(std::size_t step);

  const Session& session_;
  const fb::GoldenCase& golden_;
  std::vector<Layer> layers_;
};

}  // namespace skiff::cli
