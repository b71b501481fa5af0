#include "platform/thread.h"

#include <link.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <new>
#include <system_error>
#include <utility>

#include <skiff/error.h>

namespace skiff::platform {
namespace {

struct TlsFacts {
  std::size_t modules = 0;  // highest id of a library with thread-local variables
  std::size_t bytes = 0;    // of all of them, each with its alignment
};

TlsFacts tls_facts() noexcept {
  TlsFacts facts;
  const auto visit = [](dl_phdr_info* object, std::size_t, void* result) {
    auto& sum = *static_cast<TlsFacts*>(result);
    sum.modules = std::max(sum.modules, static_cast<std::size_t>(object->dlpi_tls_modid));
    for (int i = 0; i < object->dlpi_phnum; ++i)
      if (object->dlpi_phdr[i].p_type == PT_TLS)
        sum.bytes += object->dlpi_phdr[i].p_memsz + object->dlpi_phdr[i].p_align;
    return 0;
  };
  dl_iterate_phdr(visit, &facts);
  return facts;
}

}  // namespace

std::size_t thread_stack_bytes() noexcept {
  // glibc puts its record of the thread (2-4 KiB) and a reserve for libraries opened later (under
  // 4 KiB) beside the thread-local variables.
  constexpr std::size_t reserve = 8192;
  const std::size_t taken = tls_facts().bytes + reserve;
  return kThreadStackBytes +
         (taken + kThreadStackAlignment - 1) / kThreadStackAlignment * kThreadStackAlignment;
}

std::size_t thread_overhead_bytes() noexcept {
  // glibc's allocate_dtv: two words for each module, 14 modules to come, and two slots of its own.
  constexpr std::size_t slot = 2 * sizeof(void*);
  return slot * (tls_facts().modules + 14 + 2);
}

void* Thread::run(void* memory) noexcept {
  const Start start = *static_cast<Start*>(memory);
  start.entry(start.argument);
  return nullptr;
}

Thread::Thread(std::span<std::byte> stack, void (*entry)(void*), void* argument,
               const Options& options) {
  // What to start waits at the low end of the stack, which the thread reads before it gets there.
  if (reinterpret_cast<std::uintptr_t>(stack.data()) % kThreadStackAlignment != 0 ||
      stack.size() < thread_stack_bytes())
    throw Error(ErrorCode::invalid_argument,
                "thread stack: needs " + std::to_string(thread_stack_bytes()) +
                    " bytes aligned to " + std::to_string(kThreadStackAlignment) + ", got " +
                    std::to_string(stack.size()));
  auto* start = new (stack.data()) Start{entry, argument};
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error == 0) {
    error = pthread_attr_setstack(&attributes, stack.data(), stack.size());
    if (error == 0) error = pthread_create(&thread_, &attributes, &Thread::run, start);
    pthread_attr_destroy(&attributes);
  }
  if (error != 0)
    throw Error(ErrorCode::out_of_memory,
                "cannot start a thread: " + std::generic_category().message(error));
  joinable_ = true;

  if (options.name != nullptr) {
    char name[16];
    std::snprintf(name, sizeof(name), "%s", options.name);
    pthread_setname_np(thread_, name);
  }
  if (options.cpu >= 0 && options.cpu < CPU_SETSIZE) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(options.cpu), &only);
    pthread_setaffinity_np(thread_, sizeof(only), &only);
  }
}

Thread::Thread(Thread&& other) noexcept
    : thread_(other.thread_), joinable_(std::exchange(other.joinable_, false)) {}

void Thread::join() noexcept {
  if (std::exchange(joinable_, false)) pthread_join(thread_, nullptr);
}

}  // namespace skiff::platform
