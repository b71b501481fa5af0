#include "runtime/backend/device.h"

#include <vector>

#include "runtime/backend/edge.h"
#include "runtime/core/error.h"

namespace skiff::backend {
namespace {

void check(std::int32_t code, const skiff_backend_error& error) {
  if (code != 0) fail(static_cast<ErrorCode>(code), error.text);
}

}  // namespace

Memory::Memory(const skiff_backend& table, int ordinal, MemoryKind kind, std::uint64_t bytes)
    : table_(&table), ordinal_(ordinal), kind_(kind), size_(bytes) {
  if (bytes == 0) return;
  skiff_backend_error error{};
  void *memory = nullptr, *mapped = nullptr;
  check(table.allocate(ordinal, static_cast<std::int32_t>(kind), bytes, &memory, &mapped, &error),
        error);
  data_ = static_cast<std::byte*>(memory);
  mapped_ = static_cast<std::byte*>(mapped);
}

Memory::~Memory() {
  if (data_ != nullptr) table_->release(ordinal_, static_cast<std::int32_t>(kind_), data_, size_);
}

void Memory::swap(Memory& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(ordinal_, other.ordinal_);
  std::swap(kind_, other.kind_);
  std::swap(data_, other.data_);
  std::swap(mapped_, other.mapped_);
  std::swap(size_, other.size_);
}

skiff_constant_form DeviceKernel::form(int input) const noexcept {
  skiff_constant_form form{};
  table_.constant_form(kernel_, input, &form);
  return form;
}

void DeviceKernel::pack(int input, ConstantReader& reader, std::span<std::byte> packed,
                        std::span<std::byte> scratch) {
  // What reading throws must not pass through the module: it is caught on the way in and thrown
  // again on the way out.
  struct Source {
    ConstantReader& reader;
    skiff_backend_error error{};
  } source{reader};
  const auto read = [](void* context, void* to, std::size_t bytes) {
    auto& from = *static_cast<Source*>(context);
    return guarded(&from.error, [&] { from.reader.read({static_cast<std::byte*>(to), bytes}); });
  };
  const skiff_reader crossing{read, &source};
  skiff_backend_error error{};
  const std::int32_t code = table_.pack(kernel_, input, &crossing, packed.data(), packed.size(),
                                        scratch.data(), scratch.size(), &error);
  backend::check(source.error.code, source.error);
  backend::check(code, error);
}

Device::Device(const skiff_backend& table, int ordinal, const DeviceOptions& options)
    : table_(table), ordinal_(ordinal), tf32_(options.tf32) {
  check(table.open(ordinal, options.stream, options.code_folder.c_str(), &device_, &error_));
  const std::int32_t code = table.describe(device_, &info_, &error_);
  if (code != 0) table.close(device_);
  check(code);
}

void Device::check(std::int32_t code) const { backend::check(code, error_); }

void Device::upload(void* to, std::span<const std::byte> from) {
  check(table_.upload(device_, to, from.data(), from.size(), &error_));
}

namespace {

skiff_tensor_info crossing(const TensorInfo* tensor) noexcept {
  skiff_tensor_info info{};
  if (tensor == nullptr) return info;
  info.dtype = static_cast<std::int32_t>(tensor->dtype);
  info.rank = tensor->shape.rank();
  std::copy(tensor->shape.begin(), tensor->shape.end(), info.shape);
  info.constant = tensor->constant;
  info.quantization = tensor->quantization;
  return info;
}

/// The dims of a node were checked when the model was loaded.
std::int64_t resolve(const void* dims, std::int64_t dim) noexcept {
  return static_cast<const DimResolver*>(dims)->resolve(dim);
}

void* take(void* context, std::size_t bytes, std::size_t alignment) noexcept {
  try {
    return static_cast<std::pmr::memory_resource*>(context)->allocate(bytes, alignment);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

/// A node in the form that crosses.
struct Device::CrossingNode {
  CrossingNode(const NodeView& view, std::span<const TensorInfo> results, const KernelWish& wish,
               bool tf32) {
    for (const TensorInfo* input : view.inputs) in.push_back(crossing(input));
    for (const TensorInfo& output : results) out.push_back(crossing(&output));
    node = {.size = sizeof(skiff_node),
            .op = static_cast<std::int32_t>(view.op),
            .version = view.version,
            .input_count = static_cast<std::int32_t>(in.size()),
            .output_count = static_cast<std::int32_t>(out.size()),
            .inputs = in.data(),
            .outputs = out.data(),
            .attributes = view.attributes,
            .name = view.name.data(),
            .name_size = view.name.size(),
            .resolve = view.dims == nullptr ? nullptr : resolve,
            .dims = view.dims,
            .most_workspace = wish.most_workspace,
            .choice = wish.choice,
            .exact = wish.exact,
            .tf32 = tf32};
  }
  CrossingNode(const CrossingNode&) = delete;
  CrossingNode& operator=(const CrossingNode&) = delete;

  std::vector<skiff_tensor_info> in, out;
  skiff_node node;
};

KernelPtr Device::make_kernel(const NodeView& node, std::span<const TensorInfo> outputs,
                              const KernelWish& wish, std::pmr::memory_resource& memory) {
  const CrossingNode crossed(node, outputs, wish, tf32_);
  const skiff_memory lent{take, &memory};
  void* const place = memory.allocate(sizeof(DeviceKernel), alignof(DeviceKernel));
  skiff_kernel* kernel = nullptr;
  skiff_kernel_info info{};
  check(table_.make_kernel(device_, &lent, &crossed.node, &kernel, &info, &error_));
  return KernelPtr(new (place) DeviceKernel(table_, kernel, info));
}

Choices Device::choices(const NodeView& node, std::span<const TensorInfo> outputs, int most) {
  const CrossingNode crossed(node, outputs, {}, tf32_);
  Choices result;
  const skiff_choices taker{
      [](void* to, const char* text) { static_cast<Choices*>(to)->group = text; },
      [](void* to, const char* name) { static_cast<Choices*>(to)->names.emplace_back(name); },
      &result};
  check(table_.choices(device_, &crossed.node, most, &taker, &error_));
  return result;
}

float Device::time(const Program& program, const Memory& flush, int runs) {
  float ms = 0;
  check(table_.time(device_, program.get(), flush.data(), flush.size(), runs, &ms, &error_));
  return ms;
}

void Device::begin(bool record) { check(table_.begin(device_, record ? 1 : 0, &error_)); }

void Device::enqueue(const DeviceKernel& kernel, const skiff_launch& launch) {
  check(table_.enqueue(device_, kernel.get(), &launch, &error_));
}

void Device::copy(void* to, const void* from, std::uint64_t bytes, bool to_device) {
  check(table_.copy(device_, to, from, bytes, to_device ? 1 : 0, &error_));
}

Program Device::end() {
  skiff_program* program = nullptr;
  check(table_.end(device_, &program, &error_));
  return Program(table_, program);
}

Status Device::run(const Program& program) noexcept {
  const std::int32_t code = table_.run(device_, program.get(), &error_);
  return code == 0 ? Status() : Status(static_cast<ErrorCode>(code), error_.text);
}

}  // namespace skiff::backend
