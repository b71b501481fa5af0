#pragma once

#include <skiff/session.h>
#include <skiff/vision.h>

#include <vector>

namespace skiff::vision {

/// The model's postprocessing. Throws Error{invalid_argument} unless its kind is one of `kinds`.
Postprocessing postprocessing(const Session& session, std::initializer_list<PostprocessKind> kinds,
                              const char* wanted);

/// An output's elements as real numbers. Throws Error{unsupported} for element types that are
/// neither float32 nor quantised to 8 bits.
std::vector<float> real_values(const Tensor& output);

/// Clips, then the sigmoid or the softmax of each run of `classes` numbers, as `p` asks for.
void apply(const Postprocessing& p, std::span<float> scores, std::size_t classes) noexcept;

float sigmoid(float x) noexcept;

}  // namespace skiff::vision
