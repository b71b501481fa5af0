#include "converters/quantize/samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/core/error.h"

namespace skiff::quantize {
namespace {

namespace fs = std::filesystem;

bool is_sample(const std::string& file) { return file.ends_with(".npz") || is_picture(file); }

std::vector<std::string> files_of(const std::string& source) {
  if (!fs::is_directory(source)) {
    require(fs::exists(source), ErrorCode::not_found, "--calibrate ", source,
            ": no such file or folder");
    require(is_sample(source), ErrorCode::invalid_argument, "--calibrate ", source,
            ": should be a .npz file or a folder of them");
    return {source};
  }
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(source))
    if (entry.is_regular_file() && is_sample(entry.path().string()))
      files.push_back(entry.path().string());
  require(!files.empty(), ErrorCode::not_found, "--calibrate ", source,
          ": no .npz file in this folder; each holds one sample, an array for every input");
  std::ranges::sort(files);
  return files;
}

Shape with_axis(const Shape& shape, std::int64_t count) {
  Shape result{count};
  for (const std::int64_t extent : shape) result.push_back(extent);
  return result;
}

/// True when `array` holds samples of that shape along an axis of its own.
bool holds_several(const Shape& array, const Shape& sample) {
  return array.rank() == sample.rank() + 1 && array == with_axis(sample, array[0]);
}

template <typename T>
bool all_finite(std::span<const std::byte> bytes) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    if (!std::isfinite(number)) return false;
  }
  return true;
}

bool all_finite(const npy::Array& array) {
  if (array.dtype == DType::float32) return all_finite<float>(array.bytes);
  if (array.dtype == DType::float64) return all_finite<double>(array.bytes);
  return true;
}

}  // namespace

Samples::Samples(std::string source, const ir::Graph& graph,
                 std::span<const fb::PreprocessT> preprocess)
    : source_(std::move(source)), files_(files_of(source_)) {
  const auto picture = std::ranges::find_if(files_, is_picture);
  if (picture != files_.end() && PictureReader::can_read(graph, preprocess))
    pictures_ = std::make_unique<PictureReader>(graph, preprocess);
  require(
      pictures_ != nullptr || picture == files_.end(), ErrorCode::invalid_argument, "--calibrate ",
      picture == files_.end() ? source_ : *picture,
      ": nothing says how a picture becomes the model's input; give --mean and --std, or --task, "
      "for a model with one input, or .npz files");
  for (const ir::ValueId id : graph.visible_inputs()) {
    const ir::Value& value = graph.value(id);
    inputs_.push_back({value.name, value.dtype, value.shape});
  }
}

std::size_t Samples::for_each(const Use& use) const {
  std::size_t taken = 0;
  for (std::size_t f = 0; f < files_.size(); ++f) {
    const npy::Archive arrays = read(files_[f]);
    const std::int64_t held = count(arrays, files_[f]);
    for (std::int64_t i = 0; i < held; ++i, ++taken)
      use(sample(arrays, i),
          (static_cast<double>(f) + static_cast<double>(i) / static_cast<double>(held)) /
              static_cast<double>(files_.size()));
  }
  require(taken > 0, ErrorCode::not_found, "--calibrate ", source_, ": holds no sample");
  return taken;
}

/// The inputs' arrays alone, by the inputs' names.
npy::Archive Samples::read(const std::string& file) const {
  npy::Archive all;
  try {
    all = is_picture(file) ? pictures_->read(file) : npy::load_npz(file);
  } catch (const Error& error) {
    const bool named = std::string_view(error.what()).find(file) != std::string_view::npos;
    fail(error.code(), "--calibrate", named ? "" : " " + file, ": ", error.what());
  }
  npy::Archive arrays;
  for (const Input& input : inputs_) {
    const npy::Array* array = npy::find(all, "in/", input.name);
    require(array != nullptr, ErrorCode::not_found, "--calibrate ", file, ": no array in/",
            input.name, " or ", input.name, ", which the model's input '", input.name, "' needs");
    const bool fits = array->dtype == input.dtype &&
                      (array->shape == input.shape || holds_several(array->shape, input.shape));
    require(fits, ErrorCode::invalid_argument, "--calibrate ", file, ": '", input.name, "' is ",
            array->dtype, " ", array->shape, ", the model's input ", input.dtype, " ", input.shape,
            "; several samples have one axis more: ", with_axis(input.shape, 2));
    require(all_finite(*array), ErrorCode::invalid_argument, "--calibrate ", file, ": '",
            input.name, "' holds a NaN or an infinity; take this sample out");
    arrays.emplace(input.name, *array);
  }
  return arrays;
}

/// How many samples a file's arrays hold.
std::int64_t Samples::count(const npy::Archive& arrays, const std::string& file) const {
  const auto count_of = [&](const Input& input) {
    const Shape& shape = arrays.at(input.name).shape;
    return shape == input.shape ? std::int64_t{-1} : shape[0];
  };
  if (inputs_.empty()) return 1;
  const std::int64_t first = count_of(inputs_[0]);
  for (const Input& input : inputs_)
    require(count_of(input) == first, ErrorCode::invalid_argument, "--calibrate ", file, ": '",
            inputs_[0].name, "' ", arrays.at(inputs_[0].name).shape, " and '", input.name, "' ",
            arrays.at(input.name).shape, " do not hold the same number of samples");
  return first < 0 ? 1 : first;
}

npy::Archive Samples::sample(const npy::Archive& arrays, std::int64_t at) const {
  npy::Archive result;
  for (const Input& input : inputs_) {
    const std::vector<std::byte>& all = arrays.at(input.name).bytes;
    const auto size = input.shape.elements() * static_cast<std::int64_t>(size_of(input.dtype));
    const auto begin = all.begin() + at * size;
    result.emplace(input.name, npy::Array{input.dtype, input.shape, {begin, begin + size}});
  }
  return result;
}

}  // namespace skiff::quantize
