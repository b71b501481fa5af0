#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <cmath>
#include <numeric>
#include <thread>

#include "platform/clock.h"
#include "platform/memory_state.h"
#include "platform/sha256.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/gpu.h"
#include "runtime/cli/number_flags.h"
#include "runtime/cli/output.h"
#include "runtime/cli/progress.h"
#include "runtime/cli/tensors.h"
#include "runtime/core/error.h"

namespace skiff::cli {
namespace {

struct Options {
  Common common;
  double warm_up_ms = 200, duration_s = 3;
  std::size_t iterations = 10;
  std::vector<double> percentiles;
  int sessions = 1;
  std::string times_file;
};

double ms_since(std::int64_t begin) {
  return static_cast<double>(platform::monotonic_ns() - begin) / 1e6;
}

/// What a thread measured with its own session.
struct Times {
  std::vector<double> ms;
  Status status;
};

Times measure(Session& session, const Options& options, std::barrier<>& start, bool draw) {
  Times times;
  Progress progress(draw);  // told between runs, so that it costs no latency
  std::int64_t begin = platform::monotonic_ns();
  while (times.status.ok() && ms_since(begin) < options.warm_up_ms) times.status = session.run();
  times.ms.reserve(1 << 16);
  start.arrive_and_wait();
  begin = platform::monotonic_ns();
  while (times.status.ok() &&
         (times.ms.size() < options.iterations || ms_since(begin) < options.duration_s * 1000)) {
    const std::int64_t at = platform::monotonic_ns();
    times.status = session.run();
    times.ms.push_back(ms_since(at));
    progress.show("measuring", ms_since(begin) / (options.duration_s * 1000 + 1));
  }
  return times;
}

/// All sessions at once, a thread each; all latencies, sorted, and how long it took.
std::pair<std::vector<double>, double> measure_all(std::vector<Session>& sessions,
                                                   const Options& options) {
  std::vector<Times> times(sessions.size());
  std::barrier<> start(static_cast<std::ptrdiff_t>(sessions.size()));
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < sessions.size(); ++i)
    threads.emplace_back([&, i] { times[i] = measure(sessions[i], options, start, false); });
  times[0] = measure(sessions[0], options, start, true);
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  double longest = 0;
  for (const Times& t : times) {
    require(t.status.ok(), t.status.code(), "node ", t.status.node(), ": ", t.status.message());
    all.insert(all.end(), t.ms.begin(), t.ms.end());
    longest = std::max(longest, std::accumulate(t.ms.begin(), t.ms.end(), 0.0));
  }
  std::sort(all.begin(), all.end());
  return {all, longest / 1000};
}

/// The value that p percent of the sorted ones do not exceed.
double percentile(const std::vector<double>& sorted, double p) {
  const double rank = std::ceil(p / 100 * static_cast<double>(sorted.size()));
  const auto at = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return sorted[std::min(at, sorted.size() - 1)];
}

Json latency_json(const std::vector<double>& sorted, const Options& options) {
  const double sum = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  Json json = {{"min", sorted.front()},
               {"median", percentile(sorted, 50)},
               {"mean", sum / static_cast<double>(sorted.size())},
               {"p90", percentile(sorted, 90)},
               {"p99", percentile(sorted, 99)},
               {"max", sorted.back()},
               {"count", sorted.size()}};
  for (double p : options.percentiles) json[fmt::format("p{:g}", p)] = percentile(sorted, p);
  return json;
}

/// `context`: see add_context().
std::string text_of(const Json& j, const Session& session, const std::string& context) {
  const Json& l = j["latency_ms"];
  return fmt::format(
             "{}: {}, {} thread(s), {} session(s)\n"
             "latency    median {:.3f} ms, mean {:.3f}, min {:.3f}, p90 {:.3f}, p99 {:.3f}, max "
             "{:.3f} ({} runs)\nthroughput {:.1f} runs/s\nload       {:.1f} ms, of which digests "
             "{:.1f}; first run {:.3f} ms\n",
             j["model"].get<std::string>(), processor_text(session), j["threads"].get<int>(),
             j["sessions"].get<int>(), l["median"].get<double>(), l["mean"].get<double>(),
             l["min"].get<double>(), l["p90"].get<double>(), l["p99"].get<double>(),
             l["max"].get<double>(), l["count"].get<std::size_t>(),
             j["throughput_per_s"].get<double>(), j["load_ms"].get<double>(),
             j["digest_ms"].get<double>(), j["first_run_ms"].get<double>()) +
         memory_text(session.memory()) + context;
}

void export_times(const std::vector<double>& ms, const std::string& path) {
  if (path.empty()) return;
  Json times = Json::array();
  for (double value : ms) times.push_back({{"latencyMs", value}});
  write_json(times, path);
}

int bench(const Options& options) {
  const Common& common = options.common;
  check_writable(options.times_file);
  std::int64_t begin = platform::monotonic_ns();
  const std::int64_t digests_begin = platform::sha256_ns();
  const Model model = common.load();
  std::vector<Session> sessions;
  for (int i = 0; i < options.sessions; ++i) sessions.push_back(common.session(model));
  const double load_ms = ms_since(begin);
  const double digest_ms = static_cast<double>(platform::sha256_ns() - digests_begin) / 1e6;
  for (Session& session : sessions) fill_random(session);
  const MemoryReport predicted = Session::predict(model, common.session_options());

  begin = platform::monotonic_ns();
  const Status status = sessions[0].run();
  const double first_ms = ms_since(begin);
  require(status.ok(), status.code(), "node ", status.node(), ": ", status.message());
  const auto [ms, seconds] = measure_all(sessions, options);

  Json memory = memory_json(sessions[0].memory());
  memory["predicted_total"] = predicted.total;
  const std::string context = add_context(memory, context_bytes(sessions[0]));
  memory["peak_rss"] = platform::memory_state().peak_resident;
  const Shape shape = model.input_count() > 0 ? sessions[0].input(0).shape() : Shape();
  const Json json = {{"model", model.name()},
                     {"device", name_of(sessions[0].device())},
                     {"isa", sessions[0].isa()},
                     {"threads", sessions[0].threads()},
                     {"sessions", options.sessions},
                     {"batch", shape.rank() > 0 ? shape[0] : 1},
                     {"latency_ms", latency_json(ms, options)},
                     {"throughput_per_s", static_cast<double>(ms.size()) / seconds},
                     {"load_ms", load_ms},
                     {"digest_ms", digest_ms},
                     {"first_run_ms", first_ms},
                     {"memory", memory},
                     {"environment", environment_json(sessions[0])}};
  if (common.json != "-") fmt::print("{}", text_of(json, sessions[0], context));
  write_json(json, common.json);
  export_times(ms, options.times_file);
  return 0;
}

}  // namespace

Action add_bench(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_common_flags(app, options->common);
  app.add_option("--warmUp", options->warm_up_ms, "ms before times count")->check(real_number(0));
  app.add_option("--duration", options->duration_s, "seconds to measure at least")
      ->check(real_number(0));
  app.add_option("--iterations", options->iterations, "runs to measure at least")
      ->check(whole_number(1));
  app.add_option("--percentile", options->percentiles, "further percentiles, e.g. 95,99.9")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(real_number(0, 100));
  app.add_option("--sessions", options->sessions,
                 "sessions at once, each with a thread of its own; memory is that of one")
      ->check(whole_number(1, 64));
  app.add_option("--exportTimes", options->times_file, "writes every latency to a .json file");
  return [options] { return bench(*options); };
}

}  // namespace skiff::cli
