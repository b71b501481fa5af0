#include "runtime/weights.h"

#include <algorithm>

#include "platform/sha256.h"
#include "runtime/core/error.h"

namespace skiff {
namespace {

/// Reads a buffer front to back and hashes it on the way.
class HashingReader final : public ConstantReader {
 public:
  HashingReader(const model::Verified& model, std::int32_t buffer)
      : model_(model), buffer_(buffer) {}

  void read(std::span<std::byte> to) override {
    model_.read_buffer(buffer_, at_, to);
    if (model_.digests()) sha_.update(to);
    at_ += to.size();
  }
  void finish() {
    require(at_ == model_.buffer_size(buffer_), ErrorCode::internal, "buffer ", buffer_,
            " was packed from ", at_, " of its ", model_.buffer_size(buffer_), " bytes");
    if (model_.digests()) model_.check_digest(buffer_, sha_.finish());
  }

 private:
  const model::Verified& model_;
  std::int32_t buffer_;
  std::uint64_t at_ = 0;
  platform::Sha256 sha_;
};

/// A kernel's tables are made from nothing.
class NoReader final : public ConstantReader {
 public:
  void read(std::span<std::byte>) override {
    fail(ErrorCode::internal, "a kernel reads a constant for its tables");
  }
};

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;

Kernel& kernel_of(Binding& binding, const ConstantForm& form) {
  return *binding.steps[static_cast<std::size_t>(form.step)].kernel;
}

}  // namespace

void fill_weights(const model::Verified& model, Binding& binding, std::span<std::byte> weights,
                  std::span<std::byte> scratch) {
  for (const ConstantForm& form : binding.forms) {
    if (form.space != Space::host) continue;
    const std::span<std::byte> to = weights.subspan(form.offset, form.bytes);
    if (form.step < 0) {
      model.read_buffer_checked(form.buffer, to);
      continue;
    }
    HashingReader reader(model, form.buffer);
    kernel_of(binding, form).pack(form.input, reader, to, scratch.first(form.scratch));
    reader.finish();
  }
}

void pack_tables(Kernel& kernel, backend::Device& device, std::byte* to,
                 std::span<std::byte> staging) {
  NoReader reader;
  kernel.pack(-1, reader, staging, {});
  device.upload(to, staging);
}

std::uint64_t staging_bytes(const ConstantForm& form) noexcept {
  if (form.step < 0) return std::min(form.bytes, kPiece);
  const auto packed =
      round_up(static_cast<std::int64_t>(form.bytes), static_cast<std::int64_t>(Block::kAlignment));
  return static_cast<std::uint64_t>(packed) + form.scratch;
}

void fill_device_weights(const model::Verified& model, Binding& binding, backend::Device& device,
                         std::byte* weights, std::span<std::byte> staging) {
  for (const ConstantForm& form : binding.forms) {
    if (form.space != Space::device) continue;
    std::byte* to = weights + form.offset;
    const std::span<std::byte> packed =
        staging.first(std::min<std::size_t>(form.bytes, staging.size()));
    if (form.buffer < 0) {
      pack_tables(kernel_of(binding, form), device, to, packed);
      continue;
    }
    HashingReader reader(model, form.buffer);
    if (form.step >= 0) {
      kernel_of(binding, form).pack(form.input, reader, packed, staging.last(form.scratch));
      device.upload(to, packed);
    } else {
      for (std::uint64_t at = 0; at < form.bytes; at += kPiece) {
        const std::span<std::byte> piece = staging.first(std::min(form.bytes - at, kPiece));
        reader.read(piece);
        device.upload(to + at, piece);
      }
    }
    reader.finish();
  }
}

}  // namespace skiff
