#include "runtime/lower/weights.h"

#include <algorithm>
#include <cstring>

#include "platform/sha256.h"
#include "runtime/core/error.h"
#include "runtime/core/half.h"

namespace skiff {
namespace {

/// 16-bit floats in the second half of `bytes` become float32 in all of it. A number is read before
/// its place is written.
void widen_in_place(std::span<std::byte> bytes, DType stored) noexcept {
  const std::size_t count = bytes.size() / sizeof(float);
  const std::byte* from = bytes.data() + count * sizeof(std::uint16_t);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from + i * sizeof bits, sizeof bits);
    const float value = stored == DType::float16 ? half_to_float(bits) : bfloat16_to_float(bits);
    std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
  }
}

/// Reads the buffer of a form front to back, hashes it on the way and widens it where asked to:
/// then whole floats are read.
class HashingReader final : public ConstantReader {
 public:
  HashingReader(const model::Verified& model, const ConstantForm& form)
      : model_(model), buffer_(form.buffer), stored_(form.stored) {}

  void read(std::span<std::byte> to) override {
    const std::span<std::byte> own = stored_ == DType::none ? to : to.last(to.size() / 2);
    model_.read_buffer(buffer_, at_, own);
    if (model_.digests()) sha_.update(own);
    at_ += own.size();
    if (stored_ != DType::none) widen_in_place(to, stored_);
  }
  void finish() {
    require(at_ == model_.buffer_size(buffer_), ErrorCode::internal, "buffer ", buffer_,
            " was packed from ", at_, " of its ", model_.buffer_size(buffer_), " bytes");
    if (model_.digests()) model_.check_digest(buffer_, sha_.finish());
  }

 private:
  const model::Verified& model_;
  std::int32_t buffer_;
  DType stored_;
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
    HashingReader reader(model, form);
    if (form.step < 0)
      reader.read(to);
    else
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
    HashingReader reader(model, form);
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
