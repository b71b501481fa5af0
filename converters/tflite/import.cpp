#include "converters/import.h"

#include <utility>

#include "converters/tflite/import_bytes.h"
#include "converters/tflite/importer.h"
#include "converters/tflite/tensors.h"
#include "platform/sha256.h"
#include "platform/whole_file.h"

namespace skiff::convert {
namespace {

constexpr std::size_t kMaxProducerLength = 256;

std::vector<std::byte> read_file(const std::string& path) {
  const platform::File file(path.c_str());
  require(file.size() < (std::uint64_t{1} << 31), ErrorCode::unsupported, "'", path, "' has ",
          file.size(), " bytes: TFLite files of 2 GiB and more cannot be read");
  return platform::read_whole(file);
}

Imported import_owned(std::vector<std::byte> bytes, const ImportOptions& options) {
  Source source{.format = "tflite",
                .sha256 = platform::to_hex(platform::sha256(bytes)).data(),
                .producer = {},
                .opset = 0};
  tfl::Model model(std::move(bytes));
  source.opset = static_cast<int>(model.root().version());
  if (const auto* description = model.root().description())
    source.producer = description->str().substr(0, kMaxProducerLength);
  tfl::Importer importer(std::move(model), options);
  Imported imported{.graph = importer.run(), .source = std::move(source), .shapes = {}};
  imported.guessed = importer.guessed();
  return imported;
}

}  // namespace

Imported import_tflite_bytes(std::span<const std::byte> bytes, const ImportOptions& options) {
  return import_owned({bytes.begin(), bytes.end()}, options);
}

std::vector<DeclaredInput> declared_inputs_tflite(const std::string& path) {
  const tfl::Model model(read_file(path));
  std::vector<DeclaredInput> inputs;
  for (std::int64_t tensor : tfl::to_list(model.main().inputs())) {
    const auto index = static_cast<int>(tensor);
    DeclaredInput& input = inputs.emplace_back();
    input.name = model.tensor_name(index);
    for (std::int64_t extent : tfl::declared_dims(model.tensor(index)))
      input.dims.push_back({extent, {}});
  }
  return inputs;
}

Imported import_tflite(const std::string& path, const ImportOptions& options) {
  return import_owned(read_file(path), options);
}

}  // namespace skiff::convert
