#pragma once

#include "converters/passes/rewriter.h"

namespace skiff::passes {

/// x * c or x + c with a constant c that is one number or one number for each index of the last
/// axis.
struct ChannelConstant {
  ValueId x = kAbsent;
  ValueId constant = kAbsent;  ///< [C], or [] for one number
  bool product = false;        ///< else a sum
};

/// What a mul, div, add or sub node computes, as the one or the other; nothing when it is no such
/// thing.
std::optional<ChannelConstant> channel_constant(Rewriter& rewriter, const ir::Node& node);

/// The constant as [count].
ValueId per_channel(Rewriter& rewriter, ValueId constant, std::int64_t count);

}  // namespace skiff::passes
