#include "converters/tflite/model.h"

#include <algorithm>
#include <utility>

#include "runtime/core/error.h"

namespace skiff::convert::tfl {
namespace {

constexpr std::uint64_t kMaxFileBytes = (std::uint64_t{1} << 31) - 1;  // FlatBuffers' own limit
constexpr flatbuffers::uoffset_t kMaxDepth = 16;
constexpr flatbuffers::uoffset_t kMaxTables = 300'000;
constexpr std::size_t kMaxNameLength = 512;  // tables may share strings: copies must not multiply

template <typename... Pieces>
void sound(bool condition, const Pieces&... pieces) {
  require(condition, ErrorCode::invalid_model, "TFLite file: ", pieces...);
}

/// An index into a table of `count`; kAbsent is allowed where the format has optional tensors.
void check_indices(const flatbuffers::Vector<std::int32_t>* indices, std::size_t count,
                   std::int32_t least, const char* what) {
  if (indices == nullptr) return;
  for (std::int32_t index : *indices)
    sound(index >= least && index < static_cast<std::int64_t>(count), what, " names tensor ", index,
          " of ", count);
}

void check_tensor(const tflite::Model& model, const tflite::Tensor& tensor) {
  const char* name = tensor.name() == nullptr ? "" : tensor.name()->c_str();
  sound(length(tensor.shape()) <= static_cast<std::size_t>(kMaxRank), "tensor '", name, "' has ",
        length(tensor.shape()), " axes, at most ", kMaxRank, " are supported");
  for (std::int64_t extent : to_list(tensor.shape()))
    sound(extent >= -1, "tensor '", name, "' has extent ", extent);
  sound(tensor.shape_signature() == nullptr || length(tensor.shape_signature()) == 0 ||
            length(tensor.shape_signature()) == length(tensor.shape()),
        "tensor '", name, "' has a signature of another rank than its shape");
  sound(tensor.buffer() < model.buffers()->size(), "tensor '", name, "' names buffer ",
        tensor.buffer(), " of ", model.buffers()->size());
}

/// `indices_left` bounds the walk: operators may share index lists, so their lengths need not sum
/// up to less than the file.
void check_operators(const tflite::Model& model, const tflite::SubGraph& graph,
                     std::size_t& indices_left) {
  if (graph.operators() == nullptr) return;
  const std::size_t tensors = graph.tensors()->size();
  for (const tflite::Operator* op : *graph.operators()) {
    sound(op->opcode() < length(model.operator_codes()), "an operator names code ", op->opcode(),
          " of ", length(model.operator_codes()));
    const std::size_t indices = length(op->inputs()) + length(op->outputs());
    sound(indices <= indices_left, "its operators list more operands than it has bytes");
    indices_left -= indices;
    check_indices(op->inputs(), tensors, -1, "an operator");
    check_indices(op->outputs(), tensors, 0, "an operator");
  }
}

}  // namespace

Model::Model(std::vector<std::byte> bytes) : owned_(std::move(bytes)), bytes_(owned_) {
  require(bytes_.size() <= kMaxFileBytes, ErrorCode::unsupported, "TFLite file of ", bytes_.size(),
          " bytes: files of 2 GiB and more cannot be read");
  sound(bytes_.size() >= 8, "only ", bytes_.size(), " bytes");
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes_.data());
  sound(tflite::ModelBufferHasIdentifier(data), "it does not carry the mark TFL3");
  flatbuffers::Verifier verifier(data, bytes_.size(), kMaxDepth, kMaxTables);
  sound(tflite::VerifyModelBuffer(verifier), "its structure is damaged");
  root_ = tflite::GetModel(data);
  check();
}

Model Model::at(std::int64_t graph) const {
  sound(graph >= 0 && graph < static_cast<std::int64_t>(graph_count()), "an operator names graph ",
        graph, " of ", graph_count());
  return Model(bytes_, root_, graph);
}

void Model::check() const {
  sound(root_->version() == 3, "schema version ", root_->version(), ", only 3 is known");
  sound(length(root_->subgraphs()) > 0, "it holds no graph");
  sound(length(root_->buffers()) > 0, "it holds no buffer table");
  for (const tflite::Buffer* buffer : *root_->buffers())
    sound(buffer->offset() <= 1 || (buffer->offset() <= bytes_.size() &&
                                    buffer->size() <= bytes_.size() - buffer->offset()),
          "a buffer at ", buffer->offset(), " of ", buffer->size(), " bytes lies outside the file");
  std::size_t indices_left = bytes_.size();
  for (const tflite::SubGraph* graph : *root_->subgraphs()) {
    sound(graph->tensors() != nullptr, "a graph has no tensors");
    for (const tflite::Tensor* tensor : *graph->tensors()) check_tensor(*root_, *tensor);
    check_indices(graph->inputs(), graph->tensors()->size(), 0, "the list of inputs");
    check_indices(graph->outputs(), graph->tensors()->size(), 0, "the list of outputs");
    check_operators(*root_, *graph, indices_left);
  }
}

std::string Model::tensor_name(int index) const {
  const flatbuffers::String* name = tensor(index).name();
  return length(name) > 0 ? name->str().substr(0, kMaxNameLength) : message("tensor ", index);
}

std::span<const std::byte> Model::data(int index) const {
  const tflite::Buffer& buffer = *root_->buffers()->Get(tensor(index).buffer());
  if (buffer.offset() > 1) return bytes().subspan(buffer.offset(), buffer.size());
  if (buffer.data() == nullptr) return {};
  return std::as_bytes(std::span(buffer.data()->data(), buffer.data()->size()));
}

tflite::Builtin Model::builtin(const tflite::Operator& op) const noexcept {
  const tflite::OperatorCode& entry = code(op);
  return std::max(static_cast<tflite::Builtin>(entry.old_code()), entry.code());
}

std::string Model::operator_name(const tflite::Operator& op) const {
  const tflite::OperatorCode& entry = code(op);
  const tflite::Builtin number = builtin(op);
  if (number == tflite::Builtin::CUSTOM)
    return message("custom operator '",
                   length(entry.custom_code()) > 0
                       ? entry.custom_code()->str().substr(0, kMaxNameLength)
                       : std::string(),
                   "'");
  const std::string_view name = tflite::EnumNameBuiltin(number);
  return message(name.empty() ? message("operator ", static_cast<int>(number)) : std::string(name),
                 " version ", entry.version());
}

}  // namespace skiff::convert::tfl
