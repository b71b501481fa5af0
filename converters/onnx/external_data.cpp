#include "converters/onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <set>
#include <system_error>

#include "runtime/core/error.h"

namespace skiff::onnx {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

struct Place {
  std::string location;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool has_length = false;
};

std::uint64_t number(const std::string& text, const std::string& key, const std::string& what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), ErrorCode::invalid_model, what,
          ": external data's ", key, " is '", text, "', which is no number of bytes");
  return value;
}

Place place_of(const TensorProto& tensor, const std::string& what) {
  Place place;
  std::set<std::string> seen;
  for (const auto& entry : tensor.external_data()) {
    const std::string& key = entry.key();
    require(seen.insert(key).second, ErrorCode::invalid_model, what, ": external data gives ", key,
            " twice");
    if (key == "location") {
      place.location = entry.value();
    } else if (key == "offset") {
      place.offset = number(entry.value(), key, what);
    } else if (key == "length") {
      place.length = number(entry.value(), key, what);
      place.has_length = true;
    } else {
      require(key == "checksum", ErrorCode::invalid_model, what, ": external data has the key '",
              key, "'; known are location, offset, length, checksum");
    }
  }
  require(!place.location.empty(), ErrorCode::invalid_model, what,
          ": external data names no location");
  return place;
}

// Opens one path step at a time so that no symbolic link is followed, however it is swapped in.
Descriptor open_beneath(const std::string& folder, const std::string& location,
                        const std::string& what) {
  const auto refuse = [&](const char* why) {
    fail(ErrorCode::invalid_model, what, ": external data's location '", location, "' ", why);
  };
  if (location.front() == '/' || location.find('\\') != std::string::npos ||
      location.find('\0') != std::string::npos)
    refuse("must be a relative path beneath the model's folder");
  Descriptor at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  require(at.get() >= 0, ErrorCode::io, what, ": cannot open the model's folder '", folder, "'");
  std::size_t begin = 0;
  while (true) {
    const std::size_t slash = location.find('/', begin);
    const bool last = slash == std::string::npos;
    const std::string step = location.substr(begin, last ? slash : slash - begin);
    if (step.empty() || step == "..") refuse("must be a relative path beneath the model's folder");
    if (step != "." || last) {
      const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
      Descriptor next(::openat(at.get(), step.c_str(), flags));
      if (next.get() < 0) {
        const int error = errno;
        if (error == ELOOP || error == EMLINK) refuse("goes through a symbolic link");
        fail(ErrorCode::io, what, ": cannot open '", location,
             "': ", std::generic_category().message(error));
      }
      at = std::move(next);
    }
    if (last) return at;
    begin = slash + 1;
  }
}

using Locations = std::set<std::string>;

void collect(const TensorProto& tensor, Locations& to) {
  for (const auto& entry : tensor.external_data())
    if (entry.key() == "location") to.insert(entry.value());
}

void collect(const SparseTensorProto& tensor, Locations& to) {
  collect(tensor.values(), to);
  collect(tensor.indices(), to);
}

void collect(const GraphProto& graph, Locations& to);

void collect(const NodeProto& node, Locations& to) {
  for (const AttributeProto& attribute : node.attribute()) {
    collect(attribute.t(), to);
    collect(attribute.sparse_tensor(), to);
    collect(attribute.g(), to);
  }
}

void collect(const GraphProto& graph, Locations& to) {
  for (const auto& tensor : graph.initializer()) collect(tensor, to);
  for (const auto& tensor : graph.sparse_initializer()) collect(tensor, to);
  for (const auto& node : graph.node()) collect(node, to);
}

}  // namespace

std::set<std::string> external_locations(const ModelProto& model) {
  Locations locations;
  collect(model.graph(), locations);
  for (const auto& function : model.functions())
    for (const auto& node : function.node()) collect(node, locations);
  return locations;
}

std::vector<std::byte> read_external_data(const TensorProto& tensor, const std::string& folder,
                                          std::size_t expected, const std::string& what) {
  const Place place = place_of(tensor, what);
  require(!folder.empty(), ErrorCode::invalid_model, what,
          " lies in external data, but the model has no folder");
  const Descriptor file = open_beneath(folder, place.location, what);
  struct stat status;
  require(::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode), ErrorCode::invalid_model,
          what, ": external data '", place.location, "' is not a regular file");
  require(status.st_nlink == 1, ErrorCode::invalid_model, what, ": external data '", place.location,
          "' has several names (hard links)");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  require(!place.has_length || place.length == expected, ErrorCode::invalid_model, what,
          ": external data has length ", place.length, ", the tensor needs ", expected);
  require(place.offset <= size && expected <= size - place.offset, ErrorCode::invalid_model, what,
          ": ", expected, " bytes from ", place.offset, " on are outside '", place.location,
          "', which has ", size);
  std::vector<std::byte> bytes(expected);
  std::size_t done = 0;
  while (done < expected) {
    const ssize_t got = ::pread(file.get(), bytes.data() + done, expected - done,
                                static_cast<off_t>(place.offset + done));
    if (got < 0 && errno == EINTR) continue;
    require(got > 0, ErrorCode::io, what, ": reading '", place.location, "' failed");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace skiff::onnx
