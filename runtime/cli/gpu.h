#pragma once

#include <skiff/session.h>

#include <cstdint>
#include <string>

#include "runtime/cli/output.h"

namespace skiff::cli {

/// A GPU, in words.
struct Gpu {
  bool usable = false;
  std::string text;  ///< which one, or why none
  Json json;         ///< name, driver, versions of the libraries; or "why_not"
};

/// What a session on GPU `ordinal` would find, found the same way.
Gpu find_gpu(int ordinal);

/// Bytes that CUDA's context and libraries take on the GPU now, besides what a session's memory
/// report counts; 0 without a GPU, or where its driver does not tell. The second: before any model
/// is loaded, on the GPU that the options ask for.
std::uint64_t context_bytes(const Session& session);
std::uint64_t context_bytes(const SessionOptions& options);

/// Adds them to a memory report's JSON as `context` and gives the last row of its table; of 0
/// neither.
std::string add_context(Json& memory, std::uint64_t bytes);

/// What a session computes on: "avx512 on NAME OF THE CPU" or "cuda (NAME OF THE GPU, sm_87,
/// driver for CUDA 13.0, cuDNN 9.19)".
std::string processor_text(const Session& session);

/// The machine, the system and this build; also the GPU of a session that has one.
Json environment_json(const Session& session);

}  // namespace skiff::cli
