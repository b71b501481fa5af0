#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <iostream>
#include <set>

#include "runtime/model/structure.h"
#include "runtime/ops/op_name.h"
#include "schema/skiff_generated.h"
#include "schema/skiff_layout.h"
#include "tests/support/model_samples.h"
#include "tests/support/skiff_file.h"

// What schema/layout.cmake makes, against what flatc makes of the same schema; and the structural
// check that walks by it, against FlatBuffers' generated verifier on damaged metadata.
namespace skiff::test {
namespace {

namespace layout = fb::layout;
using flatbuffers::TypeTable;
using layout::Kind;

int bytes_of(unsigned base) {
  using namespace flatbuffers;
  switch (base) {
    case ET_UTYPE:
    case ET_BOOL:
    case ET_CHAR:
    case ET_UCHAR:
      return 1;
    case ET_SHORT:
    case ET_USHORT:
      return 2;
    case ET_INT:
    case ET_UINT:
    case ET_FLOAT:
      return 4;
    default:
      return 8;
  }
}

class LayoutTest : public ::testing::Test {
 protected:
  /// Compares table `number` and what it leads to, each once.
  void compare(unsigned number, const TypeTable& type) {
    if (!seen_.insert(number).second) return;
    const unsigned first = layout::kFirst[number], end = layout::kFirst[number + 1];
    ASSERT_EQ(end - first, type.num_elems) << number;
    for (unsigned i = 0; i < type.num_elems; ++i) {
      SCOPED_TRACE(type.names[i]);
      const auto [base, repeats, reference] = type.type_codes[i];
      const TypeTable* other = reference < 0 ? nullptr : type.type_refs[reference]();
      compare(layout::kFields[first + i], base, repeats, other);
    }
  }

  std::set<unsigned> seen_;

 private:
  void compare(const layout::Field& field, unsigned base, bool repeats, const TypeTable* other) {
    const bool table = base == flatbuffers::ET_SEQUENCE && other->st == flatbuffers::ST_TABLE;
    if (table) {
      ASSERT_EQ(field.kind, repeats ? Kind::tables : Kind::table);
      compare(field.of, *other);
    } else if (base == flatbuffers::ET_STRING) {
      EXPECT_EQ(field.kind, repeats ? Kind::strings : Kind::string);
    } else if (base == flatbuffers::ET_SEQUENCE && other->st == flatbuffers::ST_UNION) {
      ASSERT_EQ(field.kind, Kind::member);
      ASSERT_EQ(std::size(layout::kMembers), other->num_elems);
      for (unsigned m = 1; m < other->num_elems; ++m)
        compare(layout::kMembers[m], *other->type_refs[other->type_codes[m].sequence_ref]());
    } else {
      EXPECT_EQ(field.kind, repeats ? Kind::numbers : Kind::number);
      const bool structs = base == flatbuffers::ET_SEQUENCE;
      EXPECT_EQ(field.of,
                structs ? static_cast<int>(other->values[other->num_elems]) : bytes_of(base));
    }
  }
};

TEST_F(LayoutTest, IsThatOfFlatc) {
  compare(layout::kModel, *fb::ModelTypeTable());
  EXPECT_EQ(seen_.size(), std::size(layout::kFirst) - 1) << "tables that nothing leads to";
}

template <typename E, std::size_t size>
void expect_names(const E (&values)[size], const char* (*name_of_flatc)(E)) {
  for (const E value : values) EXPECT_STREQ(name_of(value), name_of_flatc(value));
  EXPECT_STREQ(name_of(static_cast<E>(size)), "unknown");
}

TEST(NamesTest, AreThoseOfFlatc) {
  expect_names(fb::EnumValuesOpKind(), fb::EnumNameOpKind);
  expect_names(fb::EnumValuesAttrs(), fb::EnumNameAttrs);
  expect_names(fb::EnumValuesUnaryFunction(), fb::EnumNameUnaryFunction);
  expect_names(fb::EnumValuesBinaryFunction(), fb::EnumNameBinaryFunction);
  expect_names(fb::EnumValuesReduceFunction(), fb::EnumNameReduceFunction);
}

/// What check_structure() says; "" for nothing.
std::string complaint(std::span<const std::byte> metadata) {
  try {
    model::check_structure(metadata);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_model);
    return error.what();
  }
}

bool flatbuffers_accepts(std::span<const std::byte> metadata) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(metadata.data()),
                                 metadata.size(), 32,
                                 static_cast<flatbuffers::uoffset_t>(metadata.size() / 4 + 16));
  return fb::VerifyModelBuffer(verifier);
}
/// That of 1.12 does not look where a table's fields begin and end.
constexpr bool kStrictVerifier = FLATBUFFERS_VERSION_MAJOR >= 2;

class StructureTest : public ::testing::TestWithParam<ModelSample> {
 protected:
  std::vector<std::byte> file_ = file_of(GetParam());
  std::span<std::byte> metadata_ = std::span(file_).subspan(128, parts_of(file_).metadata_size);
  std::size_t accepted_ = 0, refused_ = 0, askew_ = 0;

  void look(std::span<const std::byte> metadata) {
    const std::string said = complaint(metadata);
    const bool askew = said.find("aligned") != std::string::npos;
    const bool good = said.empty();
    ASSERT_TRUE(askew || good == flatbuffers_accepts(metadata) || (!good && !kStrictVerifier))
        << said;
    ++(askew ? askew_ : said.empty() ? accepted_ : refused_);
  }

  void TearDown() override {
    std::cout << GetParam().name << ": " << accepted_ << " accepted, " << refused_
              << " refused by both, " << askew_ << " askew\n";
  }
};

TEST_P(StructureTest, RefusesWhatFlatBuffersRefuses) {
  look(metadata_);
  EXPECT_EQ(accepted_, 1u);
  for (std::size_t bit = 0; bit < 8 * metadata_.size(); ++bit) {
    metadata_[bit / 8] ^= std::byte{1} << (bit % 8);
    look(metadata_);
    metadata_[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  for (std::size_t i = 0; i + 4 <= metadata_.size(); i += 4) {  // a whole offset or length
    for (const std::uint32_t word : {0u, 1u, 4u, 12u, 1u << 16, 0x7fffffffu, 0xfffffffcu}) {
      std::uint32_t old = 0;
      std::memcpy(&old, &metadata_[i], sizeof old);
      std::memcpy(&metadata_[i], &word, sizeof word);
      look(metadata_);
      std::memcpy(&metadata_[i], &old, sizeof old);
    }
  }
  for (std::size_t size = 12; size < metadata_.size(); ++size) look(metadata_.first(size));
  EXPECT_GT(refused_, 1000u);
  EXPECT_GT(askew_, 0u);
}

INSTANTIATE_TEST_SUITE_P(Models, StructureTest, ::testing::ValuesIn(model_samples()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace skiff::test
