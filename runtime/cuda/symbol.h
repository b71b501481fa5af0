#pragma once

#include <dlfcn.h>

namespace skiff::cuda {

/// A function of a library that is opened at run time; false when it has none of that name.
template <typename F>
bool find_function(void* library, const char* name, F*& function) noexcept {
  function = reinterpret_cast<F*>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace skiff::cuda
