#pragma once

#include <cstdint>

namespace skiff::cli {

/// A bar on standard error, where that is a terminal, until the object ends. Draws ten times a
/// second at most, so that it may be told of every run.
class Progress {
 public:
  /// `what`: "measuring", say; a literal. `wanted` false: draws nothing.
  explicit Progress(const char* what, bool wanted = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done`: the part of the work that is done, 0 to 1.
  void show(double done);

 private:
  const char* what_;
  bool wanted_;  // and standard error is a terminal
  std::int64_t drawn_ = 0;
};

/// The same for work of which only what is done is known.
class Count {
 public:
  Count();
  /// One more of `what`: "layers timed", say.
  void add(const char* what);
  /// Takes the line away.
  void end();

 private:
  bool wanted_;
  int count_ = 0;
};

}  // namespace skiff::cli
