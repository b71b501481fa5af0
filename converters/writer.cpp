#include "converters/writer.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "platform/sha256.h"
#include "runtime/core/error.h"
#include "runtime/model/container.h"

namespace skiff::convert {
namespace {

using Bytes = std::span<const std::byte>;

std::uint64_t align(std::uint64_t offset, std::uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

std::vector<std::int64_t> dims_of(const ir::Value& value) {
  if (!value.dims.empty()) return value.dims;
  return {value.shape.begin(), value.shape.end()};
}

/// The data segment while it grows.
class DataSegment {
 public:
  /// Index of the buffer that holds these bytes.
  std::int32_t add(Bytes bytes) {
    const auto digest = platform::sha256(bytes);
    const std::string key(reinterpret_cast<const char*>(digest.data()), digest.size());
    const auto [place, added] = index_.try_emplace(key, static_cast<std::int32_t>(pieces_.size()));
    if (!added) return place->second;
    auto buffer = std::make_unique<fb::BufferT>();
    buffer->offset = align(size_, model::kBufferAlignment);
    buffer->size = bytes.size();
    buffer->sha256.assign(key.begin(), key.end());
    size_ = buffer->offset + buffer->size;
    records_.push_back(std::move(buffer));
    pieces_.push_back(bytes);
    return place->second;
  }

  std::vector<std::unique_ptr<fb::BufferT>> take_records() { return std::move(records_); }
  std::uint64_t size() const noexcept { return size_; }
  /// Copies the pieces to their offsets; `to` has size() bytes, zeros between.
  void copy_to(std::span<std::byte> to, const fb::Model& metadata) const {
    for (std::size_t i = 0; i < pieces_.size(); ++i)
      std::copy(pieces_[i].begin(), pieces_[i].end(),
                to.begin() + static_cast<std::ptrdiff_t>(
                                 metadata.buffers()->Get(static_cast<unsigned>(i))->offset()));
  }

 private:
  std::map<std::string, std::int32_t> index_;
  std::vector<std::unique_ptr<fb::BufferT>> records_;
  std::vector<Bytes> pieces_;
  std::uint64_t size_ = 0;
};

class Writer {
 public:
  Writer(const ir::Graph& graph, const Manifest& manifest) : main_(graph), manifest_(manifest) {}

  std::vector<std::byte> run() {
    Open main(main_);
    add_graph(main);
    open_ = &main;
    for (const Golden& golden : manifest_.golden) add_golden(golden);
    add_manifest();
    model_.buffers = data_.take_records();
    return assemble();
  }

 private:
  /// A graph that is being written; numbers are values of the file's record, by value.
  struct Open {
    explicit Open(const ir::Graph& source) : graph(source), index(source.value_count(), -1) {}
    const ir::Graph& graph;
    std::vector<std::int32_t> index;
    fb::GraphT* record = nullptr;
  };

  /// Its number in the file.
  std::int32_t add_graph(Open& open) {
    const auto number = static_cast<std::int32_t>(model_.graphs.size());
    model_.graphs.push_back(std::make_unique<fb::GraphT>());
    open.record = model_.graphs.back().get();
    open.record->name = open.graph.name;
    Open* const outer = std::exchange(open_, &open);
    const ir::Graph& graph = open.graph;
    for (ir::ValueId id : graph.visible_inputs()) open.record->inputs.push_back(value(id));
    for (std::size_t i = 0; i < graph.variables.size(); ++i) add_variable(i);
    for (ir::NodeId id : graph.order()) {
      if (&graph == &main_) node_index_[id] = static_cast<std::int32_t>(open.record->nodes.size());
      add_node(graph.node(id));
    }
    for (ir::ValueId id : graph.visible_outputs()) open.record->outputs.push_back(value(id));
    for (std::size_t i = 0; i < graph.variables.size(); ++i) add_assignment(i);
    open_ = outer;
    return number;
  }

  /// A variable of the main graph and the node that reads it before all others.
  void add_variable(std::size_t i) {
    const ir::Value& source = main_.value(main_.inputs[main_.visible_inputs().size() + i]);
    auto record = std::make_unique<fb::VariableT>();
    record->name = main_.variables[i].name;
    record->dtype = static_cast<fb::DType>(source.dtype);
    record->dims = dims_of(source);
    if (!main_.variables[i].initial.empty())
      record->initial_buffer = data_.add(main_.variables[i].initial);
    model_.variables.push_back(std::move(record));
    add_access(fb::OpKind::read_variable, i)
        .outputs.push_back(value(main_.inputs[main_.visible_inputs().size() + i]));
  }

  void add_assignment(std::size_t i) {
    const ir::ValueId next = main_.outputs[main_.visible_outputs().size() + i];
    fb::NodeT& node = add_access(fb::OpKind::assign_variable, i);
    node.inputs.push_back(value(next));
    node.outputs.push_back(static_cast<std::int32_t>(open_->record->values.size()));
    const ir::Value& source = main_.value(next);
    auto assigned = std::make_unique<fb::ValueT>();
    if (!manifest_.strip_names) assigned->name = main_.variables[i].name;
    assigned->dtype = static_cast<fb::DType>(source.dtype);
    assigned->dims = dims_of(source);
    open_->record->values.push_back(std::move(assigned));
  }

  fb::NodeT& add_access(fb::OpKind op, std::size_t variable) {
    auto record = std::make_unique<fb::NodeT>();
    if (!manifest_.strip_names) record->name = main_.variables[variable].name;
    record->op = op;
    fb::VariableAttrsT attrs;
    attrs.variable = static_cast<std::int32_t>(variable);
    record->attrs.Set(std::move(attrs));
    open_->record->nodes.push_back(std::move(record));
    return *open_->record->nodes.back();
  }

  /// Index in the file of a value, which is added at its first use.
  std::int32_t value(ir::ValueId id) {
    if (id == ir::kAbsent) return -1;
    std::int32_t& index = open_->index[static_cast<std::size_t>(id)];
    if (index >= 0) return index;
    index = static_cast<std::int32_t>(open_->record->values.size());
    const ir::Value& source = open_->graph.value(id);
    auto record = std::make_unique<fb::ValueT>();
    const std::span<const ir::ValueId> inputs = open_->graph.visible_inputs(),
                                       outputs = open_->graph.visible_outputs();
    const bool external =
        &open_->graph == &main_ && (std::find(inputs.begin(), inputs.end(), id) != inputs.end() ||
                                    std::find(outputs.begin(), outputs.end(), id) != outputs.end());
    if (external || !manifest_.strip_names) record->name = source.name;
    record->dtype = static_cast<fb::DType>(source.dtype);
    record->dims = dims_of(source);
    if (source.quantization)
      record->quantization = std::make_unique<fb::QuantizationT>(*source.quantization);
    if (source.constant) record->buffer = data_.add(*source.constant);
    open_->record->values.push_back(std::move(record));
    return index;
  }

  void add_node(const ir::Node& node) {
    auto record = std::make_unique<fb::NodeT>();
    if (!manifest_.strip_names) record->name = node.name;
    record->op = node.op;
    if (node.attrs.table() != nullptr) {
      record->attrs.type = node.attrs.type();
      record->attrs.value = fb::AttrsUnion::UnPack(node.attrs.table(), node.attrs.type(), nullptr);
    }
    for (ir::ValueId input : node.inputs) record->inputs.push_back(value(input));
    for (ir::ValueId output : node.outputs) record->outputs.push_back(value(output));
    std::vector<std::int32_t> graphs;
    for (const ir::Graph& body : node.bodies) {
      Open open(body);
      graphs.push_back(add_graph(open));
    }
    if (auto* branches = record->attrs.AsIfAttrs(); branches != nullptr && graphs.size() == 2) {
      branches->then_graph = graphs[0];
      branches->else_graph = graphs[1];
    }
    if (auto* turns = record->attrs.AsLoopAttrs(); turns != nullptr && graphs.size() == 1)
      turns->body = graphs[0];
    open_->record->nodes.push_back(std::move(record));
  }

  std::vector<std::unique_ptr<fb::GoldenTensorT>> golden_tensors(
      const std::vector<GoldenTensor>& tensors) {
    std::vector<std::unique_ptr<fb::GoldenTensorT>> records;
    for (const GoldenTensor& tensor : tensors) {
      auto record = std::make_unique<fb::GoldenTensorT>();
      record->value = value(tensor.value);
      record->buffer = data_.add(tensor.bytes);
      records.push_back(std::move(record));
    }
    return records;
  }

  void add_golden(const Golden& golden) {
    auto record = std::make_unique<fb::GoldenCaseT>();
    record->name = golden.name;
    record->origin = golden.origin;
    record->symbols = golden.symbols;
    if (golden.relative_l2 > 0) record->relative_l2 = golden.relative_l2;
    if (golden.max_relative > 0) record->max_relative = golden.max_relative;
    record->inputs = golden_tensors(golden.inputs);
    record->outputs = golden_tensors(golden.outputs);
    for (const fb::FingerprintT& fingerprint : golden.fingerprints) {
      // A value that no node of the file reads or writes has no layer to be named for.
      const std::int32_t index = open_->index[static_cast<std::size_t>(fingerprint.value)];
      if (index < 0) continue;
      record->fingerprints.push_back(std::make_unique<fb::FingerprintT>(fingerprint));
      record->fingerprints.back()->value = index;
    }
    model_.golden.push_back(std::move(record));
  }

  void add_manifest() {
    model_.name = manifest_.name;
    for (fb::SymbolT symbol : main_.symbols) {
      if (symbol.node >= 0) symbol.node = node_index_.at(symbol.node);
      model_.symbols.push_back(std::make_unique<fb::SymbolT>(symbol));
    }
    for (const fb::DimExprT& expression : main_.expressions)
      model_.exprs.push_back(std::make_unique<fb::DimExprT>(expression));
    for (const State& state : manifest_.states) {
      auto record = std::make_unique<fb::StatePairT>();
      record->output = value(state.output);
      record->input = value(state.input);
      model_.states.push_back(std::move(record));
    }
    for (const fb::PreprocessT& p : manifest_.preprocess)
      model_.preprocess.push_back(std::make_unique<fb::PreprocessT>(p));
    if (manifest_.postprocess)
      model_.postprocess = std::make_unique<fb::PostprocessT>(*manifest_.postprocess);
    model_.labels = manifest_.labels;
    model_.memory_budget = manifest_.memory_budget;
    model_.provenance = std::make_unique<fb::ProvenanceT>(manifest_.provenance);
  }

  std::vector<std::byte> assemble() {
    flatbuffers::FlatBufferBuilder builder(1024);
    fb::FinishModelBuffer(builder, fb::Model::Pack(builder, &model_));
    const Bytes metadata = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    require(metadata.size() <= model::kMaxMetadataBytes, ErrorCode::unsupported,
            "the model's metadata has ", metadata.size(), " bytes, at most ",
            model::kMaxMetadataBytes, " are possible");
    model::Header header;
    header.metadata_offset = model::kHeaderSize;
    header.metadata_size = metadata.size();
    header.data_offset = align(model::kHeaderSize + metadata.size(), model::kDataSegmentAlignment);
    header.data_size = data_.size();
    header.file_size = header.data_offset + header.data_size;
    header.digest = model::metadata_digest(header, metadata);
    std::vector<std::byte> file(static_cast<std::size_t>(header.file_size));
    const model::HeaderBytes head = model::encode_header(header);
    std::copy(head.begin(), head.end(), file.begin());
    std::copy(metadata.begin(), metadata.end(), file.begin() + model::kHeaderSize);
    data_.copy_to(std::span(file).subspan(static_cast<std::size_t>(header.data_offset)),
                  *fb::GetModel(metadata.data()));
    return file;
  }

  const ir::Graph& main_;
  const Manifest& manifest_;
  std::map<ir::NodeId, std::int32_t> node_index_;  // of the main graph
  fb::ModelT model_;
  Open* open_ = nullptr;
  DataSegment data_;
};

}  // namespace

std::vector<std::byte> write_model(const ir::Graph& graph, const Manifest& manifest) {
  return Writer(graph, manifest).run();
}

}  // namespace skiff::convert
