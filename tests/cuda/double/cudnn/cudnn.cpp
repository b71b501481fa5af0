#include <cudnn.h>

#include <algorithm>

#include "tests/cuda/double/control.h"
#include "tests/cuda/double/cudnn/operations.h"

// The back-end interface: descriptors record what they are told and say so when a graph makes no
// sense; executing a plan interprets its graph in host loops. The heuristics offer three engines:
// one that spoils its workspace, one that refuses when a plan is made of it, one without workspace;
// for float32 before them one that computes on tensor cores; before all of them some that must not
// be taken.

/// What a caller holds.
struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace cuda_double {
namespace {

struct Held {
  std::shared_ptr<Descriptor> descriptor;
};
Held& held(cudnnBackendDescriptor_t handle) { return *static_cast<Held*>(handle); }

std::string g_message;

cudnnStatus_t refuse(cudnnStatus_t status, const std::string& why) {
  g_message = why;
  return status;
}

enum EngineIndex : std::int64_t { kPlain = 0, kSpoiling = 1, kRefusing = 2, kTensorCores = 3 };
/// Engines that nobody may take, each for its note: they are offered first and never run.
constexpr std::pair<std::int64_t, cudnnBackendNumericalNote_t> kUnwanted[] = {
    {4, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS},
    {5, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC},
    {6, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}};
constexpr std::int64_t kWorkspace = 4096;
std::int64_t workspace_of(std::int64_t engine) { return engine == kSpoiling ? kWorkspace : 0; }

std::size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR:
      return 1;
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
      return 8;
    default:
      return 4;
  }
}

/// Of the first tensor that a graph's first operation names.
cudnnDataType_t type_of(const Descriptor& graph) {
  for (const auto& [name, attribute] : graph.child(CUDNN_ATTR_OPERATIONGRAPH_OPS)->attributes)
    for (const auto& child : attribute.children)
      if (child->type == CUDNN_BACKEND_TENSOR_DESCRIPTOR) return TensorView(*child).type;
  return CUDNN_DATA_FLOAT;
}

std::shared_ptr<Descriptor> make_configuration(const std::shared_ptr<Descriptor>& graph,
                                               std::int64_t index) {
  auto engine = std::make_shared<Descriptor>(Descriptor{CUDNN_BACKEND_ENGINE_DESCRIPTOR, true, {}});
  engine->put(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, index);
  engine->attributes[CUDNN_ATTR_ENGINE_OPERATION_GRAPH] = {
      CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, "", {graph}};
  if (index == kTensorCores || type_of(*graph) != CUDNN_DATA_FLOAT)
    engine->put(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  else
    engine->attributes[CUDNN_ATTR_ENGINE_NUMERICAL_NOTE] = {CUDNN_TYPE_NUMERICAL_NOTE, 0, "", {}};
  for (const auto& [unwanted, note] : kUnwanted)
    if (index == unwanted)
      engine->put(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, note);
  engine->attributes[CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE] = {CUDNN_TYPE_BEHAVIOR_NOTE, 0, "", {}};
  auto configuration =
      std::make_shared<Descriptor>(Descriptor{CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, true, {}});
  configuration->attributes[CUDNN_ATTR_ENGINECFG_ENGINE] = {
      CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, "", {engine}};
  Descriptor::Attribute knobs{CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, "", {}};
  if (index == kSpoiling) {
    auto knob =
        std::make_shared<Descriptor>(Descriptor{CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, true, {}});
    knob->put(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, CUDNN_KNOB_TYPE_TILE_SIZE);
    knob->put(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, std::int64_t{3});
    knobs = {CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, "", {knob}};
  }
  configuration->attributes[CUDNN_ATTR_ENGINECFG_KNOB_CHOICES] = knobs;
  return configuration;
}

std::string operation_fault(const Descriptor& operation) {
  switch (operation.type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return convolution_fault(operation);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
      return pointwise_fault(operation);
    default:
      return "an operation that the double does not know";
  }
}

void run_operation(Execution& execution, const Descriptor& operation) {
  if (operation.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
    run_convolution(execution, operation);
  else
    run_pointwise(execution, operation);
}

cudnnStatus_t finalize_tensor(const Descriptor& descriptor) {
  const TensorView t(descriptor);
  const bool whole = !t.dims.empty() && t.dims.size() == t.strides.size() && t.id >= 0 &&
                     descriptor.find(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT) != nullptr &&
                     std::ranges::all_of(t.dims, [](std::int64_t e) { return e > 0; });
  return whole ? CUDNN_STATUS_SUCCESS : refuse(CUDNN_STATUS_BAD_PARAM, "tensor");
}

cudnnStatus_t finalize_graph(const Descriptor& graph) {
  const Descriptor::Attribute* operations = graph.find(CUDNN_ATTR_OPERATIONGRAPH_OPS);
  if (operations == nullptr || graph.find(CUDNN_ATTR_OPERATIONGRAPH_HANDLE) == nullptr)
    return refuse(CUDNN_STATUS_BAD_PARAM, "graph without operations or handle");
  for (const auto& operation : operations->children)
    if (const std::string fault = operation_fault(*operation); !fault.empty())
      return refuse(CUDNN_STATUS_BAD_PARAM, fault);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize_heuristics(Descriptor& heuristics) {
  const Descriptor::Attribute* graph = heuristics.find(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  if (graph == nullptr) return refuse(CUDNN_STATUS_BAD_PARAM, "heuristics without graph");
  Descriptor::Attribute results{CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, "", {}};
  for (const auto& [engine, note] : kUnwanted)
    results.children.push_back(make_configuration(graph->children[0], engine));
  for (const std::int64_t engine : {kTensorCores, kRefusing, kSpoiling, kPlain})
    if (engine != kTensorCores || type_of(*graph->children[0]) == CUDNN_DATA_FLOAT)
      results.children.push_back(make_configuration(graph->children[0], engine));
  results.count = static_cast<std::int64_t>(results.children.size());
  heuristics.attributes[CUDNN_ATTR_ENGINEHEUR_RESULTS] = results;
  return CUDNN_STATUS_SUCCESS;
}

const Descriptor* engine_of(const Descriptor& plan) {
  const Descriptor* configuration = plan.child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  return configuration == nullptr ? nullptr : configuration->child(CUDNN_ATTR_ENGINECFG_ENGINE);
}
std::int64_t engine_index(const Descriptor& plan) {
  return engine_of(plan)->get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, kPlain);
}

cudnnStatus_t finalize_plan(Descriptor& plan) {
  if (engine_of(plan) == nullptr || plan.find(CUDNN_ATTR_EXECUTION_PLAN_HANDLE) == nullptr)
    return refuse(CUDNN_STATUS_BAD_PARAM, "plan without engine or handle");
  if (engine_index(plan) == kRefusing)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "this engine refuses");
  plan.put(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
           workspace_of(engine_index(plan)));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize(Descriptor& descriptor) {
  switch (descriptor.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      return finalize_tensor(descriptor);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR: {
      const std::string fault = operation_fault(descriptor);
      return fault.empty() ? CUDNN_STATUS_SUCCESS : refuse(CUDNN_STATUS_BAD_PARAM, fault);
    }
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return finalize_graph(descriptor);
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
      return finalize_heuristics(descriptor);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      return finalize_plan(descriptor);
    default:
      return CUDNN_STATUS_SUCCESS;
  }
}

/// An execution that waits on a stream.
struct Job {
  std::shared_ptr<Descriptor> plan;
  Execution execution;
  void* workspace = nullptr;

  const Descriptor::Attribute& operations() const {
    return *engine_of(*plan)
                ->child(CUDNN_ATTR_ENGINE_OPERATION_GRAPH)
                ->find(CUDNN_ATTR_OPERATIONGRAPH_OPS);
  }
  /// Every tensor that is not virtual must be bound to an aligned address.
  std::string fault() const {
    if (engine_index(*plan) >= kUnwanted[0].first) return "an engine that nobody may take";
    if (workspace_of(engine_index(*plan)) > 0 && workspace == nullptr) return "no workspace";
    for (const auto& operation : operations().children)
      for (const auto& [name, attribute] : operation->attributes)
        for (const auto& child : attribute.children) {
          if (child->type != CUDNN_BACKEND_TENSOR_DESCRIPTOR) continue;
          const TensorView tensor(*child);
          if (tensor.is_virtual) continue;
          const auto bound = execution.pointers.find(tensor.id);
          if (bound == execution.pointers.end() || bound->second == nullptr)
            return "a tensor is not bound";
          if (reinterpret_cast<std::uintptr_t>(bound->second) %
                  static_cast<std::uintptr_t>(tensor.alignment) !=
              0)
            return "a tensor is not aligned";
        }
    return "";
  }
  void run() {
    cuda_double_spend(("cudnn " + std::to_string(engine_index(*plan))).c_str());
    if (workspace != nullptr)
      std::memset(workspace, 0xff, static_cast<std::size_t>(workspace_of(engine_index(*plan))));
    Execution fresh = execution;
    fresh.tf32 = engine_index(*plan) == kTensorCores;
    for (const auto& operation : operations().children) run_operation(fresh, *operation);
  }
};

}  // namespace
}  // namespace cuda_double

using namespace cuda_double;

#define CUDNN_DOUBLE extern "C" __attribute__((visibility("default")))
#define CUDNN_DOUBLE_ENTER() \
  if (cuda_double_enter(__func__) != 0) return refuse(CUDNN_STATUS_INTERNAL_ERROR, "injected")

CUDNN_DOUBLE size_t cudnnGetVersion() {
  const int claimed = cuda_double_cudnn_version();
  return claimed != 0 ? static_cast<size_t>(claimed) : CUDNN_VERSION;
}
CUDNN_DOUBLE void cudnnGetLastErrorString(char* text, size_t size) {
  if (size == 0) return;
  std::strncpy(text, g_message.c_str(), size - 1);
  text[size - 1] = '\0';
}

CUDNN_DOUBLE cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  CUDNN_DOUBLE_ENTER();
  *handle = new cudnnContext;
  cuda_double_count_object(1);
  return CUDNN_STATUS_SUCCESS;
}
CUDNN_DOUBLE cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  delete handle;
  cuda_double_count_object(-1);
  CUDNN_DOUBLE_ENTER();
  return CUDNN_STATUS_SUCCESS;
}
CUDNN_DOUBLE cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  CUDNN_DOUBLE_ENTER();
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

CUDNN_DOUBLE cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                                        cudnnBackendDescriptor_t* handle) {
  CUDNN_DOUBLE_ENTER();
  *handle = new Held{std::make_shared<Descriptor>(Descriptor{type, false, {}})};
  cuda_double_count_object(1);
  return CUDNN_STATUS_SUCCESS;
}
CUDNN_DOUBLE cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t handle) {
  delete static_cast<Held*>(handle);
  cuda_double_count_object(-1);
  CUDNN_DOUBLE_ENTER();
  return CUDNN_STATUS_SUCCESS;
}

CUDNN_DOUBLE cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t handle,
                                                    cudnnBackendAttributeName_t name,
                                                    cudnnBackendAttributeType_t type, int64_t count,
                                                    const void* values) {
  CUDNN_DOUBLE_ENTER();
  Descriptor& descriptor = *held(handle).descriptor;
  if (descriptor.finalized) return refuse(CUDNN_STATUS_NOT_INITIALIZED, "already finalised");
  if (count < 0 || (count > 0 && values == nullptr))
    return refuse(CUDNN_STATUS_BAD_PARAM, "no values");
  Descriptor::Attribute attribute{type, count, "", {}};
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto& child = held(static_cast<cudnnBackendDescriptor_t const*>(values)[i]).descriptor;
      if (!child->finalized) return refuse(CUDNN_STATUS_BAD_PARAM, "an operand is not finalised");
      attribute.children.push_back(child);
    }
  } else {
    attribute.bytes.assign(static_cast<const char*>(values),
                           static_cast<std::size_t>(count) * size_of(type));
  }
  descriptor.attributes[name] = std::move(attribute);
  return CUDNN_STATUS_SUCCESS;
}

CUDNN_DOUBLE cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t handle) {
  CUDNN_DOUBLE_ENTER();
  Descriptor& descriptor = *held(handle).descriptor;
  if (descriptor.finalized) return refuse(CUDNN_STATUS_BAD_PARAM, "finalised twice");
  const cudnnStatus_t status = finalize(descriptor);
  descriptor.finalized = status == CUDNN_STATUS_SUCCESS;
  return status;
}

CUDNN_DOUBLE cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t handle,
                                                    cudnnBackendAttributeName_t name,
                                                    cudnnBackendAttributeType_t type,
                                                    int64_t wanted, int64_t* count, void* values) {
  CUDNN_DOUBLE_ENTER();
  const Descriptor& descriptor = *held(handle).descriptor;
  if (!descriptor.finalized) return refuse(CUDNN_STATUS_NOT_INITIALIZED, "not finalised");
  const Descriptor::Attribute* attribute = descriptor.find(name);
  if (attribute == nullptr || attribute->type != type)
    return refuse(CUDNN_STATUS_BAD_PARAM, "no such attribute of this type");
  if (count != nullptr) *count = attribute->count;
  const std::int64_t taken = values == nullptr ? 0 : std::min(wanted, attribute->count);
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    for (std::int64_t i = 0; i < taken; ++i)
      held(static_cast<cudnnBackendDescriptor_t*>(values)[i]).descriptor =
          attribute->children[static_cast<std::size_t>(i)];
  } else if (taken > 0) {
    std::memcpy(values, attribute->bytes.data(), static_cast<std::size_t>(taken) * size_of(type));
  }
  return CUDNN_STATUS_SUCCESS;
}

CUDNN_DOUBLE cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle,
                                               cudnnBackendDescriptor_t plan_handle,
                                               cudnnBackendDescriptor_t pack_handle) {
  CUDNN_DOUBLE_ENTER();
  auto job = std::make_unique<Job>();
  job->plan = held(plan_handle).descriptor;
  const Descriptor& pack = *held(pack_handle).descriptor;
  if (!job->plan->finalized || !pack.finalized)
    return refuse(CUDNN_STATUS_NOT_INITIALIZED, "not finalised");
  const auto ids = pack.list<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers = pack.list<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  if (ids.size() != pointers.size()) return refuse(CUDNN_STATUS_BAD_PARAM, "variant pack");
  for (std::size_t i = 0; i < ids.size(); ++i) job->execution.pointers[ids[i]] = pointers[i];
  job->workspace = pack.get<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, nullptr);
  if (const std::string fault = job->fault(); !fault.empty())
    return refuse(CUDNN_STATUS_BAD_PARAM, fault);
  cuda_double_submit(
      handle->stream, [](void* context) { static_cast<Job*>(context)->run(); }, job.release(),
      [](void* context) { delete static_cast<Job*>(context); });
  return CUDNN_STATUS_SUCCESS;
}
