#include "converters/npy/npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "platform/file.h"
#include "platform/whole_file.h"
#include "runtime/core/checked.h"
#include "runtime/core/error.h"

namespace skiff::npy {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic("\x93NUMPY", 6);

struct TypeName {
  const char* name;  // without byte order
  DType dtype;
};
constexpr TypeName kTypes[] = {
    {"f4", DType::float32}, {"f2", DType::float16}, {"f8", DType::float64}, {"i1", DType::int8},
    {"u1", DType::uint8},   {"i2", DType::int16},   {"u2", DType::uint16},  {"i4", DType::int32},
    {"u4", DType::uint32},  {"i8", DType::int64},   {"u8", DType::uint64},  {"b1", DType::boolean},
};

[[noreturn]] void damaged(const char* what) { fail(ErrorCode::invalid_model, ".npy data: ", what); }

/// The text after `'key':` in the header's dictionary.
std::string_view field(std::string_view header, std::string_view key) {
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) damaged("a field is missing in the header");
  std::string_view rest = header.substr(at + key.size());
  const std::size_t colon = rest.find_first_not_of(" '\":");
  if (colon == std::string_view::npos) damaged("the header is cut off");
  return rest.substr(colon);
}

DType parse_type(std::string_view header, bool& swapped) {
  std::string_view text = field(header, "'descr'");
  text = text.substr(0, text.find_first_of("'\""));
  if (text.empty()) damaged("no element type");
  swapped = text[0] == '>';
  if (text[0] == '<' || text[0] == '>' || text[0] == '|' || text[0] == '=') text.remove_prefix(1);
  for (const TypeName& type : kTypes)
    if (text == type.name) return type.dtype;
  fail(ErrorCode::unsupported, ".npy data: element type '", text, "'");
}

Shape parse_shape(std::string_view header) {
  std::string_view text = field(header, "'shape'");
  if (text.empty() || text[0] != '(') damaged("no shape");
  text = text.substr(1, text.find(')') == std::string_view::npos ? 0 : text.find(')') - 1);
  Shape shape;
  while (!text.empty()) {
    const std::size_t digit = text.find_first_not_of(" ,");
    if (digit == std::string_view::npos) break;
    text.remove_prefix(digit);
    std::int64_t extent = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc() || extent < 0) damaged("a bad extent in the shape");
    require(shape.rank() < kMaxRank, ErrorCode::unsupported, ".npy data: more than ", kMaxRank,
            " axes");
    shape.push_back(extent);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return shape;
}

std::string_view split_header(std::span<const std::byte> file, std::span<const std::byte>& data) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.size() < 10 || text.substr(0, 6) != kMagic) damaged("it does not start as .npy does");
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(file[i]); };
  const std::size_t lead = byte(6) == 1 ? 10 : 12;
  if (text.size() < lead) damaged("the header is cut off");
  std::size_t length = byte(8) | byte(9) << 8;
  if (lead == 12) length |= byte(10) << 16 | byte(11) << 24;
  if (length > text.size() - lead) damaged("the header is cut off");
  data = file.subspan(lead + length);
  return text.substr(lead, length);
}

void swap_bytes(std::vector<std::byte>& bytes, std::size_t size) {
  for (std::size_t i = 0; i + size <= bytes.size(); i += size)
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                 bytes.begin() + static_cast<std::ptrdiff_t>(i + size));
}

/// Elements from column-major to row-major order.
std::vector<std::byte> to_row_major(const Array& array) {
  const std::size_t size = size_of(array.dtype);
  std::vector<std::byte> result(array.bytes.size());
  const std::size_t count = result.size() / size;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i;
    std::size_t place = 0;
    for (int axis = array.shape.rank() - 1; axis >= 0; --axis) {
      const auto extent = static_cast<std::size_t>(array.shape[axis]);
      const auto stride = static_cast<std::size_t>(array.shape.elements(0, axis));
      place += rest % extent * stride;
      rest /= extent;
    }
    std::memcpy(result.data() + i * size, array.bytes.data() + place * size, size);
  }
  return result;
}

}  // namespace

Array read_npy(std::span<const std::byte> file) {
  std::span<const std::byte> data;
  const std::string_view header = split_header(file, data);
  bool swapped = false;
  Array array{.dtype = parse_type(header, swapped), .shape = parse_shape(header), .bytes = {}};
  const auto bytes = checked_bytes(array.dtype, array.shape);
  if (!bytes || static_cast<std::uint64_t>(*bytes) > data.size())
    damaged("fewer bytes than its shape needs");
  if (static_cast<std::uint64_t>(*bytes) < data.size()) damaged("more bytes than its shape needs");
  array.bytes.assign(data.begin(), data.begin() + *bytes);
  if (swapped) swap_bytes(array.bytes, size_of(array.dtype));
  if (field(header, "'fortran_order'").substr(0, 4) == "True") array.bytes = to_row_major(array);
  return array;
}

std::vector<std::byte> write_npy(const Array& array) {
  const DType dtype = array.dtype == DType::bfloat16 ? DType::uint16 : array.dtype;
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeName& entry) { return entry.dtype == dtype; });
  require(type != std::end(kTypes), ErrorCode::invalid_argument, "no .npy of dtype ", array.dtype);
  std::string header = message("{'descr': '", size_of(dtype) == 1 ? "|" : "<", type->name,
                               "', 'fortran_order': False, 'shape': (");
  for (std::int64_t extent : array.shape) header += message(extent, ", ");
  header += "), }";
  header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string lead(kMagic);
  lead += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
           static_cast<char>(header.size() >> 8)};
  lead += header;
  const auto text = std::as_bytes(std::span(lead));
  std::vector<std::byte> file(text.begin(), text.end());
  file.insert(file.end(), array.bytes.begin(), array.bytes.end());
  return file;
}

Array load_npy(const std::string& path) {
  const std::vector<std::byte> bytes = platform::read_whole(platform::File(path.c_str()));
  try {
    return read_npy(bytes);
  } catch (const Error& error) {
    fail(error.code(), "'", path, "': ", error.what());
  }
}

void save_npy(const std::string& path, const Array& array) {
  const std::vector<std::byte> bytes = write_npy(array);
  const std::span<const std::byte> piece(bytes);
  platform::write_file_atomically(path, {&piece, 1});
}

}  // namespace skiff::npy
