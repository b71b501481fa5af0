#pragma once

#include <map>
#include <string>

namespace skiff::cuda::jit {

/// Code for one kind of GPU, by the source it was compiled from: asked for before, in a file of the
/// folder, or compiled now and kept in both. Nothing depends on the files but time: what is
/// missing, damaged or of another version is compiled again, and one that cannot be written is
/// left.
class CodeStore {
 public:
  /// `folder` empty: no files. `architecture`: see Nvrtc::compile().
  CodeStore(std::string folder, std::string architecture);

  /// Whether get() can be asked: there is a compiler, or the code is there.
  bool has(const std::string& source);
  /// Throws Error{unsupported} where there is neither, or the compiler refuses.
  const std::string& get(const std::string& source);

 private:
  std::string key_of(const std::string& source) const;
  std::string path_of(const std::string& key) const;
  /// Empty: not there.
  std::string& find(const std::string& key);

  std::string folder_, architecture_;
  std::map<std::string, std::string> codes_;
};

}  // namespace skiff::cuda::jit
