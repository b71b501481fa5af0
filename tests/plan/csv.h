#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan/problem.h"

namespace skiff::plan {

/// A planning problem as minimalloc writes it: `id,lower,upper,size`, lifetimes half-open.
struct CsvProblem {
  std::vector<std::string> ids;
  std::vector<Buffer> buffers;
};

/// Columns may come in any order; others are ignored. Throws Error{invalid_argument} with the line.
CsvProblem parse_csv(std::string_view text, const std::string& name);

/// Throws Error{not_found, io, invalid_argument}.
CsvProblem read_csv(const std::string& path);

/// `id,lower,upper,size,offset`. Throws Error{io}.
void write_csv(const std::string& path, const CsvProblem& problem,
               const std::vector<std::int64_t>& offsets);

/// The number in `A.1048576.csv`; 0: there is none.
std::int64_t capacity_in_name(const std::string& path);

}  // namespace skiff::plan
