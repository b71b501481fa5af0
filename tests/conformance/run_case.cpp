#include "tests/conformance/run_case.h"

#include <algorithm>

#include "runtime/core/error.h"
#include "tests/conformance/compare.h"
#include "tests/conformance/tflite.h"

namespace skiff::conformance {
namespace {

std::string first_refusals(const convert::Refused& refused) {
  const convert::Refusal& first = refused.refusals().front();
  return first.op + " '" + first.node + "': " + first.reason;
}

/// Imports unbound; whenever a value turns out to be needed at conversion, the inputs it comes from
/// are bound and the import is tried again. The options that work.
convert::ImportOptions find_bindings(const Case& data, Tensors& unbound) {
  convert::ImportOptions options;
  for (const auto& [name, tensor] : data.inputs) options.shapes[name] = tensor.shape;
  while (true) {
    try {
      convert::import_onnx(data.model_path, options);
      return options;
    } catch (const convert::Refused& refused) {
      bool more = false;
      for (const convert::Refusal& refusal : refused.refusals())
        for (const std::string& name : refusal.bind)
          if (unbound.count(name) != 0) {
            options.bind[name] = unbound.at(name).bytes;
            unbound.erase(name);
            more = true;
          }
      if (!more) throw;
    }
  }
}

Outcome judge(const Case& data, const Tensors& results) {
  Outcome outcome{.kind = Outcome::Kind::passed};
  for (const std::string& name : data.output_order) {
    const auto found = results.find(name);
    if (found == results.end()) return {Outcome::Kind::failed, "output '" + name + "' is missing"};
    const Difference difference = compare(found->second, data.outputs.at(name));
    outcome.max_relative = std::max(outcome.max_relative, difference.max_relative);
    if (difference.reason.empty()) continue;
    outcome.kind = Outcome::Kind::failed;
    outcome.reason = "output '" + name + "' " + difference.reason;
    break;
  }
  return outcome;
}

Outcome refusal_or_failure(const Error& error, std::initializer_list<ErrorCode> refusals) {
  const bool refused = std::find(refusals.begin(), refusals.end(), error.code()) != refusals.end();
  return {refused ? Outcome::Kind::refused : Outcome::Kind::failed, error.what()};
}

}  // namespace

Outcome run_case(const CasePath& path, const std::string& device) noexcept {
  if (path.model.extension() != ".onnx") return run_tflite_file(path, device);
  try {
    const Case data = load_case(path);
    Tensors unbound = data.inputs;
    const convert::ImportOptions options = find_bindings(data, unbound);
    try {
      const ir::Graph graph = prepare(
          [&](const auto& at) { return convert::import_onnx(data.model_path, at); }, options);
      const Run run = execute(graph, unbound, device);
      Outcome outcome = judge(data, run.results);
      outcome.on_gpu = run.on_gpu;
      return outcome;
    } catch (const Error& error) {  // what was imported must be a valid file
      return refusal_or_failure(error, {ErrorCode::unsupported, ErrorCode::budget_exceeded});
    }
  } catch (const convert::Refused& refused) {
    return {Outcome::Kind::refused, first_refusals(refused)};
  } catch (const Error& error) {
    return refusal_or_failure(
        error, {ErrorCode::unsupported, ErrorCode::invalid_model, ErrorCode::budget_exceeded});
  } catch (const std::exception& error) {
    return {Outcome::Kind::failed, error.what()};
  }
}

}  // namespace skiff::conformance
