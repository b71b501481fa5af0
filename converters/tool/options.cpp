#include "converters/tool/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "runtime/cli/byte_count.h"
#include "runtime/cli/near_match.h"
#include "runtime/cli/parse_number.h"
#include "runtime/cli/shape_flag.h"
#include "runtime/core/error.h"

namespace skiff::tool {
namespace {

/// What CLI11 only collects; turned into Options by interpret().
struct Raw {
  std::vector<std::string> shapes, dyns, states, binds, from, to, mean, std;
  std::string color, max_turns;
  std::string fit;  // "600M"
};

[[noreturn]] void wrong(const std::string& message) { fail(ErrorCode::invalid_argument, message); }

/// "name=value" in two.
std::pair<std::string, std::string> split(const std::string& flag, const std::string& text) {
  const std::size_t at = text.rfind('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    wrong(fmt::format("{} {}: should be NAME=VALUE", flag, text));
  return {text.substr(0, at), text.substr(at + 1)};
}

template <typename T>
T number(const std::string& flag, const std::string& text) {
  const auto value = cli::parse_number<T>(text);
  if (!value) wrong(fmt::format("{}: '{}' is not a number", flag, text));
  return *value;
}

std::vector<std::string> pieces(const std::string& text, char separator) {
  return CLI::detail::split(text, separator);
}

dynamic::Bounds parse_bounds(const std::string& text) {
  const auto [symbol, range] = split("--dyn", text);
  const auto parts = pieces(range, ':');
  if (parts.size() != 3 && parts.size() != 4)
    wrong(fmt::format("--dyn {}: should be {}=MIN:OPT:MAX", text, symbol));
  const auto part = [&](std::size_t i) { return number<std::int64_t>("--dyn", parts[i]); };
  return {symbol, part(0), part(1), part(2), parts.size() == 4 ? part(3) : 0};
}

void add_precision_flags(CLI::App& app, Options& options) {
  app.add_flag("--fp16")->description(
      "stores weights and what lies between nodes as float16; arithmetic, inputs and outputs stay "
      "float32");
  app.add_flag("--fp16-sums")
      ->description(
          "with --fp16: processors with float16 arithmetic may add up to 32 products at a time in "
          "it, for speed at the cost of precision; all others add in float32");
  app.add_flag("--bf16")->description(
      "the same as bfloat16: the range of float32, 8 bits of precision");
  app.add_flag("--int8")->description(
      "convolutions and products with constant weights on 8-bit integers, by the ranges that "
      "--calibrate shows; inputs and outputs stay as they are");
  app.add_option("--calibrate", options.convert.calibrate,
                 "samples of the inputs for --int8: a folder of .npz files or one, with an array "
                 "in/NAME or NAME for each input, of its dtype and shape; with one axis more in "
                 "front, an array holds several samples; or .png and .jpg files where --mean and "
                 "--std, or --task, say what becomes of them")
      ->allow_extra_args(false);
}

void add_flags(CLI::App& app, Options& options, Raw& raw) {
  convert::ConvertOptions& convert = options.convert;
  app.add_option("MODEL", options.model, "the trained model: .onnx or .tflite")->required();
  app.add_option("-o,--output", options.output, "the .skiff file to write")->required();
  app.add_option("--shape", raw.shapes, "fixes an input's shape: NAME=1x3x224x224")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option(
         "--dyn", raw.dyns,
         "leaves a size open within bounds: N=1:4:16 (min:opt:max, :multiple of if any) for "
         "a symbol of the model, INPUT:AXIS[,INPUT:AXIS]=1:4:16 for axes")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--state", raw.states,
                 "makes a pair the model's state: OUTPUT=INPUT, handed on from run to run")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--bind", raw.binds, "makes an input a constant: NAME=16000 or NAME=1,2,3")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--max-turns", raw.max_turns,
                 "bounds loops that nothing in the model bounds; a run that needs more turns fails")
      ->allow_extra_args(false);
  app.add_option("--from", raw.from, "tensors that become the inputs")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--to", raw.to, "tensors that become the outputs")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--fit", raw.fit,
                 "bytes that a run may take, e.g. 600M: sessions choose their algorithms by it")
      ->allow_extra_args(false);
  app.add_option("--mean", raw.mean, "mean of each colour, taken off pixels in [0, 1]")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--std", raw.std, "deviation of each colour, divided by")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--color", raw.color, "order of the colours: rgb, bgr or gray");
  app.add_flag("--uint8-input", convert.uint8_input,
               "the picture goes in as it is, uint8 [N, H, W, C]; --mean, --std and what --task "
               "says of pixels become part of the network");
  app.add_option("--labels", convert.labels, "a text file with a label a line");
  app.add_option("--task", convert.task, "a .json file: pre- and postprocessing to store");
  app.add_option("--golden", convert.golden, "inputs and outputs to store: a .npz file, or auto");
  app.add_option("--report", options.report, "writes what was done to a .json file");
  app.add_option("--dump-ir", convert.dump_folder, "writes the graph after each pass to a folder");
  app.add_flag("--strip-names")->description("stores no names but those of in- and outputs");
  add_precision_flags(app, options);
}

std::optional<fb::ColorOrder> parse_color(const std::string& text) {
  if (text.empty()) return std::nullopt;
  for (const fb::ColorOrder order : fb::EnumValuesColorOrder())
    if (text == fb::EnumNameColorOrder(order)) return order;
  wrong(fmt::format("--color {}: should be rgb, bgr or gray", text));
}

std::uint64_t parse_budget(const std::string& text) {
  try {
    return cli::parse_bytes(text);
  } catch (const Error& error) {
    wrong(fmt::format("--fit: {}", error.what()));
  }
}

std::int64_t parse_turns(const std::string& text) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24;
  if (text.empty()) return 0;
  const auto turns = number<std::int64_t>("--max-turns", text);
  if (turns < 1 || turns > kMost)
    wrong(fmt::format("--max-turns {}: should be from 1 to {}", text, kMost));
  return turns;
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

/// A flag that was given a value; null: none.
const CLI::Option* flag_with_value(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options())
    for (const std::string& value : option->results())
      if (is_flag(*option) && value != "true") return option;
  return nullptr;
}

void interpret_flags(const CLI::App& app, convert::ConvertOptions& convert) {
  if (const CLI::Option* flag = flag_with_value(app)) wrong(flag->get_name() + ": takes no value");
  const auto given = [&](const char* flag) { return app.count(flag) > 0; };
  convert.strip_names = given("--strip-names");
  const bool half = given("--fp16"), bfloat = given("--bf16"), int8 = given("--int8");
  if (half + bfloat + int8 > 1)
    wrong("--fp16, --bf16 and --int8 exclude each other: give one of them");
  convert.half_sums = given("--fp16-sums");
  if (convert.half_sums && !half)
    wrong("--fp16-sums goes with --fp16: add that, or leave both out");
  if (half) convert.precision = DType::float16;
  if (bfloat) convert.precision = DType::bfloat16;
  if (int8 && convert.calibrate.empty())
    wrong("--int8 needs samples of the inputs: --calibrate FOLDER|FILE.npz");
  if (!int8 && !convert.calibrate.empty())
    wrong("--calibrate goes with --int8: add that, or leave both out");
}

void interpret(const Raw& raw, Options& options) {
  convert::ConvertOptions& convert = options.convert;
  for (const std::string& text : raw.shapes) {
    const auto [name, extents] = split("--shape", text);
    convert.import.shapes[name] = cli::parse_shape(name, extents);
  }
  for (const std::string& text : raw.states) convert.states.insert(split("--state", text));
  for (const std::string& text : raw.dyns) convert.dynamic.push_back(parse_bounds(text));
  for (const std::string& text : raw.binds) {
    const auto [name, numbers] = split("--bind", text);
    for (const std::string& piece : pieces(numbers, ','))
      convert.bind[name].push_back(number<double>("--bind " + name, piece));
  }
  convert.import.from = raw.from;
  convert.import.to = raw.to;
  convert.memory_budget = parse_budget(raw.fit);
  for (const std::string& text : raw.mean) convert.mean.push_back(number<float>("--mean", text));
  for (const std::string& text : raw.std) convert.std.push_back(number<float>("--std", text));
  convert.color = parse_color(raw.color);
  convert.import.max_turns = parse_turns(raw.max_turns);
}

/// The last part of a path, of a folder too.
std::string name_of_file(const std::string& path) {
  const std::filesystem::path whole(path);
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

/// The options as they change the file, however they were written: without paths of outputs, so
/// that equal conversions give equal bytes wherever they are written.
std::vector<std::string> recorded(const CLI::App& app) {
  const auto among = [](const std::string& name, std::initializer_list<const char*> names) {
    return std::ranges::find(names, name) != names.end();
  };
  std::vector<std::string> record;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames()[0];
    if (among(name, {"output", "report", "dump-ir"})) continue;
    std::vector<std::string> values = option->results();
    if (is_flag(*option)) {
      record.push_back("--" + name);
      continue;
    }
    if (among(name, {"golden", "labels", "task", "calibrate"}))
      for (std::string& value : values) value = name_of_file(value);
    if (option->get_delimiter() != '\0') values = {CLI::detail::join(values, ",")};
    for (const std::string& value : values) record.push_back("--" + name + "=" + value);
  }
  return record;
}

/// What is wrong with how the options are written.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  if (const CLI::Option* flag = flag_with_value(app)) return flag->get_name() + ": takes no value";
  if (app.count("MODEL") == 0) return "no model is given: skiff-convert MODEL.onnx -o OUT.skiff";
  const std::string text = error.what(), name = text.substr(0, text.find(':'));
  const CLI::Option* option = app.get_option_no_throw(name);
  if (option == nullptr && app.count("--output") == 0)
    return "no file to write is given: skiff-convert MODEL.onnx -o OUT.skiff";
  if (option == nullptr || is_flag(*option)) return text;
  if (option->get_items_expected_max() == 1 && option->count() > 1)
    return fmt::format("{}: given {} times, takes one value", name, option->count());
  return name + ": needs a value";
}

void explain_unknown(const CLI::App& app, const std::string& text) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  const std::string flag = text.substr(0, text.find('='));
  const std::string meant = cli::near_match(flag, names);
  fmt::print(stderr, "skiff-convert: unknown argument {}{}\n", flag,
             meant.empty() ? "; --help lists all" : " (did you mean " + meant + "?)");
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv, int& exit_code) {
  Options options;
  Raw raw;
  CLI::App app("Converts a trained model to a .skiff file.", "skiff-convert");
  app.set_version_flag("--version", SKIFF_VERSION);
  add_flags(app, options, raw);
  app.allow_extras();
  exit_code = 2;
  try {
    app.parse(argc, argv);
    if (const auto extras = app.remaining(); !extras.empty()) {
      explain_unknown(app, extras[0]);
      return std::nullopt;
    }
    interpret_flags(app, options.convert);
    interpret(raw, options);
    options.convert.record = recorded(app);
    return options;
  } catch (const CLI::Success& success) {  // help or version
    exit_code = app.exit(success);
  } catch (const CLI::ParseError& error) {
    const auto extras = app.remaining();
    if (!extras.empty())
      explain_unknown(app, extras[0]);
    else
      fmt::print(stderr, "skiff-convert: {}\n", explain(app, error));
  } catch (const std::exception& error) {
    fmt::print(stderr, "skiff-convert: {}\n", error.what());
  }
  return std::nullopt;
}

}  // namespace skiff::tool
