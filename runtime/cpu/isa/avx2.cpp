#define SKIFF_ISA avx2
#define SKIFF_REGISTERS 16
// Time per multiply-add of the tiles 12x1, 6x2, 4x3, 3x4.
#define SKIFF_TILE_COST \
  { 0, 112, 100, 100, 130 }
#include "runtime/cpu/isa/table.h"
