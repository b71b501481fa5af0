#include "runtime/tune/trial.h"

#include <algorithm>
#include <cstring>
#include <memory_resource>
#include <random>
#include <vector>

#include "runtime/core/half.h"
#include "runtime/core/memory.h"

namespace skiff::tune {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

std::uint64_t rounded(std::uint64_t bytes) noexcept {
  return (bytes + Block::kAlignment - 1) / Block::kAlignment * Block::kAlignment;
}

template <typename T, typename F>
void fill(std::span<std::byte> to, F&& next) {
  for (std::size_t at = 0; at + sizeof(T) <= to.size(); at += sizeof(T)) {
    const T value = next();
    std::memcpy(to.data() + at, &value, sizeof(T));
  }
}

/// Numbers of either sign: zeros would draw less power than real data do. Integers of more than 8
/// bits may be indices and are zero.
std::vector<std::byte> random_piece(DType dtype, std::size_t bytes) {
  std::vector<std::byte> piece(std::min(bytes, kPiece));
  std::minstd_rand random;
  const auto next = [&] { return static_cast<float>(random() % 2001) / 1000 - 1; };
  if (dtype == DType::float32) fill<float>(piece, next);
  if (dtype == DType::float16) fill<std::uint16_t>(piece, [&] { return float_to_half(next()); });
  if (dtype == DType::bfloat16)
    fill<std::uint16_t>(piece, [&] { return float_to_bfloat16(next()); });
  if (dtype == DType::int8 || dtype == DType::uint8)
    fill<std::uint8_t>(piece, [&] { return static_cast<std::uint8_t>(random() >> 8); });
  return piece;
}

/// One kernel with operands of its own.
class Trial {
 public:
  Trial(backend::Device& device, const NodeView& node, std::span<const TensorInfo> outputs,
        const backend::KernelWish& wish)
      : device_(device), kernel_(device.make_kernel(node, outputs, wish, metadata_)) {
    std::vector<std::uint64_t> in, out;
    for (int i = 0; i < node.input_count(); ++i) in.push_back(input_bytes(node, i));
    for (const TensorInfo& output : outputs) out.push_back(bytes_of(output));
    const std::uint64_t workspace = kernel_->workspace_bytes();
    std::uint64_t total = rounded(workspace) + Block::kAlignment;
    for (const std::uint64_t bytes : in) total += rounded(bytes);
    for (const std::uint64_t bytes : out) total += rounded(bytes);
    block_ = device.allocate(backend::MemoryKind::device, total);
    next_ = block_.mapped();
    for (int i = 0; i < node.input_count(); ++i)
      inputs_.push_back(take_input(node, i, in[static_cast<std::size_t>(i)]));
    for (const std::uint64_t bytes : out) outputs_.push_back(take(bytes));
    workspace_ = workspace == 0 ? nullptr : take(workspace);
    bad_value_ = reinterpret_cast<std::int32_t*>(take(sizeof(std::int32_t)));
  }

  float time(int runs) {
    enqueue(false);  // loads its code
    const backend::Program program = enqueue(true);
    const backend::Memory flush =
        device_.allocate(backend::MemoryKind::device, 2 * device_.info().cache);
    return device_.time(program, flush, runs);
  }

 private:
  static std::uint64_t bytes_of(const TensorInfo& info) {
    return static_cast<std::uint64_t>(info.bytes());
  }
  /// A constant takes the room of the kernel's own form.
  std::uint64_t input_bytes(const NodeView& node, int i) const {
    if (!node.has_input(i)) return 0;
    const std::uint64_t packed = node.input(i).constant ? kernel_->packed_bytes(i) : 0;
    return packed != 0 ? packed : bytes_of(node.input(i));
  }

  std::byte* take(std::uint64_t bytes) noexcept {
    std::byte* const place = next_;
    next_ += rounded(bytes);
    return place;
  }
  const void* take_input(const NodeView& node, int i, std::uint64_t bytes) {
    if (!node.has_input(i)) return nullptr;
    std::byte* const to = take(bytes);
    const std::vector<std::byte> piece = random_piece(node.input(i).dtype, bytes);
    for (std::uint64_t at = 0; at < bytes; at += kPiece)
      device_.upload(to + at, std::span(piece).first(std::min<std::uint64_t>(bytes - at, kPiece)));
    return to;
  }

  backend::Program enqueue(bool record) {
    device_.begin(record);
    device_.enqueue(static_cast<const backend::DeviceKernel&>(*kernel_),
                    {inputs_.data(), outputs_.data(), workspace_, nullptr, bad_value_, nullptr});
    return device_.end();
  }

  backend::Device& device_;
  std::pmr::monotonic_buffer_resource metadata_;
  KernelPtr kernel_;
  backend::Memory block_;
  std::byte* next_ = nullptr;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
  void* workspace_ = nullptr;
  std::int32_t* bad_value_ = nullptr;
};

}  // namespace

std::optional<float> time_alone(backend::Device& device, const NodeView& node,
                                std::span<const TensorInfo> outputs,
                                const backend::KernelWish& wish, int runs) {
  try {
    return Trial(device, node, outputs, wish).time(runs);
  } catch (const Error&) {
    return std::nullopt;  // a GPU that is lost shows again at once
  }
}

}  // namespace skiff::tune
