#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "converters/npy/npy.h"
#include "platform/file.h"
#include "platform/whole_file.h"
#include "runtime/core/error.h"

// The zip container (PKWARE's APPNOTE) as far as numpy writes it: one disk, stored or deflated
// entries, zip64 where sizes ask for it.
namespace skiff::npy {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kMax32 = 0xffffffff;

[[noreturn]] void damaged(std::string_view what) {
  fail(ErrorCode::invalid_model, ".npz file: ", what);
}

/// Little-endian numbers of foreign bytes, each read checked.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> data) : data_(data) {}

  template <typename T>
  T number(std::uint64_t offset) const {
    T value;
    std::memcpy(&value, part(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::span<const std::byte> part(std::uint64_t offset, std::uint64_t size) const {
    if (offset > data_.size() || size > data_.size() - offset) damaged("it is cut off");
    return data_.subspan(offset, size);
  }
  std::string_view text(std::uint64_t offset, std::uint64_t size) const {
    return {reinterpret_cast<const char*>(part(offset, size).data()), size};
  }
  std::uint64_t size() const { return data_.size(); }

 private:
  std::span<const std::byte> data_;
};

struct Entry {
  std::string name;
  std::uint16_t method = 0;
  std::uint32_t checksum = 0;
  std::uint64_t packed = 0;
  std::uint64_t unpacked = 0;
  std::uint64_t header = 0;
};

/// Sizes and offset that did not fit in 32 bits stand in an extra field, in this order.
void read_zip64(const Bytes& file, std::uint64_t extra, std::uint64_t size, Entry& entry) {
  for (std::uint64_t at = extra; at + 4 <= extra + size;) {
    const auto id = file.number<std::uint16_t>(at);
    const auto length = file.number<std::uint16_t>(at + 2);
    at += 4;
    if (id == 1) {
      std::uint64_t place = at;
      for (std::uint64_t* field : {&entry.unpacked, &entry.packed, &entry.header}) {
        if (*field != kMax32) continue;
        *field = file.number<std::uint64_t>(place);
        place += 8;
      }
    }
    at += length;
  }
}

Entry read_entry(const Bytes& file, std::uint64_t& at) {
  if (file.number<std::uint32_t>(at) != kCentralHeader) damaged("its directory is damaged");
  Entry entry;
  entry.method = file.number<std::uint16_t>(at + 10);
  entry.checksum = file.number<std::uint32_t>(at + 16);
  entry.packed = file.number<std::uint32_t>(at + 20);
  entry.unpacked = file.number<std::uint32_t>(at + 24);
  const std::uint64_t name = file.number<std::uint16_t>(at + 28);
  const std::uint64_t extra = file.number<std::uint16_t>(at + 30);
  const std::uint64_t comment = file.number<std::uint16_t>(at + 32);
  entry.header = file.number<std::uint32_t>(at + 42);
  entry.name = file.text(at + 46, name);
  read_zip64(file, at + 46 + name, extra, entry);
  at += 46 + name + extra + comment;
  return entry;
}

std::uint64_t find_end(const Bytes& file) {
  if (file.size() < 22) damaged("it is no zip file");
  const std::uint64_t least = file.size() > 22 + 65535 ? file.size() - 22 - 65535 : 0;
  for (std::uint64_t at = file.size() - 22 + 1; at-- > least;)
    if (file.number<std::uint32_t>(at) == kEnd) return at;
  damaged("it is no zip file");
}

std::vector<std::byte> inflate_entry(std::span<const std::byte> packed, const Entry& entry) {
  // Deflate gains at most a factor of 1032, so a false size cannot ask for much more than that.
  if (entry.unpacked / 1040 > packed.size() + 1) damaged("an entry's size is false");
  std::vector<std::byte> result(entry.unpacked);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) damaged("zlib refuses to start");
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  std::size_t in = packed.size();
  std::size_t out = result.size();
  int status = Z_OK;
  constexpr std::size_t kStep = 1u << 30;
  while (status == Z_OK) {
    if (stream.avail_in == 0) in -= stream.avail_in = static_cast<uInt>(std::min(in, kStep));
    if (stream.avail_out == 0) out -= stream.avail_out = static_cast<uInt>(std::min(out, kStep));
    status = inflate(&stream, Z_NO_FLUSH);
  }
  const bool whole = status == Z_STREAM_END && out == 0 && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!whole) damaged("entry '" + entry.name + "' does not unpack");
  return result;
}

std::uint32_t checksum_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::vector<std::byte> unpack(const Bytes& file, const Entry& entry) {
  if (file.number<std::uint32_t>(entry.header) != kLocalHeader) damaged("an entry is damaged");
  const std::uint64_t lead = 30 + std::uint64_t{file.number<std::uint16_t>(entry.header + 26)} +
                             file.number<std::uint16_t>(entry.header + 28);
  const auto packed = file.part(entry.header + lead, entry.packed);
  std::vector<std::byte> bytes;
  if (entry.method == 0) {
    bytes.assign(packed.begin(), packed.end());
  } else {
    if (entry.method != 8) damaged("entry '" + entry.name + "' is packed in another way");
    bytes = inflate_entry(packed, entry);
  }
  if (checksum_of(bytes) != entry.checksum) damaged("entry '" + entry.name + "' is damaged");
  return bytes;
}

Array read_entry_array(const Bytes& file, const Entry& entry) {
  const std::vector<std::byte> bytes = unpack(file, entry);
  try {
    return read_npy(bytes);
  } catch (const Error& error) {
    fail(error.code(), "entry '", entry.name, "': ", error.what());
  }
}

template <typename T>
void put(std::vector<std::byte>& file, T number) {
  const auto bytes = std::as_bytes(std::span(&number, 1));
  file.insert(file.end(), bytes.begin(), bytes.end());
}

std::vector<std::byte> deflate_bytes(std::span<const std::byte> bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    fail(ErrorCode::internal, "zlib refuses to start");
  std::vector<std::byte> packed(deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  require(status == Z_STREAM_END, ErrorCode::internal, "zlib cannot pack");
  return packed;
}

/// The fields that local and central header share, from "version needed" on.
void put_common(std::vector<std::byte>& file, const Entry& entry) {
  put<std::uint16_t>(file, 20);
  put<std::uint16_t>(file, 0);
  put<std::uint16_t>(file, entry.method);
  put<std::uint16_t>(file, 0);  // time and date: always the same, 1980-01-01
  put<std::uint16_t>(file, 0x21);
  put<std::uint32_t>(file, entry.checksum);
  put<std::uint32_t>(file, static_cast<std::uint32_t>(entry.packed));
  put<std::uint32_t>(file, static_cast<std::uint32_t>(entry.unpacked));
  put<std::uint16_t>(file, static_cast<std::uint16_t>(entry.name.size()));
  put<std::uint16_t>(file, 0);
}

void put_text(std::vector<std::byte>& file, const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  file.insert(file.end(), bytes.begin(), bytes.end());
}

void put_central(std::vector<std::byte>& file, const Entry& entry) {
  put(file, kCentralHeader);
  put<std::uint16_t>(file, 20);
  put_common(file, entry);
  put<std::uint16_t>(file, 0);  // comment
  put<std::uint16_t>(file, 0);  // disk
  put<std::uint16_t>(file, 0);
  put<std::uint32_t>(file, 0);
  put<std::uint32_t>(file, static_cast<std::uint32_t>(entry.header));
  put_text(file, entry.name);
}

}  // namespace

Archive read_npz(std::span<const std::byte> bytes, std::size_t most_bytes) {
  const Bytes file(bytes);
  const std::uint64_t end = find_end(file);
  std::uint64_t at = file.number<std::uint32_t>(end + 16);
  const std::uint64_t count = file.number<std::uint16_t>(end + 10);
  Archive arrays;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Entry entry = read_entry(file, at);
    total += std::min<std::uint64_t>(entry.unpacked, most_bytes);
    require(entry.unpacked <= most_bytes && total <= most_bytes, ErrorCode::budget_exceeded,
            ".npz file: it unpacks to more than ", most_bytes, " bytes");
    if (!entry.name.ends_with(".npy")) continue;
    arrays.emplace(entry.name.substr(0, entry.name.size() - 4), read_entry_array(file, entry));
  }
  return arrays;
}

std::vector<std::byte> write_npz(const Archive& arrays) {
  std::vector<std::byte> file;
  std::vector<std::byte> directory;
  for (const auto& [name, array] : arrays) {
    const std::vector<std::byte> plain = write_npy(array);
    require(plain.size() < kMax32 && file.size() < kMax32, ErrorCode::unsupported,
            ".npz file: array '", name, "' is too large");
    const std::vector<std::byte> packed = deflate_bytes(plain);
    const Entry entry{.name = name + ".npy",
                      .method = 8,
                      .checksum = checksum_of(plain),
                      .packed = packed.size(),
                      .unpacked = plain.size(),
                      .header = file.size()};
    put(file, kLocalHeader);
    put_common(file, entry);
    put_text(file, entry.name);
    file.insert(file.end(), packed.begin(), packed.end());
    put_central(directory, entry);
  }
  const std::size_t start = file.size();
  file.insert(file.end(), directory.begin(), directory.end());
  put(file, kEnd);
  put<std::uint32_t>(file, 0);
  put(file, static_cast<std::uint16_t>(arrays.size()));
  put(file, static_cast<std::uint16_t>(arrays.size()));
  put(file, static_cast<std::uint32_t>(directory.size()));
  put(file, static_cast<std::uint32_t>(start));
  put<std::uint16_t>(file, 0);
  return file;
}

Archive load_npz(const std::string& path, std::size_t most_bytes) {
  const std::vector<std::byte> bytes = platform::read_whole(platform::File(path.c_str()));
  try {
    return read_npz(bytes, most_bytes);
  } catch (const Error& error) {
    fail(error.code(), "'", path, "': ", error.what());
  }
}

void save_npz(const std::string& path, const Archive& arrays) {
  const std::vector<std::byte> bytes = write_npz(arrays);
  const std::span<const std::byte> piece(bytes);
  platform::write_file_atomically(path, {&piece, 1});
}

const Array* find(const Archive& arrays, const std::string& prefix, const std::string& name) {
  for (const std::string& key : {prefix + name, name})
    if (const auto found = arrays.find(key); found != arrays.end()) return &found->second;
  return nullptr;
}

}  // namespace skiff::npy
