#pragma once

#include <cstddef>
#include <cstdint>

// What the GPU module asks of the CUDA runtime, counted on the way: a program that holds
// counted_cuda.cpp and exports its symbols comes before libcudart for every library that it opens.
namespace skiff::test {

struct CudaCounts {
  long allocations = 0;            ///< of memory, device and pinned
  long objects = 0;                ///< streams, events and graphs ready to launch
  std::uint64_t device_bytes = 0;  ///< given out ever
};

CudaCounts cuda_counts() noexcept;

/// Bytes free on the device that is set. Throws Error{device} where no libcudart is loaded.
std::size_t free_device_bytes();

/// 10^9 bytes a second, read and written together, of copies within the device of `bytes` each.
/// Throws Error{device}.
double copy_bandwidth(std::size_t bytes);

/// A stream as a caller of the library makes it, which no other stream waits for.
class CallersStream {
 public:
  /// On the device that is set. Throws Error{device} where no libcudart is loaded.
  CallersStream();
  ~CallersStream();
  CallersStream(const CallersStream&) = delete;
  CallersStream& operator=(const CallersStream&) = delete;

  void* get() const noexcept { return stream_; }
  /// Calls work(context) behind what the stream holds. Throws Error{device}.
  void submit(void (*work)(void* context), void* context);
  /// Until the stream holds nothing. Throws Error{device}.
  void wait();

 private:
  void* stream_ = nullptr;
};

}  // namespace skiff::test
