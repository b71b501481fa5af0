// Says which command was spoken in the first second: sample_keyword MODEL.skiff SOUND.wav
// The model is the keyword spotter of MLPerf Tiny, which takes 10 mel frequency cepstral
// coefficients (MFCC) of 49 frames, as its training computed them with tf.signal:
//   skiff-convert kws_ref_model_float32.tflite -o kws.skiff
//     --task samples/tasks/kws_ref_model_float32.json
//     --labels samples/tasks/speech_commands_labels.txt
#include <skiff/skiff.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "sound.h"

namespace {

constexpr std::size_t kFrame = 480, kHop = 320, kBins = 257, kBands = 40, kCoefficients = 10;
constexpr double kLowest = 20, kHighest = 4000;  // Hz

/// The part of a frequency in a band: triangles of equal width on the mel scale
/// 1127 ln(1 + f / 700), each from its left neighbour's middle to its right one's.
double band_weight(std::size_t bin, std::size_t band) {
  const auto mel = [](double hertz) { return 1127 * std::log(1 + hertz / 700); };
  const double width = (mel(kHighest) - mel(kLowest)) / (kBands + 1);
  const double hertz = static_cast<double>(bin) * sample::kSampleRate / (2 * (kBins - 1));
  const double middle = mel(kLowest) + static_cast<double>(band + 1) * width;
  return bin == 0 ? 0 : std::max(0.0, 1 - std::abs(mel(hertz) - middle) / width);
}

/// Magnitude of one frequency of a frame under a Hann window, of 512 samples filled up with zeros.
double magnitude(std::span<const float> frame, std::size_t bin) {
  constexpr double kTurn = 2 * std::numbers::pi;
  double real = 0, imaginary = 0;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    const double window = 0.5 - 0.5 * std::cos(kTurn * static_cast<double>(i) / kFrame);
    const double angle = kTurn * static_cast<double>(bin * i % 512) / 512;
    real += window * static_cast<double>(frame[i]) * std::cos(angle);
    imaginary += window * static_cast<double>(frame[i]) * std::sin(angle);
  }
  return std::hypot(real, imaginary);
}

/// MFCC: the discrete cosine transform of the logarithms of what lies in each band.
void set_coefficients(std::span<const float> frame, std::span<float> coefficients) {
  double bands[kBands] = {};
  for (std::size_t bin = 1; bin <= kBins / 2; ++bin) {  // nothing above 4 kHz is in a band
    const double loud = magnitude(frame, bin);
    for (std::size_t band = 0; band < kBands; ++band) bands[band] += band_weight(bin, band) * loud;
  }
  for (std::size_t k = 0; k < coefficients.size(); ++k) {
    double sum = 0;
    for (std::size_t band = 0; band < kBands; ++band)
      sum += std::log(bands[band] + 1e-6) *
             std::cos(std::numbers::pi / kBands * (static_cast<double>(band) + 0.5) *
                      static_cast<double>(k));
    coefficients[k] = static_cast<float>(sum * 2 / std::sqrt(2.0 * kBands));
  }
}

void print_best(const char* model_path, std::vector<float> sound) {
  const skiff::Model model = skiff::Model::load(model_path);
  skiff::Session session(model);
  const std::span<float> input = session.input(0).values<float>();
  const std::size_t frames = input.size() / kCoefficients;

  sound.resize(sample::kSampleRate);  // one second, silence at its end
  const float loudest = *std::max_element(sound.begin(), sound.end());
  if (loudest > 0)
    for (float& x : sound) x /= loudest;
  for (std::size_t i = 0; i < frames; ++i)
    set_coefficients(std::span(sound).subspan(i * kHop, kFrame),
                     input.subspan(i * kCoefficients, kCoefficients));
  if (const skiff::Status status = session.run(); !status)
    throw skiff::Error(status.code(), status.message());

  skiff::Classification best[3];
  const std::size_t count = skiff::classify(session, best);
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::size_t>(best[i].index);
    const std::string name = label < model.label_count() ? std::string(model.label(label)) : "";
    std::printf("%.3f  %d %s\n", static_cast<double>(best[i].score), best[i].index, name.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "use: %s MODEL.skiff SOUND.wav\n", argv[0]);
    return 2;
  }
  try {
    print_best(argv[1], sample::load_wav(argv[2]));
    return 0;
  } catch (const skiff::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
