#define SKIFF_ISA avx512
#define SKIFF_REGISTERS 32
// Time per multiply-add of the tiles 14x1, 12x2, 8x3, 6x4; measured on a Xeon.
#define SKIFF_TILE_COST \
  { 0, 118, 104, 101, 100 }
#include "runtime/cpu/isa/table.h"
