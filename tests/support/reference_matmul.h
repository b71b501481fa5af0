#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace skiff::test {

/// One product a [m, k] times b [k, n] from the definition. Operands are given by strides, so that
/// transposed ones need no copy.
struct ReferenceMatMul {
  std::int64_t m, k, n;
  std::int64_t a_row, a_column, b_row, b_column;
};

/// Sums, and the same over absolute values (which bounds rounding errors).
inline void reference_matmul(const ReferenceMatMul& p, const double* a, const double* b,
                             std::vector<double>& value, std::vector<double>& magnitude) {
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = 0, size = 0;
      for (std::int64_t k = 0; k < p.k; ++k) {
        const double product = a[i * p.a_row + k * p.a_column] * b[k * p.b_row + j * p.b_column];
        sum += product;
        size += std::abs(product);
      }
      value.push_back(sum);
      magnitude.push_back(size);
    }
}

}  // namespace skiff::test
