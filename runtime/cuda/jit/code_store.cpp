#include "runtime/cuda/jit/code_store.h"

#include <cuda_runtime_api.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <utility>

#include "platform/file.h"
#include "platform/sha256.h"
#include "runtime/core/error.h"
#include "runtime/cuda/jit/headers.h"
#include "runtime/cuda/jit/nvrtc.h"

namespace skiff::cuda::jit {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 20;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// A file: the digest of the code, then the code.
std::string read_code(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return "";
  const platform::File file(path.c_str());
  platform::Sha256Digest digest;
  if (file.size() <= digest.size() || file.size() > kMostBytes) return "";
  std::string code(file.size() - digest.size(), '\0');
  file.read_at(0, digest);
  file.read_at(digest.size(), std::as_writable_bytes(std::span(code)));
  return platform::sha256(bytes_of(code)) == digest ? code : "";
}

void write_code(const std::string& path, const std::string& code) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  const platform::Sha256Digest digest = platform::sha256(bytes_of(code));
  const std::array<std::span<const std::byte>, 2> pieces{digest, bytes_of(code)};
  platform::write_file_atomically(path, pieces);
}

}  // namespace

CodeStore::CodeStore(std::string folder, std::string architecture)
    : folder_(std::move(folder)), architecture_(std::move(architecture)) {}

std::string CodeStore::key_of(const std::string& source) const {
  std::string all = message("CUDA ", CUDART_VERSION, " ", architecture_, "\n", source);
  const Headers& headers = Headers::get();
  for (int i = 0; i < headers.count(); ++i) all += headers.texts()[i];
  return platform::to_hex(platform::sha256(bytes_of(all))).data();
}

std::string CodeStore::path_of(const std::string& key) const { return folder_ + "/" + key; }

std::string& CodeStore::find(const std::string& key) {
  std::string& code = codes_[key];
  if (!code.empty() || folder_.empty()) return code;
  try {
    code = read_code(path_of(key));
  } catch (const Error&) {  // as good as none
  }
  return code;
}

bool CodeStore::has(const std::string& source) {
  return Nvrtc::find() != nullptr || !find(key_of(source)).empty();
}

const std::string& CodeStore::get(const std::string& source) {
  const std::string key = key_of(source);
  std::string& code = find(key);
  if (!code.empty()) return code;
  const Nvrtc* const compiler = Nvrtc::find();
  require(compiler != nullptr, ErrorCode::unsupported, "NVRTC is not installed");
  code = compiler->compile(source, architecture_);
  if (folder_.empty()) return code;
  try {
    write_code(path_of(key), code);
  } catch (const std::exception&) {  // compiled again next time
  }
  return code;
}

}  // namespace skiff::cuda::jit
