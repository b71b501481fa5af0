#include "runtime/cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "runtime/cli/byte_count.h"
#include "runtime/cli/near_match.h"
#include "runtime/cli/number_flags.h"
#include "runtime/cli/output.h"
#include "runtime/cli/shape_flag.h"
#include "runtime/core/error.h"

namespace skiff::cli {
namespace {

void parse_device(const std::string& text, SessionOptions& options) {
  constexpr std::string_view kNumbered = "cuda:";
  options.device = text == "auto"  ? DeviceKind::automatic
                   : text == "cpu" ? DeviceKind::cpu
                                   : DeviceKind::cuda;
  if (text == "auto" || text == "cpu" || text == "cuda") return;
  const char* const end = text.data() + text.size();
  const char* const digits = text.data() + std::min(kNumbered.size(), text.size());
  const auto [rest, error] = std::from_chars(digits, end, options.gpu);
  require(text.starts_with(kNumbered) && error == std::errc() && rest == end && options.gpu >= 0,
          ErrorCode::invalid_argument, "--device=", text, ": should be auto, cpu or cuda[:n]");
}

void print_log(void* user, LogLevel level, const char* message) {
  const auto& common = *static_cast<const Common*>(user);
  if (level > LogLevel::warning && !common.verbose) return;
  if (level <= LogLevel::warning && !common.warned.insert(message).second) return;
  fmt::print(stderr, "{}: {}\n", common.tool, message);
}

void show_progress(void* user, const char* stage, double done) {
  const auto& common = *static_cast<const Common*>(user);
  if (!common.verbose) common.loading->show(stage, done);
}

}  // namespace

std::pair<std::string, std::string> split_pair(const std::string& flag, const std::string& text) {
  const std::size_t at = text.find('=');
  require(at != std::string::npos && at > 0 && at + 1 < text.size(), ErrorCode::invalid_argument,
          flag, " ", text, ": should be NAME=VALUE");
  return {text.substr(0, at), text.substr(at + 1)};
}

LoadOptions Common::load_options() const {
  LoadOptions options;
  options.digests = digest == "on";
  options.memory_limit = parse_bytes(memory_limit);
  return options;
}

SessionOptions Common::session_options() const {
  SessionOptions options;
  parse_device(device, options);
  options.threads = threads;
  options.strict_gpu = strict_gpu;
  options.isa = isa.empty() ? nullptr : isa.c_str();
  options.memory_limit = parse_bytes(memory_limit);
  options.tuning = tune == "full" ? Tuning::full : tune == "fast" ? Tuning::fast : Tuning::off;
  options.plan_cache = plan_cache.empty() ? nullptr : plan_cache.c_str();
  options.tf32 = tf32;
  options.fuse = fuse == "off" ? Fuse::off : fuse == "on" ? Fuse::on : Fuse::automatic;
  options.log = {print_log, const_cast<Common*>(this)};
  options.progress = {show_progress, const_cast<Common*>(this)};
  require(!strict_gpu || options.device != DeviceKind::cpu, ErrorCode::invalid_argument,
          "--strict-gpu contradicts --device=cpu");
  return options;
}

Model Common::load() const {
  static_cast<void>(session_options());
  check_writable(json);
  return Model::load(model, load_options());
}

Session Common::session(const Model& loaded) const {
  Session made(loaded, session_options());
  loading->clear();
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : shapes) pairs.push_back(split_pair("--shape", text));
  std::vector<InputShape> wanted;
  for (const auto& [name, extents] : pairs) wanted.push_back({name, parse_shape(name, extents)});
  try {
    take_shapes(made, wanted);
  } catch (const Error& error) {
    fail(error.code(), "--shape: ", error.what());
  }
  return made;
}

void check_name(const std::string& flag, const std::string& name,
                const std::vector<std::string>& names) {
  if (std::ranges::find(names, name) != names.end()) return;
  const std::string meant = near_match(name, names);
  fail(ErrorCode::invalid_argument, flag, " ", name, "=...: the model has only ",
       fmt::format("{}", fmt::join(names, ", ")),
       meant.empty() ? "" : " (did you mean " + meant + "?)");
}

void take_shapes(Session& session, std::span<const InputShape> shapes) {
  session.prepare(shapes);
  const Status status = session.resize(shapes);
  require(status.ok(), status.code(), status.message());
}

void add_machine_flags(CLI::App& app, Common& c) {
  c.tool = "skiff " + app.get_name();
  app.add_option("--device", c.device, "auto, cpu or cuda[:n]");
  app.add_option("--json", c.json, "writes the result as JSON to a file, or - for standard output");
  app.add_flag("--verbose", c.verbose, "say more");
}

void add_common_flags(CLI::App& app, Common& c) {
  add_machine_flags(app, c);
  app.add_option("MODEL", c.model, "the .skiff file")->required();
  app.add_flag("--strict-gpu", c.strict_gpu, "fail instead of falling back to the CPU");
  app.add_option("--threads", c.threads, "threads, the calling one included")
      ->check(whole_number(1));
  app.add_option("--isa", c.isa, "instruction set: avx2, avx512, neon, ... (the best one here)");
  app.add_option("--memory-limit", c.memory_limit, "most bytes to take, e.g. 600M");
  app.add_option("--digest", c.digest, "check the file's SHA-256: on or off")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--tune", c.tune,
                 "GPU: time algorithms when loading, off, fast or full (also within the network)")
      ->check(CLI::IsMember({"off", "fast", "full"}));
  app.add_option("--plan-cache", c.plan_cache,
                 "GPU: file with what tuning found; used with --tune=off too when it is named");
  app.add_flag(
      "--tf32", c.tf32,
      "GPU: float32 products may use tensor cores, operands rounded to 10 bits of fraction");
  app.add_option("--fuse", c.fuse,
                 "layers that follow each other as one step: auto (where it pays), off, on")
      ->check(CLI::IsMember({"auto", "off", "on"}));
  app.add_option("--shape", c.shapes, "NAME=1x3x224x224: a size within the model's bounds")
      ->take_all()
      ->allow_extra_args(false);
}

}  // namespace skiff::cli
