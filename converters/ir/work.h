#pragma once

#include "converters/ir/graph.h"

namespace skiff::ir {

/// False for what repeats a few elements many times: it is small as a node and large as a constant.
bool worth_folding(const Graph& graph, NodeId node);

/// Multiply-adds, or elements touched, that computing a node takes; at most 2^62.
std::int64_t work_of(const Graph& graph, NodeId node);

/// Bytes of all constants that nodes read, each once.
std::int64_t constant_bytes(const Graph& graph);

}  // namespace skiff::ir
