#include "tests/plan/csv.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <skiff/error.h>

namespace skiff::plan {
namespace {

constexpr std::array<std::string_view, 4> kColumns = {"id", "lower", "upper", "size"};

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  bool next() {
    do {
      if (text_.empty()) return false;
      const std::size_t end = text_.find('\n');
      line_ = text_.substr(0, end);
      text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
      if (line_.ends_with('\r')) line_.remove_suffix(1);
      ++number_;
    } while (line_.empty());
    fields_ = fields_of(line_);
    return true;
  }

  const std::vector<std::string_view>& fields() const { return fields_; }

  std::int64_t integer(std::size_t column, std::int64_t most) const {
    const std::string_view field = fields_[column];
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc{} || end != field.data() + field.size()) {
      refuse(fmt::format("'{}' is not a whole number", field));
    }
    if (value < 0 || value > most) refuse(fmt::format("{} is not in 0..{}", value, most));
    return value;
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::invalid_argument, fmt::format("{}:{}: {}", name_, number_, why));
  }

 private:
  std::string_view text_, line_;
  const std::string& name_;
  std::vector<std::string_view> fields_;
  int number_ = 0;
};

}  // namespace

CsvProblem parse_csv(std::string_view text, const std::string& name) {
  Reader reader(text, name);
  if (!reader.next()) reader.refuse("empty; the first line must be id,lower,upper,size");
  std::array<std::size_t, kColumns.size()> column{};
  const std::size_t width = reader.fields().size();
  for (std::size_t c = 0; c < kColumns.size(); ++c) {
    column[c] = 0;
    while (column[c] < width && reader.fields()[column[c]] != kColumns[c]) ++column[c];
    if (column[c] == width) {
      reader.refuse(fmt::format("no column '{}'; wanted id,lower,upper,size", kColumns[c]));
    }
  }
  constexpr std::int64_t kSteps = std::numeric_limits<std::int32_t>::max();
  CsvProblem problem;
  while (reader.next()) {
    if (reader.fields().size() != width) {
      reader.refuse(fmt::format("{} fields instead of {}", reader.fields().size(), width));
    }
    const auto lower = static_cast<std::int32_t>(reader.integer(column[1], kSteps));
    const auto upper = static_cast<std::int32_t>(reader.integer(column[2], kSteps));
    if (upper <= lower) reader.refuse("upper must be greater than lower (half-open lifetimes)");
    problem.ids.emplace_back(reader.fields()[column[0]]);
    const auto size = reader.integer(column[3], std::numeric_limits<std::int64_t>::max());
    problem.buffers.push_back({lower, upper, size});
  }
  return problem;
}

CsvProblem read_csv(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw Error(ErrorCode::not_found, fmt::format("{}: no such file", path));
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw Error(ErrorCode::io, fmt::format("{}: cannot be read", path));
  return parse_csv(text, path);
}

void write_csv(const std::string& path, const CsvProblem& problem,
               const std::vector<std::int64_t>& offsets) {
  std::ofstream file(path, std::ios::binary);
  file << "id,lower,upper,size,offset\n";
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const Buffer& buffer = problem.buffers[i];
    file << fmt::format("{},{},{},{},{}\n", problem.ids[i], buffer.first, buffer.end, buffer.size,
                        offsets[i]);
  }
  file.flush();
  if (!file) throw Error(ErrorCode::io, fmt::format("{}: cannot be written", path));
}

std::int64_t capacity_in_name(const std::string& path) {
  const std::string stem = std::filesystem::path(path).stem().string();
  const std::size_t dot = stem.rfind('.');
  if (dot == std::string::npos) return 0;
  std::int64_t value = 0;
  const char* end = stem.data() + stem.size();
  const auto result = std::from_chars(stem.data() + dot + 1, end, value);
  return result.ec == std::errc{} && result.ptr == end && value > 0 ? value : 0;
}

}  // namespace skiff::plan
