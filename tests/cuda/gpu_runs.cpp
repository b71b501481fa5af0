// gpu_runs MODEL: runs a model on the GPU many times, on two inputs in turn, at every --shape.
// Every run must give the bytes of the first with its input and take no memory of the GPU's. Prints
// JSON; 1: it is not so.
#include <skiff/skiff.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <thread>
#include <vector>

#include "runtime/core/error.h"
#include "tests/cuda/counted_cuda.h"
#include "tests/cuda/gpu_cases.h"

namespace skiff::test {
namespace {

struct Options {
  std::string model, outputs, then;
  std::vector<std::string> shapes;
  long runs = 1000;
  int sessions = 1;
  bool stream = false;
  std::size_t bandwidth_mib = 0;
};

void write(const Options& options, const char* name, const Bytes& bytes) {
  if (options.outputs.empty()) return;
  std::ofstream file(options.outputs + "/" + name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  require(file.good(), ErrorCode::io, "cannot write ", options.outputs, "/", name);
}

/// Sessions on one model, and the callers' streams that some of them have.
struct Sessions {
  std::deque<CallersStream> streams;
  std::vector<Session> all;

  /// With --stream a session without one comes first.
  Sessions(const Model& model, const Options& options) {
    const int plain = options.stream ? 1 : options.sessions;
    for (int i = 0; i < plain; ++i) add(model, nullptr);
    require(all[0].device() == DeviceKind::cuda, ErrorCode::device, "the GPU is not used");
    for (int i = 0; options.stream && i < options.sessions; ++i)
      add(model, streams.emplace_back().get());
  }
  void add(const Model& model, void* stream) {
    all.emplace_back(model, SessionOptions{.device = DeviceKind::cuda, .stream = stream});
  }
  /// Null: it has one of its own.
  CallersStream* stream_of(std::size_t session) {
    const std::size_t plain = all.size() - streams.size();
    return session < plain ? nullptr : &streams[session - plain];
  }
};

/// All sessions at once, a thread each.
long differing_runs(Sessions& sessions, const std::vector<Case>& cases, const Options& options) {
  std::vector<long> differing(sessions.all.size(), options.runs);
  std::vector<Bytes> last(sessions.all.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < sessions.all.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        differing[i] =
            differing_runs(sessions.all[i], cases, options.runs, sessions.stream_of(i), last[i]);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "session %zu: %s\n", i, error.what());
      }
    });
  for (std::thread& thread : threads) thread.join();
  write(options, "first", Turn(cases, options.runs - 1).expected());
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
  Sessions sessions(model, options);
  std::vector<Case> cases = cases_at(options.shapes);
  for (Session& session : sessions.all) prepare(session, cases);
  const MemoryReport& memory = sessions.all[0].memory();
  const CudaCounts loaded = cuda_counts();
  run_first(sessions.all[0], cases);
  const std::size_t free = free_device_bytes();
  const long differing = differing_runs(sessions, cases, options);
  const std::size_t free_after = free_device_bytes();
  const CudaCounts after = cuda_counts();
  const long taken = after.allocations - loaded.allocations + after.objects - loaded.objects;
  std::printf(
      "{\n  \"runs\": %ld,\n  \"sessions\": %d,\n  \"differing\": %ld,\n  \"output_bytes\": %zu,\n"
      "  \"cpu_steps\": %zu,\n  \"device_bytes\": %llu,\n  \"device_predicted\": %llu,\n"
      "  \"allocations_loading\": %ld,\n  \"allocations_running\": %ld,\n"
      "  \"free_before\": %zu,\n  \"free_after\": %zu",
      options.runs, options.sessions, differing, cases[0].outputs[0].size(),
      steps_on_cpu(sessions.all[0]), static_cast<unsigned long long>(loaded.device_bytes),
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
  app.add_flag(
      "--stream", options.stream,
      "each session on a stream of the caller's whose work brings the inputs, and one more "
      "session without");
  app.add_option("--shape", options.shapes, "NAME=1x3x224x224; of several, each in turn")
      ->allow_extra_args(false);
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
