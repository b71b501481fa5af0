#pragma once

#include <cstdint>
#include <memory_resource>
#include <span>

#include "runtime/core/memory.h"
#include "runtime/graph/graph.h"
#include "runtime/model/container.h"
#include "runtime/model/source.h"
#include "schema/skiff_generated.h"

namespace skiff::model {

/// A model all of whose metadata was checked: the one form that later stages accept. Buffers of the
/// data segment are checked when they are read.
class Verified {
 public:
  Verified(Verified&&) = default;

  const fb::Model& metadata() const noexcept { return *fb::GetModel(block_.data()); }
  /// The main graph.
  const Graph& graph() const noexcept { return graph_; }
  const Source& source() const noexcept { return source_; }
  bool digests() const noexcept { return digests_; }

  std::uint64_t buffer_size(std::int32_t buffer) const noexcept;
  /// Part of a constant's bytes. Throws Error{io}.
  void read_buffer(std::int32_t buffer, std::uint64_t offset, std::span<std::byte> out) const;
  /// Reads a whole constant and checks its digest. Throws Error{io}, Error{invalid_model}.
  void read_buffer_checked(std::int32_t buffer, std::span<std::byte> out) const;
  /// Throws Error{invalid_model} when `digest` is not the stored one.
  void check_digest(std::int32_t buffer, const platform::Sha256Digest& digest) const;

 private:
  friend class Loader;
  Verified(Source source, MemoryBook& book, std::pmr::memory_resource& arena, bool digests);

  Source source_;
  bool digests_;
  Header header_;
  Block block_;
  Graph graph_;
};

struct VerifyOptions {
  bool digests = true;  ///< check SHA-256 of metadata now and of buffers when they are read
};

/// Reads header and metadata and checks everything a later stage will trust. Big blocks come from
/// `book`, small ones from `arena` (monotonic, must outlive the result). Throws
/// Error{invalid_model, unsupported, io, budget_exceeded}.
class Loader {
 public:
  static Verified load(Source source, const VerifyOptions& options, MemoryBook& book,
                       std::pmr::memory_resource& arena);
};

}  // namespace skiff::model
