#pragma once

#include <skiff/session.h>

#include <span>
#include <string>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/npy/npy.h"

namespace skiff::quantize {

/// True for names of files that hold pictures: .png, .jpg, .jpeg, .bmp.
bool is_picture(const std::string& file);

/// Makes a network's input of pictures, as the runtime does it for a file with that preprocessing.
class PictureReader {
 public:
  /// For a graph with one input that `preprocess` describes; can_read() says whether it is.
  PictureReader(const ir::Graph& graph, std::span<const fb::PreprocessT> preprocess);
  static bool can_read(const ir::Graph& graph, std::span<const fb::PreprocessT> preprocess);

  /// The input's array by its name. Throws Error{not_found, invalid_argument} for what is no
  /// picture.
  npy::Archive read(const std::string& file);

 private:
  std::vector<std::byte> file_;  // of a network that has the input and hands it on
  Session session_;
};

}  // namespace skiff::quantize
