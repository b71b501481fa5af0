#pragma once

#include <map>
#include <memory_resource>
#include <tuple>

#include "runtime/lower/bind.h"

namespace skiff {

/// Collects the forms in which a graph's kernels take its constants, each once.
class ConstantForms {
 public:
  ConstantForms(const model::Verified& model, Binding& binding, std::pmr::memory_resource& scratch)
      : model_(model), binding_(binding), index_of_(&scratch) {}

  /// The constant operand `input` of step `step`, packed as its kernel wants it or as it is stored.
  void add_constant(std::int32_t step, std::int32_t input, const GraphValue& constant);
  /// What the device kernel of a step computes for itself.
  void add_tables(std::int32_t step);
  /// A constant as it is stored, for the host.
  void add_stored(const GraphValue& constant) { stored_form(constant, Space::host); }
  void add_stored(std::int32_t buffer);

  /// Gives every form its place. In an order that does not depend on that of the steps: sessions
  /// that fuse differently share their weights.
  void place();

 private:
  // buffer, key of the packed form, its step when not shared, input (where it matters), space, what
  // is widened
  using Key = std::tuple<std::int32_t, std::uint64_t, std::int32_t, std::int32_t, Space, DType>;

  static std::uint64_t hash_of(const Key& key, const ConstantForm& form) noexcept;
  std::int32_t stored_form(const GraphValue& constant, Space space);
  std::int32_t packed_form(std::int32_t step, std::int32_t input, const GraphValue& constant,
                           std::uint64_t bytes);
  std::int32_t form_for(const Key& key, const ConstantForm& form);

  const model::Verified& model_;
  Binding& binding_;
  std::pmr::map<Key, std::int32_t> index_of_;
};

}  // namespace skiff
