#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>

#include "converters/tool/options.h"
#include "converters/tool/report.h"
#include "platform/file.h"

namespace {

using namespace skiff;

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  platform::write_file_atomically(path, {&bytes, 1});
}

void convert_model(tool::Options& options) {
  options.convert.progress = tool::show_progress;
  convert::Report report;
  const auto bytes = convert::convert_file(options.model, options.convert, &report);
  write_file(options.output, bytes);
  if (!options.report.empty()) {
    const std::string json = tool::to_json(report);
    write_file(options.report, std::as_bytes(std::span(json)));
  }
  fmt::print("{}", tool::summary(report, options.output));
}

/// Wrong options are the caller's fault (2), everything else a refusal of the model (1).
int exit_code_of(const Error& error) {
  const bool usage =
      error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::not_found;
  return usage ? 2 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  auto options = tool::parse_options(argc, argv, exit_code);
  if (!options) return exit_code;
  try {
    convert_model(*options);
    if (std::fflush(stdout) == 0) return 0;
    fmt::print(stderr, "skiff-convert: cannot write to standard output: {}\n",
               std::generic_category().message(errno));
  } catch (const convert::Refused& refused) {
    fmt::print(stderr, "\nskiff-convert: {}: {}", options->model, tool::refusal_table(refused));
    return 1;
  } catch (const Error& error) {
    fmt::print(stderr, "\nskiff-convert: {}: {}\n", options->model, error.what());
    return exit_code_of(error);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "\nskiff-convert: {}: not enough memory\n", options->model);
  } catch (const std::exception& error) {
    fmt::print(stderr, "\nskiff-convert: {}: {}\n", options->model, error.what());
  }
  return 1;
}
