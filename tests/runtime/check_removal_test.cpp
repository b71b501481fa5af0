#include <gtest/gtest.h>
#include <signal.h>
#include <skiff/skiff.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>

#include "tests/runtime/check_corpus.h"
#include "tests/support/check_sites.h"
#include "tests/support/operator_samples.h"

#undef check
#undef require

// Every check of the loader and of the operators' rules, switched off one at a time: some hostile
// file then ends otherwise than before. A check that no file reaches is untested, or dead.
namespace skiff::test {
namespace {

using Bytes = std::vector<std::byte>;
constexpr std::size_t kFilesEach = 6, kLimit = std::size_t{64} << 20;

/// What a user of the file sees: the error, or that it ran.
std::string outcome_of(std::span<const std::byte> file) {
  forget_last_failed();
  try {
    const Model model = Model::from_bytes(file, {.memory_limit = kLimit});
    Session session(model, {.memory_limit = kLimit});
    const Status status = session.run();
    return status.ok() ? "ran" : status.message();
  } catch (const Error& error) {
    return std::string(name_of(error.code())) + ": " + error.what();
  }
}

/// The same in a process of its own, with one check off; "crashed" when it does not end by itself.
std::string outcome_without(std::size_t site, std::span<const std::byte> file) {
  constexpr std::size_t kSize = 4096;
  void* shared = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* text = static_cast<char*>(shared);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{0, 0}, memory{std::size_t{2} << 30, std::size_t{2} << 30};
    ::setrlimit(RLIMIT_CORE, &none);
    ::setrlimit(RLIMIT_AS, &memory);
    if (::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(1);
    ::alarm(10);
    switch_off(site);
    try {
      std::strncpy(text, outcome_of(file).c_str(), kSize - 1);
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  std::string outcome = ended ? text : "crashed";
  ::munmap(shared, kSize);
  return outcome;
}

/// For every check some of the files that it refused.
std::vector<std::vector<Bytes>> refused_files() {
  std::vector<std::vector<Bytes>> files(check_sites().size());
  std::size_t count = 0;
  const auto visit = [&](std::span<const std::byte> file) {
    ++count;
    outcome_of(file);
    if (last_failed() == kNoSite) return;
    auto& kept = files[last_failed()];
    if (kept.size() < kFilesEach) kept.emplace_back(file.begin(), file.end());
  };
  for (const auto& samples : {model_samples(), operator_samples()})
    for (const ModelSample& sample : samples) for_each_hostile(sample, visit);
  std::cout << count << " files, " << check_sites().size() << " checks\n";
  return files;
}

TEST(CheckRemoval, SomeFileNoticesEveryCheck) {
  const auto files = refused_files();
  std::size_t alone = 0;
  for (std::size_t site = 0; site < files.size(); ++site) {
    const auto [file, line] = check_sites()[site];
    bool noticed = false, matters = false;
    for (const Bytes& bytes : files[site]) {
      const std::string before = outcome_of(bytes), after = outcome_without(site, bytes);
      noticed = noticed || after != before;
      matters = matters || after == "ran" || after == "crashed" ||
                after.substr(0, after.find(':')) != before.substr(0, before.find(':'));
    }
    EXPECT_TRUE(noticed) << file << ":" << line << ": no file notices that it is gone";
    if (matters) ++alone;
    if (noticed && !matters) std::cout << file << ":" << line << ": another check stands behind\n";
  }
  std::cout << alone << " checks are the only ones between a file and a run or a crash\n";
}

}  // namespace
}  // namespace skiff::test
