#include "runtime/cuda/cudnn/plan.h"

#include <algorithm>

#include "runtime/cuda/dispatch.h"

namespace skiff::cuda::cudnn {
namespace {

/// Configurations that a mode of the heuristics proposes; none when cuDNN refuses the question.
std::vector<Descriptor> ask(const Descriptor& graph, cudnnBackendHeurMode_t mode,
                            const Target& target) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  target.tell_heuristics(heuristics);
  std::vector<Descriptor> configurations;
  if (!heuristics.try_finalize()) return configurations;
  std::int64_t count = 0;
  check(cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr),
        "cudnnBackendGetAttribute");
  std::vector<cudnnBackendDescriptor_t> raw;
  for (std::int64_t i = 0; i < count; ++i) {
    configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    raw.push_back(configurations.back().get());
  }
  check(cudnnBackendGetAttribute(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, count, &count, raw.data()),
        "cudnnBackendGetAttribute");
  configurations.erase(configurations.begin() + count, configurations.end());
  return configurations;
}

struct Engine {
  std::int64_t index = -1;
  std::vector<cudnnBackendNumericalNote_t> notes;
  std::vector<cudnnBackendBehaviorNote_t> behaviours;
  bool has(cudnnBackendNumericalNote_t note) const { return std::ranges::count(notes, note) > 0; }
  bool has(cudnnBackendBehaviorNote_t note) const {
    return std::ranges::count(behaviours, note) > 0;
  }
};

template <typename Note>
std::vector<Note> notes_of(cudnnBackendDescriptor_t engine, cudnnBackendAttributeName_t name,
                           cudnnBackendAttributeType_t type, std::size_t most) {
  std::vector<Note> notes(most);
  std::int64_t count = 0;
  check(cudnnBackendGetAttribute(engine, name, type, static_cast<std::int64_t>(most), &count,
                                 notes.data()),
        "cudnnBackendGetAttribute");
  notes.resize(static_cast<std::size_t>(count));
  return notes;
}

Engine engine_of(const Descriptor& configuration) {
  const Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  std::int64_t count = 0;
  check(cudnnBackendGetAttribute(configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &raw),
        "cudnnBackendGetAttribute");
  Engine result;
  check(cudnnBackendGetAttribute(raw, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &count,
                                 &result.index),
        "cudnnBackendGetAttribute");
  result.notes = notes_of<cudnnBackendNumericalNote_t>(raw, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                       CUDNN_TYPE_NUMERICAL_NOTE,
                                                       CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  result.behaviours = notes_of<cudnnBackendBehaviorNote_t>(raw, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                                                           CUDNN_TYPE_BEHAVIOR_NOTE,
                                                           CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
  return result;
}

/// Settings of an engine's knobs, as text.
std::string knobs_of(const Descriptor& configuration) {
  std::int64_t count = 0;
  const auto ask = [&](std::int64_t room, void* to) {
    return cudnnBackendGetAttribute(configuration.get(), CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, room, &count, to);
  };
  check(ask(0, nullptr), "cudnnBackendGetAttribute");
  std::vector<Descriptor> knobs;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (std::int64_t i = 0; i < count; ++i)
    raw.push_back(knobs.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR).get());
  if (count > 0) check(ask(count, raw.data()), "cudnnBackendGetAttribute");
  std::string text;
  for (const cudnnBackendDescriptor_t knob : raw) {
    cudnnBackendKnobType_t type{};
    std::int64_t value = 0, one = 0;
    check(cudnnBackendGetAttribute(knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1,
                                   &one, &type),
          "cudnnBackendGetAttribute");
    check(cudnnBackendGetAttribute(knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1,
                                   &one, &value),
          "cudnnBackendGetAttribute");
    text += message(text.empty() ? "." : ",", static_cast<int>(type), "=", value);
  }
  return text;
}

std::string name_of(const Descriptor& configuration, const Engine& engine) {
  return message(engine.index, knobs_of(configuration));
}

bool allowed(const Engine& engine, const Policy& policy) {
  if (engine.has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)) return false;
  if (engine.has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return false;
  if (engine.has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return false;
  if (policy.precompiled && engine.has(CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION)) return false;
  const auto unwanted =
      engine.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE) ? TensorCores::never : TensorCores::required;
  return policy.tensor_cores != unwanted;
}

std::optional<Plan> make_plan(const Descriptor& configuration, const Engine& engine,
                              const Target& target) {
  Plan plan{.descriptor = Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR),
            .engine = engine.index,
            .workspace = 0,
            .tensor_cores = engine.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE)};
  plan.descriptor.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  target.tell_plan(plan.descriptor);
  if (!plan.descriptor.try_finalize()) return std::nullopt;
  std::int64_t bytes = 0, count = 0;
  check(cudnnBackendGetAttribute(plan.descriptor.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                 CUDNN_TYPE_INT64, 1, &count, &bytes),
        "cudnnBackendGetAttribute");
  plan.workspace = static_cast<std::size_t>(bytes);
  return plan;
}

}  // namespace

std::vector<Plan> find_plans(OperationGraph& operations, const Policy& policy, std::size_t most) {
  const Descriptor graph = operations.finish();
  std::vector<Plan> plans;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    for (const Descriptor& configuration : ask(graph, mode, operations.target())) {
      if (plans.size() == most) return plans;
      const Engine engine = engine_of(configuration);
      if (!allowed(engine, policy)) continue;
      if (!policy.engine.empty() && name_of(configuration, engine) != policy.engine) continue;
      auto plan = make_plan(configuration, engine, operations.target());
      if (plan && plan->workspace <= policy.most_workspace) plans.push_back(std::move(*plan));
    }
  return plans;
}

std::vector<std::string> list_engines(OperationGraph& operations, const Policy& policy,
                                      std::size_t most) {
  const Descriptor graph = operations.finish();
  std::vector<std::string> names;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK})
    for (const Descriptor& configuration : ask(graph, mode, operations.target())) {
      if (names.size() == most) return names;
      const Engine engine = engine_of(configuration);
      if (!allowed(engine, policy)) continue;
      const std::string name = name_of(configuration, engine);
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  return names;
}

void Plan::execute(cudnnHandle_t handle, std::span<const std::pair<TensorId, const void*>> pointers,
                   void* workspace_memory) const {
  std::vector<std::int64_t> ids;
  std::vector<const void*> addresses;
  for (const auto& [tensor, address] : pointers) {
    ids.push_back(tensor.id);
    addresses.push_back(address);
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, addresses.size(),
           addresses.data())
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace_memory)
      .finalize();
  check(cudnnBackendExecute(handle, descriptor.get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace skiff::cuda::cudnn
