#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/converters/onnx_builder.h"
#include "tests/platform/temporary_folder.h"

// Weights in files of their own: only regular files beneath the model's folder, only what is there.
namespace skiff::test {
namespace {

namespace fs = std::filesystem;

struct External {
  const char* what;
  std::vector<std::pair<std::string, std::string>> entries;
  const char* message;  ///< part of it; empty: works
};

class OnnxExternal : public ::testing::Test {
 protected:
  OnnxExternal() {
    fs::create_directories(model_ / "inner");
    write(model_ / "w.bin");
    write(model_ / "inner" / "w.bin");
    write(root_ / "secret.bin");
    fs::create_symlink(root_ / "secret.bin", model_ / "link.bin");
    fs::create_directory_symlink(root_, model_ / "up");
    write(model_ / "twice.bin");
    fs::create_hard_link(model_ / "twice.bin", root_ / "other.bin");
    EXPECT_EQ(::mkfifo((model_ / "pipe.bin").c_str(), 0600), 0);
  }

  static void write(const fs::path& path) {
    const float numbers[] = {1, 2, 3, 4};
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  }

  std::string import(const std::vector<std::pair<std::string, std::string>>& entries) {
    OnnxBuilder model;
    model.input("x", {2}).floats("w", {2}, {}).node("Add", {"x", "w"}, {"y"}).output("y");
    onnx::TensorProto& tensor = *model.graph().mutable_initializer(0);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : entries) {
      tensor.add_external_data()->set_key(key);
      tensor.mutable_external_data()->rbegin()->set_value(value);
    }
    return error_of(model, {}, model_.string());
  }

  platform::TemporaryFolder folder_;
  fs::path root_{folder_.root()};
  fs::path model_{root_ / "model"};
};

TEST_F(OnnxExternal, HostilePlacesAreRefused) {
  const std::string outside = (root_ / "secret.bin").string();
  const External table[] = {
      {"good", {{"location", "w.bin"}, {"offset", "8"}, {"length", "8"}}, ""},
      {"good, below", {{"location", "./inner/w.bin"}}, ""},
      {"absolute", {{"location", outside}}, "relative path"},
      {"above", {{"location", "../secret.bin"}}, "relative path"},
      {"above, hidden", {{"location", "inner/../../secret.bin"}}, "relative path"},
      {"link", {{"location", "link.bin"}}, "symbolic link"},
      {"folder link", {{"location", "up/secret.bin"}}, ""},
      {"hard link", {{"location", "twice.bin"}}, "hard link"},
      {"pipe", {{"location", "pipe.bin"}}, "regular file"},
      {"folder", {{"location", "inner"}}, "regular file"},
      {"missing", {{"location", "no.bin"}}, "cannot open"},
      {"beyond", {{"location", "w.bin"}, {"offset", "12"}}, "outside"},
      {"wrapping", {{"location", "w.bin"}, {"offset", "18446744073709551612"}}, "outside"},
      {"negative", {{"location", "w.bin"}, {"offset", "-8"}}, "no number"},
      {"length", {{"location", "w.bin"}, {"length", "4"}}, "needs 8"},
      {"unknown key", {{"location", "w.bin"}, {"decrypt", "1"}}, "decrypt"},
      {"key twice", {{"location", "w.bin"}, {"location", "inner/w.bin"}}, "twice"},
      {"no location", {{"offset", "0"}}, "no location"},
  };
  for (const External& row : table) {
    const std::string text = import(row.entries);
    if (std::string(row.what) == "folder link")
      EXPECT_NE(text, "") << row.what;
    else if (*row.message == '\0')
      EXPECT_EQ(text, "") << row.what;
    else
      EXPECT_NE(text.find(row.message), std::string::npos) << row.what << ": " << text;
  }
}

TEST_F(OnnxExternal, WithoutAFolderThereIsNone) {
  model_.clear();
  EXPECT_NE(import({{"location", "w.bin"}}), "");
}

}  // namespace
}  // namespace skiff::test
