#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>

#include <skiff/options.h>
#include <skiff/tensor.h>
#include <skiff/vision.h>

namespace skiff {

/// A size that may change from run to run, within bounds: an input's shape sets it, or the model
/// itself counts something (the boxes it found, say). Its name lives as long as the model.
struct SymbolDesc {
  std::string_view name;
  std::int64_t min = 0, opt = 0, max = 0;
  std::int64_t multiple_of = 1;
  bool counted = false;  ///< set by the model when it runs
};

/// Of a deduced T&&: a temporary that owns its elements, unlike a span.
template <typename T>
concept DyingRange = std::ranges::range<T> && !std::ranges::borrowed_range<T>;

/// A verified model: immutable, shared by any number of sessions, which keep it alive. Weights are
/// packed once for each instruction set, when the first session needs them.
class SKIFF_API Model {
 public:
  /// Reads the file's metadata and checks all of it; weights are read when a session is made, from
  /// the file, which stays open. Throws Error{not_found, io, invalid_model, unsupported,
  /// budget_exceeded, out_of_memory}.
  static Model load(const char* path, const LoadOptions& options = {});
  static Model load(const std::string& path, const LoadOptions& options = {}) {
    return load(path.c_str(), options);
  }
  /// The same from memory, which must stay unchanged as long as the model or a session lives.
  static Model from_bytes(std::span<const std::byte> bytes, const LoadOptions& options = {});
  /// A container that dies with the call, and its bytes with it, does not compile.
  template <DyingRange Bytes>
  static Model from_bytes(Bytes&& bytes, const LoadOptions& options = {}) = delete;

  std::string_view name() const noexcept;
  std::size_t input_count() const noexcept;
  std::size_t output_count() const noexcept;
  /// i < input_count() or output_count(). A shape that may change is the largest.
  TensorDesc input(std::size_t i) const noexcept;
  TensorDesc output(std::size_t i) const noexcept;

  /// The sizes that may change; 0: every shape is fixed.
  std::size_t symbol_count() const noexcept;
  /// i < symbol_count().
  SymbolDesc symbol(std::size_t i) const noexcept;
  /// Which symbol an axis of input i is; -1: its extent is fixed.
  int input_symbol(std::size_t i, int axis) const noexcept;

  /// How pictures become input i; false in `present` when the file says nothing.
  Preprocessing preprocessing(std::size_t input = 0) const noexcept;
  /// What the outputs mean; kind none when the file says nothing.
  Postprocessing postprocessing() const noexcept;
  std::size_t label_count() const noexcept;
  /// i < label_count().
  std::string_view label(std::size_t i) const noexcept;

  struct Impl;
  const std::shared_ptr<Impl>& impl() const noexcept { return impl_; }

 private:
  explicit Model(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;  // shared: sessions outlive the Model they were made from
};

}  // namespace skiff
