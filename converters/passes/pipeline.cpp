#include <algorithm>

#include "converters/passes/clean.h"
#include "converters/passes/fuse/fuse.h"
#include "converters/passes/fuse/pixel_shuffle.h"
#include "converters/passes/integer_products.h"
#include "converters/passes/layout/layout.h"
#include "converters/passes/passes.h"
#include "converters/passes/quantized_pairs.h"
#include "converters/passes/schedule.h"

namespace skiff::passes {
namespace {

// Norms and pixel shuffles come before chains, which move the reshapes that belong to them.
constexpr Pass kClean[] = {
    {"fold", fold_constants}, {"no_ops", remove_no_ops},
    {"norms", fuse_norms},    {"pixel_shuffle", fuse_pixel_shuffle},
    {"chains", merge_chains}, {"gathers", gathers_to_slices},
    {"dedup", deduplicate},
};
// Patterns are matched while the graph still has its source's layout; some are found only when the
// transposes between their parts are gone, so all of it runs again behind the layout.
constexpr Pass kPatterns[] = {
    {"activations", fuse_activations}, {"norms", fuse_norms},    {"affine", fuse_affine},
    {"attention", fuse_attention},     {"fold", fold_constants}, {"no_ops", remove_no_ops},
    {"chains", merge_chains},          {"dedup", deduplicate},
};
constexpr Pass kLayout[] = {{"layout", layout}};
constexpr Pass kFuse[] = {
    {"activations", fuse_activations}, {"norms", fuse_norms},    {"affine", fuse_affine},
    {"attention", fuse_attention},     {"pads", fuse_pads},      {"fold", fold_constants},
    {"no_ops", remove_no_ops},         {"chains", merge_chains}, {"dedup", deduplicate},
};
constexpr Pass kUnits[] = {{"unit_transposes", unit_transposes}};
constexpr Pass kEpilogues[] = {{"epilogues", fuse_epilogues}};
// Behind what folds factors into weights, which would round them otherwise.
constexpr Pass kQuantized[] = {{"integer_products", integer_products},
                               {"quantized_pairs", round_quantized_pairs}};
constexpr Pass kSchedule[] = {{"dedup", deduplicate}, {"schedule", schedule}};

constexpr int kRounds = 12;
const Group kGroups[] = {
    {kClean, kRounds},     {kPatterns, kRounds}, {kLayout, 1},      {kFuse, kRounds},
    {kLayout, 1},          {kFuse, kRounds},     {kUnits, 1},       {kFuse, kRounds},
    {kEpilogues, kRounds}, {kQuantized, 1},      {kClean, kRounds}, {kEpilogues, kRounds},
    {kSchedule, 1},
};

std::size_t float_count() {
  const auto* first = std::ranges::find(kGroups, kQuantized,
                                        [](const Group& group) { return group.passes.data(); });
  return static_cast<std::size_t>(first - kGroups);
}

}  // namespace

std::span<const Group> all_groups() { return kGroups; }
std::span<const Group> float_groups() { return all_groups().first(float_count()); }
std::span<const Group> integer_groups() { return all_groups().subspan(float_count()); }

}  // namespace skiff::passes
