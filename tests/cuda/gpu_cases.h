#pragma once

#include <skiff/skiff.h>

#include <cstddef>
#include <string>
#include <vector>

#include "tests/cuda/counted_cuda.h"

// Inputs of a session and what it makes of them, run after run.
namespace skiff::test {

using Bytes = std::vector<std::byte>;

/// Two inputs at one size, and what they gave first.
struct Case {
  std::vector<InputShape> shapes;  ///< empty: the session's own
  Bytes inputs[2], outputs[2];
};

/// A case without inputs yet for each of the shapes, "NAME=1x3x224x224", which must outlive it; one
/// for none. Throws Error.
std::vector<Case> cases_at(const std::vector<std::string>& shapes);

/// What a session allocates for cases. Throws Error.
void prepare(Session& session, const std::vector<Case>& cases);

/// Fills cases in. Throws Error.
void run_first(Session& session, std::vector<Case>& cases);

/// Which case and input run `run` has: every input of every case in turn.
struct Turn {
  Turn(const std::vector<Case>& cases, long run);

  const Case& of;
  std::size_t input;
  const Bytes& expected() const { return of.outputs[input]; }
};

/// How many of the runs gave other bytes than expected; `last` is what the last one gave. With a
/// `stream`, the session's, work of that brings each input, late: before, the other one lies there.
long differing_runs(Session& session, const std::vector<Case>& cases, long runs,
                    CallersStream* stream, Bytes& last);

}  // namespace skiff::test
