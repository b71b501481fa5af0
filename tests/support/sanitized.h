#pragma once

// 1 in builds with AddressSanitizer or ThreadSanitizer, whose malloc is their own and where
// everything takes several times as long. gcc says it one way, clang the other.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIFF_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SKIFF_SANITIZED 1
#endif
#endif
#ifndef SKIFF_SANITIZED
#define SKIFF_SANITIZED 0
#endif

namespace skiff::test {

inline constexpr bool kSanitized = SKIFF_SANITIZED;

}  // namespace skiff::test
