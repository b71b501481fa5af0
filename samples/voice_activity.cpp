// Says when somebody speaks: sample_voice_activity MODEL.skiff SOUND.wav
// The model is Silero VAD 5, whose state the session carries from step to step:
//   skiff-convert silero_vad_v5.onnx -o vad.skiff --bind sr=16000 --state stateN=state
//     --shape input=1x576 --shape state=2x1x128
#include <skiff/skiff.h>

#include <algorithm>
#include <cstdio>

#include "sound.h"

namespace {

// A step hears 512 new samples (32 ms) and once more the 64 before them.
constexpr std::size_t kContext = 64, kStep = 512;
// Speech begins above the first and ends below the second.
constexpr float kBegin = 0.5f, kEnd = 0.35f;
constexpr std::size_t kShortest = 3;  // steps; what is shorter is a click

/// The probability of speech in every step of a recording.
std::vector<float> listen(skiff::Session& session, const std::vector<float>& sound) {
  const std::span<float> input = session.input("input").values<float>();
  if (input.size() != kContext + kStep)
    throw skiff::Error(skiff::ErrorCode::invalid_argument, "the model must take 576 samples");
  session.reset();
  std::vector<float> padded(kContext, 0.0f), speech;
  padded.insert(padded.end(), sound.begin(), sound.end());
  for (std::size_t at = 0; at + kContext < padded.size(); at += kStep) {
    const std::size_t count = std::min(input.size(), padded.size() - at);
    std::fill(std::copy_n(&padded[at], count, input.begin()), input.end(), 0.0f);
    if (const skiff::Status status = session.run(); !status)
      throw skiff::Error(status.code(), status.message());
    speech.push_back(session.output("output").values<float>()[0]);
  }
  return speech;
}

double seconds(std::size_t step) { return static_cast<double>(step * kStep) / sample::kSampleRate; }

void print_speech(const std::vector<float>& speech) {
  std::size_t begin = 0, segments = 0;
  bool speaking = false;
  for (std::size_t i = 0; i <= speech.size(); ++i) {
    const bool speaks = i < speech.size() && speech[i] >= (speaking ? kEnd : kBegin);
    if (speaks && !speaking) begin = i;
    if (speaking && !speaks && i - begin >= kShortest) {
      const float most = *std::max_element(&speech[begin], speech.data() + i);
      std::printf("speech from %.2f s to %.2f s, at most %.3f\n", seconds(begin), seconds(i),
                  static_cast<double>(most));
      ++segments;
    }
    speaking = speaks;
  }
  if (segments == 0) std::printf("no speech\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "use: %s MODEL.skiff SOUND.wav\n", argv[0]);
    return 2;
  }
  try {
    const skiff::Model model = skiff::Model::load(argv[1]);
    skiff::Session session(model);
    print_speech(listen(session, sample::load_wav(argv[2])));
    return 0;
  } catch (const skiff::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
