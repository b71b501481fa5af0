// skiff-plan FILE.csv: plans a memory problem of minimalloc's format and judges the result.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory_resource>
#include <string>

#include <fmt/format.h>
#include <skiff/error.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "runtime/plan/judge.h"
#include "runtime/plan/solve.h"
#include "tests/plan/csv.h"

namespace {

struct Arguments {
  std::string file, json, out;
  std::int64_t capacity = 0, alignment = 1, nodes = -1;  // -1: enough for a minute
  bool minimize = false;
};

struct Report {
  skiff::plan::Solution solution;
  skiff::plan::Verdict verdict;
  std::int64_t capacity;
  double seconds;
};

Report plan(const Arguments& arguments, const skiff::plan::CsvProblem& csv) {
  using Clock = std::chrono::steady_clock;
  skiff::plan::Problem problem{csv.buffers, arguments.alignment, arguments.capacity};
  if (problem.capacity == 0 && !arguments.minimize) {
    problem.capacity = skiff::plan::capacity_in_name(arguments.file);
  }
  const std::int64_t nodes = arguments.nodes >= 0   ? arguments.nodes
                             : problem.capacity > 0 ? 20'000'000
                                                    : 5'000'000;
  auto& memory = *std::pmr::get_default_resource();
  const auto begin = Clock::now();
  auto solution = skiff::plan::solve(problem, {nodes}, memory);
  const std::chrono::duration<double> time = Clock::now() - begin;
  const auto verdict = skiff::plan::valid(problem, solution.offsets, solution.height, memory);
  return {std::move(solution), verdict, problem.capacity, time.count()};
}

double gap_percent(const skiff::plan::Solution& s) {
  if (s.lower_bound == 0) return 0;
  return 100.0 * static_cast<double>(s.height - s.lower_bound) / static_cast<double>(s.lower_bound);
}

std::string fault_text(const Report& report) {
  if (report.verdict) return "yes";
  return fmt::format("NO: {} (buffers {} and {})", name_of(report.verdict.fault),
                     report.verdict.first, report.verdict.second);
}

void print(const Report& report, std::size_t buffers) {
  const auto& s = report.solution;
  fmt::print("buffers      {}\n", buffers);
  if (report.capacity > 0) {
    const char* answer = s.fits ? "fits" : s.infeasible ? "nothing fits: proved" : "not reached";
    fmt::print("capacity     {} ({})\n", report.capacity, answer);
  }
  fmt::print("lower bound  {}\n", s.lower_bound);
  fmt::print("height       {} (+{:.2f} %)\n", s.height, gap_percent(s));
  fmt::print("certificate  {}\n", name_of(s.certificate));
  fmt::print("nodes        {}\n", s.nodes);
  fmt::print("time         {:.3f} s\n", report.seconds);
  fmt::print("valid        {}\n", fault_text(report));
}

void write_json(const std::string& path, const Report& report, std::size_t buffers) {
  const auto& s = report.solution;
  const nlohmann::ordered_json json = {{"buffers", buffers},
                                       {"capacity", report.capacity},
                                       {"lower_bound", s.lower_bound},
                                       {"height", s.height},
                                       {"gap_percent", gap_percent(s)},
                                       {"certificate", name_of(s.certificate)},
                                       {"fits", s.fits},
                                       {"infeasible", s.infeasible},
                                       {"nodes", s.nodes},
                                       {"seconds", report.seconds},
                                       {"valid", static_cast<bool>(report.verdict)}};
  if (path == "-") {
    fmt::print("{}\n", json.dump(2));
    return;
  }
  std::ofstream file(path);
  file << json.dump(2) << '\n';
  file.flush();
  if (!file) throw skiff::Error(skiff::ErrorCode::io, path + ": cannot be written");
}

int run(const Arguments& arguments) {
  const auto csv = skiff::plan::read_csv(arguments.file);
  const Report report = plan(arguments, csv);
  if (arguments.json != "-") print(report, csv.buffers.size());
  if (!arguments.json.empty()) write_json(arguments.json, report, csv.buffers.size());
  if (!arguments.out.empty()) {
    const auto& offsets = report.solution.offsets;
    skiff::plan::write_csv(arguments.out, csv, {offsets.begin(), offsets.end()});
  }
  return report.verdict && report.solution.fits ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Plans memory: offsets for buffers with known lifetimes"};
  Arguments arguments;
  app.add_option("FILE", arguments.file, "id,lower,upper,size")->required();
  auto* capacity = app.add_option("--capacity", arguments.capacity,
                                  "bytes to fit into (default: from the file's name)");
  capacity->check(CLI::PositiveNumber);
  app.add_flag("--minimize", arguments.minimize, "find the smallest height")->excludes(capacity);
  app.add_option("--alignment", arguments.alignment, "of offsets and sizes (default 1)")
      ->check(CLI::PositiveNumber);
  app.add_option("--nodes", arguments.nodes, "limit of the exact search, in placements")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", arguments.out, "write a CSV with offsets");
  app.add_option("--json", arguments.json, "write the report to a file, or - for standard output");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return run(arguments);
  } catch (const skiff::Error& error) {
    fmt::print(stderr, "skiff-plan: {}\n", error.what());
    return 1;
  }
}
