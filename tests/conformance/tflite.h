#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/conformance/run_case.h"

namespace skiff::conformance {

/// Every .tflite and .bin file among `paths` and beneath the folders among them, sorted. Throws
/// Error{not_found} for a path that does not exist.
std::vector<CasePath> find_tflite_files(const std::vector<std::string>& paths);

/// Imports the file and runs it once on made-up inputs (small noise, zeros for indices): it passes
/// when it runs, and is refused when the importer says why it cannot. Never throws.
Outcome run_tflite_file(const CasePath& path, const std::string& device) noexcept;

}  // namespace skiff::conformance
