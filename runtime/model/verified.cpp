#include "runtime/model/verified.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "runtime/core/error.h"
#include "runtime/graph/shapes.h"
#include "runtime/model/checks.h"
#include "runtime/model/structure.h"

namespace skiff::model {

static_assert(std::endian::native == std::endian::little, "the file format is little endian");

Verified::Verified(Source source, MemoryBook& book, std::pmr::memory_resource& arena, bool digests)
    : source_(std::move(source)), digests_(digests), graph_(arena) {
  HeaderBytes header{};
  const std::uint64_t size = source_.size();
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(size, kHeaderSize));
  source_.read_at(0, std::span(header).first(there));
  header_ = decode_header(std::span(header).first(there), size);
  block_ = Block(book, static_cast<std::size_t>(header_.metadata_size));
  source_.read_at(header_.metadata_offset, block_.bytes());
  if (digests)
    require(metadata_digest(header_, block_.bytes()) == header_.digest, ErrorCode::invalid_model,
            "the digest of the metadata does not match: the file is damaged or was changed");
}

std::uint64_t Verified::buffer_size(std::int32_t buffer) const noexcept {
  return metadata().buffers()->Get(static_cast<unsigned>(buffer))->size();
}

void Verified::read_buffer(std::int32_t buffer, std::uint64_t offset,
                           std::span<std::byte> out) const {
  const fb::Buffer& record = *metadata().buffers()->Get(static_cast<unsigned>(buffer));
  if (offset > record.size() || out.size() > record.size() - offset)  // not the file's fault
    fail(ErrorCode::internal, "buffer ", buffer, ": read past its end");
  source_.read_at(header_.data_offset + record.offset() + offset, out);
}

void Verified::check_digest(std::int32_t buffer, const platform::Sha256Digest& digest) const {
  const auto& stored = *metadata().buffers()->Get(static_cast<unsigned>(buffer))->sha256();
  require(std::memcmp(stored.data(), digest.data(), digest.size()) == 0, ErrorCode::invalid_model,
          "the digest of buffer ", buffer, " does not match: the file is damaged or was changed");
}

void Verified::read_buffer_checked(std::int32_t buffer, std::span<std::byte> out) const {
  read_buffer(buffer, 0, out);
  if (digests_) check_digest(buffer, platform::sha256(out));
}

/// The rules accepted the largest shapes; the usual and the smallest must do too.
static void check_corners(const Graph& graph, MemoryBook& book) {
  std::pmr::monotonic_buffer_resource scratch(&book);
  Shapes shapes(graph, scratch);
  for (auto corner : {Symbols::Corner::usual, Symbols::Corner::smallest})
    assign(shapes, graph.symbols->corner(corner), false);
}

Verified Loader::load(Source source, const VerifyOptions& options, MemoryBook& book,
                      std::pmr::memory_resource& arena) {
  Verified model(std::move(source), book, arena, options.digests);
  check_structure(model.block_.bytes());
  const fb::Model& metadata = model.metadata();
  check_features(metadata);
  check_buffers(metadata, model.header_.data_size);
  if (length(metadata.symbols()) > 0) {
    // Lives as long as the arena, like all that the graph points to.
    void* place = arena.allocate(sizeof(Symbols), alignof(Symbols));
    model.graph_.symbols = new (place) Symbols(metadata, arena);
  }
  build_graph(metadata, model.graph_, arena);
  if (model.graph_.symbols != nullptr) check_corners(model.graph_, book);
  check_manifest(metadata, model.graph_, book);
  return model;
}

}  // namespace skiff::model
