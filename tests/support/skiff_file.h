#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "schema/skiff_generated.h"

namespace skiff::test {

/// Where the parts of a file lie, read from its header, which must be a right one.
struct FileParts {
  std::size_t metadata_size = 0;
  std::size_t data_offset = 0;
};
FileParts parts_of(std::span<const std::byte> file);

/// Writes the digest that the header must carry for what the bytes are now, whatever they are;
/// nothing when there is no whole header.
void seal(std::span<std::byte> file);
/// The same, with the digests of all data buffers first. The metadata must be valid.
void seal_data(std::span<std::byte> file);

/// The file with its metadata changed by `change`, right digests and the same data segment.
/// force_defaults: numbers that are at their default are stored too.
std::vector<std::byte> with_metadata(std::span<const std::byte> file,
                                     const std::function<void(fb::ModelT&)>& change,
                                     bool force_defaults = false);

/// A number inside the metadata: its place in the file, its bytes, whether it is a float, and the
/// field's name.
struct NumberField {
  std::size_t offset = 0;
  std::size_t bytes = 0;
  bool real = false;
  std::string name;
};
/// Where the length of each vector in the metadata stands.
std::vector<std::size_t> lengths_of(std::span<const std::byte> file);
/// Every number the metadata stores: fields of tables and elements of vectors (digests left out).
std::vector<NumberField> numbers_of(std::span<const std::byte> file);

}  // namespace skiff::test
