#include "tests/support/skiff_file.h"

#include <algorithm>
#include <cstring>

#include "flatbuffers/minireflect.h"
#include "platform/sha256.h"

namespace skiff::test {
namespace {

// Places of the header's fields: schema/README.md.
constexpr std::size_t kHeader = 128, kMetadataSize = 24, kDataOffset = 32, kDataSize = 40,
                      kFileSize = 48, kDigest = 56, kDigestSize = 32;

std::uint64_t field(std::span<const std::byte> file, std::size_t at) {
  std::uint64_t number = 0;
  std::memcpy(&number, file.data() + at, sizeof number);
  return number;
}

void set_field(std::span<std::byte> file, std::size_t at, std::uint64_t number) {
  std::memcpy(file.data() + at, &number, sizeof number);
}

/// Walks tables by the type tables that flatc generates.
class NumberWalk {
 public:
  explicit NumberWalk(std::span<const std::byte> file) : file_(file) {}

  void table(const void* data, const flatbuffers::TypeTable& type) {
    const auto& record = *static_cast<const flatbuffers::Table*>(data);
    std::uint8_t member = 0;  // of the union that follows its type field
    for (std::size_t i = 0; i < type.num_elems; ++i) {
      const auto slot = flatbuffers::FieldIndexToOffset(static_cast<flatbuffers::voffset_t>(i));
      const std::uint8_t* place = record.GetAddressOf(slot);
      if (place == nullptr || std::strcmp(type.names[i], "sha256") == 0) continue;
      name_ = type.names[i];
      const auto [base, repeating, reference] = type.type_codes[i];
      const flatbuffers::TypeTable* inner = reference < 0 ? nullptr : type.type_refs[reference]();
      if (base == flatbuffers::ET_UTYPE) member = *place;
      const bool in_union = inner != nullptr && inner->st == flatbuffers::ST_UNION;
      if (in_union && base == flatbuffers::ET_SEQUENCE) {
        if (member > 0) table(follow(place), *inner->type_refs[member - 1]());
      } else if (repeating) {
        vector(follow(place), base, inner);
      } else {
        one(place, base, inner);
      }
    }
  }

  std::vector<NumberField> fields;
  std::vector<std::size_t> lengths;

 private:
  static const std::uint8_t* follow(const std::uint8_t* place) {
    return place + flatbuffers::ReadScalar<flatbuffers::uoffset_t>(place);
  }

  std::size_t offset_of(const std::uint8_t* place) const {
    return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(place) - file_.data());
  }

  static std::size_t size_of_base(unsigned base) {
    return flatbuffers::InlineSize(static_cast<flatbuffers::ElementaryType>(base), nullptr);
  }

  void one(const std::uint8_t* place, unsigned base, const flatbuffers::TypeTable* inner) {
    if (base == flatbuffers::ET_STRING) return;
    if (base == flatbuffers::ET_SEQUENCE) {
      if (inner->st == flatbuffers::ST_TABLE) table(follow(place), *inner);
      return;
    }
    fields.push_back({.offset = offset_of(place),
                      .bytes = size_of_base(base),
                      .real = base == flatbuffers::ET_FLOAT || base == flatbuffers::ET_DOUBLE,
                      .name = name_});
  }

  void vector(const std::uint8_t* data, unsigned base, const flatbuffers::TypeTable* inner) {
    const auto count = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(data);
    lengths.push_back(offset_of(data));
    const std::string name = name_;
    const std::size_t size = base == flatbuffers::ET_SEQUENCE ? 4 : size_of_base(base);
    for (std::size_t i = 0; i < count; ++i) {
      name_ = name;
      one(data + 4 + i * size, base, inner);
    }
  }

  std::span<const std::byte> file_;
  std::string name_;
};

}  // namespace

FileParts parts_of(std::span<const std::byte> file) {
  return {.metadata_size = static_cast<std::size_t>(field(file, kMetadataSize)),
          .data_offset = static_cast<std::size_t>(field(file, kDataOffset))};
}

void seal(std::span<std::byte> file) {
  if (file.size() < kHeader) return;
  const std::uint64_t wanted = field(file, kMetadataSize);
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(wanted, file.size() - kHeader));
  std::fill_n(file.begin() + kDigest, kDigestSize, std::byte{0});
  const auto digest = platform::sha256(file.first(kHeader + size));
  std::copy(digest.begin(), digest.end(), file.begin() + kDigest);
}

void seal_data(std::span<std::byte> file) {
  const auto* model = fb::GetModel(file.data() + kHeader);
  const std::size_t data_offset = parts_of(file).data_offset;
  for (unsigned i = 0; i < model->buffers()->size(); ++i) {
    const fb::Buffer& buffer = *model->buffers()->Get(i);
    const auto digest = platform::sha256(
        file.subspan(data_offset + buffer.offset(), static_cast<std::size_t>(buffer.size())));
    const auto at = reinterpret_cast<const std::byte*>(buffer.sha256()->data()) - file.data();
    std::copy(digest.begin(), digest.end(), file.begin() + at);
  }
  seal(file);
}

std::vector<std::byte> with_metadata(std::span<const std::byte> file,
                                     const std::function<void(fb::ModelT&)>& change,
                                     bool force_defaults) {
  fb::ModelT model;
  fb::GetModel(file.data() + kHeader)->UnPackTo(&model);
  change(model);
  flatbuffers::FlatBufferBuilder builder;
  builder.ForceDefaults(force_defaults);
  fb::FinishModelBuffer(builder, fb::Model::Pack(builder, &model));
  const std::size_t data_offset = (kHeader + builder.GetSize() + 4095) / 4096 * 4096;
  const std::span<const std::byte> data = file.subspan(parts_of(file).data_offset);
  std::vector<std::byte> result(data_offset + data.size());
  std::copy_n(file.begin(), kHeader, result.begin());
  std::memcpy(result.data() + kHeader, builder.GetBufferPointer(), builder.GetSize());
  std::copy(data.begin(), data.end(), result.begin() + static_cast<std::ptrdiff_t>(data_offset));
  set_field(result, kMetadataSize, builder.GetSize());
  set_field(result, kDataOffset, data_offset);
  set_field(result, kDataSize, data.size());
  set_field(result, kFileSize, result.size());
  seal(result);
  return result;
}

namespace {

NumberWalk walked(std::span<const std::byte> file) {
  NumberWalk walk(file);
  walk.table(fb::GetModel(file.data() + kHeader), *fb::ModelTypeTable());
  return walk;
}

}  // namespace

std::vector<NumberField> numbers_of(std::span<const std::byte> file) { return walked(file).fields; }

std::vector<std::size_t> lengths_of(std::span<const std::byte> file) {
  return walked(file).lengths;
}

}  // namespace skiff::test
