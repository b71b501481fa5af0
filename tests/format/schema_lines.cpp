#include "tests/format/schema_lines.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "flatbuffers/reflection_generated.h"

namespace skiff::test {
namespace {

class Lines {
 public:
  explicit Lines(const reflection::Schema& schema) : schema_(schema) {}

  std::vector<std::string> run() {
    add("file_identifier " + schema_.file_ident()->str());
    add("root " + schema_.root_table()->name()->str());
    for (const reflection::Object* object : *schema_.objects()) add_object(*object);
    for (const reflection::Enum* entry : *schema_.enums()) add_enum(*entry);
    std::sort(lines_.begin(), lines_.end());
    return std::move(lines_);
  }

 private:
  void add(std::string line) { lines_.push_back(std::move(line)); }

  /// An enum or table is named, whatever number it has in the schema.
  std::string named(reflection::BaseType base, std::int32_t index) const {
    if (index < 0) return reflection::EnumNameBaseType(base);
    const auto i = static_cast<unsigned>(index);
    return base == reflection::Obj ? schema_.objects()->Get(i)->name()->str()
                                   : schema_.enums()->Get(i)->name()->str();
  }

  std::string type(const reflection::Type& t) const {
    return t.base_type() == reflection::Vector
               ? std::string("[") + named(t.element(), t.index()) + "]"
               : named(t.base_type(), t.index());
  }

  void add_object(const reflection::Object& object) {
    const std::string name = object.name()->str();
    if (object.is_struct())
      add("struct " + name + " size " + std::to_string(object.bytesize()) + " align " +
          std::to_string(object.minalign()));
    for (const reflection::Field* field : *object.fields()) {
      std::ostringstream line;
      line << (object.is_struct() ? "struct " : "table ") << name << "." << field->name()->str()
           << " id " << field->id() << " type " << type(*field->type()) << " default "
           << field->default_integer() << " " << field->default_real();
      if (object.is_struct()) line << " offset " << field->offset();
      if (field->required()) line << " required";
      if (field->key()) line << " key";
      add(line.str());
    }
  }

  void add_enum(const reflection::Enum& entry) {
    const std::string name = entry.name()->str();
    add((entry.is_union() ? "union " : "enum ") + name + " of " +
        reflection::EnumNameBaseType(entry.underlying_type()->base_type()));
    for (const reflection::EnumVal* value : *entry.values()) {
      std::string line =
          "value " + name + "." + value->name()->str() + " = " + std::to_string(value->value());
      if (entry.is_union() && value->union_type() != nullptr && value->union_type()->index() >= 0)
        line += " type " + named(reflection::Obj, value->union_type()->index());
      add(line);
    }
  }

  const reflection::Schema& schema_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> schema_lines(const std::string& binary_schema) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(binary_schema.data()),
                                 binary_schema.size());
  if (!reflection::VerifySchemaBuffer(verifier)) throw std::runtime_error("no binary schema");
  return Lines(*reflection::GetSchema(binary_schema.data())).run();
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace skiff::test
