#pragma once

#include <cstdint>

namespace skiff::cli {

/// A bar on standard error, where that is a terminal, until the object ends. Draws ten times a
/// second at most, so that it may be told of every run.
class Progress {
 public:
  /// `wanted` false: draws nothing.
  explicit Progress(bool wanted = true);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `what`: "measuring", say; `done`: the part of it that is done, 0 to 1.
  void show(const char* what, double done);
  /// Takes the bar away, until there is more to show.
  void clear();

 private:
  bool wanted_;  // and standard error is a terminal
  std::int64_t drawn_ = 0;
};

}  // namespace skiff::cli
