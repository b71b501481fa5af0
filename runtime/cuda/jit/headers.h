#pragma once

#include <string>
#include <vector>

namespace skiff::cuda::jit {

/// The headers that sources compiled while loading may include, by the names they include them by.
/// They are those of the kernels that nvcc compiles, so that both compute the same.
class Headers {
 public:
  static const Headers& get();

  int count() const noexcept { return static_cast<int>(names_.size()); }
  const char* const* names() const noexcept { return names_.data(); }
  const char* const* texts() const noexcept { return texts_.data(); }

 private:
  Headers();

  std::string functions_;
  std::vector<const char*> names_, texts_;
};

}  // namespace skiff::cuda::jit
