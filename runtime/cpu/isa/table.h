#pragma once

#include "runtime/cpu/isa/depthwise.h"
#include "runtime/cpu/isa/folds.h"
#include "runtime/cpu/isa/integer_conv.h"
#include "runtime/cpu/isa/integer_rows.h"
#include "runtime/cpu/isa/narrow.h"
#include "runtime/cpu/isa/pack.h"
#include "runtime/cpu/isa/peak.h"
#include "runtime/cpu/isa/pool.h"
#include "runtime/cpu/isa/winograd.h"

// The one thing an instruction set's object exports.
#define SKIFF_TEXT_(x) #x
#define SKIFF_TEXT(x) SKIFF_TEXT_(x)

namespace skiff::cpu {

extern const KernelTable SKIFF_JOIN(kTable_, SKIFF_ISA);
const KernelTable SKIFF_JOIN(kTable_, SKIFF_ISA) = {
    .name = SKIFF_TEXT(SKIFF_ISA),
    .lanes = kLanes,
    .max_rows = {kMaxRows[0], kMaxRows[1], kMaxRows[2], kMaxRows[3], kMaxRows[4]},
    .cost = SKIFF_TILE_COST,
    .conv = conv,
    .depthwise = depthwise,
    .max_pool = max_pool,
    .average_pool = average_pool,
    .activate = activate,
    .pack_panel = pack_panel,
    .winograd = {winograd_table<2>, winograd_table<4>},
    .multiply_adds = multiply_adds,
    .integers = kIntegers,
    .integer_depthwise = integer_depthwise,
    .dequantize = dequantize,
    .quantize = quantize,
    .rows = kRows,
};

}  // namespace skiff::cpu
