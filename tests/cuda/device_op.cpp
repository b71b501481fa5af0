#include <array>

#include "gpu.h"
#include "runtime/backend/device.h"
#include "runtime/backend/module.h"
#include "tests/support/op_runner.h"
#include "tests/support/sanitized.h"
#include "tests/support/thorough.h"

// Runs every operator test's node on the GPU too, where that has a kernel: what the tests compare
// with their references is then the GPU's result. In three orders of a block's threads (in one
// where there is little time) and in place where the kernel allows it; all must give the same
// bytes.
namespace skiff::test {
namespace {

using backend::Device;
using backend::Memory;
using backend::MemoryKind;

class BytesReader final : public ConstantReader {
 public:
  explicit BytesReader(const std::vector<std::byte>& bytes) : bytes_(bytes) {}
  void read(std::span<std::byte> to) override {
    ASSERT_LE(at_ + to.size(), bytes_.size()) << "a kernel reads beyond its constant";
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), to.size(), to.begin());
    at_ += to.size();
  }

 private:
  const std::vector<std::byte>& bytes_;
  std::size_t at_ = 0;
};

/// One kernel with its operands on the device.
class DeviceNode {
 public:
  DeviceNode(Device& device, const DeviceRequest& request)
      : device_(device),
        request_(request),
        word_(pinned(sizeof(std::int32_t))),
        count_(pinned(sizeof(std::int64_t))) {
    kernel_ = device.make_kernel(request.node, request.outputs,
                                 {.choice = device_choice(), .exact = device_choice() != nullptr},
                                 memory_);
    for (std::size_t i = 0; i < request.operands.size(); ++i)
      operands_.push_back(request.operands[i] == nullptr
                              ? Memory()
                              : operand(static_cast<int>(i), *request.operands[i]));
    tables_ = packed(-1, {});
    workspace_ = on_device(kernel_->workspace_bytes());
  }

  bool can_overwrite(std::size_t input) const {
    const TensorData* data = request_.operands[input];
    return data != nullptr && !data->constant && kernel_->can_overwrite(static_cast<int>(input), 0);
  }

  /// Runs once, output 0 on the memory of operand `overwrite` unless that is -1.
  Status run(int overwrite, std::vector<std::vector<std::byte>>& results) {
    std::vector<Memory> outputs;
    std::vector<const void*> from;
    std::vector<void*> to;
    for (const TensorInfo& info : request_.outputs)
      outputs.push_back(on_device(static_cast<std::size_t>(info.bytes())));
    for (const Memory& memory : operands_) from.push_back(memory.mapped());
    for (const Memory& memory : outputs) to.push_back(memory.mapped());
    if (overwrite >= 0) {
      const auto i = static_cast<std::size_t>(overwrite);
      if (outputs[0].size() > 0) device_.upload(to[0], request_.operands[i]->bytes);
      from[i] = to[0];
    }
    auto* word = reinterpret_cast<std::int32_t*>(word_.data());
    *word = 0;
    *reinterpret_cast<std::int64_t*>(count_.data()) = -1;
    const skiff_launch launch{from.data(),
                              to.data(),
                              workspace_.mapped(),
                              tables_.mapped(),
                              reinterpret_cast<std::int32_t*>(word_.mapped()),
                              reinterpret_cast<std::int64_t*>(count_.mapped())};
    device_.begin(false);
    device_.enqueue(static_cast<const backend::DeviceKernel&>(*kernel_), launch);
    static_cast<void>(device_.end());
    for (const Memory& output : outputs) results.push_back(download(output));
    return *word == 0 ? Status() : Status(ErrorCode::bad_value, "an index is out of range");
  }

  /// Of results that the last run had; -1: the operator does not count them.
  std::int64_t count() const { return *reinterpret_cast<const std::int64_t*>(count_.data()); }

 private:
  Memory on_device(std::size_t bytes) { return device_.allocate(MemoryKind::device, bytes); }
  Memory pinned(std::size_t bytes) { return device_.allocate(MemoryKind::pinned, bytes); }

  Memory uploaded(std::span<const std::byte> bytes) {
    Memory memory = on_device(bytes.size());
    if (!bytes.empty()) device_.upload(memory.mapped(), bytes);
    return memory;
  }
  Memory operand(int input, const TensorData& data) {
    const bool packs = data.constant && kernel_->packed_bytes(input) > 0;
    return packs ? packed(input, data.bytes) : uploaded(data.bytes);
  }
  Memory packed(int input, const std::vector<std::byte>& stored) {
    std::vector<std::byte> bytes(kernel_->packed_bytes(input));
    std::vector<std::byte> scratch(kernel_->pack_scratch_bytes(input));
    BytesReader reader(stored);
    if (!bytes.empty()) kernel_->pack(input, reader, bytes, scratch);
    return uploaded(bytes);
  }
  std::vector<std::byte> download(const Memory& memory) {
    std::vector<std::byte> bytes(memory.size());
    if (bytes.empty()) return bytes;
    device_.begin(false);
    device_.copy(bytes.data(), memory.mapped(), bytes.size(), false);
    static_cast<void>(device_.end());
    return bytes;
  }

  Device& device_;
  const DeviceRequest& request_;
  std::pmr::monotonic_buffer_resource memory_;
  KernelPtr kernel_;
  std::vector<Memory> operands_;
  Memory tables_, workspace_, word_, count_;
};

/// Counted results are the CPU's, one for one; what lies behind them is zero.
void expect_counted(std::int64_t count, std::vector<std::byte>& bytes, const TensorData& of_cpu) {
  EXPECT_EQ(count, of_cpu.shape[0]);
  const std::size_t length = of_cpu.bytes.size();
  ASSERT_LE(length, bytes.size());
  EXPECT_TRUE(std::equal(of_cpu.bytes.begin(), of_cpu.bytes.end(), bytes.begin()));
  EXPECT_TRUE(std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(length), bytes.end(),
                          [](std::byte b) { return b == std::byte{0}; }));
  bytes.resize(length);
}

void set_thread_order(int order) { setenv("SKIFF_THREAD_ORDER", std::to_string(order).c_str(), 1); }

void run_on_device(const DeviceRequest& request, OpResult& result) {
  const WithGpu gpu;
  std::string why;
  const skiff_backend* table = backend::module(why);
  ASSERT_NE(table, nullptr) << why;
  Device device(*table, 0);
  std::unique_ptr<DeviceNode> node;
  try {
    node = std::make_unique<DeviceNode>(device, request);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.what();
    EXPECT_EQ(device_choice(), nullptr) << error.what();
    return;
  }
  std::vector<std::vector<std::byte>> first;
  // Another order of threads finds races; for a sanitizer it reads and writes the same.
  const int orders = thorough() && !kSanitized ? 3 : 1;
  for (int order = 0; order < orders; ++order) {
    set_thread_order(order);
    for (int overwrite = -1; overwrite < static_cast<int>(request.operands.size()); ++overwrite) {
      if (overwrite >= 0 && !node->can_overwrite(static_cast<std::size_t>(overwrite))) continue;
      std::vector<std::vector<std::byte>> results;
      const Status status = node->run(overwrite, results);
      EXPECT_EQ(status.code(), result.status.code());
      if (first.empty()) first = results;
      if (status.ok()) {
        EXPECT_TRUE(results == first)
            << "bytes differ: order " << order << ", in place of operand " << overwrite;
      }
    }
  }
  set_thread_order(0);
  if (node->count() >= 0) expect_counted(node->count(), first[0], result.outputs[0]);
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (request.same_bits) {
      EXPECT_TRUE(result.outputs[i].bytes == first[i]) << "bits are not the CPU's";
    }
    result.outputs[i].bytes = first[i];
  }
}

const bool g_installed = [] {
  device_run() = run_on_device;
  return true;
}();

}  // namespace
}  // namespace skiff::test
