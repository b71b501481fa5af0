#pragma once

#include <string>
#include <vector>

namespace skiff::cli {

/// The candidate that `text` most likely meant: fewest edits (Levenshtein), at most a third of its
/// length; "" when none is near.
std::string near_match(const std::string& text, const std::vector<std::string>& candidates);

}  // namespace skiff::cli
