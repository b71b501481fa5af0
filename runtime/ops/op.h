#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/core/error.h"
#include "runtime/core/tensor_info.h"
#include "schema/skiff_generated.h"

namespace skiff {

class Kernel;
struct KernelSpec;
struct KernelDeleter;

/// Evaluates dim expressions (negative entries of attribute fields marked "dim" in the schema).
class DimResolver {
 public:
  virtual ~DimResolver() = default;
  virtual std::int64_t resolve(std::int64_t dim) const = 0;
};

/// What a node's rule sees of a nested graph.
struct BodyView {
  std::span<const TensorInfo*const> inputs, outputs;
};

/// What an operator's rule and kernels see of a node: attributes and operands. Valid only during
/// the call it is passed to. The attribute table passed model/structure and is of the type the
/// op table names; its *values* are foreign until the rule has checked them.
struct NodeView {
  fb::OpKind op = fb::OpKind::none;
  std::uint16_t version = 1;
  const void* attributes = nullptr;           ///< never null when the op has attributes
  std::span<const TensorInfo* const> inputs;  ///< null: optional input that is absent
  std::string_view name;
  const DimResolver* dims = nullptr;  ///< null: every dim is a plain number
  /// Of an operator that counts its results: how many there are; -1: as many as there can be.
  std::int64_t count = -1;
  std::span<const BodyView> bodies = {};  ///< of control flow: its nested graphs

  template <typename Table>
  const Table& attrs() const noexcept {
    return *static_cast<const Table*>(attributes);
  }
  int input_count() const noexcept { return static_cast<int>(inputs.size()); }
  bool has_input(int i) const noexcept {
    return i < input_count() && inputs[static_cast<std::size_t>(i)] != nullptr;
  }
  /// Operand i, which must be present (arity is checked against the op table before any rule runs).
  const TensorInfo& input(int i) const noexcept { return *inputs[static_cast<std::size_t>(i)]; }
  /// The value of an attribute field marked "dim".
  std::int64_t dim(std::int64_t entry) const {
    return entry >= 0 || dims == nullptr ? entry : dims->resolve(entry);
  }
};

/// Checks attributes and operands and sets dtype and shape of every output. Throws
/// Error{invalid_model} for what no kernel may ever see; afterwards kernels trust everything. The
/// number of outputs is within the op table's bounds. Allocates nothing unless it throws.
using InferRule = void (*)(const NodeView& node, std::span<TensorInfo> outputs);

/// Makes the CPU kernel; throws Error{unsupported} for dtypes or forms it cannot do.
using MakeKernel = std::unique_ptr<Kernel, KernelDeleter> (*)(const KernelSpec& spec);

/// How many results an operator can have whose results are counted when it runs. The rule checked
/// nothing yet: throws what the rule throws.
using MostRule = std::int64_t (*)(const NodeView& node);

/// One operator's row in the op table.
struct OpDef {
  fb::OpKind op = fb::OpKind::none;
  const char* name = "";
  fb::Attrs attrs = fb::Attrs::NONE;
  int min_inputs = 0;  ///< inputs [0, min) must be present, [min, max) may be absent
  int max_inputs = 0;  ///< kVariadic: any number, all present
  int min_outputs = 1;
  int max_outputs = 1;
  InferRule infer = nullptr;  ///< null: this version cannot run it
  MakeKernel make_cpu = nullptr;
  MostRule most = nullptr;  ///< not null: the size of its results depends on data
};

inline constexpr int kVariadic = -1;

/// The row of an operator; unknown numbers (a newer file) give null.
const OpDef* find_op(fb::OpKind op) noexcept;
/// Every row, in the order of the schema's enum.
std::span<const OpDef> all_ops() noexcept;

/// Name of an operator, "unknown" for numbers beyond this version.
const char* name_of(fb::OpKind op) noexcept;

/// Runs the rule with everything around it: arity, presence, attribute type, overflow of the
/// results. `attrs_type` is the union member stored with the node. Messages name the node.
void infer_outputs(const NodeView& node, fb::Attrs attrs_type, std::span<TensorInfo> outputs);

}  // namespace skiff
