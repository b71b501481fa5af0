#include "converters/tool/outputs.h"

#include <filesystem>
#include <memory>

#include "platform/file.h"
#include "runtime/core/error.h"

namespace skiff::tool {
namespace {

namespace fs = std::filesystem;

struct Output {
  const char* flag;
  const std::string& path;
};

std::vector<Output> outputs_of(const Options& options) {
  std::vector<Output> outputs{{"--output", options.output}};
  if (!options.report.empty()) outputs.push_back({"--report", options.report});
  return outputs;
}

/// One file, whatever it is called; also one that both would create.
bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  if (fs::equivalent(a, b, ignored)) return true;
  const fs::path whole = fs::weakly_canonical(a, ignored);
  return !whole.empty() && whole == fs::weakly_canonical(b, ignored);
}

std::vector<std::string> inputs_of(const Options& options) {
  const convert::ConvertOptions& convert = options.convert;
  std::vector<std::string> inputs{options.model};
  for (const std::string* path : {&convert.labels, &convert.task, &convert.calibrate})
    if (!path->empty()) inputs.push_back(*path);
  if (!convert.golden.empty() && convert.golden != "auto") inputs.push_back(convert.golden);
  std::error_code ignored;
  if (fs::is_directory(convert.calibrate, ignored))
    for (const auto& entry : fs::directory_iterator(convert.calibrate, ignored))
      inputs.push_back(entry.path().string());
  return inputs;
}

/// Whatever is wrong with an output's place is a matter of files, a folder that is missing as well.
template <typename Write>
void as_output(const char* flag, const Write& write) {
  try {
    write();
  } catch (const Error& error) {
    fail(ErrorCode::io, flag, ": ", error.what());
  }
}

void make_dump_folder(const std::string& folder) {
  if (folder.empty()) return;
  std::error_code error;
  fs::create_directories(folder, error);
  require(!error && fs::is_directory(folder), ErrorCode::io, "--dump-ir: cannot make the folder '",
          folder, "': ", error ? error.message() : "it is a file");
}

}  // namespace

void refuse_to_overwrite(const Options& options, std::span<const std::string> read) {
  for (const Output& output : outputs_of(options))
    for (const std::string& input : read)
      require(!same_file(output.path, input), ErrorCode::invalid_argument, output.flag, " ",
              output.path, ": would overwrite '", input, "', which is read; name another file");
}

void check_outputs(const Options& options) {
  refuse_to_overwrite(options, inputs_of(options));
  require(options.report.empty() || !same_file(options.output, options.report),
          ErrorCode::invalid_argument, "--report ", options.report,
          ": is the file that --output names");
  for (const Output& output : outputs_of(options))
    as_output(output.flag, [&] { platform::AtomicFileWriter(output.path); });
  make_dump_folder(options.convert.dump_folder);
}

void write_outputs(const Options& options, std::span<const std::byte> model,
                   const std::string& report) {
  const std::span<const std::byte> contents[] = {model, std::as_bytes(std::span(report))};
  const std::vector<Output> outputs = outputs_of(options);
  std::vector<std::unique_ptr<platform::AtomicFileWriter>> writers;
  for (const Output& output : outputs)
    as_output(output.flag, [&] {
      writers.push_back(std::make_unique<platform::AtomicFileWriter>(output.path));
      writers.back()->write(contents[writers.size() - 1]);
    });
  for (std::size_t i = 0; i < outputs.size(); ++i)
    as_output(outputs[i].flag, [&] { writers[i]->commit(); });
}

}  // namespace skiff::tool
