#pragma once

#include "runtime/cpu/isa/integer_conv.h"

// The one thing that the object of a processor's extension for 8-bit products exports.
namespace skiff::cpu {

extern const IntegerTable SKIFF_JOIN(kIntegers_, SKIFF_ISA);
const IntegerTable SKIFF_JOIN(kIntegers_, SKIFF_ISA) = kIntegers;

}  // namespace skiff::cpu
