#include "runtime/model/source.h"

#include <cstring>

#include "runtime/core/error.h"

namespace skiff::model {

void Source::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (file_) {
    file_->read_at(offset, out);
    return;
  }
  require(offset <= bytes_.size() && out.size() <= bytes_.size() - offset, ErrorCode::io,
          "model bytes: ", out.size(), " wanted at ", offset, ", there are ", bytes_.size());
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
}

}  // namespace skiff::model
