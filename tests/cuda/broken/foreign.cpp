#include "runtime/backend/api.h"

// A module that speaks no version which anybody asks for.
extern "C" __attribute__((visibility("default"))) const skiff_backend* skiff_backend_v1(uint32_t) {
  return nullptr;
}
