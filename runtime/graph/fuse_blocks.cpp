#include "runtime/graph/fuse_blocks.h"

#include <algorithm>
#include <array>

#include "runtime/graph/pixel_chain.h"
#include "runtime/ops/conv_block.h"

namespace skiff {
namespace {

/// Nodes of a block by their indices; -1: that end is missing.
struct Block {
  std::int32_t expand = -1, depthwise = -1, project = -1;
  PixelChain pixels{};  ///< what the expanding one reads pixels through
  bool any() const noexcept { return expand >= 0 || project >= 0; }
  std::array<std::int32_t, 3> nodes() const noexcept { return {expand, depthwise, project}; }
  std::int32_t last() const noexcept { return std::max(depthwise, project); }
};

// Costs, measured with AVX-512 and in multiply-adds of a product there: a job handed to other
// threads, and a strip.
constexpr double kHandOver = 1e5, kStrip = 1e4;

/// Multiply-adds of one row of the result.
double row_work(const ConvGeometry& g) {
  return static_cast<double>(g.out[2]) * static_cast<double>(g.taps() * g.group_cin()) *
         static_cast<double>(g.cout);
}

/// Finds the blocks of a graph.
class Finder {
 public:
  Finder(const Graph& graph, Fuse fuse, int threads, const cpu::KernelTable& table,
         std::pmr::memory_resource& scratch)
      : graph_(graph),
        scratch_(scratch),
        fuse_(fuse),
        threads_(threads),
        table_(table),
        geometry_(graph.nodes.size(), &scratch),
        readers_(graph, scratch),
        taken_(graph.nodes.size(), false, &scratch),
        blocks_(&scratch) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n)
      geometry_[n] = rows_geometry(graph.nodes[n], scratch);
  }

  const std::pmr::vector<Block>& run() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!geometry_[n] || taken_[n] || !depthwise(*geometry_[n])) continue;
      Block block = choose(block_around(static_cast<std::int32_t>(n)));
      if (!block.any()) continue;
      if (block.expand >= 0)
        block.pixels = find_pixels(graph_, readers_, node(block.expand), scratch_);
      for (std::int32_t node : block.nodes())
        if (node >= 0) taken_[at(node)] = true;
      blocks_.push_back(block);
    }
    return blocks_;
  }

 private:
  const GraphNode& node(std::int32_t i) const { return graph_.nodes[at(i)]; }
  static bool depthwise(const ConvGeometry& g) { return g.groups > 1; }

  /// Of a convolution that can be part of a block.
  std::optional<ConvGeometry> rows_geometry(const GraphNode& n,
                                            std::pmr::memory_resource& scratch) {
    if (n.def->op != fb::OpKind::conv || n.follows != 0) return {};  // sizes a run finds out
    return skiff::rows_geometry(view_of(graph_, n, scratch), table_);
  }

  static bool has_residual(const GraphNode& n) { return n.inputs.size() > 3 && n.inputs[3] >= 0; }

  std::int32_t only_reader(const GraphNode& n) const { return readers_.only(n.outputs[0]); }

  bool may_be_part(std::int32_t i) const {
    return i >= 0 && geometry_[at(i)] && !taken_[at(i)] && !depthwise(*geometry_[at(i)]);
  }

  Block block_around(std::int32_t middle) const {
    Block block{.depthwise = middle};
    const GraphNode& n = node(middle);
    const std::int32_t before = graph_.value(n.inputs[0]).producer;
    if (may_be_part(before) && !has_residual(node(before)) && only_reader(node(before)) == middle)
      block.expand = before;
    const std::int32_t after = has_residual(n) ? -1 : only_reader(n);
    if (may_be_part(after) && node(after).inputs[0] == n.outputs[0] &&
        geometry_[at(after)]->taps() == 1)
      block.project = after;
    return block;
  }

  /// What of a block is worth it.
  Block choose(const Block& whole) const {
    if (fuse_ == Fuse::on) return whole;
    Block best;
    double most = 0;
    Block without_expand = whole, without_project = whole;
    without_expand.expand = without_project.project = -1;
    for (const Block& block : {whole, without_expand, without_project})
      if (const double gain = block.any() ? gain_of(block) : 0; gain > most)
        best = block, most = gain;
    return best;
  }

  /// Of writing a node's result to memory and reading it.
  double traffic(std::int32_t i) const {
    return traffic_cost(graph_.value(node(i).outputs[0]).max_bytes);
  }

  /// What a thread is spared, less the rows at the borders of the threads' shares, which are
  /// expanded twice, and less what the largest share has more than the others.
  double gain_of(const Block& block) const {
    const ConvGeometry& middle = *geometry_[at(block.depthwise)];
    const std::int64_t rows = middle.batch * middle.out[1], share = ceil_div(rows, threads_);
    if (rows == 0) return 0;
    const bool expands = block.expand >= 0, projects = block.project >= 0;
    const std::int64_t strip = block_strip_rows(expands, middle, projects);
    const double threads = threads_;
    double gain = -kStrip * static_cast<double>(ceil_div(share, strip));
    double work = row_work(middle);
    if (expands) {
      const ConvGeometry& g = *geometry_[at(block.expand)];
      const double all = static_cast<double>(g.batch * g.out[1]);
      const double mine = std::min(all, static_cast<double>(rows_needed(middle, share)));
      gain += traffic(block.expand) / threads - row_work(g) * (mine - all / threads);
    }
    if (projects) {
      gain += traffic(block.depthwise) / threads;
      work += row_work(*geometry_[at(block.project)]);
    }
    gain -= work * (static_cast<double>(share) - static_cast<double>(rows) / threads);
    const double hand_overs = (expands ? 1 : 0) + (projects ? 1 : 0);
    return threads_ > 1 ? gain + hand_overs * kHandOver : gain;
  }

  const Graph& graph_;
  std::pmr::memory_resource& scratch_;
  Fuse fuse_;
  int threads_;
  const cpu::KernelTable& table_;
  std::pmr::vector<std::optional<ConvGeometry>> geometry_;  // per node
  Readers readers_;
  std::pmr::vector<std::uint8_t> taken_;
  std::pmr::vector<Block> blocks_;
};

/// A node for a block; what it points to lives in `memory`.
class BlockNode {
 public:
  BlockNode(const Graph& graph, std::pmr::memory_resource& memory)
      : graph_(graph),
        memory_(memory),
        block_(*new (memory.allocate(sizeof(ConvBlock), alignof(ConvBlock))) ConvBlock),
        inputs_(static_cast<std::int32_t*>(
            memory.allocate(kMaxInputs * sizeof(std::int32_t), alignof(std::int32_t)))) {}

  /// Before all others.
  void add(const PixelChain& pixels) {
    if (pixels.image < 0) return;
    block_.parts[0] =
        part_of(pixels, memory_, [&](std::int32_t value) { return add_input(value); });
    block_.first = block_.count = 1;
  }

  void add(std::int32_t index) {
    const GraphNode& node = graph_.nodes[static_cast<std::size_t>(index)];
    Part& part = block_.parts[static_cast<std::size_t>(block_.count)];
    part.def = node.def;
    part.attributes = node.attributes;
    part.name = node.name;
    for (std::size_t i = 0; i < part.operands.size(); ++i)
      part.operands[i] = i == 0 && block_.count > 0                      ? Part::kPrevious
                         : i < node.inputs.size() && node.inputs[i] >= 0 ? add_input(node.inputs[i])
                                                                         : -1;
    if (static_cast<const fb::ConvAttrs*>(node.attributes)->groups() > 1)
      block_.depthwise = block_.count;
    ++block_.count;
    node_ = node;
  }

  GraphNode finish() {
    node_.def = &conv_block_op();
    node_.attributes = &block_;
    node_.inputs = {inputs_, count_};
    return node_;
  }

 private:
  static constexpr std::size_t kMaxInputs = 4 * ConvBlock::kMaxParts;

  int add_input(std::int32_t value) {
    inputs_[count_] = value;
    return static_cast<int>(count_++);
  }

  const Graph& graph_;
  std::pmr::memory_resource& memory_;
  ConvBlock& block_;
  std::int32_t* inputs_;
  std::size_t count_ = 0;
  GraphNode node_;  // the last one that was added: name and result are the block's
};

/// A node for each block of `from`, in its copy `to`.
void join_blocks(const Graph& from, std::span<const Block> blocks, Graph& to,
                 std::pmr::memory_resource& memory, std::pmr::memory_resource& scratch) {
  std::pmr::vector<const Block*> of_node(from.nodes.size(), nullptr, &scratch);
  for (const Block& block : blocks) {
    for (std::int32_t node : block.nodes())
      if (node >= 0) of_node[static_cast<std::size_t>(node)] = &block;
    for (std::int32_t node : block.pixels.used()) of_node[static_cast<std::size_t>(node)] = &block;
  }
  const auto block_of = [&](std::int32_t n) { return of_node[static_cast<std::size_t>(n)]; };
  join_nodes(to, block_of, [&](const Block& block) {
    BlockNode made(from, memory);
    made.add(block.pixels);
    for (std::int32_t part : block.nodes())
      if (part >= 0) made.add(part);
    return made.finish();
  });
}

}  // namespace

std::optional<Graph> fuse_blocks(const Graph& graph, Fuse fuse, int threads,
                                 const cpu::KernelTable& table, std::pmr::memory_resource& memory,
                                 std::pmr::memory_resource& scratch) {
  if (fuse == Fuse::off || graph.has_bodies || !graph.variables.empty()) return {};
  Finder finder(graph, fuse, threads, table, scratch);
  const auto& blocks = finder.run();
  if (blocks.empty()) return {};
  std::optional<Graph> result(std::in_place, memory);
  copy(graph, *result);
  join_blocks(graph, blocks, *result, memory, scratch);
  return result;
}

}  // namespace skiff
