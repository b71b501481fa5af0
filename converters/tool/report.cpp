#include "converters/tool/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/cli/byte_count.h"

namespace skiff::tool {
namespace {

std::string precision_text(const precision::Outcome& outcome) {
  const std::string sums =
      outcome.half_sums ? fmt::format(", {} layers may add in it", outcome.half_summed) : "";
  if (outcome.kept.empty()) return fmt::format("{}{}", name_of(outcome.type), sums);
  const bool ranges = outcome.type == DType::float16 &&
                      std::ranges::any_of(outcome.kept, [](const precision::Kept& kept) {
                        return kept.reason.find(" reaches ") != std::string::npos;
                      });
  return fmt::format("{}{}, but {} of {} nodes float32 ({} '{}': {}){}", name_of(outcome.type),
                     sums, outcome.kept.size(), outcome.nodes, outcome.kept[0].op,
                     outcome.kept[0].node, outcome.kept[0].reason,
                     ranges ? "; --bf16 has the range" : "");
}

nlohmann::ordered_json kept_json(const std::vector<precision::Kept>& nodes) {
  auto kept = nlohmann::ordered_json::array();
  for (const precision::Kept& node : nodes)
    kept.push_back({{"node", node.node}, {"op", node.op}, {"reason", node.reason}});
  return kept;
}

nlohmann::ordered_json precision_json(const precision::Outcome& outcome) {
  if (outcome.type == DType::none) return "float32";
  return {{"type", name_of(outcome.type)},
          {"nodes", outcome.nodes},
          {"casts", outcome.casts},
          {"half_sums", outcome.half_summed},
          {"kept_in_float32", kept_json(outcome.kept)}};
}

/// "52 of 54 products on integers, 9 samples; rnn 'x': recurrent layers stay in floats, and 1
/// more".
std::string integers_text(const quantize::Outcome& outcome) {
  std::string text =
      fmt::format("{} of {} products on integers, {} {}", outcome.integer, outcome.products,
                  outcome.samples, outcome.samples == 1 ? "sample" : "samples");
  if (outcome.kept.empty()) return text;
  const precision::Kept& first = outcome.kept[0];
  text += fmt::format("; {} '{}': {}", first.op, first.node, first.reason);
  if (outcome.kept.size() > 1) text += fmt::format(", and {} more", outcome.kept.size() - 1);
  return text;
}

nlohmann::ordered_json int8_json(const quantize::Outcome& outcome) {
  if (outcome.samples == 0) return nullptr;
  auto kept = kept_json(outcome.kept), outputs = nlohmann::ordered_json::array();
  for (const quantize::Accuracy& accuracy : outcome.accuracy)
    outputs.push_back({{"output", accuracy.output},
                       {"relative_l2", accuracy.relative_l2},
                       {"max_relative", accuracy.max_relative},
                       {"cosine", accuracy.cosine}});
  return {{"samples", outcome.samples},
          {"products", outcome.products},
          {"integer_products", outcome.integer},
          {"kept_in_float", kept},
          {"float_weights", outcome.float_weights},
          {"against_float32", outputs}};
}

std::string nodes_text(std::size_t count) {
  return fmt::format("{} {}", count, count == 1 ? "node" : "nodes");
}

/// Nodes that are refused for one reason, by operator in the model's order.
struct RefusalGroup {
  std::string reason, help;
  std::vector<std::pair<std::string, std::vector<std::string>>> operators = {};

  void add(const convert::Refusal& refusal) {
    auto place =
        std::ranges::find(operators, refusal.op, [](const auto& pair) { return pair.first; });
    if (place == operators.end()) place = operators.insert(place, {refusal.op, {}});
    place->second.push_back(refusal.node);
  }
};

RefusalGroup& group_of(std::vector<RefusalGroup>& groups, const convert::Refusal& refusal) {
  for (RefusalGroup& group : groups)
    if (group.reason == refusal.reason && group.help == refusal.help) return group;
  return groups.emplace_back(RefusalGroup{refusal.reason, refusal.help});
}

/// "'a', 'b', 'c' and 33 more": the first nodes are those to look at or to cut at.
std::string names_text(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 4, kLongest = 80;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    const bool whole = names[i].size() <= kLongest;
    text += fmt::format("{}'{}{}'", i == 0 ? "" : ", ", names[i].substr(0, kLongest),
                        whole ? "" : "...");
  }
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return text;
}

}  // namespace

std::string refusal_table(const convert::Refused& refused) {
  const std::vector<convert::Refusal>& all = refused.refusals();
  std::vector<RefusalGroup> groups;
  for (const convert::Refusal& refusal : all) group_of(groups, refusal).add(refusal);
  std::string text = fmt::format("{} cannot be converted", nodes_text(all.size()));
  for (const RefusalGroup& group : groups) {
    text += fmt::format("\n{}", group.reason);
    if (!group.help.empty()) text += fmt::format("\n  what would help: {}", group.help);
    for (const auto& [op, nodes] : group.operators)
      text += fmt::format("\n  {}: {}", op, names_text(nodes));
  }
  return text;
}

std::string summary(const convert::Report& report, const std::string& output) {
  std::string text;
  const auto row = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<22}{}\n", name, value);
  };
  const auto bytes = [](std::int64_t count) {
    return cli::size_text(static_cast<std::uint64_t>(count));
  };
  text += fmt::format("{}\n", output);
  row("source",
      report.source.format +
          (report.source.producer.empty() ? std::string() : ", made by " + report.source.producer));
  row("nodes", fmt::format("{} -> {}", report.nodes_before, report.nodes_after));
  if (report.precision.type != DType::none) row("precision", precision_text(report.precision));
  const quantize::Outcome& quantized = report.quantized;
  if (quantized.samples > 0) row("int8", integers_text(quantized));
  for (const quantize::Accuracy& accuracy : quantized.accuracy)
    row("against float32", fmt::format("'{}': relative L2 {:.3g}, cosine {:.6f}", accuracy.output,
                                       accuracy.relative_l2, accuracy.cosine));
  row("weights", bytes(report.weight_bytes) +
                     (quantized.samples > 0 ? ", before " + bytes(quantized.float_weights) : ""));
  row("activations, at least", bytes(report.peak_bytes));
  row("file", bytes(report.file_bytes));
  if (report.session_bytes != 0) row("a session here", cli::size_text(report.session_bytes));
  row("time", fmt::format("{:.2f} s", report.seconds));
  return text;
}

std::string to_json(const convert::Report& report) {
  const nlohmann::ordered_json json = {
      {"source",
       {{"format", report.source.format},
        {"sha256", report.source.sha256},
        {"producer", report.source.producer},
        {"opset", report.source.opset}}},
      {"nodes_before", report.nodes_before},
      {"nodes_after", report.nodes_after},
      {"operators", report.operators},
      {"passes", report.passes},
      {"precision", precision_json(report.precision)},
      {"int8", int8_json(report.quantized)},
      {"weights", report.weight_bytes},
      {"activations_lower_bound", report.peak_bytes},
      {"file", report.file_bytes},
      {"session", report.session_bytes},
      {"seconds", report.seconds},
  };
  return json.dump(2) + "\n";
}

}  // namespace skiff::tool
