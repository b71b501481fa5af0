// write_corpus FOLDER: the files of this version for corpus/. Committed files are never replaced.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/model_samples.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (const skiff::test::ModelSample& sample : skiff::test::model_samples()) {
    const auto path =
        std::filesystem::path(argv[1]) / (std::string("1.0-") + sample.name + ".skiff");
    if (std::filesystem::exists(path)) {
      std::fprintf(stderr, "%s is there already\n", path.c_str());
      return 1;
    }
    const std::vector<std::byte> bytes = skiff::test::file_of(sample);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
}
