#pragma once

namespace skiff::test {

/// Absolute paths of the checkout and of the build folder. In one small object of their own, so
/// that no other test's object depends on where the checkout lies.
const char* source_folder() noexcept;
const char* binary_folder() noexcept;

}  // namespace skiff::test
