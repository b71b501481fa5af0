#include "tests/cuda/emulation/fiber.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

// gcc says it one way, clang the other.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SKIFF_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SKIFF_ADDRESS_SANITIZER 1
#endif
#ifdef SKIFF_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" void skiff_fiber_switch(void** save, void* load);

#if defined(__x86_64__)
asm(R"(
.text
.globl skiff_fiber_switch
.hidden skiff_fiber_switch
.type skiff_fiber_switch, @function
skiff_fiber_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl skiff_fiber_switch
.hidden skiff_fiber_switch
.type skiff_fiber_switch, @function
skiff_fiber_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
)");
#endif

namespace cuda_emulation {
namespace {

constexpr std::size_t kPage = 4096;
#ifdef SKIFF_ADDRESS_SANITIZER
constexpr std::size_t kStack = 256 << 10;
#else
constexpr std::size_t kStack = 64 << 10;
#endif

#if defined(__x86_64__)
/// Six saved registers, then where to go; what lies above keeps the stack aligned at entry.
void** first_frame(void** top, void (*entry)()) {
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  return top;
}
#elif defined(__aarch64__)
void** first_frame(void** top, void (*entry)()) {
  constexpr int kWords = 20, kLinkRegister = 11;
  top -= kWords;
  std::memset(top, 0, kWords * sizeof(void*));
  top[kLinkRegister] = reinterpret_cast<void*>(entry);
  return top;
}
#endif

#ifdef SKIFF_ADDRESS_SANITIZER
const void* g_thread_stack = nullptr;  // bounds of the stack that all fibers came from
std::size_t g_thread_stack_size = 0;
#endif

}  // namespace

Fiber::Fiber(void (*entry)()) {
  void* const mapping = mmap(nullptr, kPage + kStack, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) std::abort();
  mapping_ = static_cast<char*>(mapping);
  mprotect(mapping_, kPage, PROT_NONE);
  stack_ = mapping_ + kPage;
  constexpr std::size_t kRoom = 64;
  stack_pointer_ = first_frame(reinterpret_cast<void**>(stack_ + kStack - kRoom), entry);
}

Fiber::~Fiber() {
  if (mapping_ != nullptr) munmap(mapping_, kPage + kStack);
}

void Fiber::enter_from(Fiber& from) {
#ifdef SKIFF_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(&from.sanitizer_state_,
                                 stack_ == nullptr ? g_thread_stack : stack_,
                                 stack_ == nullptr ? g_thread_stack_size : kStack);
#endif
  skiff_fiber_switch(&from.stack_pointer_, stack_pointer_);
#ifdef SKIFF_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(from.sanitizer_state_, nullptr, nullptr);
#endif
}

void Fiber::arrived() {
#ifdef SKIFF_ADDRESS_SANITIZER
  const bool known = g_thread_stack != nullptr;
  __sanitizer_finish_switch_fiber(nullptr, known ? nullptr : &g_thread_stack,
                                  known ? nullptr : &g_thread_stack_size);
#endif
}

}  // namespace cuda_emulation
