#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <skiff/shape.h>

#include "converters/tflite/tflite_generated.h"

namespace skiff::convert::tfl {

/// The bytes of a .tflite file whose structure has been checked: the FlatBuffer verifies, every
/// index points into its table, every buffer lies inside the file, extents are sound. Everything
/// behind this type trusts these; values of options are checked where they are used. Owns the
/// bytes, but for one that at() gave.
class Model {
 public:
  /// Throws Error{invalid_model} for damaged bytes, Error{unsupported} for 2 GiB and more.
  explicit Model(std::vector<std::byte> bytes);
  Model(Model&&) noexcept = default;
  Model(const Model&) = delete;

  /// The same file with another of its graphs as the one that is looked at; points into this one.
  /// Throws Error{invalid_model} when there is none of that number.
  Model at(std::int64_t graph) const;

  std::span<const std::byte> bytes() const noexcept { return bytes_; }
  const tflite::Model& root() const noexcept { return *root_; }
  /// The graph that is looked at: at first the main one.
  const tflite::SubGraph& main() const noexcept {
    return *root_->subgraphs()->Get(static_cast<flatbuffers::uoffset_t>(graph_));
  }
  /// The number of the graph that is looked at.
  std::int64_t number() const noexcept { return graph_; }
  std::size_t graph_count() const noexcept { return root_->subgraphs()->size(); }

  std::size_t tensor_count() const noexcept { return main().tensors()->size(); }
  const tflite::Tensor& tensor(int index) const noexcept {
    return *main().tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  }
  /// Its name, or "tensor N" where the file has none.
  std::string tensor_name(int index) const;
  /// The stored bytes of a tensor's buffer, inside the file or appended to it; empty: none.
  std::span<const std::byte> data(int tensor) const;

  const tflite::OperatorCode& code(const tflite::Operator& op) const noexcept {
    return *root_->operator_codes()->Get(op.opcode());
  }
  tflite::Builtin builtin(const tflite::Operator& op) const noexcept;
  /// "CONV_2D version 3" or "custom operator 'Name'".
  std::string operator_name(const tflite::Operator& op) const;

 private:
  Model(std::span<const std::byte> bytes, const tflite::Model* root, std::int64_t graph)
      : bytes_(bytes), root_(root), graph_(graph) {}

  std::vector<std::byte> owned_;
  std::span<const std::byte> bytes_;
  const tflite::Model* root_ = nullptr;
  std::int64_t graph_ = 0;

  void check() const;
};

/// Numbers of a vector that may be absent.
template <typename T>
std::vector<std::int64_t> to_list(const flatbuffers::Vector<T>* numbers) {
  if (numbers == nullptr) return {};
  return {numbers->begin(), numbers->end()};
}

/// Length of a vector that may be absent.
template <typename Vector>
std::size_t length(const Vector* vector) {
  return vector == nullptr ? 0 : vector->size();
}

}  // namespace skiff::convert::tfl
