#include "runtime/model/structure.h"

#include <cstdint>
#include <cstring>

#include "runtime/core/error.h"
#include "schema/skiff_generated.h"
#include "schema/skiff_layout.h"

namespace skiff::model {
namespace {

using namespace fb::layout;
using Place = std::uint64_t;  ///< from the metadata's first byte; sums of what a file says fit

constexpr int kMostDepth = 32;

/// FlatBuffers' own verifier is code for every field of every table, and asks vectors to be aligned
/// for their length alone. This one walks by a few bytes a field.
class Structure {
 public:
  explicit Structure(std::span<const std::byte> bytes)
      : bytes_(bytes), tables_left_(bytes.size() / 4 + 16) {}

  void check() {
    need(bytes_.size() > 8 && fb::ModelBufferHasIdentifier(bytes_.data()));
    table(follow(0), kModel, 1);
  }

 private:
  static void need(bool holds) {
    require(holds, ErrorCode::invalid_model,
            "the metadata is no valid FlatBuffer of a .skiff file");
  }

  void need_bytes(Place at, Place count, Place alignment) const {
    need(at % alignment == 0 && at < bytes_.size() && count <= bytes_.size() - at);
  }

  template <typename T>
  T read(Place at) const {
    need_bytes(at, sizeof(T), sizeof(T));
    T number;
    std::memcpy(&number, &bytes_[at], sizeof number);
    return number;
  }

  Place follow(Place at) const {
    const auto distance = read<std::uint32_t>(at);
    need(distance != 0 && distance <= INT32_MAX);
    return at + distance;
  }

  void table(Place at, unsigned number, int depth) {
    need(depth <= kMostDepth && tables_left_-- > 0);
    const Place entries = at - static_cast<Place>(std::int64_t{read<std::int32_t>(at)});
    const auto size = read<std::uint16_t>(entries);
    need(size % 2 == 0);
    need_bytes(entries, size, 2);
    unsigned before = 0;  // first byte of the field before: a union's type
    for (unsigned i = kFirst[number]; i < kFirst[number + 1]; ++i) {
      const Place entry = sizeof(std::uint16_t) * (2 + i - kFirst[number]);
      const unsigned offset = entry < size ? read<std::uint16_t>(entries + entry) : 0;
      if (offset == 0)
        need(!kFields[i].required);
      else
        field(at + offset, kFields[i], before, depth);
      before = offset != 0 ? read<std::uint8_t>(at + offset) : 0;
    }
  }

  void field(Place at, const Field& field, unsigned before, int depth) {
    switch (field.kind) {
      case Kind::number:
        return need_bytes(at, field.of, field.of);
      case Kind::numbers:
        vector(follow(at), field.of);
        return;
      case Kind::string:
        return string(follow(at));
      case Kind::table:
        return table(follow(at), field.of, depth + 1);
      case Kind::strings:
      case Kind::tables:
        return elements(follow(at), field, depth);
      case Kind::member:  // one of a newer file may be unknown: then it has no reader either
        const Place place = follow(at);
        need_bytes(place, 1, 1);
        if (before < std::size(kMembers) && kMembers[before] != kNone)
          table(place, kMembers[before], depth + 1);
    }
  }

  void elements(Place at, const Field& field, int depth) {
    const Place count = vector(at, sizeof(std::uint32_t));
    for (Place i = 1; i <= count; ++i) {
      const Place entry = at + sizeof(std::uint32_t) * i,
                  place = entry + read<std::uint32_t>(entry);
      field.kind == Kind::strings ? string(place) : table(place, field.of, depth + 1);
    }
  }

  /// The number of elements, which lie behind it.
  Place vector(Place at, Place bytes_each) const {
    const Place count = read<std::uint32_t>(at), begin = at + sizeof(std::uint32_t);
    need(count * bytes_each <= bytes_.size() - begin);
    require(bytes_each % 8 != 0 || begin % 8 == 0, ErrorCode::invalid_model,
            "numbers of the metadata are not aligned to 8 bytes");
    return count;
  }

  void string(Place at) const {
    const Place count = vector(at, 1);
    need(read<char>(at + sizeof(std::uint32_t) + count) == '\0');
  }

  std::span<const std::byte> bytes_;
  std::size_t tables_left_;
};

}  // namespace

void check_structure(std::span<const std::byte> metadata) { Structure(metadata).check(); }

}  // namespace skiff::model
