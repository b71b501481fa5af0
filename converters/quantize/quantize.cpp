#include "converters/quantize/quantize.h"

#include <algorithm>
#include <utility>

#include "converters/ir/counts.h"
#include "converters/ir/work.h"
#include "converters/quantize/calibrate.h"
#include "converters/quantize/measure.h"
#include "runtime/core/error.h"

namespace skiff::quantize {

std::vector<std::string> run_pipeline(ir::Graph& graph, const Samples& samples,
                                      passes::PipelineOptions options, const Progress& progress,
                                      const FloatsDone& floats_done, Outcome& outcome) {
  std::vector<std::string> effective = passes::run_pipeline(graph, passes::float_groups(), options);
  require(
      !ir::has_counting(graph), ErrorCode::unsupported,
      "--int8: the number of some results depends on the data, which int8 does not take in this "
      "version; cut the part before them out with --to");
  const ir::Graph floats = graph;
  floats_done(floats);
  outcome =
      calibrate(graph, samples, [&](const char* stage, double done) { progress(stage, done / 2); });
  outcome.float_weights = ir::constant_bytes(floats);
  effective.emplace_back("calibrate");
  options.start = "calibrate";
  for (std::string& pass : passes::run_pipeline(graph, passes::integer_groups(), options))
    if (std::ranges::find(effective, pass) == effective.end()) effective.push_back(std::move(pass));
  measure(outcome, floats, graph, samples,
          [&](const char* stage, double done) { progress(stage, (1 + done) / 2); });
  return effective;
}

}  // namespace skiff::quantize
