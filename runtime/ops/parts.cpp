#include "runtime/ops/parts.h"

namespace skiff {

PartsView::PartsView(const NodeView& whole, std::span<const Part> parts) {
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const Part& part = parts[p];
    std::size_t count = 0;
    for (std::size_t i = 0; i < part.operands.size(); ++i) {
      const int operand = part.operands[i];
      operands_[p][i] = operand == Part::kPrevious ? &results_[p - 1]
                        : operand < 0              ? nullptr
                                      : whole.inputs[static_cast<std::size_t>(operand)];
      if (operands_[p][i] != nullptr) count = i + 1;
    }
    views_[p] = {.op = part.def->op,
                 .version = whole.version,
                 .attributes = part.attributes,
                 .inputs = std::span(operands_[p]).first(count),
                 .name = part.name,
                 .dims = whole.dims};
    part.def->infer(views_[p], {&results_[p], 1});
  }
}

PartOperand find_part_operand(std::span<const Part> parts, int input) noexcept {
  for (std::size_t p = 0; p < parts.size(); ++p)
    for (std::size_t i = 0; i < parts[p].operands.size(); ++i)
      if (parts[p].operands[i] == input) return {p, static_cast<int>(i)};
  return {0, 0};
}

}  // namespace skiff
