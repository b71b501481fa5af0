#define SKIFF_ISA avx512vnni
#define SKIFF_REGISTERS 32
#include "runtime/cpu/isa/integer_table.h"
