#pragma once

#include <skiff/session.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/cli/progress.h"

namespace skiff::cli {

/// Flags that every subcommand with a model has.
struct Common {
  std::string tool;  ///< "skiff bench": what it says begins so
  std::string model;
  std::string device = "auto";
  bool strict_gpu = false;
  int threads = 1;
  std::string isa;
  std::string memory_limit;  ///< "600M"
  std::string digest = "on";
  std::string tune = "off";
  std::string plan_cache;
  bool tf32 = false;
  std::string fuse = "auto";
  std::vector<std::string> shapes;
  std::string json;  ///< a file, "-" for standard output, "" for none
  bool verbose = false;
  mutable std::set<std::string> warned;  ///< each warning is printed once
  std::shared_ptr<Progress> loading = std::make_shared<Progress>();  ///< of tuning

  /// What the library takes; texts stay here. All throw Error.
  LoadOptions load_options() const;
  SessionOptions session_options() const;
  /// Looks first whether flags contradict each other and the JSON file can be written.
  Model load() const;
  /// A session with the shapes --shape asks for.
  Session session(const Model& model) const;
};

/// Gives inputs other shapes, which are prepared first. Throws Error.
void take_shapes(Session& session, std::span<const InputShape> shapes);

void add_common_flags(CLI::App& app, Common& common);
/// Those of them that make sense without a model.
void add_machine_flags(CLI::App& app, Common& common);

/// Throws Error{invalid_argument}, which names the flag and what may have been meant, unless `name`
/// is one of `names`.
void check_name(const std::string& flag, const std::string& name,
                const std::vector<std::string>& names);

/// "name=value" in two. Throws Error{invalid_argument} that names the flag.
std::pair<std::string, std::string> split_pair(const std::string& flag, const std::string& text);

/// A subcommand: add_NAME() declares its flags and returns what to do once they are read, which
/// gives the exit code. Whatever fails throws Error.
using Action = std::function<int()>;
Action add_bench(CLI::App& app);
Action add_doctor(CLI::App& app);
Action add_inspect(CLI::App& app);
Action add_profile(CLI::App& app);
Action add_run(CLI::App& app);
Action add_verify(CLI::App& app);

}  // namespace skiff::cli
