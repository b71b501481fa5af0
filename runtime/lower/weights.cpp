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

/// Hands out the buffer of a form front to back, widened where asked to: then whole floats are
/// read.
class FormReader : public ConstantReader {
 public:
  FormReader(const model::Verified& model, const ConstantForm& form)
      : model_(model), buffer_(form.buffer), stored_(form.stored) {}

  void read(std::span<std::byte> to) final {
    const std::span<std::byte> own = stored_ == DType::none ? to : to.last(to.size() / 2);
    take(own);
    if (stored_ != DType::none) widen_in_place(to, stored_);
  }
  void finish() {
    require(at_ == model_.buffer_size(buffer_), ErrorCode::internal, "buffer ", buffer_,
            " was packed from ", at_, " of its ", model_.buffer_size(buffer_), " bytes");
  }

 protected:
  virtual void take(std::span<std::byte> to) = 0;

  const model::Verified& model_;
  std::int32_t buffer_;
  std::uint64_t at_ = 0;

 private:
  DType stored_;
};

/// What hashes its bytes together with those of the constant that is being read.
class Companion {
 public:
  /// Hashes `bytes`, and its own.
  virtual void hash(platform::Sha256& sha, std::span<const std::byte> bytes) = 0;

 protected:
  ~Companion() = default;
};

// Hashed while it is in the cache.
constexpr std::size_t kHashedPiece = 64 << 10;

/// Reads from the file and hashes on the way, with a companion or without (null).
class HashingReader final : public FormReader {
 public:
  HashingReader(const model::Verified& model, const ConstantForm& form, Companion* companion)
      : FormReader(model, form), companion_(companion) {}

  void finish() {
    FormReader::finish();
    if (model_.digests()) model_.check_digest(buffer_, sha_.finish());
  }

 private:
  void take(std::span<std::byte> to) override {
    while (!to.empty()) {
      const std::span<std::byte> piece = to.first(std::min(to.size(), kHashedPiece));
      model_.read_buffer(buffer_, at_, piece);
      at_ += piece.size();
      to = to.subspan(piece.size());
      if (companion_ != nullptr)
        companion_->hash(sha_, piece);
      else if (model_.digests())
        sha_.update(piece);
    }
  }

  Companion* companion_;
  platform::Sha256 sha_;
};

/// Hands out bytes that lie in memory.
class StagedReader final : public FormReader {
 public:
  StagedReader(const model::Verified& model, const ConstantForm& form, const std::byte* bytes)
      : FormReader(model, form), bytes_(bytes) {}

 private:
  void take(std::span<std::byte> to) override {
    require(to.size() <= model_.buffer_size(buffer_) - at_, ErrorCode::internal, "buffer ", buffer_,
            ": read past its end");
    std::memcpy(to.data(), bytes_ + at_, to.size());
    at_ += to.size();
  }

  const std::byte* bytes_;
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

/// Fills the host's weights. The rounds of a digest wait for one another, so two constants are
/// hashed side by side: one that its kernel reads from the file, and one that was read whole into
/// what the scratch has left, to be packed once its digest was checked. The digest of either is
/// checked before anything uses it.
class HostWeights final : Companion {
 public:
  HostWeights(const model::Verified& model, Binding& binding, std::span<std::byte> weights,
              std::span<std::byte> scratch)
      : model_(model), binding_(binding), weights_(weights), scratch_(scratch) {
    const std::uint64_t taken = round_up(static_cast<std::int64_t>(binding.pack_scratch),
                                         static_cast<std::int64_t>(Block::kAlignment));
    if (model.digests() && taken < scratch.size()) room_ = scratch.subspan(taken);
  }

  void fill() {
    if (!room_.empty()) model_.source().will_read();  // not in the order of the file
    end_ = binding_.forms.size();
    for (const ConstantForm& form : binding_.forms)
      if (form.space == Space::host && !fits(form)) stream(form);
    while (begin_ < end_) {
      const ConstantForm& form = binding_.forms[begin_++];
      if (fits(form)) stream(form);
    }
    while (staged_ != nullptr) {
      staged_sha_.update(next_staged(kHashedPiece));
      if (staged_hashed()) pack_staged();
    }
  }

 private:
  /// Whether it can be the one that is read whole.
  bool fits(const ConstantForm& form) const noexcept {
    return form.space == Space::host && form.scratch <= room_.size() &&
           model_.buffer_size(form.buffer) <= room_.size() - form.scratch;
  }

  void pack(const ConstantForm& form, FormReader& reader, std::span<std::byte> scratch) {
    const std::span<std::byte> to = weights_.subspan(form.offset, form.bytes);
    if (form.step < 0)
      reader.read(to);
    else
      kernel_of(binding_, form).pack(form.input, reader, to, scratch.first(form.scratch));
  }

  void stream(const ConstantForm& form) {
    HashingReader reader(model_, form, room_.empty() ? nullptr : this);
    pack(form, reader, scratch_);
    reader.finish();
  }

  /// Takes the last of those that fit and are left.
  void stage() {
    while (staged_ == nullptr && begin_ < end_) {
      const ConstantForm& form = binding_.forms[--end_];
      if (!fits(form)) continue;
      staged_ = &form;
      unread_ = room_.last(static_cast<std::size_t>(model_.buffer_size(form.buffer)));
      unhashed_ = {};
      staged_sha_ = {};
    }
  }

  bool staged_hashed() const noexcept { return unread_.empty() && unhashed_.empty(); }

  /// The next staged bytes to hash, `most` of them or fewer; none at the end.
  std::span<const std::byte> next_staged(std::size_t most) {
    if (unhashed_.empty()) {
      unhashed_ = unread_.first(std::min(unread_.size(), kHashedPiece));
      model_.read_buffer(staged_->buffer, model_.buffer_size(staged_->buffer) - unread_.size(),
                         unhashed_);
      unread_ = unread_.subspan(unhashed_.size());
    }
    const std::span<const std::byte> next = unhashed_.first(std::min(unhashed_.size(), most));
    unhashed_ = unhashed_.subspan(next.size());
    return next;
  }

  void pack_staged() {
    const ConstantForm& form = *staged_;
    staged_ = nullptr;
    model_.check_digest(form.buffer, staged_sha_.finish());
    StagedReader reader(model_, form, room_.last(model_.buffer_size(form.buffer)).data());
    pack(form, reader, room_);
    reader.finish();
  }

  void hash(platform::Sha256& sha, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      if (staged_ == nullptr) stage();
      if (staged_ == nullptr) return sha.update(bytes);
      const std::span<const std::byte> beside = next_staged(bytes.size());
      platform::Sha256::update_pair(sha, bytes.first(beside.size()), staged_sha_, beside);
      bytes = bytes.subspan(beside.size());
      if (staged_hashed()) pack_staged();
    }
  }

  const model::Verified& model_;
  Binding& binding_;
  std::span<std::byte> weights_, scratch_;
  std::span<std::byte> room_;        // for the staged bytes, at its end, and packing them
  std::size_t begin_ = 0, end_ = 0;  // of the forms that fit, what is left
  const ConstantForm* staged_ = nullptr;
  std::span<std::byte> unread_, unhashed_;  // of its bytes
  platform::Sha256 staged_sha_;
};

}  // namespace

void fill_weights(const model::Verified& model, Binding& binding, std::span<std::byte> weights,
                  std::span<std::byte> scratch) {
  HostWeights(model, binding, weights, scratch).fill();
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
    HashingReader reader(model, form, nullptr);
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
