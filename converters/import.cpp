#include "converters/import.h"

#include "runtime/core/error.h"

namespace skiff::convert {
namespace {

std::string listing(const std::vector<Refusal>& refusals) {
  std::string text =
      message(refusals.size(), refusals.size() == 1 ? " node" : " nodes", " cannot be converted:");
  for (const Refusal& refusal : refusals) {
    text += "\n  " + refusal.op + " '" + refusal.node + "': " + refusal.reason;
    if (!refusal.help.empty()) text += " (" + refusal.help + ")";
  }
  return text;
}

}  // namespace

Refused::Refused(std::vector<Refusal> refusals)
    : Error(ErrorCode::unsupported, listing(refusals)), refusals_(std::move(refusals)) {}

}  // namespace skiff::convert
