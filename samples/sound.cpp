#include "sound.h"

#include <skiff/error.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>

namespace sample {
namespace {

/// A little-endian number of `bytes` bytes; 0 beyond the end.
std::uint32_t number(const std::string& file, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes; i-- > 0;)
    value = value << 8 | (at + i < file.size() ? static_cast<std::uint8_t>(file[at + i]) : 0u);
  return value;
}

/// Where the body of a RIFF chunk begins; its size stands 4 bytes before. 0: there is none.
std::size_t find_chunk(const std::string& file, const char* name) {
  for (std::size_t at = 12; at + 8 <= file.size();) {
    if (file.compare(at, 4, name) == 0) return at + 8;
    const std::size_t size = number(file, at + 4, 4);
    at += 8 + size + size % 2;
  }
  return 0;
}

}  // namespace

std::vector<float> load_wav(const std::string& path) {
  const auto refuse = [&](const char* why) {
    throw skiff::Error(skiff::ErrorCode::io, path + ": " + why);
  };
  std::ifstream stream(path, std::ios::binary);
  if (!stream) refuse("cannot be read");
  const std::string file{std::istreambuf_iterator<char>(stream), {}};
  if (file.size() < 12 || file.compare(0, 4, "RIFF") != 0 || file.compare(8, 4, "WAVE") != 0)
    refuse("is no WAV file");
  const std::size_t format = find_chunk(file, "fmt "), data = find_chunk(file, "data");
  if (format == 0 || data == 0) refuse("is a WAV file without a format or without samples");
  if (number(file, format, 2) != 1 || number(file, format + 14, 2) != 16)
    refuse("holds other samples than 16-bit PCM");
  if (number(file, format + 2, 2) != 1) refuse("has several channels, needs one");
  if (number(file, format + 4, 4) != kSampleRate) refuse("has another rate than 16 kHz");

  const std::size_t bytes = std::min<std::size_t>(number(file, data - 4, 4), file.size() - data);
  std::vector<float> samples(bytes / 2);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] =
        static_cast<float>(static_cast<std::int16_t>(number(file, data + 2 * i, 2))) / 32768;
  return samples;
}

}  // namespace sample
