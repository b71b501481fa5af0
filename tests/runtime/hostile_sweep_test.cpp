#include <gtest/gtest.h>

#include <iostream>

#include "tests/runtime/hostile_support.h"
#include "tests/support/model_samples.h"
#include "tests/support/skiff_file.h"
#include "tests/support/thorough.h"

// Damage: every truncation and single bit flips of four files, as they are and with digests that
// are right again. By default a sample of the flips; all of them when SKIFF_LONG is set.
namespace skiff::test {
namespace {

class HostileSweep : public ::testing::TestWithParam<ModelSample> {
 protected:
  std::vector<std::byte> file_ = file_of(GetParam());
  const FileParts parts_ = parts_of(file_);
  const std::size_t metadata_end_ = 128 + parts_.metadata_size;
  Outcomes outcomes_;

  void TearDown() override {
    std::cout << GetParam().name << ": " << file_.size() << " bytes, " << outcomes_.count()
              << " files: " << outcomes_.text() << "\n";
    EXPECT_LT(outcomes_.slowest_s, 10);
  }

  /// Flips bits [begin, end) of the file, every `stride`th, and tries each with `repair` applied.
  template <typename Repair>
  void flip(std::size_t begin, std::size_t end, std::size_t stride, Repair repair) {
    const std::vector<std::byte> whole = file_;
    for (std::size_t bit = begin; bit < end; bit += stride) {
      file_[bit / 8] ^= std::byte{1} << (bit % 8);
      repair(file_);
      try_file(file_, outcomes_);
      file_ = whole;
    }
  }
};

TEST_P(HostileSweep, AsWritten) {
  try_file(file_, outcomes_);
  EXPECT_EQ(outcomes_.ran, 1u) << outcomes_.text();
}

TEST_P(HostileSweep, EveryTruncation) {
  for (std::size_t size = 0; size < file_.size(); ++size)
    try_file(std::span(file_).first(size), outcomes_);
  EXPECT_EQ(outcomes_.ran, 0u);
}

TEST_P(HostileSweep, EveryTruncationWithSizesThatFit) {
  const std::vector<std::byte> whole = file_;
  const std::size_t stride = thorough() ? 1 : 7;
  for (std::size_t size = parts_.data_offset; size < whole.size(); size += stride) {
    const std::uint64_t sizes[] = {size - parts_.data_offset, size};  // data, file
    file_.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    std::copy_n(std::as_bytes(std::span(sizes)).begin(), sizeof sizes, file_.begin() + 40);
    seal(file_);
    try_file(file_, outcomes_);
  }
  file_ = whole;
  EXPECT_EQ(outcomes_.ran, 0u);
}

TEST_P(HostileSweep, EveryTruncationOfTheMetadata) {
  const std::vector<std::byte> whole = file_;
  const std::size_t stride = thorough() ? 1 : 7;
  std::uint64_t needed = parts_.metadata_size;  // without zeros at the end, which pad
  while (file_[128 + needed - 1] == std::byte{0}) --needed;
  for (std::uint64_t size = 0; size < needed; size += stride) {
    file_ = whole;
    const auto end = file_.begin() + static_cast<std::ptrdiff_t>(128 + size);
    std::fill(end, file_.begin() + static_cast<std::ptrdiff_t>(metadata_end_), std::byte{0});
    std::copy_n(std::as_bytes(std::span(&size, 1)).begin(), sizeof size, file_.begin() + 24);
    seal(file_);
    try_file(file_, outcomes_);
  }
  file_ = whole;
  EXPECT_EQ(outcomes_.ran, 0u);
}

TEST_P(HostileSweep, BitFlipsAreNoticed) {
  const auto as_it_is = [](std::span<std::byte>) {};
  const std::size_t stride = thorough() ? 1 : 7;
  flip(0, 8 * metadata_end_, stride, as_it_is);
  EXPECT_EQ(outcomes_.ran, 0u) << "a digest does not cover header and metadata";
  flip(8 * metadata_end_, 8 * file_.size(), stride, as_it_is);
}

TEST_P(HostileSweep, BitFlipsOfMetadataWithRightDigests) {
  flip(0, 8 * metadata_end_, thorough() ? 1 : 7, seal);
}

TEST_P(HostileSweep, BitFlipsOfDataWithRightDigests) {
  flip(8 * parts_.data_offset, 8 * file_.size(), thorough() ? 1 : 49, seal_data);
  // Such a file loads; indices among its constants are looked at by run().
  EXPECT_EQ(outcomes_.ran + outcomes_.refused[ErrorCode::bad_value], outcomes_.count())
      << outcomes_.text();
}

INSTANTIATE_TEST_SUITE_P(Models, HostileSweep, ::testing::ValuesIn(model_samples()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace skiff::test
