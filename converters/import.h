#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <skiff/error.h>
#include <skiff/shape.h>

#include "converters/ir/graph.h"

namespace skiff::convert {

/// What the caller fixes about a model before it is read.
struct ImportOptions {
  std::map<std::string, Shape> shapes = {};  ///< --shape: whole shape of an input
  /// The shapes the model was exported with, by tensor of the source: `shapes` may then differ
  /// from extents the model fixes, and sizes the exporter froze into its nodes follow them.
  const std::map<std::string, Shape>* exported = nullptr;
  std::map<std::string, std::vector<std::byte>> bind = {};  ///< --bind: input (dense bytes in its
                                                            ///< own dtype) that becomes a constant
  std::int64_t max_turns = 0;          ///< --max-turns: of loops that nothing else bounds; 0: none
  bool write_out_loops = false;        ///< wherever their turns are known, however many
  std::vector<std::string> from = {};  ///< --from: tensors that become inputs
  std::vector<std::string> to = {};    ///< --to: tensors that become outputs
  int assumption = 0;                  ///< ir::Graph::assumption
};

/// One node that cannot be converted.
struct Refusal {
  std::string node;
  std::string op;                      ///< as the source names it, with its version
  std::string reason;                  ///< a property of the node or model
  std::string help;                    ///< what would make it work; may be empty
  std::vector<std::string> bind = {};  ///< inputs that would have to be known at conversion
};

/// Thrown when a model is refused; lists every offending node, not only the first.
class Refused : public Error {
 public:
  explicit Refused(std::vector<Refusal> refusals);
  const std::vector<Refusal>& refusals() const noexcept { return refusals_; }

 private:
  std::vector<Refusal> refusals_;
};

/// Where a model came from, for the file's provenance.
struct Source {
  std::string format;  ///< "onnx", "tflite"
  std::string sha256;  ///< of the main file, hex
  std::string producer;
  int opset = 0;
  std::vector<std::string> files = {};  ///< paths of further files that the model names
};

struct Imported {
  ir::Graph graph;
  Source source;
  std::map<std::string, Shape> shapes = {};  ///< of the source's tensors, where it has names
  bool guessed = false;  ///< frozen sizes were changed where that seemed meant: check the outcome
};

/// What a model says of one input's shape.
struct DeclaredInput {
  struct Dim {
    std::int64_t extent = -1;  ///< -1: open
    std::string symbol = {};   ///< the name an open one has, if any
  };
  std::string name;
  std::vector<Dim> dims;
};

/// The inputs a model declares, initializers not counted. Throws Error for damaged files.
std::vector<DeclaredInput> declared_inputs_onnx(const std::string& path);
std::vector<DeclaredInput> declared_inputs_tflite(const std::string& path);

/// Reads a model into the graph: operators of runtime/ops, external inputs and outputs in the
/// source's own layout and names, transposes put wherever a channels-last operator meets another
/// layout (the passes sink them). Throws Refused, or Error for damaged files and wrong options.
Imported import_onnx(const std::string& path, const ImportOptions& options);
/// The same for bytes in memory; external data is read beneath `folder` (empty: none allowed).
Imported import_onnx_bytes(std::span<const std::byte> bytes, const std::string& folder,
                           const ImportOptions& options);
Imported import_tflite(const std::string& path, const ImportOptions& options);

}  // namespace skiff::convert
