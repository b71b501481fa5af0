#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converters/ir/graph.h"
#include "converters/npy/npy.h"
#include "converters/quantize/pictures.h"

namespace skiff::quantize {

/// The samples that --calibrate names. Files are read when they are needed, one at a time.
class Samples {
 public:
  /// `source` is a file or a folder of them, which are taken in order of their names. A .npz file
  /// holds an array for each of the graph's inputs, called in/NAME or NAME, of the input's dtype
  /// and shape; or several samples: then each array has one axis more, in front. A picture is a
  /// sample of a graph whose only input `preprocess` describes. Throws Error{not_found,
  /// invalid_argument} when there is none, or a picture that nothing describes.
  Samples(std::string source, const ir::Graph& graph,
          std::span<const fb::PreprocessT> preprocess = {});

  /// A sample's arrays by the inputs' names, and the share of the samples before it.
  using Use = std::function<void(const npy::Archive& inputs, double done)>;
  /// Calls `use` for each sample; returns how many there are, at least one. Throws
  /// Error{not_found, invalid_argument} naming the file and the array that is missing, does not
  /// fit, or holds a NaN or an infinity, and Error{invalid_model} for damaged files.
  std::size_t for_each(const Use& use) const;

 private:
  struct Input {
    std::string name;
    DType dtype;
    Shape shape;
  };

  std::string source_;
  std::vector<std::string> files_;
  std::vector<Input> inputs_;
  std::unique_ptr<PictureReader> pictures_;  // null: none can be read

  npy::Archive read(const std::string& file) const;
  std::int64_t count(const npy::Archive& arrays, const std::string& file) const;
  npy::Archive sample(const npy::Archive& arrays, std::int64_t at) const;
};

}  // namespace skiff::quantize
