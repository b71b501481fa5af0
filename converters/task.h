#pragma once

#include <string>

#include "converters/manifest.h"

namespace skiff::convert {

/// Reads a description of pre- and postprocessing (--task FILE.json) into the manifest:
///   {"preprocess": {...} or [{...}, ...], "postprocess": {...}}
/// Keys are the schema's field names; inputs, outputs and enums are given by name or number.
/// "anchors" is a list of numbers or the specification of a generator, as MediaPipe's SSD detectors
/// use it:
///   {"input": 128, "strides": [8, 16, 16, 16], "offset": 0.5, "interpolated_scale_aspect_ratio":
///   1}
/// which gives anchors of size 1. Throws Error{invalid_argument} that names the key.
void read_task(const std::string& path, const ir::Graph& graph, Manifest& manifest);

/// Layers of equal stride share their cells; each has an anchor of aspect ratio 1 and, where the
/// ratio of interpolated scales is above 0, one more. 4 numbers an anchor: cx, cy, 1, 1.
std::vector<float> ssd_anchors(int input, const std::vector<int>& strides, float offset,
                               float interpolated_scale_aspect_ratio);

}  // namespace skiff::convert
