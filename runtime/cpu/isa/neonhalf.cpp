#define SKIFF_ISA neonhalf
#define SKIFF_REGISTERS 32
#include "runtime/cpu/isa/half_conv.h"

// The one thing that the object of NEON's extension for float16 arithmetic exports.
namespace skiff::cpu {

extern const HalfTable kHalves_neonhalf;
const HalfTable kHalves_neonhalf = {.to_halves = to_halves, .conv = half_conv};

}  // namespace skiff::cpu
