#include "tests/conformance/tflite.h"

#include <algorithm>

#include "converters/import.h"
#include "runtime/core/error.h"

namespace skiff::conformance {
namespace {

namespace fs = std::filesystem;

bool is_model(const fs::path& path) {
  return path.extension() == ".tflite" || path.extension() == ".bin";
}

/// Noise in [-1, 1) for floats; zeros for everything else, as indices are in range then.
onnx::Dense made_up(const ir::Value& input) {
  onnx::Dense dense{.dtype = input.dtype, .shape = input.shape, .bytes = {}};
  const auto count = static_cast<std::size_t>(input.shape.elements());
  dense.bytes.resize(count * size_of(input.dtype));
  if (input.dtype != DType::float32) return dense;
  std::vector<float> numbers(count);
  std::uint32_t state = 1;
  for (float& number : numbers) {
    state = state * 1664525U + 1013904223U;
    number = static_cast<float>(state >> 16) / 32768.0F - 1;
  }
  dense.bytes = ir::bytes_of(std::span<const float>(numbers));
  return dense;
}

std::string summary(const convert::Refused& refused) {
  const auto& list = refused.refusals();
  const std::string more =
      list.size() == 1 ? "" : " and " + std::to_string(list.size() - 1) + " more";
  return list.front().op + " '" + list.front().node + "': " + list.front().reason + more;
}

}  // namespace

std::vector<CasePath> find_tflite_files(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    require(fs::exists(path), ErrorCode::not_found, "no file or folder ", path);
    if (!fs::is_directory(path)) {
      files.emplace_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file() && is_model(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<CasePath> cases;
  for (const fs::path& file : files) cases.push_back({file.string(), file, {}});
  return cases;
}

Outcome run_tflite_file(const CasePath& path, const std::string& device) noexcept {
  try {
    const ir::Graph graph = prepare(
        [&](const auto& at) { return convert::import_tflite(path.model.string(), at); }, {});
    Tensors inputs;
    for (ir::ValueId input : graph.visible_inputs())
      inputs[graph.value(input).name] = made_up(graph.value(input));
    const Run run = execute(graph, inputs, device);
    return {.kind = Outcome::Kind::passed, .on_gpu = run.on_gpu};
  } catch (const convert::Refused& refused) {
    return {Outcome::Kind::refused, summary(refused)};
  } catch (const Error& error) {
    const bool refused = error.code() == ErrorCode::unsupported ||
                         error.code() == ErrorCode::invalid_model ||
                         error.code() == ErrorCode::budget_exceeded;
    return {refused ? Outcome::Kind::refused : Outcome::Kind::failed, error.what()};
  } catch (const std::exception& error) {
    return {Outcome::Kind::failed, error.what()};
  }
}

}  // namespace skiff::conformance
