#pragma once

#include <string>

#include "runtime/backend/api.h"

namespace skiff::backend {

/// The GPU module, opened once a process; null when there is none or it cannot be loaded, and then
/// `why` says in one sentence what is missing and what to do. Looked for at SKIFF_CUDA_MODULE, then
/// beside the library or program that holds this code, then in lib/ beside its folder.
const skiff_backend* module(std::string& why);

/// Whether there is a file to open. Takes no memory.
bool module_exists() noexcept;

}  // namespace skiff::backend
