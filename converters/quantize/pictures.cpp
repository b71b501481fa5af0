#include "converters/quantize/pictures.h"

#include <skiff/vision.h>

#include <algorithm>
#include <array>

#include "converters/writer.h"
#include "runtime/cli/pictures.h"

namespace skiff::quantize {
namespace {

std::vector<std::byte> with_input_of(const ir::Graph& graph,
                                     std::span<const fb::PreprocessT> preprocess) {
  const ir::Value& source = graph.value(graph.visible_inputs()[0]);
  ir::Graph network;
  const ir::ValueId input = network.add_input(source.name, source.dtype, source.shape);
  fb::ShapeAttrsT same;
  same.shape.assign(source.shape.begin(), source.shape.end());
  network.outputs = {network.add(fb::OpKind::reshape, same, {input}, "same")};
  convert::Manifest manifest;
  manifest.preprocess.assign(preprocess.begin(), preprocess.end());
  return convert::write_model(network, manifest);
}

}  // namespace

bool is_picture(const std::string& file) {
  constexpr std::array kSuffixes = {".png", ".jpg", ".jpeg", ".bmp"};
  return std::ranges::any_of(kSuffixes, [&](const char* suffix) { return file.ends_with(suffix); });
}

bool PictureReader::can_read(const ir::Graph& graph, std::span<const fb::PreprocessT> preprocess) {
  return graph.visible_inputs().size() == 1 && preprocess.size() == 1 && preprocess[0].input == 0;
}

PictureReader::PictureReader(const ir::Graph& graph, std::span<const fb::PreprocessT> preprocess)
    : file_(with_input_of(graph, preprocess)),
      session_(Model::from_bytes(file_), {.device = DeviceKind::cpu}) {}

npy::Archive PictureReader::read(const std::string& file) {
  const cli::Picture picture = cli::load_picture(file);
  set_image(session_, picture.image);
  const Tensor input = session_.input(0);
  return {{std::string(input.name()),
           {input.dtype(), input.shape(), {input.bytes().begin(), input.bytes().end()}}}};
}

}  // namespace skiff::quantize
