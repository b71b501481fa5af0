#include "tests/support/op_runner.h"

#include <cmath>
#include <memory_resource>
#include <random>

#include "runtime/cpu/thread_pool.h"

namespace skiff::test {
namespace {

/// Memory of exactly the size asked for, so that a sanitizer sees the first byte beyond.
class Block {
 public:
  static constexpr std::size_t kAlignment = 256;
  explicit Block(std::size_t size, std::byte fill = std::byte{0xA5})
      : size_(size),
        data_(static_cast<std::byte*>(
            ::operator new (size == 0 ? 1 : size, std::align_val_t{kAlignment}))) {
    std::memset(data_, static_cast<int>(fill), size);
  }
  explicit Block(const std::vector<std::byte>& bytes) : Block(bytes.size()) {
    if (!bytes.empty()) std::memcpy(data_, bytes.data(), bytes.size());
  }
  Block(Block&& other) noexcept : size_(other.size_), data_(std::exchange(other.data_, nullptr)) {}
  Block& operator=(Block&&) = delete;
  ~Block() { ::operator delete (data_, std::align_val_t{kAlignment}); }

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<std::byte> span() const { return {data_, size_}; }
  std::vector<std::byte> bytes() const { return {data_, data_ + size_}; }

 private:
  std::size_t size_;
  std::byte* data_;
};

class BytesReader final : public ConstantReader {
 public:
  explicit BytesReader(const std::vector<std::byte>& bytes) : bytes_(bytes) {}
  void read(std::span<std::byte> to) override {
    ASSERT_LE(at_ + to.size(), bytes_.size()) << "a kernel reads beyond its constant";
    if (!to.empty()) std::memcpy(to.data(), bytes_.data() + at_, to.size());
    at_ += to.size();
  }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  const std::vector<std::byte>& bytes_;
  std::size_t at_ = 0;
};

/// The node and what its views point to.
struct Node {
  std::vector<TensorInfo> infos;
  std::vector<const TensorInfo*> inputs;
  std::vector<TensorInfo> outputs;
  NodeView view;
  fb::Attrs attributes_type;
  mutable std::int64_t count = -1;  ///< of results, where the operator says so

  Node(fb::OpKind op, const Attributes& attributes, const std::vector<const TensorData*>& operands,
       const OpOptions& options)
      : outputs(static_cast<std::size_t>(options.outputs)), attributes_type(attributes.type) {
    infos.reserve(operands.size());
    for (const TensorData* data : operands) {
      if (data != nullptr)
        infos.push_back({data->dtype, data->shape, "operand", data->quantization, data->constant});
      inputs.push_back(data != nullptr ? &infos.back() : nullptr);
    }
    view = {options.row != nullptr ? options.row->op : op,
            1,
            options.row != nullptr ? options.attributes : attributes.table(),
            inputs,
            options.name,
            nullptr};
    if (options.row != nullptr)
      options.row->infer(view, outputs);
    else
      infer_outputs(view, attributes.type, outputs);
    if (options.result != nullptr) outputs[0].quantization = options.result;
  }

  /// The outputs as they really are when the operator counts its results.
  std::vector<TensorInfo> real_outputs() const {
    if (count < 0) return outputs;
    NodeView counted = view;
    counted.count = count;
    std::vector<TensorInfo> real(outputs.size());
    infer_outputs(counted, attributes_type, real);
    return real;
  }
};

/// Kernel and constants, for one number of threads.
struct Bound {
  std::pmr::monotonic_buffer_resource memory;
  cpu::ThreadPool pool;
  KernelPtr kernel;
  std::vector<Block> inputs;

  Bound(const Node& node, const std::vector<const TensorData*>& operands, const OpDef& row,
        const cpu::KernelTable& table, int threads)
      : pool(threads, *std::pmr::new_delete_resource()) {
    kernel = row.make_cpu({node.view, node.outputs, table, threads, memory});
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const TensorData* data = operands[i];
      const int input = static_cast<int>(i);
      const std::size_t packed =
          data != nullptr && data->constant ? kernel->packed_bytes(input) : 0;
      if (packed == 0) {
        inputs.push_back(data == nullptr ? Block(0) : Block(data->bytes));
        continue;
      }
      inputs.emplace_back(packed);
      Block scratch(kernel->pack_scratch_bytes(input));
      BytesReader reader(data->bytes);
      kernel->pack(input, reader, inputs.back().span(), scratch.span());
      EXPECT_TRUE(reader.at_end()) << "a kernel must read its whole constant";
    }
  }

  /// Runs once; `overwrite`: the operand whose memory output 0 takes, or -1.
  Status run(const Node& node, const std::vector<const TensorData*>& operands, int overwrite,
             std::vector<std::vector<std::byte>>& results) {
    std::vector<Block> outputs;
    std::vector<const void*> from;
    std::vector<void*> to;
    for (const TensorInfo& info : node.outputs)
      outputs.emplace_back(static_cast<std::size_t>(info.bytes()), std::byte{0xCD});
    for (std::size_t i = 0; i < operands.size(); ++i)
      from.push_back(operands[i] == nullptr ? nullptr : inputs[i].data());
    for (const Block& block : outputs) to.push_back(block.data());
    if (overwrite >= 0) {
      const Block& source = inputs[static_cast<std::size_t>(overwrite)];
      if (source.size() > 0) std::memcpy(to[0], source.data(), source.size());
      from[static_cast<std::size_t>(overwrite)] = to[0];
    }
    const Block workspace(kernel->workspace_bytes());
    const Status status =
        kernel->run({from.data(), to.data(), workspace.data(), pool, &node.count});
    for (const Block& block : outputs) results.push_back(block.bytes());
    return status;
  }
};

template <typename T>
double number(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<double>(load(value));
}

}  // namespace

std::vector<double> TensorData::numbers() const {
  std::vector<double> result;
  const NodeView none{};
  dispatch(none, dtype == DType::boolean ? DType::uint8 : dtype, NumericTypes{}, [&](auto type) {
    using T = typename decltype(type)::type;
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(T))
      result.push_back(number<T>(bytes.data() + i));
  });
  return result;
}

TensorData tensor_of(DType dtype, const Shape& shape, const std::vector<double>& numbers) {
  TensorData data;
  const NodeView none{};
  dispatch(none, dtype, AllTypes{}, [&](auto type) {
    using T = typename decltype(type)::type;
    std::vector<T> values;
    for (const double v : numbers) {
      if constexpr (std::is_same_v<T, bool>)
        values.push_back(v != 0);
      else
        values.push_back(static_cast<T>(static_cast<Compute<T>>(v)));
    }
    data = tensor<T>(shape, values);
  });
  return data;
}

std::vector<TensorInfo> infer_op(fb::OpKind op, const Attributes& attributes,
                                 const std::vector<const TensorData*>& inputs, int outputs) {
  return Node(op, attributes, inputs, {.outputs = outputs}).outputs;
}

OpResult run_op(fb::OpKind op, const Attributes& attributes,
                const std::vector<const TensorData*>& inputs, const OpOptions& options) {
  const Node node(op, attributes, inputs, options);
  const cpu::KernelTable& table =
      options.table != nullptr ? *options.table : cpu::choose_table("auto");
  OpResult result;
  std::vector<std::vector<std::byte>> first;
  const OpDef& row = options.row != nullptr ? *options.row : *find_op(op);
  for (int threads = 1; threads <= options.threads; ++threads) {
    Bound bound(node, inputs, row, table, threads);
    result.algorithm = bound.kernel->algorithm();
    for (int overwrite = -1; overwrite < static_cast<int>(inputs.size()); ++overwrite) {
      if (overwrite >= 0 && (inputs[static_cast<std::size_t>(overwrite)] == nullptr ||
                             inputs[static_cast<std::size_t>(overwrite)]->constant ||
                             !bound.kernel->can_overwrite(overwrite, 0)))
        continue;
      std::vector<std::vector<std::byte>> results;
      const Status status = bound.run(node, inputs, overwrite, results);
      if (threads == 1 && overwrite < 0) {
        result.status = status;
        first = std::move(results);
        continue;
      }
      EXPECT_EQ(status.code(), result.status.code());
      if (status.ok()) {
        EXPECT_TRUE(results == first)
            << "bytes differ: threads " << threads << ", in place of operand " << overwrite;
      }
    }
  }
  const std::vector<TensorInfo> infos = node.real_outputs();
  for (std::size_t i = 0; i < first.size(); ++i) {
    first[i].resize(static_cast<std::size_t>(infos[i].bytes()));
    result.outputs.push_back({infos[i].dtype, infos[i].shape, std::move(first[i]), false, nullptr});
  }
  if (device_run() != nullptr)
    device_run()({node.view, node.outputs, inputs, options.same_bits}, result);
  return result;
}

std::vector<const TensorData*> operands_of(const std::vector<TensorData>& inputs) {
  std::vector<const TensorData*> pointers;
  for (const TensorData& input : inputs)
    pointers.push_back(input.dtype == DType::none ? nullptr : &input);
  return pointers;
}

std::vector<TensorData> run_op(fb::OpKind op, const Attributes& attributes,
                               const std::vector<TensorData>& inputs, const OpOptions& options) {
  std::vector<const TensorData*> pointers;
  for (const TensorData& data : inputs) pointers.push_back(&data);
  OpResult result = run_op(op, attributes, pointers, options);
  EXPECT_TRUE(result.status.ok()) << result.status.message();
  return std::move(result.outputs);
}

void expect_refused(fb::OpKind op, const Attributes& attributes,
                    const std::vector<TensorData>& inputs, int outputs, ErrorCode code) {
  std::vector<const TensorData*> pointers;
  for (const TensorData& data : inputs) pointers.push_back(&data);
  try {
    const Node node(op, attributes, pointers, {.outputs = outputs, .name = "odd_name"});
    FAIL() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find("odd_name"), std::string::npos) << error.what();
  }
}

void expect_near(const TensorData& actual, const std::vector<double>& expected, double relative,
                 double absolute) {
  const std::vector<double> numbers = actual.numbers();
  ASSERT_EQ(numbers.size(), expected.size());
  int shown = 0;
  for (std::size_t i = 0; i < numbers.size() && shown < 8; ++i) {
    const double got = numbers[i], want = expected[i];
    if (got == want || (std::isnan(got) && std::isnan(want))) continue;
    if (std::abs(got - want) <= absolute + relative * std::abs(want) && std::isfinite(got))
      continue;
    ADD_FAILURE() << "element " << i << ": " << got << ", expected " << want;
    ++shown;
  }
}

std::vector<double> random_numbers(std::int64_t count, double low, double high, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<double> numbers(static_cast<std::size_t>(count));
  for (double& number : numbers)
    number = low + (high - low) * static_cast<double>(engine()) / 4294967296.0;
  return numbers;
}

double rounding(DType dtype, double roundings) {
  switch (dtype) {
    case DType::float16:
      return roundings * 0x1p-11;
    case DType::bfloat16:
      return roundings * 0x1p-8;
    case DType::float32:
      return roundings * 0x1p-24;
    case DType::float64:
      return roundings * 0x1p-53;
    default:
      return 0;
  }
}

}  // namespace skiff::test
