#include "converters/convert.h"

#include <skiff/session.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory_resource>
#include <random>
#include <utility>

#include "converters/describe.h"
#include "converters/dump.h"
#include "converters/dynamic/repeat.h"
#include "converters/golden.h"
#include "converters/ir/counts.h"
#include "converters/ir/work.h"
#include "converters/passes/check.h"
#include "converters/passes/passes.h"
#include "converters/passes/schedule.h"
#include "converters/uint8_input.h"
#include "converters/writer.h"
#include "platform/clock.h"
#include "runtime/core/error.h"
#include "runtime/core/half.h"
#include "runtime/graph/shapes.h"
#include "runtime/model_impl.h"
#include "runtime/session/budget.h"

namespace skiff::convert {
namespace {

bool is_onnx(const std::string& path) { return path.ends_with(".onnx"); }
bool is_tflite(const std::string& path) {
  return path.ends_with(".tflite") || path.ends_with(".bin");
}

void check_suffix(const std::string& path) {
  if (is_onnx(path) || is_tflite(path)) return;
  const bool torch = path.ends_with(".pt2") || path.ends_with(".pth") || path.ends_with(".pt");
  fail(ErrorCode::unsupported, "'", path, "': ",
       torch ? "PyTorch files are not in this version; export the model as ONNX"
             : "the suffix is not .onnx or .tflite");
}

Imported import_model(const std::string& path, const ImportOptions& options) {
  check_suffix(path);
  return is_onnx(path) ? import_onnx(path, options) : import_tflite(path, options);
}

std::vector<DeclaredInput> declared_inputs(const std::string& path) {
  check_suffix(path);
  return is_onnx(path) ? declared_inputs_onnx(path) : declared_inputs_tflite(path);
}

/// Numbers as dense bytes of a dtype.
std::vector<std::byte> encode(const std::vector<double>& numbers, DType dtype) {
  std::vector<std::byte> bytes;
  const auto put = [&](auto number) {
    const auto piece = std::as_bytes(std::span(&number, 1));
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  };
  for (double number : numbers) switch (dtype) {
      case DType::float32:
        put(static_cast<float>(number));
        break;
      case DType::float64:
        put(number);
        break;
      case DType::float16:
        put(float_to_half(static_cast<float>(number)));
        break;
      case DType::bfloat16:
        put(float_to_bfloat16(static_cast<float>(number)));
        break;
      default: {
        const auto whole = static_cast<std::int64_t>(number);
        const auto piece = std::as_bytes(std::span(&whole, 1)).first(size_of(dtype));
        bytes.insert(bytes.end(), piece.begin(), piece.end());
      }
    }
  return bytes;
}

/// The dtype of an external input: of the graph cut down to that input alone.
DType dtype_of_input(const std::string& path, const ImportOptions& options, const std::string& name,
                     std::size_t count) {
  ImportOptions alone;
  alone.to = {name};
  if (const auto shape = options.shapes.find(name); shape != options.shapes.end())
    alone.shapes.insert(*shape);
  try {
    const Imported found = import_model(path, alone);
    return found.graph.value(found.graph.outputs.at(0)).dtype;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument || !alone.shapes.empty()) throw;
  }
  alone.shapes[name] = Shape{static_cast<std::int64_t>(count)};
  const Imported found = import_model(path, alone);
  return found.graph.value(found.graph.outputs.at(0)).dtype;
}

/// --bind names inputs: the model's own, or those that --from makes.
void check_bindings(const std::string& path, const ConvertOptions& options) {
  if (options.bind.empty()) return;
  std::vector<std::string> inputs = options.import.from;
  for (DeclaredInput& input : declared_inputs(path)) inputs.push_back(std::move(input.name));
  for (const auto& [name, numbers] : options.bind)
    require(std::ranges::find(inputs, name) != inputs.end(), ErrorCode::not_found, "--bind ", name,
            ": the model has no such input");
}

ImportOptions with_bindings(const std::string& path, const ConvertOptions& options) {
  check_bindings(path, options);
  ImportOptions result = options.import;
  for (const auto& [name, numbers] : options.bind)
    result.bind[name] = encode(numbers, dtype_of_input(path, result, name, numbers.size()));
  return result;
}

passes::Observer dump_to(const std::string& folder) {
  if (folder.empty()) return {};
  return [folder, step = 0](const std::string& pass, const ir::Graph& graph) mutable {
    char number[16];
    std::snprintf(number, sizeof number, "%03d-", step++);
    std::ofstream file(std::filesystem::path(folder) / (number + pass + ".txt"));
    file << dump(graph);
    require(file.good(), ErrorCode::io, "--dump-ir ", folder, ": cannot write there");
  };
}

/// The value called `name` among external ones.
ir::ValueId find_external(const ir::Graph& graph, std::span<const ir::ValueId> ids,
                          const std::string& name, const char* what) {
  for (ir::ValueId id : ids)
    if (graph.value(id).name == name) return id;
  fail(ErrorCode::not_found, "--state: the model has no ", what, " '", name, "'");
}

std::vector<State> find_states(const std::map<std::string, std::string>& wanted,
                               const ir::Graph& graph) {
  std::vector<State> states;
  for (const auto& [output, input] : wanted) {
    const State state{find_external(graph, graph.visible_outputs(), output, "output"),
                      find_external(graph, graph.visible_inputs(), input, "input")};
    const ir::Value &from = graph.value(state.output), &to = graph.value(state.input);
    require(from.dtype == to.dtype && from.shape == to.shape && from.dims == to.dims,
            ErrorCode::invalid_argument, "--state ", output, "=", input, ": ", from.dtype, " ",
            from.shape, " and ", to.dtype, " ", to.shape, " differ");
    states.push_back(state);
  }
  return states;
}

/// Golden data were computed in float32, which files of less precision are held against.
void set_tolerance(Golden& golden, DType precision, const quantize::Outcome& quantized) {
  if (const float bound = precision::tolerance_of(precision); bound > 0) {
    golden.relative_l2 = bound;
    golden.max_relative = 2 * bound;
  }
  if (quantized.samples == 0) return;
  // Where floats round otherwise, an integer may be the next one: as much again may be lost, and a
  // layer of few numbers shows a single step.
  constexpr double kLeast = 0.02;
  double lost = kLeast / 2, most = kLeast;
  const auto take = [&](double relative_l2, double max_relative) {
    if (std::isfinite(relative_l2)) lost = std::max(lost, relative_l2);
    if (std::isfinite(max_relative)) most = std::max(most, max_relative);
  };
  take(golden.off_l2, golden.off_most);
  for (const quantize::Accuracy& output : quantized.accuracy)
    take(output.relative_l2, output.max_relative);
  golden.relative_l2 = static_cast<float>(2 * lost);
  golden.max_relative = static_cast<float>(2 * most);
}

/// A graph after import and passes.
struct Optimised {
  ir::Graph graph;
  Source source;
  std::size_t nodes_before = 0;
  Manifest described = {};  ///< see describe()
  std::vector<std::string> passes = {};
  std::map<std::string, Shape> shapes = {};  ///< Imported::shapes
  bool guessed = false;                      ///< Imported::guessed
  quantize::Outcome quantized = {};
  npy::Archive golden_of_floats = {};  ///< own_case() before it was quantised, for --golden auto
};

Manifest make_manifest(const std::string& path, const ConvertOptions& options,
                       const ir::Graph& graph, Optimised& model) {
  Manifest manifest = std::move(model.described);
  manifest.name = std::filesystem::path(path).stem().string();
  manifest.states = find_states(options.states, graph);
  if (!options.labels.empty()) manifest.labels = read_labels(options.labels);
  if (!options.golden.empty()) {
    manifest.golden.push_back(
        make_golden(graph, options.golden, manifest.preprocess, std::move(model.golden_of_floats)));
    set_tolerance(manifest.golden.back(), options.precision, model.quantized);
  }
  manifest.memory_budget = options.memory_budget;
  manifest.strip_names = options.strip_names;
  fb::ProvenanceT& provenance = manifest.provenance;
  provenance.source_format = model.source.format;
  provenance.source_sha256 = model.source.sha256;
  provenance.source_producer = model.source.producer;
  provenance.source_opset = model.source.opset;
  provenance.converter = "skiff-convert 0.1.0";
  provenance.options = options.record;
  provenance.passes = model.passes;
  return manifest;
}

void fill_report(Report& report, const ir::Graph& graph) {
  const auto order = graph.order();
  report.nodes_after = order.size();
  for (ir::NodeId id : order) ++report.operators[name_of(graph.node(id).op)];
  report.weight_bytes = ir::constant_bytes(graph);
  report.peak_bytes = passes::peak_bytes(graph, order);
}

template <typename Progress>
Optimised optimise(const std::string& path, const ImportOptions& import,
                   const ConvertOptions& options, const Progress& imported_now) {
  Imported imported = import_model(path, import);
  imported_now();
  Optimised result{std::move(imported.graph), std::move(imported.source)};
  result.shapes = std::move(imported.shapes);
  result.guessed = imported.guessed;
  result.nodes_before = result.graph.order().size();
  describe(options, result.source, result.graph, result.described);
  std::vector<fb::PreprocessT>& preprocess = result.described.preprocess;
  if (options.uint8_input) take_pixels(result.graph, preprocess);
  const passes::PipelineOptions pipeline{.observer = dump_to(options.dump_folder),
                                         .check = options.check};
  if (options.calibrate.empty()) {
    result.passes = passes::run_pipeline(result.graph, passes::all_groups(), pipeline);
    return result;
  }
  const auto progress = [&](const char* stage, double done) {
    if (options.progress) options.progress(stage, 0.3 + 0.3 * done);
  };
  const quantize::Samples samples(options.calibrate, result.graph, preprocess);
  const auto floats_done = [&](const ir::Graph& floats) {
    if (options.golden == "auto") result.golden_of_floats = own_case(floats, preprocess);
  };
  result.passes = quantize::run_pipeline(result.graph, samples, pipeline, progress, floats_done,
                                         result.quantized);
  return result;
}

/// The loader's own rules must hold for many sizes within the bounds, not only for those that were
/// converted.
void check_sizes(const ir::Graph& graph) {
  constexpr int kTries = 400;
  const std::vector<std::byte> bytes = write_model(graph, {});
  LoadOptions load;
  load.digests = false;
  const Model model = Model::from_bytes(bytes, load);
  const Graph& loaded = model.impl()->verified.graph();
  if (loaded.symbols == nullptr) return;
  Shapes shapes(loaded, *std::pmr::get_default_resource());
  std::mt19937_64 random(1);
  for (int i = 0; i < kTries; ++i) {
    Symbols::Values values{};
    for (std::size_t s = 0; s < loaded.symbols->count(); ++s) {
      const fb::Symbol& symbol = loaded.symbols->record(s);
      const auto steps =
          static_cast<std::uint64_t>((symbol.max() - symbol.min()) / symbol.multiple_of());
      values[s] =
          symbol.min() + symbol.multiple_of() * static_cast<std::int64_t>(random() % (steps + 1));
    }
    shapes.assign_inputs(values);
  }
}

/// --dyn, or a model that counts results: the model at several sizes, made one.
template <typename Progress>
Optimised optimise_for_all_sizes(const std::string& path, const ConvertOptions& options,
                                 const Progress& progress) {
  const auto inputs = declared_inputs(path);
  const bool frozen = dynamic::changes_fixed(inputs, options.dynamic);
  const bool batch = dynamic::changes_batch(inputs, options.dynamic);
  ConvertOptions fixed = options;
  fixed.import.write_out_loops = true;  // what is a graph of its own has fixed sizes
  const Optimised exported =
      frozen ? optimise(path, with_bindings(path, fixed), fixed, [] {}) : Optimised{};
  Optimised last{};
  double done = 0;
  ir::Graph graph = dynamic::generalise(
      inputs, options.import.shapes, options.dynamic,
      [&](const dynamic::Sizes& sizes) {
        ConvertOptions at = fixed;
        at.import.shapes = sizes.shapes;
        at.import.assumption = sizes.assumption;
        at.import.exported = frozen ? &exported.shapes : nullptr;
        last = optimise(path, with_bindings(path, at), at, [] {});
        // The largest sizes come first; all others are treated alike.
        if ((last.guessed || batch) && done == 0)
          dynamic::check_repeats(exported.graph, last.graph);
        progress("converting at several sizes", done = std::min(0.55, done + 0.05));
        return std::move(last.graph);
      },
      check_sizes);
  last.graph = std::move(graph);
  return last;
}

precision::Outcome lower_precision(const ConvertOptions& options, Converted& model) {
  if (options.precision == DType::none) return {};
  std::vector<fb::FingerprintT> measured;
  if (!model.manifest.golden.empty()) measured = model.manifest.golden[0].fingerprints;
  precision::Outcome outcome =
      precision::store_as(model.graph, options.precision, measured, options.half_sums);
  if (options.check) passes::check_graph(dynamic::at_usual_sizes(model.graph));
  return outcome;
}

/// --fit: what a session on this machine's CPU takes under the budget that the file holds. Throws
/// Error{budget_exceeded} where that is not enough.
std::uint64_t session_bytes(std::span<const std::byte> file, std::uint64_t budget) {
  LoadOptions load;
  load.digests = false;
  SessionOptions session;
  session.device = DeviceKind::cpu;
  const Model model = Model::from_bytes(file, load);
  try {
    return Session::predict(model, session).total;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::budget_exceeded) throw;
    const std::uint64_t least = budget_curve(model, session).back().total;
    fail(ErrorCode::budget_exceeded, "--fit: ", budget, " bytes are too few; a session here takes ",
         least, " at least (--fit ", (least + 1023) / 1024, "K)");
  }
}

}  // namespace

Converted convert_graph(const std::string& path, const ConvertOptions& options, Report* report) {
  const auto progress = [&](const char* stage, double done) {
    if (options.progress) options.progress(stage, done);
  };
  const std::int64_t start = platform::monotonic_ns();
  require(options.calibrate.empty() || options.dynamic.empty(), ErrorCode::invalid_argument,
          "--int8 takes fixed sizes in this version: leave --dyn out, or --int8");
  progress("reading", 0.0);
  Optimised model = options.dynamic.empty() ? optimise(path, with_bindings(path, options), options,
                                                       [&] { progress("optimising", 0.3); })
                                            : optimise_for_all_sizes(path, options, progress);
  if (options.dynamic.empty() && ir::has_counting(model.graph))
    model = optimise_for_all_sizes(path, options, progress);
  progress(options.golden.empty() ? "describing" : "computing golden data", 0.6);
  Converted result{std::move(model.graph), {}};
  result.manifest = make_manifest(path, options, result.graph, model);
  const precision::Outcome precision = lower_precision(options, result);
  if (report != nullptr) {
    report->source = model.source;
    report->nodes_before = model.nodes_before;
    report->passes = model.passes;
    report->precision = precision;
    report->quantized = model.quantized;
    fill_report(*report, result.graph);
    report->seconds = static_cast<double>(platform::monotonic_ns() - start) * 1e-9;
  }
  return result;
}

std::vector<std::byte> convert_file(const std::string& path, const ConvertOptions& options,
                                    Report* report) {
  const std::int64_t start = platform::monotonic_ns();
  const Converted converted = convert_graph(path, options, report);
  if (options.progress) options.progress("writing", 0.8);
  std::vector<std::byte> bytes = write_model(converted.graph, converted.manifest);
  const std::uint64_t taken =
      options.memory_budget == 0 ? 0 : session_bytes(bytes, options.memory_budget);
  if (report != nullptr) {
    report->file_bytes = static_cast<std::int64_t>(bytes.size());
    report->session_bytes = taken;
    report->seconds = static_cast<double>(platform::monotonic_ns() - start) * 1e-9;
  }
  if (options.progress) options.progress("done", 1.0);
  return bytes;
}

}  // namespace skiff::convert
