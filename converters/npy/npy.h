#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <skiff/dtype.h>
#include <skiff/shape.h>

namespace skiff::npy {

/// A dense array in row-major order and this machine's byte order.
struct Array {
  DType dtype = DType::none;
  Shape shape;
  std::vector<std::byte> bytes;
};

/// Parses a .npy file (NumPy's format 1.0 to 3.0, either byte order, either axis order). Throws
/// Error{invalid_model} for damage, bytes behind the array included, and Error{unsupported} for
/// element types Skiff does not have. Needs no more memory than twice the file.
Array read_npy(std::span<const std::byte> file);
/// The same of a file, which errors name; Error{not_found, io} where it cannot be read.
Array load_npy(const std::string& path);

/// A .npy file of format 1.0; bfloat16 is written as uint16.
std::vector<std::byte> write_npy(const Array& array);
void save_npy(const std::string& path, const Array& array);

using Archive = std::map<std::string, Array>;

/// The array called `prefix` + name, or name itself; null when there is neither.
const Array* find(const Archive& arrays, const std::string& prefix, const std::string& name);

/// Arrays of a .npz file by name, without the ".npy" of its entries. Entries are stored or
/// deflated; `most_bytes` bounds what they unpack to in all. Throw as read_npy(), load_npy() do.
Archive read_npz(std::span<const std::byte> file, std::size_t most_bytes = std::size_t{1} << 32);
Archive load_npz(const std::string& path, std::size_t most_bytes = std::size_t{1} << 32);

/// A .npz file, deflated; the same arrays give the same bytes.
std::vector<std::byte> write_npz(const Archive& arrays);
void save_npz(const std::string& path, const Archive& arrays);

}  // namespace skiff::npy
