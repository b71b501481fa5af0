#include <gtest/gtest.h>
#include <skiff/skiff.h>

#include <limits>
#include <list>
#include <random>
#include <string>

#include "converters/writer.h"
#include "tests/support/reference_picture.h"

// Pictures as inputs, for everything a model file can say of them, against tests/support.
namespace skiff::test {
namespace {

ReferencePicture random_picture(int width, int height, int channels) {
  std::mt19937 random(7);
  ReferencePicture picture{{}, width, height, channels};
  for (int i = 0; i < width * height * channels; ++i)
    picture.pixels.push_back(static_cast<std::uint8_t>(random()));
  return picture;
}

Image image_of(const ReferencePicture& picture) {
  return {picture.pixels.data(), picture.width, picture.height, picture.channels};
}

/// A network that hands on its input of that type and shape, and what its file says of pictures.
struct Wanted {
  DType dtype = DType::float32;
  Shape shape = {1, 6, 8, 3};
  fb::PreprocessT picture;
  std::optional<fb::QuantizationT> quantization;

  Wanted() {
    picture.height_axis = 1;
    picture.width_axis = 2;
    picture.channel_axis = 3;
  }
  Session session(bool described = true) const {
    ir::Graph graph;
    const ir::ValueId x = graph.add_input("x", dtype, shape);
    graph.value(x).quantization = quantization;
    fb::ShapeAttrsT flat;
    flat.shape = {shape.elements()};
    graph.inputs = {x};
    graph.outputs = {graph.add(fb::OpKind::reshape, flat, {x}, "y")};
    convert::Manifest manifest;
    if (described) manifest.preprocess = {picture};
    static std::list<std::vector<std::byte>> files;  // a model does not own its bytes
    return Session(Model::from_bytes(files.emplace_back(convert::write_model(graph, manifest))));
  }
};

/// The channels an input has in that order, as the reference names them.
std::string channels_of(fb::ColorOrder color) {
  return color == fb::ColorOrder::rgb ? "rgb" : color == fb::ColorOrder::bgr ? "bgr" : "l";
}

double quantised(const Wanted& wanted, double value) {
  if (wanted.dtype == DType::float32) return value;
  if (wanted.quantization)
    value = value / wanted.quantization->scale[0] +
            static_cast<double>(wanted.quantization->zero_point[0]);
  const bool is_signed = wanted.dtype == DType::int8;
  return std::clamp(value, is_signed ? -128.0 : 0.0, is_signed ? 127.0 : 255.0);
}

double stored(const Tensor& tensor, std::int64_t i) {
  const auto at = static_cast<std::size_t>(i);
  if (tensor.dtype() == DType::float32) return static_cast<double>(tensor.values<float>()[at]);
  if (tensor.dtype() == DType::uint8) return tensor.values<std::uint8_t>()[at];
  return tensor.values<std::int8_t>()[at];
}

std::int64_t place_of(const Shape& shape, const fb::PreprocessT& p, int row, int column,
                      int channel) {
  std::int64_t index[kMaxRank] = {};
  index[p.height_axis] = row;
  index[p.width_axis] = column;
  index[p.channel_axis] = channel;
  std::int64_t place = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) place = place * shape[axis] + index[axis];
  return place;
}

/// Integers may be rounded the other way where the arithmetic in float and in double differ.
void expect_as_reference(const Wanted& wanted, const ReferencePicture& picture) {
  Session session = wanted.session();
  const Placement placement = set_image(session, image_of(picture));
  const fb::PreprocessT& p = wanted.picture;
  const auto width = static_cast<int>(wanted.shape[p.width_axis]);
  const auto height = static_cast<int>(wanted.shape[p.height_axis]);
  const ReferencePlacement placed =
      reference_placement(picture, width, height,
                          p.fit == fb::FitMode::stretch     ? Fit::stretch
                          : p.fit == fb::FitMode::letterbox ? Fit::letterbox
                                                            : Fit::crop);
  EXPECT_NEAR(placement.scale_x, placed.scale_x, 1e-6);
  EXPECT_NEAR(placement.scale_y, placed.scale_y, 1e-6);
  EXPECT_NEAR(placement.offset_x, placed.offset_x, 1e-5);
  EXPECT_NEAR(placement.offset_y, placed.offset_y, 1e-5);
  const std::string channels = channels_of(p.color);
  const double tolerance = wanted.dtype == DType::float32 ? 2e-5 * p.pixel_scale : 0.501;
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column)
      for (std::size_t c = 0; c < channels.size(); ++c) {
        const double pixel =
            reference_pixel(picture, placed, column, row, channels[c], p.pad_value);
        const double mean = p.mean.empty() ? 0 : p.mean[c],
                     deviation = p.std.empty() ? 1 : p.std[c];
        const double expected = quantised(wanted, (pixel / 255 * p.pixel_scale - mean) / deviation);
        const auto at = place_of(wanted.shape, p, row, column, static_cast<int>(c));
        ASSERT_NEAR(stored(session.input(0), at), expected, tolerance)
            << "row " << row << " column " << column << " channel " << channels[c];
      }
}

TEST(SetImage, EveryFitForSmallerLargerAndOtherwiseLongPictures) {
  for (auto fit : {fb::FitMode::stretch, fb::FitMode::letterbox, fb::FitMode::center_crop})
    for (auto [width, height] : {std::pair(8, 6), {3, 2}, {21, 17}, {30, 5}, {4, 19}, {1, 1}}) {
      SCOPED_TRACE(testing::Message() << fb::EnumNameFitMode(fit) << width << "x" << height);
      Wanted wanted;
      wanted.picture.fit = fit;
      wanted.picture.pad_value = 114;
      expect_as_reference(wanted, random_picture(width, height, 3));
    }
}

TEST(SetImage, EveryColourOrderOfEveryPicture) {
  for (auto color : {fb::ColorOrder::rgb, fb::ColorOrder::bgr, fb::ColorOrder::gray})
    for (int channels : {1, 3, 4}) {
      SCOPED_TRACE(testing::Message() << fb::EnumNameColorOrder(color) << channels);
      Wanted wanted;
      wanted.picture.color = color;
      if (color == fb::ColorOrder::gray) wanted.shape = {1, 6, 8, 1};
      expect_as_reference(wanted, random_picture(11, 7, channels));
    }
}

TEST(SetImage, MeanDeviationAndScaleAreTheChannels) {
  Wanted wanted;
  wanted.picture.fit = fb::FitMode::letterbox;
  wanted.picture.mean = {0.1f, 0.5f, 0.9f};
  expect_as_reference(wanted, random_picture(9, 4, 3));
  wanted.picture.std = {0.5f, 2, 0.25f};
  expect_as_reference(wanted, random_picture(9, 4, 3));
  wanted.picture.mean = {};
  wanted.picture.pixel_scale = 255;
  expect_as_reference(wanted, random_picture(9, 4, 3));
}

TEST(SetImage, AxesInAnyOrder) {
  const int orders[][3] = {{2, 3, 1}, {1, 3, 2}, {2, 1, 3}, {3, 1, 2}};
  for (const auto& [height, width, channel] : orders) {
    Wanted wanted;
    wanted.picture.height_axis = height;
    wanted.picture.width_axis = width;
    wanted.picture.channel_axis = channel;
    wanted.shape[height] = 6;
    wanted.shape[width] = 8;
    wanted.shape[channel] = 3;
    expect_as_reference(wanted, random_picture(13, 10, 3));
  }
  Wanted three;  // no batch
  three.shape = {3, 6, 8};
  three.picture.channel_axis = 0;
  expect_as_reference(three, random_picture(13, 10, 3));
}

TEST(SetImage, IntegersAreQuantisedAndSaturate) {
  for (DType dtype : {DType::uint8, DType::int8}) {
    Wanted wanted;
    wanted.dtype = dtype;
    wanted.picture.pixel_scale = 255;
    expect_as_reference(wanted, random_picture(11, 7, 3));  // int8: beyond 127, cut there
    wanted.picture.pixel_scale = 1;
    wanted.quantization.emplace();
    wanted.quantization->scale = {1.0f / 255};
    wanted.quantization->zero_point = {dtype == DType::int8 ? -128 : 0};
    expect_as_reference(wanted, random_picture(11, 7, 3));
    wanted.quantization->scale = {0.003f};
    wanted.quantization->zero_point = {-20};
    wanted.picture.mean = {0.2f, 0.4f, 0.6f};
    expect_as_reference(wanted, random_picture(11, 7, 3));
  }
}

void expect_refused(Session& session, const Image& image, ErrorCode code, const char* said,
                    std::size_t input = 0) {
  try {
    set_image(session, image, input);
    ADD_FAILURE() << "not refused: " << said;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(said), std::string::npos) << error.what();
  }
}

TEST(SetImage, PicturesThatAreNoneAreRefused) {
  Session session = Wanted().session();
  const ReferencePicture picture = random_picture(4, 4, 3);
  const Image good = image_of(picture);
  const auto refused = [&](const Image& bad, const char* said) {
    expect_refused(session, bad, ErrorCode::invalid_argument, said);
  };
  refused({nullptr, 4, 4, 3}, "should have pixels");
  refused({good.pixels, 0, 4, 3}, "picture of 0 x 4 pixels");
  refused({good.pixels, 4, -1, 3}, "picture of 4 x -1 pixels");
  refused({good.pixels, 40000, 1, 3}, "picture of 40000 x 1 pixels");
  refused({good.pixels, 1, 40000, 3}, "picture of 1 x 40000 pixels");
  for (int channels : {-1, 0, 2, 5})
    refused({good.pixels, 2, 2, channels}, "should be 1 (grey), 3 (RGB) or 4 (RGBA)");
  expect_refused(session, good, ErrorCode::invalid_argument, "the model has no input 1", 1);
}

TEST(SetImage, InputsThatTakeNoneAreRefused) {
  const ReferencePicture picture = random_picture(4, 4, 3);
  const auto refused = [&](Session session, ErrorCode code, const char* said) {
    expect_refused(session, image_of(picture), code, said);
  };
  refused(Wanted().session(false), ErrorCode::invalid_argument, "stores no preprocessing for it");
  Wanted many;
  many.shape = {2, 6, 8, 3};
  refused(many.session(), ErrorCode::invalid_argument, "takes 2 pictures at once");
  Wanted whole;
  whole.dtype = DType::int32;
  refused(whole.session(), ErrorCode::unsupported, "pictures become float32, uint8 or int8");
  Wanted empty;
  empty.shape = {1, 0, 8, 3};
  refused(empty.session(), ErrorCode::unsupported, "takes pictures of 8 x 0 pixels");
  Wanted wide;
  wide.shape = {1, 1, 40000, 3};
  refused(wide.session(), ErrorCode::unsupported, "takes pictures of 40000 x 1 pixels");
}

}  // namespace
}  // namespace skiff::test
