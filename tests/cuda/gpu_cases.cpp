#include "tests/cuda/gpu_cases.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <span>
#include <thread>

#include "runtime/cli/shape_flag.h"
#include "runtime/core/error.h"

namespace skiff::test {
namespace {

void must(const Status& status) { require(status.ok(), status.code(), status.message()); }

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

/// A session's inputs as a caller's work knows them.
struct Delivery {
  std::vector<std::span<std::byte>> to;
  const Bytes* from = nullptr;

  explicit Delivery(const Session& session) {
    for (std::size_t i = 0; i < session.input_count(); ++i) to.push_back(session.input(i).bytes());
  }
  void bring(const Bytes& inputs) const {
    const std::byte* at = inputs.data();
    for (const std::span<std::byte> input : to) {
      std::copy_n(at, input.size(), input.data());
      at += input.size();
    }
  }
  /// On a stream. A run that does not wait for it is long done.
  static void bring_late(void* delivery) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto& self = *static_cast<const Delivery*>(delivery);
    self.bring(*self.from);
  }
};

Bytes outputs_of(const Session& session) {
  Bytes all;
  for (std::size_t i = 0; i < session.output_count(); ++i) {
    const auto bytes = session.output(i).bytes();
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

void resize(Session& session, const Case& c) {
  if (!c.shapes.empty()) must(session.resize(c.shapes));
}

/// A run from the session's first state.
Bytes run_once(Session& session, const Bytes& inputs) {
  session.reset();
  Delivery(session).bring(inputs);
  must(session.run());
  return outputs_of(session);
}

Bytes run_behind(CallersStream& stream, Session& session, const Bytes& inputs, const Bytes& other) {
  session.reset();
  Delivery delivery(session);
  delivery.bring(other);
  delivery.from = &inputs;
  stream.submit(Delivery::bring_late, &delivery);
  const Status status = session.run();
  const Bytes outputs = outputs_of(session);
  stream.wait();  // run() should have
  must(status);
  return outputs;
}

}  // namespace

std::vector<Case> cases_at(const std::vector<std::string>& shapes) {
  std::vector<Case> cases(std::max<std::size_t>(shapes.size(), 1));
  for (std::size_t s = 0; s < shapes.size(); ++s) {
    const std::string_view text = shapes[s];
    const std::string name(text.substr(0, text.find('=')));
    require(name.size() < text.size(), ErrorCode::invalid_argument, "--shape ", text,
            ": should be NAME=1x3x224x224");
    const Shape shape = cli::parse_shape(name, std::string(text.substr(name.size() + 1)));
    cases[s].shapes = {{text.substr(0, name.size()), shape}};
  }
  return cases;
}

void prepare(Session& session, const std::vector<Case>& cases) {
  for (const Case& c : cases)
    if (!c.shapes.empty()) session.prepare(c.shapes);
}

void run_first(Session& session, std::vector<Case>& cases) {
  for (Case& c : cases) {
    resize(session, c);
    for (unsigned i = 0; i < 2; ++i) {
      c.inputs[i] = random_inputs(session, i + 1);
      c.outputs[i] = run_once(session, c.inputs[i]);
    }
  }
}

Turn::Turn(const std::vector<Case>& cases, long run)
    : of(cases[static_cast<std::size_t>(run / 2) % cases.size()]),
      input(static_cast<std::size_t>(run % 2)) {}

long differing_runs(Session& session, const std::vector<Case>& cases, long runs,
                    CallersStream* stream, Bytes& last) {
  long differing = 0;
  for (long run = 0; run < runs; ++run) {
    const Turn turn(cases, run);
    const Bytes &inputs = turn.of.inputs[turn.input], &other = turn.of.inputs[1 - turn.input];
    if (turn.input == 0) resize(session, turn.of);
    last =
        stream == nullptr ? run_once(session, inputs) : run_behind(*stream, session, inputs, other);
    differing += last != turn.expected() ? 1 : 0;
  }
  return differing;
}

}  // namespace skiff::test
