#include <fmt/format.h>

#include <regex>

#include "tests/samples/samples.h"
#include "tests/support/folders.h"

// The samples that hear and read, and models whose sizes change or that carry a state.
namespace skiff::test {
namespace {

class Sounds : public Samples {
 protected:
  std::string sound(const std::string& what) const {
    return media("audio/" + what + "_1000ms.wav");
  }
};

TEST_F(Sounds, YesIsSpeechAndSilenceIsNot) {
  const std::string model = convert("onnx/silero_vad_v5.onnx",
                                    "--bind sr=16000 --state stateN=state --shape input=1x576 "
                                    "--shape state=2x1x128");
  const Said yes = run("voice_activity", model + " " + sound("yes"));
  std::smatch found;
  ASSERT_TRUE(std::regex_search(
      yes.text, found,
      std::regex(R"(^speech from ([0-9.]+) s to ([0-9.]+) s, at most ([0-9.]+)\n$)")))
      << yes.text;
  EXPECT_GT(std::stod(found[1]), 0.3) << "the word lies in the middle of the second";
  EXPECT_LT(std::stod(found[2]), 1.0);
  EXPECT_GT(std::stod(found[3]), 0.9);
  EXPECT_TRUE(run("voice_activity", model + " " + sound("no")).says("speech from"));
  for (const char* quiet : {"silence", "noise"})
    EXPECT_EQ(run("voice_activity", model + " " + sound(quiet)).text, "no speech\n") << quiet;
}

/// "no" is left out: the model takes this recording for "go".
TEST_F(Sounds, KeywordKnowsYesSilenceAndWhatIsNeither) {
  const std::string model = convert("tflite/kws_ref_model_float32.tflite",
                                    "--labels " + (tasks_ / "speech_commands_labels.txt").string());
  const auto best = [&](const char* what) {
    const std::string text = run("keyword", model + " " + sound(what)).text;
    return text.substr(0, text.find('\n'));
  };
  EXPECT_TRUE(best("yes").ends_with(" 9 yes")) << best("yes");
  EXPECT_TRUE(best("silence").ends_with(" 10 silence")) << best("silence");
  EXPECT_TRUE(best("noise").ends_with(" 11 unknown")) << best("noise");
}

TEST_F(Sounds, OtherSoundFilesAreRefusedWithTheirReason) {
  const std::string model = convert("tflite/kws_ref_model_float32.tflite");
  const std::string wav = read_text(sound("yes")), changed = scratch_ / "changed.wav";
  const auto refused = [&](const std::string& bytes) {
    std::ofstream(changed, std::ios::binary) << bytes;
    const Said said =
        run_command(std::string(binary_folder()) + "/sample_keyword " + model + " " + changed);
    EXPECT_EQ(said.code, 1) << said.text;
    return said.text;
  };
  const auto with = [&](std::size_t at, char byte) {
    std::string bytes = wav;
    bytes[at] = byte;
    return bytes;
  };
  EXPECT_NE(refused("nothing").find("is no WAV file"), std::string::npos);
  EXPECT_NE(refused(with(20, 3)).find("16-bit PCM"), std::string::npos);
  EXPECT_NE(refused(with(22, 2)).find("several channels"), std::string::npos);
  EXPECT_NE(refused(with(24, 1)).find("16 kHz"), std::string::npos);
  EXPECT_NE(refused(wav.substr(0, 40)).find("without samples"), std::string::npos);
}

class Texts : public Samples {
 protected:
  void SetUp() override {
    Samples::SetUp();
    if (IsSkipped()) return;
    finder_ = convert("onnx/ch_PP-OCRv4_det_infer.onnx",
                      "--dyn x:0=1:1:1 --dyn x:2=320:480:960 --dyn x:3=320:640:960");
    reader_ = convert("onnx/ch_PP-OCRv4_rec_infer.onnx",
                      "--dyn x:0=1:1:1 --dyn x:2=48:48:48 --dyn x:3=32:320:1920 --labels " +
                          (data_ / "models/onnx/ppocr_keys_v1.txt").string());
  }
  std::string read(const std::string& picture) const {
    return run("read_text", finder_ + " " + reader_ + " " + picture).text;
  }
  std::string finder_, reader_;
};

/// The receipt is turned and its letters are eight pixels high.
TEST_F(Texts, ReadsAReceiptAndANameTag) {
  const std::string receipt = read(media("coral/hot_dog.jpg"));
  EXPECT_NE(receipt.find("\nCASH\n"), std::string::npos) << receipt;
  const std::string tag = read(media("coral/grace_hopper.bmp"));
  EXPECT_NE(tag.find(" HOP"), std::string::npos) << tag;
  EXPECT_EQ(read(media("coral/cat.bmp")), "");
}

/// A photo of a book's page, of what samples/quickstart.sh downloads.
TEST_F(Texts, ReadsSentencesOfAPage) {
  const fs::path page = fs::path(source_folder()) / ".cache" / "page.png";
  if (!fs::exists(page)) GTEST_SKIP() << "nothing downloaded yet (samples/quickstart.sh)";
  const std::string text = read(page.string());
  for (const char* line :
       {"Region-based segmentation\n", "Let us first determine markers of the coins and the\n",
        "unambiguously as either object or background", "histogram of grey values:"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

/// Random weights know no meaning, but equal sentences are equal and a changed word is nearer than
/// another sentence.
TEST_F(Samples, EmbedFindsSentencesAlike) {
  const std::string model =
      convert("small/text_encoder.onnx", "--dyn input.1:0,onnx::Equal_1:0=1:1:4");
  const auto similarity = [&](const char* a, const char* b) {
    const std::string text = run("embed", fmt::format("{} \"{}\" \"{}\"", model, a, b)).text;
    EXPECT_TRUE(text.starts_with("similarity ")) << text;
    return std::stod(text.substr(text.find(' ')));
  };
  const double same = similarity("135 159 9 178 32", "135 159 9 178 32");
  const double near = similarity("135 159 9 178 32", "135 159 9 178 33");
  const double far = similarity("135 159 9 178 32", "7 20 84 66 11 93");
  EXPECT_EQ(same, 1);
  EXPECT_GT(near, 0.8);
  EXPECT_LT(far, near - 0.2);
}

TEST_F(Samples, DigitsAreReadByARecurrentNetwork) {
  const fs::path pictures =
      data_ / "conformance/tflite-micro/tensorflow/lite/micro/examples/mnist_lstm/samples";
  if (!fs::exists(pictures)) GTEST_SKIP() << "no " << pictures.string();
  const std::string model = convert("tflite/trained_lstm.tflite");
  for (int digit = 0; digit < 10; ++digit) {
    const fs::path picture = pictures / fmt::format("sample{}.png", digit);
    const Said said = run("classify", model + " " + picture.string());
    EXPECT_EQ(said.text.find(fmt::format("  {} \n", digit)), 5u) << digit << "\n" << said.text;
  }
}

}  // namespace
}  // namespace skiff::test
