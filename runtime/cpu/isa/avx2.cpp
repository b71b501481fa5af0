#define SKIFF_ISA avx2
#define SKIFF_REGISTERS 16
// Time per multiply-add of the tiles 12x1, 6x2, 4x3, 3x4; measured on a Xeon.
#define SKIFF_TILE_COST \
  { 0, 108, 102, 100, 110 }
#include "runtime/cpu/isa/table.h"
