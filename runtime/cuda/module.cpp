#include <memory>

#include "runtime/backend/edge.h"
#include "runtime/core/error.h"
#include "runtime/cuda/footprint.h"
#include "runtime/cuda/jit/nvrtc.h"
#include "runtime/cuda/kernel.h"
#include "runtime/cuda/probe.h"
#include "runtime/cuda/program.h"

// The module's side of runtime/backend/api.h.

namespace skiff::cuda {

/// Memory that the core lends for a kernel; it never comes back before the session ends.
class CoreMemory final : public std::pmr::memory_resource {
 public:
  explicit CoreMemory(const skiff_memory& memory) : memory_(memory) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    void* const place = memory_.allocate(memory_.context, bytes, alignment);
    if (place == nullptr) throw std::bad_alloc();
    return place;
  }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  skiff_memory memory_;
};

}  // namespace skiff::cuda

struct skiff_device {
  skiff::cuda::Device device;
  std::unique_ptr<skiff::cuda::Program> recording;  ///< between begin and end
};
struct skiff_kernel {
  skiff::cuda::CoreMemory memory;  ///< of the kernel, which may hold on to it
  skiff::cuda::KernelPtr kernel;
};
struct skiff_program {
  std::unique_ptr<skiff::cuda::Program> program;
};

namespace skiff::cuda {
namespace {

constexpr int kMaxOperands = 64;

/// The core's dim expressions.
class CoreDims final : public DimResolver {
 public:
  explicit CoreDims(const skiff_node& node) : node_(node) {}
  std::int64_t resolve(std::int64_t dim) const override { return node_.resolve(node_.dims, dim); }

 private:
  const skiff_node& node_;
};

/// A node in the form kernels read, from the form it crossed in.
struct Node {
  TensorInfo infos[kMaxOperands];
  const TensorInfo* inputs[kMaxOperands];
  TensorInfo outputs[kMaxOperands];
  CoreDims dims;
  NodeView view;

  explicit Node(const skiff_node& from) : dims(from) {
    require(from.input_count <= kMaxOperands && from.output_count <= kMaxOperands,
            ErrorCode::unsupported, "more than ", kMaxOperands, " operands");
    const auto take = [](const skiff_tensor_info& t, TensorInfo& to) {
      to.dtype = static_cast<DType>(t.dtype);
      to.shape = Shape(std::span(t.shape, static_cast<std::size_t>(t.rank)));
      to.constant = t.constant != 0;
      to.quantization = static_cast<const fb::Quantization*>(t.quantization);
    };
    for (int i = 0; i < from.input_count; ++i) {
      take(from.inputs[i], infos[i]);
      inputs[i] = infos[i].dtype == DType::none ? nullptr : &infos[i];
    }
    for (int i = 0; i < from.output_count; ++i) take(from.outputs[i], outputs[i]);
    view = {.op = static_cast<fb::OpKind>(from.op),
            .version = static_cast<std::uint16_t>(from.version),
            .attributes = from.attributes,
            .inputs = {inputs, static_cast<std::size_t>(from.input_count)},
            .name = {from.name, from.name_size},
            .dims = from.resolve == nullptr ? nullptr : &dims};
  }
};

std::int32_t open(std::int32_t ordinal, void* stream, const char* code_folder,
                  skiff_device** device, skiff_backend_error* error) {
  return guarded(error, [&] {
    probe(ordinal);
    *device =
        new skiff_device{.device = Device(ordinal, static_cast<cudaStream_t>(stream), code_folder),
                         .recording = nullptr};
  });
}

void close(skiff_device* device) { delete device; }

std::int32_t describe(skiff_device* device, skiff_device_info* info, skiff_backend_error* error) {
  return guarded(error, [&] { *info = device->device.describe(); });
}

std::int32_t allocate(std::int32_t ordinal, std::int32_t kind, std::uint64_t bytes, void** memory,
                      void** mapped, skiff_backend_error* error) {
  return guarded(error, [&] {
    check(cudaSetDevice(ordinal), "cudaSetDevice");
    *memory = *mapped = nullptr;
    if (kind == SKIFF_MEMORY_DEVICE) {
      check(cudaMalloc(memory, bytes), "cudaMalloc");
      count_allocated(ordinal, static_cast<std::int64_t>(bytes));
      *mapped = *memory;
      return;
    }
    check(cudaHostAlloc(memory, bytes, cudaHostAllocMapped), "cudaHostAlloc");
    const cudaError_t code = cudaHostGetDevicePointer(mapped, *memory, 0);
    if (code != cudaSuccess) static_cast<void>(cudaFreeHost(*memory));
    check(code, "cudaHostGetDevicePointer");
  });
}

void release(std::int32_t ordinal, std::int32_t kind, void* memory, std::uint64_t bytes) {
  if (context_lost()) return;
  if (kind == SKIFF_MEMORY_DEVICE) count_allocated(ordinal, -static_cast<std::int64_t>(bytes));
  static_cast<void>(cudaSetDevice(ordinal));  // an address says by itself whose it is
  latch(kind == SKIFF_MEMORY_DEVICE ? cudaFree(memory) : cudaFreeHost(memory));
}

std::int32_t upload(skiff_device* device, void* to, const void* from, std::uint64_t bytes,
                    skiff_backend_error* error) {
  return guarded(error, [&] {
    device->device.enter();
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, device->device.stream()),
          "cudaMemcpyAsync");
    device->device.wait();
  });
}

std::int32_t make(skiff_device* device, const skiff_memory* memory, const skiff_node* node,
                  skiff_kernel** kernel, skiff_kernel_info* info, skiff_backend_error* error) {
  return guarded(error, [&] {
    device->device.enter();
    const Node read(*node);
    const std::span outputs(read.outputs, static_cast<std::size_t>(node->output_count));
    void* const place = CoreMemory(*memory).allocate(sizeof(skiff_kernel), alignof(skiff_kernel));
    auto* const result = new (place) skiff_kernel{CoreMemory(*memory), nullptr};
    result->kernel =
        make_kernel({read.view, outputs, device->device, result->memory, node->most_workspace,
                     node->choice ? node->choice : "", node->exact != 0, node->tf32 != 0});
    const Kernel* const made = result->kernel.get();
    *info = {.workspace = made->workspace_bytes(),
             .flops = made->flops(),
             .overwrites = 0,
             .tensor_cores = made->tensor_cores(),
             .algorithm = made->algorithm()};
    for (int i = 0; i < node->input_count && i < 32; ++i)
      if (made->can_overwrite(i)) info->overwrites |= 1u << i;
    *kernel = result;
  });
}

void destroy_kernel(skiff_kernel* kernel) { kernel->~skiff_kernel(); }

void constant_form(const skiff_kernel* kernel, std::int32_t input, skiff_constant_form* form) {
  *form = kernel->kernel->constant_form(input);
}

std::int32_t pack(skiff_kernel* kernel, std::int32_t input, const skiff_reader* reader,
                  void* packed, std::uint64_t bytes, void* scratch, std::uint64_t scratch_bytes,
                  skiff_backend_error* error) {
  return guarded(error, [&] {
    Reader read(*reader);
    kernel->kernel->pack(input, read, {static_cast<std::byte*>(packed), bytes},
                         {static_cast<std::byte*>(scratch), scratch_bytes});
  });
}

std::int32_t begin(skiff_device* device, std::int32_t record, skiff_backend_error* error) {
  return guarded(error, [&] {
    device->device.enter();
    if (record == 0) return device->device.follow_caller();
    auto program = std::make_unique<Program>(device->device);
    check(cudaStreamBeginCapture(device->device.stream(), cudaStreamCaptureModeThreadLocal),
          "cudaStreamBeginCapture");
    device->recording = std::move(program);
  });
}

/// What is recorded is given up when one step of it fails.
template <typename F>
std::int32_t step(skiff_device* device, skiff_backend_error* error, F&& f) noexcept {
  const std::int32_t code = guarded(error, std::forward<F>(f));
  if (code != 0 && device->recording != nullptr) {
    device->recording->abandon();
    device->recording.reset();
  }
  return code;
}

std::int32_t enqueue(skiff_device* device, skiff_kernel* kernel, const skiff_launch* launch,
                     skiff_backend_error* error) {
  return step(device, error, [&] { kernel->kernel->enqueue({device->device, *launch}); });
}

std::int32_t copy(skiff_device* device, void* to, const void* from, std::uint64_t bytes,
                  std::int32_t to_device, skiff_backend_error* error) {
  return step(device, error, [&] {
    const auto kind = to_device != 0 ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost;
    check(cudaMemcpyAsync(to, from, bytes, kind, device->device.stream()), "cudaMemcpyAsync");
  });
}

std::int32_t end(skiff_device* device, skiff_program** program, skiff_backend_error* error) {
  return guarded(error, [&] {
    *program = nullptr;
    if (device->recording == nullptr) {
      device->device.wait();
      return;
    }
    auto made = std::make_unique<skiff_program>(skiff_program{std::move(device->recording)});
    if (made->program->finish()) *program = made.release();
  });
}

void destroy_program(skiff_program* program) { delete program; }

std::int32_t run(skiff_device* device, skiff_program* program, skiff_backend_error* error) {
  // Nothing here may throw or allocate.
  const auto failed = [&](cudaError_t code) {
    latch(code);
    return tell(error, ErrorCode::device, cudaGetErrorString(code));
  };
  if (context_lost()) return tell(error, ErrorCode::device, "the GPU failed earlier");
  if (const cudaError_t code = program->program->launch(device->device.run_stream());
      code != cudaSuccess)
    return failed(code);
  const cudaError_t code = cudaStreamSynchronize(device->device.run_stream());
  return code == cudaSuccess ? 0 : failed(code);
}

std::int32_t choices(skiff_device* device, const skiff_node* node, std::int32_t most,
                     const skiff_choices* take, skiff_backend_error* error) {
  return guarded(error, [&] {
    device->device.enter();
    const Node read(*node);
    const std::span outputs(read.outputs, static_cast<std::size_t>(node->output_count));
    const KernelSpec spec{.node = read.view,
                          .outputs = outputs,
                          .device = device->device,
                          .memory = *std::pmr::get_default_resource(),
                          .tf32 = node->tf32 != 0};
    const Choices found = list_choices(spec, most);
    take->group(take->context, found.group.c_str());
    for (const std::string& name : found.names) take->name(take->context, name.c_str());
  });
}

std::int32_t time(skiff_device* device, skiff_program* program, void* flush,
                  std::uint64_t flush_bytes, std::int32_t runs, float* ms,
                  skiff_backend_error* error) {
  return guarded(error, [&] {
    device->device.enter();
    *ms = program->program->time(flush, flush_bytes, runs);
  });
}

std::int32_t compiles() { return jit::Nvrtc::find() != nullptr; }

std::uint64_t measure_footprint(std::int32_t ordinal) { return footprint(ordinal); }

constexpr skiff_backend kTable = {
    .size = sizeof(skiff_backend),
    .version = SKIFF_BACKEND_VERSION,
    .open = open,
    .close = close,
    .describe = describe,
    .allocate = allocate,
    .release = release,
    .upload = upload,
    .make_kernel = make,
    .destroy_kernel = destroy_kernel,
    .constant_form = constant_form,
    .pack = pack,
    .begin = begin,
    .enqueue = enqueue,
    .copy = copy,
    .end = end,
    .destroy_program = destroy_program,
    .run = run,
    .choices = choices,
    .time = time,
    .compiles = compiles,
    .footprint = measure_footprint,
};

}  // namespace
}  // namespace skiff::cuda

extern "C" __attribute__((visibility("default"))) const skiff_backend* skiff_backend_v1(
    std::uint32_t version) {
  return version == SKIFF_BACKEND_VERSION ? &skiff::cuda::kTable : nullptr;
}
