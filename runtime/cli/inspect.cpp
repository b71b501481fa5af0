#include <fmt/format.h>

#include <map>
#include <optional>

#include "runtime/cli/byte_count.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/gpu.h"
#include "runtime/cli/output.h"
#include "runtime/cli/plan_listing.h"
#include "runtime/model_impl.h"
#include "runtime/session/budget.h"

namespace skiff::cli {
namespace {

struct Options {
  Common common;
  bool memory = false, plan = false, placement = false, boards = false;
};

/// Extents as numbers; of a shape that may change, symbols by name and what is computed from them
/// as "?".
Json shape_json(const Graph& graph, std::int32_t id) {
  Json shape = Json::array();
  const GraphValue& value = graph.value(id);
  for (int axis = 0; axis < value.info.shape.rank(); ++axis) {
    const bool fixed = value.dims == nullptr || value.dims->Get(static_cast<unsigned>(axis)) >= 0;
    const std::int32_t symbol = graph.symbol_of(id, axis);
    if (fixed)
      shape.push_back(value.info.shape[axis]);
    else if (symbol >= 0)
      shape.push_back(graph.symbols->name(static_cast<std::size_t>(symbol)));
    else
      shape.push_back("?");
  }
  return shape;
}

Json tensor_json(const Graph& graph, std::int32_t id, const TensorDesc& desc,
                 const Preprocessing& pictures) {
  Json json = {
      {"name", desc.name}, {"dtype", name_of(desc.dtype)}, {"shape", shape_json(graph, id)}};
  if (!desc.quantization.scale.empty()) json["scale"] = desc.quantization.scale;
  if (pictures.present) json["takes_pictures"] = true;
  return json;
}

Json interface_json(const Model& model) {
  const fb::Model& metadata = model.impl()->verified.metadata();
  Json json = {{"model", model.name()}, {"inputs", Json::array()}, {"outputs", Json::array()}};
  const Graph& graph = model.impl()->verified.graph();
  for (std::size_t i = 0; i < model.input_count(); ++i)
    json["inputs"].push_back(
        tensor_json(graph, graph.inputs[i], model.input(i), model.preprocessing(i)));
  for (std::size_t i = 0; i < model.output_count(); ++i)
    json["outputs"].push_back(tensor_json(graph, graph.outputs[i], model.output(i), {}));
  for (std::size_t i = 0; i < model.symbol_count(); ++i) {
    const SymbolDesc s = model.symbol(i);
    json["symbols"].push_back({{"name", s.name},
                               {"min", s.min},
                               {"opt", s.opt},
                               {"max", s.max},
                               {"multiple_of", s.multiple_of},
                               {"counted", s.counted}});
  }
  std::map<std::string, int> ops;
  for (const GraphNode& node : graph.nodes) ++ops[std::string(node.def->name)];
  json["operators"] = ops;
  json["answers"] =
      fb::EnumNamePostprocessKind(static_cast<fb::PostprocessKind>(model.postprocessing().kind));
  json["labels"] = model.label_count();
  if (metadata.memory_budget() != 0) json["memory_budget"] = metadata.memory_budget();
  json["golden_cases"] = model::length(metadata.golden());
  if (const auto* source = metadata.provenance())
    json["source"] = {{"format", model::text(source->source_format())},
                      {"sha256", model::text(source->source_sha256())},
                      {"converter", model::text(source->converter())}};
  return json;
}

std::string interface_text(const Model& model, const Json& json) {
  std::string text = fmt::format("{}\n", model.name());
  const auto rows = [&](const char* what, const Json& tensors) {
    for (const Json& t : tensors)
      text += fmt::format("  {:<8}{} {} {}{}\n", what, t["name"].get<std::string>(),
                          t["dtype"].get<std::string>(), t["shape"].dump(),
                          t.contains("takes_pictures") ? " (takes pictures)" : "");
  };
  rows("input", json["inputs"]);
  rows("output", json["outputs"]);
  if (json.contains("symbols"))
    for (const Json& s : json["symbols"])
      text += fmt::format(
          "  size    {} from {} to {}, usually {}{}\n", s["name"].get<std::string>(),
          s["min"].get<std::int64_t>(), s["max"].get<std::int64_t>(), s["opt"].get<std::int64_t>(),
          s["counted"].get<bool>() ? ", counted by the model"
          : s["multiple_of"].get<std::int64_t>() == 1
              ? ""
              : fmt::format(", a multiple of {}", s["multiple_of"].get<std::int64_t>()));
  if (json.contains("memory_budget"))
    text += fmt::format("  budget  {} (stored; --memory-limit sets another)\n",
                        size_text(json["memory_budget"].get<std::uint64_t>()));
  text += "  nodes  ";
  for (const auto& [op, count] : json["operators"].items())
    text += fmt::format(" {} x{}", op, count.get<int>());
  text += fmt::format("\n  answers {}, {} labels, {} golden case(s)\n",
                      json["answers"].get<std::string>(), json["labels"].get<int>(),
                      json["golden_cases"].get<int>());
  return text;
}

struct KnownBoard {
  const char* name;
  int gibibytes;
};

constexpr KnownBoard kBoards[] = {{"Jetson Nano", 4},
                                  {"Jetson TX2", 8},
                                  {"Jetson Xavier NX", 8},
                                  {"Jetson AGX Xavier", 32},
                                  {"Jetson Orin Nano 4GB", 4},
                                  {"Jetson Orin Nano 8GB", 8},
                                  {"Jetson Orin NX 8GB", 8},
                                  {"Jetson Orin NX 16GB", 16},
                                  {"Jetson AGX Orin 32GB", 32},
                                  {"Jetson AGX Orin 64GB", 64},
                                  {"Jetson AGX Thor 128GB", 128}};

/// Share of each board's memory; measured in this processor's form of the weights, which differs
/// from others' by padding only.
Json boards_json(const MemoryReport& memory, std::string& text) {
  Json boards = Json::array();
  for (const KnownBoard& board : kBoards) {
    const double share = static_cast<double>(memory.total) /
                         (static_cast<double>(board.gibibytes) * 1024 * 1024 * 1024);
    boards.push_back({{"board", board.name}, {"memory_gib", board.gibibytes}, {"share", share}});
    text += fmt::format("  {:<24}{:>4} GiB  {:>8.3f} % of it{}\n", board.name, board.gibibytes,
                        100 * share, share > 0.5 ? ", too much beside the system" : "");
  }
  return boards;
}

/// What --memory-limit buys, where it leaves a choice.
Json budgets_json(const Model& model, const SessionOptions& options, std::string& text) {
  Json budgets = Json::array();
  const auto curve = budget_curve(model, options);
  if (curve.size() > 1)
    text += "budgets, with the time of a run over that of the first, estimated from operations\n";
  for (const BudgetPoint& point : curve) {
    budgets.push_back({{"total", point.total}, {"estimated_time", point.time}});
    if (curve.size() > 1)
      text += fmt::format("  {:>12} B  {:>10}  {:.3f}\n", point.total, size_text(point.total),
                          point.time);
  }
  return budgets;
}

/// Least arena of the graph as it is stored: without fusing, and without values that share memory.
Json unfused_json(const Model& model, SessionOptions options, std::string& text) {
  options.fuse = Fuse::off;
  options.memory_limit = 0;
  const MemoryReport memory = Session::predict(model, options);
  text += fmt::format(
      "graph as stored\n  arena at least {} B; {} B without fusing, aliasing and views\n",
      memory.arena_lower_bound, memory.arena_lower_bound_plain);
  return {{"arena_lower_bound", memory.arena_lower_bound},
          {"arena_lower_bound_plain", memory.arena_lower_bound_plain}};
}

/// The report of the session; without one, what a session would take, which is the same.
MemoryReport memory_of(const Model& model, const Options& options,
                       const std::optional<Session>& session) {
  return session ? session->memory() : Session::predict(model, options.common.session_options());
}

int inspect(const Options& options) {
  const Model model = options.common.load();
  Json json = interface_json(model);
  std::string text = interface_text(model, json);
  // Whether a model can have a shape, and what a GPU takes for it, only a session knows.
  std::optional<Session> session;
  if (options.plan || options.placement || !options.common.shapes.empty())
    session.emplace(options.common.session(model));
  if (options.memory) {
    const MemoryReport memory = memory_of(model, options, session);
    json["memory"] = memory_json(memory);
    json["memory"]["predicted_total"] = memory.total;
    text += memory_text(memory);
    text += add_context(json["memory"], session ? context_bytes(*session)
                                                : context_bytes(options.common.session_options()));
    json["unfused"] = unfused_json(model, options.common.session_options(), text);
    json["budgets"] = budgets_json(model, options.common.session_options(), text);
  }
  if (options.boards) json["boards"] = boards_json(memory_of(model, options, session), text);
  if (options.placement)
    list_placement(*session, options.common, json, text);
  else if (options.plan)
    list_plan(*session, json, text);
  if (options.common.json != "-") fmt::print("{}", text);
  write_json(json, options.common.json);
  return 0;
}

}  // namespace

Action add_inspect(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_common_flags(app, options->common);
  app.add_flag("--memory", options->memory,
               "bytes it would take here, without taking them (but with --shape)");
  app.add_flag("--plan", options->plan, "the steps in order, their kernels and scratch");
  app.add_flag("--placement", options->placement,
               "where each step runs and why, and what is copied in between");
  app.add_flag("--boards", options->boards, "what part of a board's memory it would take");
  return [options] { return inspect(*options); };
}

}  // namespace skiff::cli
