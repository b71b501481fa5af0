#pragma once

#include <string>
#include <vector>

namespace sample {

/// Reads a WAV file of 16-bit PCM, one channel, 16 kHz: samples in [-1, 1). Throws skiff::Error for
/// anything else.
std::vector<float> load_wav(const std::string& path);

constexpr int kSampleRate = 16000;

}  // namespace sample
