#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <string_view>
#include <system_error>

#include "converters/tool/options.h"
#include "converters/tool/outputs.h"
#include "converters/tool/report.h"
#include "runtime/cli/progress.h"
#include "runtime/core/error.h"

namespace {

using namespace skiff;

/// Errors of the conversion say which model it was.
std::vector<std::byte> convert_model(const tool::Options& options, convert::Report& report) {
  try {
    return convert::convert_file(options.model, options.convert, &report);
  } catch (const convert::Refused&) {
    throw;
  } catch (const Error& error) {
    if (std::string_view(error.what()).find(options.model) != std::string_view::npos) throw;
    fail(error.code(), options.model, ": ", error.what());
  }
}

void perform(tool::Options& options) {
  cli::Progress bar;
  options.convert.progress = [&](const char* stage, double done) { bar.show(stage, done); };
  tool::check_outputs(options);
  convert::Report report;
  const auto bytes = convert_model(options, report);
  bar.clear();
  tool::refuse_to_overwrite(options, report.source.files);
  tool::write_outputs(options, bytes, tool::to_json(report));
  fmt::print("{}", tool::summary(report, options.output));
}

/// Wrong options are the caller's fault (2), everything else a refusal of the model or a file that
/// failed (1).
int exit_code_of(const Error& error) {
  const bool usage =
      error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::not_found;
  return usage ? 2 : 1;
}

void complain(std::string_view what) { fmt::print(stderr, "skiff-convert: {}\n", what); }

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  auto options = tool::parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  try {
    perform(*options);
    if (std::fflush(stdout) == 0) return 0;
    complain(
        fmt::format("cannot write to standard output: {}", std::generic_category().message(errno)));
  } catch (const convert::Refused& refused) {
    complain(fmt::format("{}: {}", options->model, tool::refusal_table(refused)));
  } catch (const Error& error) {
    complain(error.what());
    return exit_code_of(error);
  } catch (const std::bad_alloc&) {
    complain(options->model + ": not enough memory");
  } catch (const std::exception& error) {
    complain(options->model + ": " + error.what());
  }
  return 1;
}
