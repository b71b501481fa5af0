#include "runtime/cli/tensors.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "platform/file.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/onnx_tensor.h"
#include "runtime/cli/output.h"
#include "runtime/cli/pictures.h"
#include "runtime/core/error.h"
#include "runtime/core/half.h"

namespace skiff::cli {
namespace {

bool ends_with_any(const std::string& path, std::initializer_list<const char*> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](const char* ending) { return path.ends_with(ending); });
}

/// What a file holds is wrong: a job that failed, where invalid_argument is a wrong flag.
constexpr ErrorCode kBadContent = ErrorCode::invalid_model;

npy::Array read_raw(const TensorDesc& desc, const std::string& path) {
  const platform::File file(path.c_str());
  const auto wanted = static_cast<std::uint64_t>(desc.shape.elements()) * size_of(desc.dtype);
  require(file.size() == wanted, kBadContent, path, " has ", file.size(), " bytes, '", desc.name,
          "' of ", desc.dtype, " ", desc.shape, " has ", wanted);
  npy::Array array{desc.dtype, desc.shape, std::vector<std::byte>(wanted)};
  file.read_at(0, array.bytes);
  return array;
}

npy::Array pick(npy::Archive arrays, const std::string& prefix, const std::string& name,
                const std::string& path) {
  for (const std::string& key : {prefix + name, name})
    if (const auto found = arrays.find(key); found != arrays.end()) return std::move(found->second);
  require(arrays.size() == 1, kBadContent, path, " holds no array ", prefix, name);
  return std::move(arrays.begin()->second);
}

/// As read_array, of any shape.
npy::Array load_array(const TensorDesc& desc, const std::string& prefix, const std::string& path) {
  if (path.ends_with(".raw")) return read_raw(desc, path);
  require(ends_with_any(path, {".npy", ".npz", ".pb"}), ErrorCode::invalid_argument, path,
          ": should end with .npy, .npz or .raw (inputs of pictures: .png, .jpg, .bmp)");
  npy::Array array = path.ends_with(".npy") ? npy::load_npy(path)
                     : path.ends_with(".pb")
                         ? read_onnx_tensor(path)
                         : pick(npy::load_npz(path), prefix, std::string(desc.name), path);
  require(array.dtype == desc.dtype, kBadContent, path, " holds ", array.dtype, ", '", desc.name,
          "' is ", desc.dtype);
  return array;
}

void fill_picture(Session& session, const InputFile& file) {
  std::size_t index = 0;
  while (session.model().input(index).name != file.name) ++index;
  set_image(session, load_picture(file.path).image, index);
}

}  // namespace

npy::Array read_array(const TensorDesc& desc, const std::string& prefix, const std::string& path) {
  npy::Array array = load_array(desc, prefix, path);
  require(array.shape == desc.shape, kBadContent, path, " holds ", array.dtype, " ", array.shape,
          ", '", desc.name, "' is ", desc.dtype, " ", desc.shape);
  return array;
}

void fill_inputs(Session& session, const std::vector<InputFile>& files) {
  const auto is_picture = [](const InputFile& file) {
    return ends_with_any(file.path, {".png", ".jpg", ".jpeg", ".bmp"});
  };
  std::vector<npy::Array> arrays;
  std::vector<InputShape> shapes;
  for (const InputFile& file : files) {
    const Tensor tensor = session.input(file.name);
    arrays.push_back(is_picture(file) ? npy::Array{} : load_array(tensor.desc(), "in/", file.path));
    if (!is_picture(file) && arrays.back().shape != tensor.shape())
      shapes.push_back({file.name, arrays.back().shape});
  }
  try {
    take_shapes(session, shapes);
  } catch (const Error& error) {
    fail(error.code() == ErrorCode::invalid_argument ? kBadContent : error.code(),
         "the inputs' shapes do not fit: ", error.what());
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (is_picture(files[i])) {
      fill_picture(session, files[i]);
      continue;
    }
    const auto& bytes = arrays[i].bytes;
    std::copy(bytes.begin(), bytes.end(), session.input(files[i].name).bytes().begin());
  }
}

void check_tensor_file(const std::string& path) {
  require(ends_with_any(path, {".npy", ".npz", ".raw"}), ErrorCode::invalid_argument, path,
          ": should end with .npy, .npz or .raw");
  check_writable(path);
}

void write_tensor(const Tensor& tensor, const std::string& path) {
  const auto bytes = tensor.bytes();
  const npy::Array array{tensor.dtype(), tensor.shape(), {bytes.begin(), bytes.end()}};
  if (path.ends_with(".npy")) return npy::save_npy(path, array);
  if (path.ends_with(".npz")) return npy::save_npz(path, {{std::string(tensor.name()), array}});
  const std::span<const std::byte> piece = array.bytes;
  platform::write_file_atomically(path, {&piece, 1});
}

void fill_random(Session& session) {
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    if (input.dtype() != DType::float32) {
      std::fill(input.bytes().begin(), input.bytes().end(), std::byte{0});
      continue;
    }
    for (float& value : input.values<float>()) {
      state = state * 1664525u + 1013904223u;  // Numerical Recipes' linear congruence
      value = static_cast<float>(state >> 8) * 0x1p-23f - 1;
    }
  }
}

namespace {

template <typename T>
T load(const std::byte* data, std::size_t i) noexcept {
  T value;
  std::memcpy(&value, data + i * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
double number(const std::byte* data, std::size_t i) noexcept {
  return static_cast<double>(load<T>(data, i));
}

}  // namespace

double number_at(DType dtype, const std::byte* data, std::size_t i) noexcept {
  switch (dtype) {
    case DType::float32:
      return number<float>(data, i);
    case DType::float16:
      return half_to_float(load<std::uint16_t>(data, i));
    case DType::bfloat16:
      return bfloat16_to_float(load<std::uint16_t>(data, i));
    case DType::float64:
      return number<double>(data, i);
    case DType::int8:
      return number<std::int8_t>(data, i);
    case DType::uint8:
    case DType::boolean:
      return number<std::uint8_t>(data, i);
    case DType::int16:
      return number<std::int16_t>(data, i);
    case DType::uint16:
      return number<std::uint16_t>(data, i);
    case DType::int32:
      return number<std::int32_t>(data, i);
    case DType::uint32:
      return number<std::uint32_t>(data, i);
    case DType::int64:
      return number<std::int64_t>(data, i);
    case DType::uint64:
      return number<std::uint64_t>(data, i);
    case DType::none:
      break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace skiff::cli
