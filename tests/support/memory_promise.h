#pragma once

#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <span>

#include "tests/support/malloc_probe.h"

// The memory contract: what predict() says is what a load takes, to the byte; run(), resize() and
// reset() take nothing.
namespace skiff::test {

/// A session of the file, which takes what was predicted for it, part by part. `bytes` must outlive
/// it.
inline Session session_as_predicted(std::span<const std::byte> bytes,
                                    const SessionOptions& options = {}) {
  const MemoryReport predicted = Session::predict(Model::from_bytes(bytes), options);
  MallocProbe probe;
  const Model model = Model::from_bytes(bytes);
  Session session(model, options);
  const auto count = probe.stop();
  const MemoryReport& used = session.memory();
  EXPECT_EQ(predicted.total, used.total);
  EXPECT_EQ(predicted.weights, used.weights);
  EXPECT_EQ(predicted.arena, used.arena);
  EXPECT_EQ(predicted.io, used.io);
  EXPECT_EQ(predicted.other, used.other);
  if (kMallocProbeWorks) {
    EXPECT_EQ(used.total, count.peak) << "threads " << options.threads;
  }
  return session;
}

/// `work` allocates nothing, in no thread; it should not use assertions, which may.
template <typename Work>
void expect_no_allocation(const Work& work) {
  MallocProbe probe;
  work();
  const MallocProbe::Count count = probe.stop();
  if (kMallocProbeWorks) {
    EXPECT_EQ(count.calls, 0u);
  }
}

/// The session's run() is right and allocates nothing.
inline void expect_run_allocates_nothing(Session& session) {
  Status status;
  expect_no_allocation([&] { status = session.run(); });
  EXPECT_TRUE(status.ok()) << status.message();
}

}  // namespace skiff::test
