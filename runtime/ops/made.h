#pragma once

#include "schema/skiff_generated.h"

/// Operators that a session makes of several nodes. No file holds one: their numbers, which cross
/// to the GPU module as every operator's, lie beyond the schema's.
namespace skiff::made {

inline constexpr fb::OpKind conv_block{0xff00}, pointwise_chain{0xff01}, squeeze_excite{0xff02},
    pixels{0xff03}, pixel_conv{0xff04};

}  // namespace skiff::made
