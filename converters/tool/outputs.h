#pragma once

#include <span>
#include <string>
#include <vector>

#include "converters/tool/options.h"

// The files a conversion writes: all of them or none, and never over what it reads.
namespace skiff::tool {

/// Before anything is read. Makes the folder of --dump-ir. Throws Error{invalid_argument} where an
/// output is a file that the options name to be read (the same by device and inode) or another
/// output, and Error{io} where one cannot be written.
void check_outputs(const Options& options);

/// The same for further files that were read.
void refuse_to_overwrite(const Options& options, std::span<const std::string> read);

/// The model and, where asked for, the report, which are both written before one takes its place.
/// Throws Error{io}.
void write_outputs(const Options& options, std::span<const std::byte> model,
                   const std::string& report);

}  // namespace skiff::tool
