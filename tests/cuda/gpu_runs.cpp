// gpu_runs MODEL: runs a model on the GPU many times, on two inputs in turn. Every run must give
// the bytes of the first with its input and take no memory of the GPU's. Prints JSON; 1: it is not
// so.
#include <skiff/skiff.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "runtime/core/error.h"
#include "tests/cuda/counted_cuda.h"

namespace skiff::test {
namespace {

using Bytes = std::vector<std::byte>;

struct Options {
  std::string model, outputs, then;
  long runs = 1000;
  int sessions = 1;
  std::size_t bandwidth_mib = 0;
};

/// Random floats; integers, which may be indices, are 0 and 1.
Bytes random_inputs(const Session& session, unsigned seed) {
  std::mt19937 random(seed);
  Bytes all;
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const Tensor input = session.input(i);
    Bytes bytes(input.bytes().size());
    if (input.dtype() == DType::float32)
      for (std::size_t at = 0; at < bytes.size(); at += sizeof(float)) {
        const float x = static_cast<float>(random() % 2001) / 1000 - 1;
        std::copy_n(reinterpret_cast<const std::byte*>(&x), sizeof(x), bytes.data() + at);
      }
    else
      for (std::size_t at = 0; at < bytes.size(); at += size_of(input.dtype()))
        bytes[at] = static_cast<std::byte>(random() % 2);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

/// A run from the session's first state.
void run_once(Session& session, const Bytes& inputs) {
  session.reset();
  const std::byte* from = inputs.data();
  for (std::size_t i = 0; i < session.input_count(); ++i) {
    const auto to = session.input(i).bytes();
    std::copy_n(from, to.size(), to.data());
    from += to.size();
  }
  const Status status = session.run();
  require(status.ok(), status.code(), status.message());
}

Bytes outputs_of(const Session& session) {
  Bytes all;
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const auto bytes = session.output(i).bytes();
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

void write(const Options& options, const char* name, const Bytes& bytes) {
  if (options.outputs.empty()) return;
  std::ofstream file(options.outputs + "/" + name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  require(file.good(), ErrorCode::io, "cannot write ", options.outputs, "/", name);
}

/// The two inputs, and what they gave first.
struct Pair {
  Bytes inputs[2], outputs[2];
};

Pair first_runs(Session& session) {
  Pair pair;
  for (unsigned i = 0; i < 2; ++i) {
    pair.inputs[i] = random_inputs(session, i + 1);
    run_once(session, pair.inputs[i]);
    pair.outputs[i] = outputs_of(session);
  }
  return pair;
}

/// How many runs gave other bytes than the first; `last` is what the last one gave.
long differing_runs(Session& session, const Pair& pair, long runs, Bytes& last) {
  long differing = 0;
  for (long run = 0; run < runs; ++run) {
    run_once(session, pair.inputs[run % 2]);
    last = outputs_of(session);
    differing += last != pair.outputs[run % 2] ? 1 : 0;
  }
  return differing;
}

/// All sessions at once, a thread each.
long differing_runs(std::vector<Session>& sessions, const Pair& pair, const Options& options) {
  std::vector<long> differing(sessions.size(), options.runs);
  std::vector<Bytes> last(sessions.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < sessions.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        differing[i] = differing_runs(sessions[i], pair, options.runs, last[i]);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "session %zu: %s\n", i, error.what());
      }
    });
  for (std::thread& thread : threads) thread.join();
  write(options, "first", pair.outputs[(options.runs - 1) % 2]);
  write(options, "last", last[0]);
  long sum = 0;
  for (long count : differing) sum += count;
  return sum;
}

std::size_t steps_on_cpu(const Session& session) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < session.step_count(); ++i)
    count += session.step(i).device == DeviceKind::cpu ? 1 : 0;
  return count;
}

int run(const Options& options) {
  const Model model = Model::load(options.model.c_str());
  std::vector<Session> sessions;
  for (int i = 0; i < options.sessions; ++i)
    sessions.emplace_back(model, SessionOptions{.device = DeviceKind::cuda});
  require(sessions[0].device() == DeviceKind::cuda, ErrorCode::device, "the GPU is not used");
  const MemoryReport& memory = sessions[0].memory();
  const CudaCounts loaded = cuda_counts();
  const Pair pair = first_runs(sessions[0]);
  const std::size_t free = free_device_bytes();
  const long differing = differing_runs(sessions, pair, options);
  const std::size_t free_after = free_device_bytes();
  const CudaCounts after = cuda_counts();
  const long taken = after.allocations - loaded.allocations + after.objects - loaded.objects;
  std::printf(
      "{\n  \"runs\": %ld,\n  \"sessions\": %d,\n  \"differing\": %ld,\n  \"output_bytes\": %zu,\n"
      "  \"cpu_steps\": %zu,\n  \"device_bytes\": %llu,\n  \"device_predicted\": %llu,\n"
      "  \"allocations_loading\": %ld,\n  \"allocations_running\": %ld,\n"
      "  \"free_before\": %zu,\n  \"free_after\": %zu",
      options.runs, options.sessions, differing, pair.outputs[0].size(), steps_on_cpu(sessions[0]),
      static_cast<unsigned long long>(loaded.device_bytes),
      static_cast<unsigned long long>(memory.weights + memory.device_arena), loaded.allocations,
      taken, free, free_after);
  if (options.bandwidth_mib != 0)
    std::printf(",\n  \"gbyte_per_s\": %.2f", copy_bandwidth(options.bandwidth_mib << 20));
  std::printf("\n}\n");
  std::fflush(stdout);
  const int then = options.then.empty() ? 0 : std::system(options.then.c_str());
  return differing == 0 && taken == 0 && free_after == free && then == 0 ? 0 : 1;
}

}  // namespace
}  // namespace skiff::test

int main(int argc, char** argv) {
  skiff::test::Options options;
  CLI::App app("Runs a model on the GPU many times: same bytes, no memory taken", "gpu_runs");
  app.add_option("MODEL", options.model, "the .skiff file")->required();
  app.add_option("--runs", options.runs, "of each session")->check(CLI::Range(1L, 100000000L));
  app.add_option("--sessions", options.sessions, "at once, a thread each")
      ->check(CLI::Range(1, 64));
  app.add_option("--outputs", options.outputs, "folder for what the first and last run gave");
  app.add_option("--then", options.then, "command to run while the sessions exist");
  app.add_option("--bandwidth", options.bandwidth_mib, "MiB of copies to time within the device");
  CLI11_PARSE(app, argc, argv);
  try {
    return skiff::test::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_runs: %s\n", error.what());
    return 1;
  }
}
