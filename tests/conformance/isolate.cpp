#include "tests/conformance/isolate.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "runtime/core/error.h"

namespace skiff::conformance {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kHead = 2 + sizeof(double);

struct Child {
  pid_t pid = 0;
  int pipe = -1;
  std::size_t index = 0;
  Clock::time_point deadline;
  std::string text;  // what came through the pipe: kind, on_gpu, max_relative, reason
};

[[noreturn]] void child_main(const CasePath& path, const std::string& device, int pipe) {
  const Outcome outcome = run_case(path, device);
  std::string text{static_cast<char>(outcome.kind), outcome.on_gpu ? '1' : '0'};
  text.append(reinterpret_cast<const char*>(&outcome.max_relative), sizeof(double));
  text += outcome.reason.substr(0, 2000);
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = ::write(pipe, text.data() + sent, text.size() - sent);
    if (n <= 0) break;
    sent += static_cast<std::size_t>(n);
  }
  ::_exit(0);
}

Child start(const std::vector<CasePath>& cases, std::size_t index, const std::string& device,
            int timeout_seconds) {
  int ends[2];
  require(::pipe(ends) == 0, ErrorCode::io, "no pipe for case ", cases[index].name);
  const pid_t pid = ::fork();
  require(pid >= 0, ErrorCode::io, "no process for case ", cases[index].name);
  if (pid == 0) {
    ::close(ends[0]);
    child_main(cases[index], device, ends[1]);
  }
  ::close(ends[1]);
  return {pid, ends[0], index, Clock::now() + std::chrono::seconds(timeout_seconds), {}};
}

Outcome outcome_of(const Child& child, int status, bool hung) {
  if (hung) return {Outcome::Kind::failed, "no end within the time given"};
  if (!WIFEXITED(status) || child.text.size() < kHead)
    return {Outcome::Kind::failed, WIFSIGNALED(status)
                                       ? message("crashed: ", ::strsignal(WTERMSIG(status)))
                                       : std::string("ended without an answer")};
  Outcome outcome{.kind = static_cast<Outcome::Kind>(child.text[0])};
  outcome.on_gpu = child.text[1] == '1';
  std::memcpy(&outcome.max_relative, child.text.data() + 2, sizeof(double));
  outcome.reason = child.text.substr(kHead);
  return outcome;
}

/// True when the child ended or was ended.
bool advance(Child& child, Outcome& outcome) {
  char buffer[4096];
  pollfd ready{.fd = child.pipe, .events = POLLIN, .revents = 0};
  const bool hung = Clock::now() > child.deadline;
  if (hung) ::kill(child.pid, SIGKILL);
  if (!hung && ::poll(&ready, 1, 5) <= 0) return false;
  const ssize_t got = hung ? 0 : ::read(child.pipe, buffer, sizeof(buffer));
  if (got > 0) {
    child.text.append(buffer, static_cast<std::size_t>(got));
    return false;
  }
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  ::close(child.pipe);
  outcome = outcome_of(child, status, hung);
  return true;
}

}  // namespace

void run_isolated(const std::vector<CasePath>& cases, const std::string& device, int jobs,
                  int timeout_seconds,
                  const std::function<void(std::size_t, const Outcome&)>& done) {
  std::vector<Child> running;
  std::size_t next = 0;
  while (next < cases.size() || !running.empty()) {
    while (next < cases.size() && static_cast<int>(running.size()) < jobs)
      running.push_back(start(cases, next++, device, timeout_seconds));
    for (std::size_t i = 0; i < running.size();) {
      Outcome outcome;
      if (!advance(running[i], outcome)) {
        ++i;
        continue;
      }
      done(running[i].index, outcome);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

}  // namespace skiff::conformance
