#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <utility>

#include <skiff/allocator.h>

namespace skiff {

/// Keeps account of every byte asked of an allocator and refuses what would pass the limit. Also a
/// memory resource, so that containers are accounted like everything else. Not thread-safe: one
/// owner at a time.
class MemoryBook final : public std::pmr::memory_resource {
 public:
  /// limit in bytes; 0: none.
  explicit MemoryBook(const Allocator& allocator, std::uint64_t limit = 0) noexcept
      : allocator_(allocator), limit_(limit) {}

  /// Bytes asked for and not given back, and the most there ever was.
  std::uint64_t current() const noexcept { return current_; }
  std::uint64_t peak() const noexcept { return peak_; }
  std::uint64_t limit() const noexcept { return limit_; }

  /// Throws Error{budget_exceeded} when `bytes` more would pass the limit.
  void reserve_check(std::uint64_t bytes) const;

  /// Counts bytes that were asked for elsewhere and are there from the start on (an object that
  /// holds this book, what the C library takes for a thread).
  void charge(std::uint64_t bytes) noexcept {
    current_ += bytes;
    peak_ += bytes;
  }

  const Allocator& allocator() const noexcept { return allocator_; }

 private:
  /// Throws Error{budget_exceeded} or Error{out_of_memory}.
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  Allocator allocator_;
  std::uint64_t limit_;
  std::uint64_t current_ = 0;
  std::uint64_t peak_ = 0;
};

/// One aligned block owned through a book; empty when default-made or of no bytes.
class Block {
 public:
  static constexpr std::size_t kAlignment = 256;

  Block() = default;
  /// Contents undefined. Throws what the book throws.
  Block(std::pmr::memory_resource& owner, std::size_t bytes)
      : owner_(bytes == 0 ? nullptr : &owner),
        data_(bytes == 0 ? nullptr : static_cast<std::byte*>(owner.allocate(bytes, kAlignment))),
        size_(bytes) {}
  ~Block() { reset(); }
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept {
    Block moved(static_cast<Block&&>(other));
    swap(moved);
    return *this;
  }

  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::span<std::byte> bytes() const noexcept { return {data_, size_}; }
  void reset() noexcept {
    if (owner_ != nullptr) owner_->deallocate(data_, size_, kAlignment);
    owner_ = nullptr;
    data_ = nullptr;
    size_ = 0;
  }

 private:
  void swap(Block& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  std::pmr::memory_resource* owner_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace skiff
