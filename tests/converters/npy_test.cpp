#include <gtest/gtest.h>
#include <skiff/error.h>

#include <cstring>
#include <string_view>

#include "converters/npy/npy.h"
#include "tests/support/command.h"

namespace skiff::npy {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

template <typename T>
Array array_of(const Shape& shape, const std::vector<T>& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers));
  return {dtype_of<T>(), shape, {bytes.begin(), bytes.end()}};
}

/// A file of format 1.0 with this header, written by hand after NumPy's description of the format.
std::vector<std::byte> file(const std::string& header, std::string_view data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  return bytes_of(text + header + std::string(data));
}

TEST(Npy, ReadsBothAxisAndByteOrders) {
  const Array plain =
      read_npy(file("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n", "abcdef"));
  EXPECT_EQ(plain.dtype, DType::uint8);
  EXPECT_EQ(plain.shape, (Shape{2, 3}));
  EXPECT_EQ(plain.bytes, bytes_of("abcdef"));
  const Array columns =
      read_npy(file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", "adbecf"));
  EXPECT_EQ(columns.bytes, bytes_of("abcdef"));
  const Array swapped =
      read_npy(file("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }\n", "abcd"));
  EXPECT_EQ(swapped.bytes, bytes_of("badc"));
  const Array scalar =
      read_npy(file("{'descr': '|b1', 'fortran_order': False, 'shape': (), }\n", "\x01"));
  EXPECT_EQ(scalar.shape, Shape{});
}

TEST(Npy, EveryTruncationIsATypedError) {
  const auto whole = write_npy(array_of<float>({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(whole.size() % 4, 0u);
  EXPECT_EQ(read_npy(whole).bytes.size(), 16u);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(read_npy(std::span(whole).first(size)), Error) << size;
}

/// An array of another shape, or a file that something was added to.
TEST(Npy, BytesBehindTheArrayAreRefused) {
  auto whole = write_npy(array_of<float>({2, 2}, {1, 2, 3, 4}));
  whole.push_back(std::byte{0});
  EXPECT_THROW(read_npy(whole), Error);
}

TEST(Npy, ErrorsNameTheFile) {
  const test::ScratchFolder scratch;
  const auto expect_named = [&](const std::string& name, const auto& load) {
    const std::string path = scratch / name;
    for (const bool there : {false, true}) {
      if (there) std::ofstream(path) << "neither an array nor an archive of them";
      try {
        load(path);
        ADD_FAILURE() << path << " is taken";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), there ? ErrorCode::invalid_model : ErrorCode::not_found);
        EXPECT_NE(std::string_view(error.what()).find(path), std::string_view::npos)
            << error.what();
      }
    }
  };
  expect_named("x.npy", [](const std::string& path) { load_npy(path); });
  expect_named("x.npz", [](const std::string& path) { load_npz(path); });
}

TEST(Npz, RoundTripIsExactAndRepeatable) {
  const Archive arrays = {{"in/x", array_of<float>({3}, {1.5f, -2, 0})},
                          {"out/y", array_of<std::int64_t>({1, 2}, {7, -9})},
                          {"scalar", array_of<double>({}, {3.25})}};
  const auto packed = write_npz(arrays);
  EXPECT_EQ(packed, write_npz(arrays));
  const Archive back = read_npz(packed);
  ASSERT_EQ(back.size(), arrays.size());
  for (const auto& [name, array] : arrays) {
    EXPECT_EQ(back.at(name).dtype, array.dtype);
    EXPECT_EQ(back.at(name).shape, array.shape);
    EXPECT_EQ(back.at(name).bytes, array.bytes);
  }
  EXPECT_THROW(read_npz(packed, 100), Error);
}

TEST(Npz, DamageIsATypedErrorOrHarmless) {
  const auto whole = write_npz({{"x", array_of<float>({64}, std::vector<float>(64, 0.5f))}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(read_npz(std::span(whole).first(size)), Error) << size;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto damaged = whole;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    try {
      for (const auto& [name, array] : read_npz(damaged, 1 << 20))
        EXPECT_EQ(array.bytes.size(), 256u);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace skiff::npy
