#pragma once

#include <cudnn.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace cuda_double {

/// A back-end descriptor: what was set, by attribute. Descriptors that stand in another are kept
/// alive by it.
struct Descriptor {
  struct Attribute {
    cudnnBackendAttributeType_t type;
    std::int64_t count;
    std::string bytes;
    std::vector<std::shared_ptr<Descriptor>> children;
  };
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<int, Attribute> attributes;

  const Attribute* find(int name) const {
    const auto found = attributes.find(name);
    return found == attributes.end() ? nullptr : &found->second;
  }
  template <typename T>
  T get(int name, T fallback) const {
    const Attribute* a = find(name);
    if (a != nullptr && a->bytes.size() >= sizeof(T))
      std::memcpy(&fallback, a->bytes.data(), sizeof(T));
    return fallback;
  }
  template <typename T>
  std::vector<T> list(int name) const {
    const Attribute* a = find(name);
    std::vector<T> values(a == nullptr ? 0 : a->bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), a->bytes.data(), values.size() * sizeof(T));
    return values;
  }
  /// The descriptor set under a name, or null.
  const Descriptor* child(int name) const {
    const Attribute* a = find(name);
    return a == nullptr || a->children.empty() ? nullptr : a->children[0].get();
  }
  template <typename T>
  void put(int name, cudnnBackendAttributeType_t as, const T& value) {
    attributes[name] = {as, 1, std::string(reinterpret_cast<const char*>(&value), sizeof(T)), {}};
  }
};

}  // namespace cuda_double
