#define SKIFF_ISA neondot
#define SKIFF_REGISTERS 32
#include "runtime/cpu/isa/integer_table.h"
