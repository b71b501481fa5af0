#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "schema/skiff_generated.h"
#include "tests/format/schema_lines.h"

// Files written by released versions load for ever and compute what is stored in them.
namespace skiff::test {
namespace {

std::vector<std::string> corpus() {
  std::vector<std::string> paths;
  const std::filesystem::path folder = std::filesystem::path(SKIFF_FORMAT_TESTS) / "corpus";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".skiff") paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// A file, its metadata and its buffers, read without the loader.
class File {
 public:
  explicit File(const std::string& path) : bytes_(read_text(path)) {
    std::memcpy(&data_offset_, bytes_.data() + 32, sizeof data_offset_);
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }
  const fb::Model& metadata() const { return *fb::GetModel(bytes_.data() + 128); }
  std::span<const std::byte> buffer(int index) const {
    const fb::Buffer& record = *metadata().buffers()->Get(static_cast<unsigned>(index));
    return bytes().subspan(data_offset_ + record.offset(), record.size());
  }
  std::string name(int value) const {
    return metadata().graphs()->Get(0)->values()->Get(static_cast<unsigned>(value))->name()->str();
  }

 private:
  std::string bytes_;
  std::uint64_t data_offset_ = 0;
};

double relative_l2(std::span<const float> a, std::span<const float> expected) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(expected[i]), 2);
    norm += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / std::max(norm, 1e-30));
}

void expect_golden(const File& file, Session& session, const fb::GoldenCase& golden) {
  for (const fb::GoldenTensor* tensor : *golden.inputs())
    std::ranges::copy(file.buffer(tensor->buffer()),
                      session.input(file.name(tensor->value())).bytes().begin());
  ASSERT_TRUE(session.run().ok());
  for (const fb::GoldenTensor* tensor : *golden.outputs()) {
    const Tensor output = session.output(file.name(tensor->value()));
    const std::span<const std::byte> stored = file.buffer(tensor->buffer());
    ASSERT_EQ(output.bytes().size(), stored.size());
    if (output.dtype() != DType::float32) {
      EXPECT_TRUE(std::ranges::equal(output.bytes(), stored)) << output.name();
      continue;
    }
    std::vector<float> expected(stored.size() / sizeof(float));
    std::memcpy(expected.data(), stored.data(), stored.size());
    EXPECT_LE(relative_l2(output.values<float>(), expected),
              static_cast<double>(golden.relative_l2()))
        << output.name();
  }
}

class Corpus : public ::testing::TestWithParam<std::string> {};

TEST_P(Corpus, LoadsAndComputesWhatIsStored) {
  const File file(GetParam());
  EXPECT_LT(file.bytes().size(), 20u * 1024);
  const Model model = Model::load(GetParam());
  Session session(model);
  const auto* golden = file.metadata().golden();
  ASSERT_TRUE(golden != nullptr && golden->size() > 0);
  for (const fb::GoldenCase* one : *golden) expect_golden(file, session, *one);
}

INSTANTIATE_TEST_SUITE_P(Files, Corpus, ::testing::ValuesIn(corpus()), [](const auto& test) {
  std::string name = std::filesystem::path(test.param).stem().string();
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

TEST(Corpora, AreThere) { EXPECT_GE(corpus().size(), 4u); }

}  // namespace
}  // namespace skiff::test
