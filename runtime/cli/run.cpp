#include <fmt/format.h>

#include <set>

#include "platform/clock.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/compare.h"
#include "runtime/cli/gpu.h"
#include "runtime/cli/number_flags.h"
#include "runtime/cli/output.h"
#include "runtime/cli/tensors.h"
#include "runtime/core/error.h"

namespace skiff::cli {
namespace {

struct Options {
  Common common;
  std::vector<std::string> inputs, outputs, comparisons;
  double rtol = 1e-3, atol = 1e-5;
};

/// Names and files of the flags, before anything long begins.
void check_flags(const Model& model, const Options& options) {
  std::vector<std::string> inputs, outputs;
  for (std::size_t i = 0; i < model.input_count(); ++i) inputs.emplace_back(model.input(i).name);
  for (std::size_t i = 0; i < model.output_count(); ++i) outputs.emplace_back(model.output(i).name);
  std::set<std::string> filled;
  for (const std::string& text : options.inputs) {
    const auto name = split_pair("--input", text).first;
    check_name("--input", name, inputs);
    filled.insert(name);
  }
  for (const std::string& input : inputs)
    require(filled.contains(input), ErrorCode::invalid_argument, "no --input ", input, "=FILE");
  for (const std::string& text : options.comparisons)
    check_name("--compare", split_pair("--compare", text).first, outputs);
  for (const std::string& text : options.outputs) {
    const auto [name, path] = split_pair("--output", text);
    check_name("--output", name, outputs);
    check_tensor_file(path);
  }
}

void fill_all(Session& session, const Options& options) {
  std::vector<InputFile> files;
  for (const std::string& text : options.inputs) {
    const auto [name, path] = split_pair("--input", text);
    files.push_back({name, path});
  }
  fill_inputs(session, files);
}

std::string summary(const Tensor& output) {
  const auto count = static_cast<std::size_t>(output.shape().elements());
  std::string first;
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 6); ++i)
    first += fmt::format(" {:g}", number_at(output.dtype(), output.bytes().data(), i));
  return fmt::format("  {} {} {}:{}{}\n", output.name(), name_of(output.dtype()),
                     shape_text(output.shape()), first, count > 6 ? " ..." : "");
}

/// Compares as --compare asks for; whether all agree.
bool compare_outputs(const Session& session, const Options& options, Json& json,
                     std::string& text) {
  bool good = true;
  for (const std::string& pair : options.comparisons) {
    const auto [name, path] = split_pair("--compare", pair);
    const Tensor output = session.output(name);
    const auto expected = read_array(output.desc(), "out/", path);
    const Difference d = compare(output, expected.bytes, options.rtol, options.atol);
    good = good && d.beyond == 0;
    text += fmt::format(
        "  {}: {}; relative L2 {:.3g}, largest difference {:.3g} at {}, {} of {} beyond "
        "{:g} + {:g} |expected|\n",
        name, d.beyond == 0 ? "agrees" : "DIFFERS", d.relative_l2, d.max_absolute, d.worst,
        d.beyond, output.shape().elements(), options.atol, options.rtol);
    json["compare"][name] = {{"agrees", d.beyond == 0},
                             {"relative_l2", d.relative_l2},
                             {"max_relative", d.max_relative},
                             {"max_absolute", d.max_absolute},
                             {"beyond", d.beyond}};
  }
  return good;
}

int run(const Options& options) {
  const Model model = options.common.load();
  Session session = options.common.session(model);
  check_flags(model, options);
  fill_all(session, options);
  const std::int64_t begin = platform::monotonic_ns();
  const Status status = session.run();
  const double ms = static_cast<double>(platform::monotonic_ns() - begin) / 1e6;
  require(status.ok(), status.code(), "node ", status.node(), ": ", status.message());

  Json json = {{"model", model.name()},
               {"device", name_of(session.device())},
               {"run_ms", ms},
               {"outputs", Json::array()}};
  std::string text = fmt::format("{}: {:.3f} ms, {} thread(s), {}\n", options.common.model, ms,
                                 session.threads(), processor_text(session));
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const Tensor output = session.output(i);
    text += summary(output);
    json["outputs"].push_back({{"name", output.name()},
                               {"dtype", name_of(output.dtype())},
                               {"shape", output.shape().extents()}});
  }
  for (const std::string& pair : options.outputs) {
    const auto [name, path] = split_pair("--output", pair);
    write_tensor(session.output(name), path);
  }
  const bool good = compare_outputs(session, options, json, text);
  if (options.common.json != "-") fmt::print("{}", text);
  write_json(json, options.common.json);
  return good ? 0 : 1;
}

}  // namespace

Action add_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_common_flags(app, options->common);
  app.add_option(
         "--input", options->inputs,
         "NAME=FILE: .npy, .npz, .raw, .pb (test builds), or a picture where the model takes one")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--output", options->outputs, "NAME=FILE: writes .npy, .npz or .raw")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--compare", options->comparisons, "NAME=FILE: fails unless the output is like it")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--rtol", options->rtol, "relative tolerance of --compare")->check(real_number(0));
  app.add_option("--atol", options->atol, "absolute tolerance of --compare")->check(real_number(0));
  return [options] { return run(*options); };
}

}  // namespace skiff::cli
