#include "tests/support/folders.h"

namespace skiff::test {

const char* source_folder() noexcept { return SKIFF_SOURCE_FOLDER; }
const char* binary_folder() noexcept { return SKIFF_BINARY_FOLDER; }

}  // namespace skiff::test
