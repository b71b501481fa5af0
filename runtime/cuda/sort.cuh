#pragma once

#include <cstdint>

// What kernels that sort share: places (order.cuh) are sorted in runs by a block, then runs are
// merged.
namespace skiff::cuda {

constexpr int kSortThreads = 256;  ///< of a block that sorts
constexpr int kSortSlots = 1024;   ///< places that it sorts at once
constexpr int kSortFan = 8;        ///< runs that become one

/// Sorts every `size` neighbouring ones of kSortSlots places; a power of two. All threads must call
/// it.
template <typename P>
__device__ void sort_slots(P* places, int size) {
  for (int stage = 2; stage <= size; stage *= 2)
    for (int reach = stage / 2; reach > 0; reach /= 2) {
      __syncthreads();
      for (int pair = static_cast<int>(threadIdx.x); pair < kSortSlots / 2; pair += kSortThreads) {
        const int low = 2 * pair - pair % reach, high = low + reach;
        const bool falling = (low % size & stage) != 0;
        if ((places[high] < places[low]) == falling) continue;
        const P place = places[low];
        places[low] = places[high];
        places[high] = place;
      }
    }
  __syncthreads();
}

/// How many of a run's `length` places stand before one of another run.
template <typename P>
__device__ std::int64_t count_before(const P* run, std::int64_t length, const P& place) {
  std::int64_t low = 0;
  while (low < length) {
    const std::int64_t middle = (low + length) / 2;
    if (run[middle] < place)
      low = middle + 1;
    else
      length = middle;
  }
  return low;
}

}  // namespace skiff::cuda
