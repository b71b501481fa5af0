// skiff-conformance onnx FOLDER | tflite FOLDER|FILE...: third-party cases through converter, file,
// loader and session.
#include <fnmatch.h>
#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/core/error.h"
#include "tests/conformance/isolate.h"
#include "tests/conformance/tflite.h"

namespace skiff::conformance {
namespace {

struct Options {
  std::vector<std::string> paths;
  std::string folder, list, device = "cpu", json, only;
  int jobs = 1;
  int timeout = 300;
};

std::vector<CasePath> chosen_cases(const Options& options) {
  std::vector<CasePath> cases = find_cases(options.folder);
  std::set<std::string> listed;
  if (!options.list.empty()) {
    std::ifstream file(options.list);
    for (std::string line; std::getline(file, line);)
      if (!line.empty()) listed.insert(line);
    require(!listed.empty(), ErrorCode::invalid_argument, "--list ", options.list,
            " names no case");
  }
  std::erase_if(cases, [&](const CasePath& path) {
    const bool out = !options.list.empty() && listed.count(path.name) == 0;
    return out ||
           (!options.only.empty() && ::fnmatch(options.only.c_str(), path.name.c_str(), 0) != 0);
  });
  require(!cases.empty(), ErrorCode::not_found, options.folder,
          " holds no case that was asked for");
  return cases;
}

const char* kind_name(Outcome::Kind kind) {
  return kind == Outcome::Kind::passed   ? "passed"
         : kind == Outcome::Kind::failed ? "failed"
                                         : "refused";
}

int run_cases(const std::vector<CasePath>& cases, const Options& options) {
  int passed = 0, failed = 0, refused = 0, on_gpu = 0;
  nlohmann::ordered_json report = nlohmann::ordered_json::object();
  for (const CasePath& path : cases) report[path.name] = nullptr;
  run_isolated(cases, options.device, options.jobs, options.timeout,
               [&](std::size_t index, const Outcome& outcome) {
                 const char* kind = kind_name(outcome.kind);
                 passed += outcome.kind == Outcome::Kind::passed;
                 failed += outcome.kind == Outcome::Kind::failed;
                 refused += outcome.kind == Outcome::Kind::refused;
                 on_gpu += outcome.on_gpu;
                 if (outcome.kind != Outcome::Kind::passed)
                   std::cout << kind << " " << cases[index].name << ": " << outcome.reason << "\n";
                 report[cases[index].name] = {{"outcome", kind},
                                              {"reason", outcome.reason},
                                              {"max_rel_error", outcome.max_relative}};
               });
  if (options.json == "-")
    std::cout << report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  else if (!options.json.empty())
    std::ofstream(options.json) << report.dump(1, ' ', false,
                                               nlohmann::json::error_handler_t::replace)
                                << "\n";
  if (options.device == "cuda") std::cout << on_gpu << " with steps on the GPU\n";
  std::cout << passed << " passed, " << failed << " failed, " << refused << " refused\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace skiff::conformance

int main(int argc, char** argv) {
  using namespace skiff::conformance;
  CLI::App app("Runs third-party conformance cases through Skiff", "skiff-conformance");
  app.require_subcommand(1);
  Options options;
  CLI::App* onnx =
      app.add_subcommand("onnx", "ONNX backend cases: model.onnx with test_data_set_0");
  onnx->add_option("folder", options.folder, "folder of cases")->required();
  onnx->add_option("--list", options.list, "file with one case name a line: run only these");
  onnx->add_option("--only", options.only, "shell pattern of case names");
  CLI::App* tflite = app.add_subcommand("tflite", "TFLite files convert and run, or are refused");
  tflite->add_option("paths", options.paths, "folders and files")->required();
  for (CLI::App* command : {onnx, tflite}) {
    command->add_option("--device", options.device, "cpu or cuda")
        ->check(CLI::IsMember({"cpu", "cuda"}));
    command->add_option("--json", options.json, "write outcomes to this file (-: standard output)");
    command->add_option("--jobs", options.jobs, "cases at a time")->check(CLI::Range(1, 256));
    command->add_option("--timeout", options.timeout, "seconds a case may take");
  }
  try {
    app.parse(argc, argv);
    return run_cases(tflite->parsed() ? find_tflite_files(options.paths) : chosen_cases(options),
                     options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "skiff-conformance: " << error.what() << "\n";
    return 2;
  }
}
