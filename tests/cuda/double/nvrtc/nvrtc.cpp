#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "tests/cuda/double/control.h"

// A double of NVRTC: what it makes of a source is a shared library for the host, which the double
// of the driver opens. Of the headers it is given, it has some of its own: what differs on a GPU.

namespace {

namespace fs = std::filesystem;

constexpr int kInvalid = 3, kCompilation = 6;

struct Program {
  std::string source, log, code;
  fs::path folder;

  Program() {
    std::string name = (fs::temp_directory_path() / "skiff-nvrtc-XXXXXX").string();
    folder = mkdtemp(name.data());
    cuda_double_count_object(1);
  }
  ~Program() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    cuda_double_count_object(-1);
  }
};

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Every kernel of a source, made known under its own name.
std::string with_entries(const std::string& source) {
  std::string text = "#include \"tests/cuda/double/nvrtc/compiled/entry.h\"\n" + source;
  const std::regex kernel("extern \"C\" __global__ void ([A-Za-z0-9_]+)\\(");
  for (std::sregex_iterator found(source.begin(), source.end(), kernel), end; found != end; ++found)
    text += "\nCUDA_DOUBLE_ENTRY(" + (*found)[1].str() + ")";
  return text + "\n";
}

int run(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

#define NVRTC_DOUBLE extern "C" __attribute__((visibility("default")))

NVRTC_DOUBLE int nvrtcCreateProgram(Program** program, const char* source, const char*, int headers,
                                    const char* const* texts, const char* const* names) {
  if (const int error = cuda_double_enter(__func__)) return error;
  *program = new Program;
  (*program)->source = source;
  for (int i = 0; i < headers; ++i) {
    const std::string name = names[i];
    if (name == "cmath") continue;  // the host has its own
    const fs::path own = fs::path(SKIFF_DOUBLE_HEADERS) / name;
    write((*program)->folder / "headers" / name, fs::exists(own) ? read(own) : texts[i]);
  }
  return 0;
}

NVRTC_DOUBLE int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
  if (const int error = cuda_double_enter(__func__)) return error;
  bool architecture = false;
  for (int i = 0; i < count; ++i) {
    const std::string option = options[i];
    architecture |= option.starts_with("--gpu-architecture=sm_");
    if (!option.starts_with("--gpu-architecture=") && option != "--std=c++17") return kInvalid;
  }
  if (!architecture) return kInvalid;
  const fs::path& folder = program->folder;
  write(folder / "source.cpp", with_entries(program->source));
  const std::string out = (folder / "code.so").string(), log = (folder / "log").string();
  // A GPU takes no vector that is not aligned.
  const int status =
      run(SKIFF_DOUBLE_COMPILER
          " -std=c++17 -O1 -fPIC -shared -ffp-contract=off "
          "-fsanitize=alignment -fsanitize-undefined-trap-on-error -I" +
          (folder / "headers").string() + " -I" SKIFF_SOURCE " -isystem " SKIFF_DOUBLE_CUDA " -o " +
          out + " " + (folder / "source.cpp").string() + " > " + log + " 2>&1");
  program->log = read(log);
  program->code = status == 0 ? read(out) : "";
  return status == 0 ? 0 : kCompilation;
}

NVRTC_DOUBLE int nvrtcGetProgramLogSize(Program* program, std::size_t* size) {
  if (const int error = cuda_double_enter(__func__)) return error;
  *size = program->log.size() + 1;
  return 0;
}

NVRTC_DOUBLE int nvrtcGetProgramLog(Program* program, char* log) {
  if (const int error = cuda_double_enter(__func__)) return error;
  program->log.copy(log, program->log.size());
  log[program->log.size()] = '\0';
  return 0;
}

NVRTC_DOUBLE int nvrtcGetCUBINSize(Program* program, std::size_t* size) {
  if (const int error = cuda_double_enter(__func__)) return error;
  *size = program->code.size();
  return 0;
}

NVRTC_DOUBLE int nvrtcGetCUBIN(Program* program, char* code) {
  if (const int error = cuda_double_enter(__func__)) return error;
  program->code.copy(code, program->code.size());
  return 0;
}

NVRTC_DOUBLE int nvrtcDestroyProgram(Program** program) {
  delete *program;
  *program = nullptr;
  return 0;
}

NVRTC_DOUBLE const char* nvrtcGetErrorString(int error) {
  return error == kCompilation ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_OF_THE_DOUBLE";
}
