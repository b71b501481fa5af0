#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "converters/dynamic/dynamic.h"
#include "converters/import.h"
#include "converters/manifest.h"
#include "converters/precision/precision.h"
#include "converters/quantize/quantize.h"

namespace skiff::convert {

struct ConvertOptions {
  ImportOptions import;
  std::vector<dynamic::Bounds> dynamic;             ///< --dyn: sizes that stay open
  std::map<std::string, std::vector<double>> bind;  ///< --bind as numbers; the model has the dtype
  std::map<std::string, std::string> states;        ///< --state: output to input
  std::string golden;                               ///< a .npz file, "auto" or empty
  std::string dump_folder;                          ///< --dump-ir; must exist
  std::string task;                                 ///< --task
  std::string labels;                               ///< --labels: a text file with a label a line
  std::vector<float> mean;
  std::vector<float> std;
  std::optional<fb::ColorOrder> color;
  bool uint8_input = false;       ///< --uint8-input
  DType precision = DType::none;  ///< --fp16, --bf16
  bool half_sums = false;         ///< --fp16-sums
  std::string calibrate;          ///< --int8 --calibrate: a .npz file or a folder of them; or empty
  std::uint64_t memory_budget = 0;  ///< --fit: bytes for model and session; 0: no limit
  bool strip_names = false;
  bool check = false;               ///< invariants after every pass
  std::vector<std::string> record;  ///< options as text, for the file's provenance
  /// Called with the name of the stage that starts and the share of the work done before it.
  std::function<void(const char* stage, double done)> progress = {};
};

/// What a conversion did.
struct Report {
  Source source;
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;
  std::map<std::string, std::size_t> operators;  ///< after the passes
  std::vector<std::string> passes;               ///< that changed something
  std::int64_t weight_bytes = 0;
  std::int64_t peak_bytes = 0;  ///< live at once in the stored order; an arena is near this
  std::int64_t file_bytes = 0;
  std::uint64_t session_bytes = 0;  ///< with --fit: of a session on this machine's CPU
  double seconds = 0;
  precision::Outcome precision;
  quantize::Outcome quantized;
};

/// A model ready for the writer.
struct Converted {
  ir::Graph graph;
  Manifest manifest;
};

/// Importer by suffix (.onnx, .tflite), then all passes, then what is stored beside the graph.
/// Throws Refused or Error.
Converted convert_graph(const std::string& path, const ConvertOptions& options, Report* report);

/// The whole way: the bytes of a .skiff file. Same file and options, same bytes.
std::vector<std::byte> convert_file(const std::string& path, const ConvertOptions& options,
                                    Report* report = nullptr);

}  // namespace skiff::convert
