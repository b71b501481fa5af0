#include <algorithm>
#include <cmath>
#include <numbers>

#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Windows and Fourier transforms: constants, and products with constant matrices.
namespace skiff::onnx {
namespace {

constexpr std::int64_t kMaxElements = std::int64_t{1} << 24;
constexpr double kTurn = 2 * std::numbers::pi;

/// a0 - a1 cos(2 pi n / m) + a2 cos(4 pi n / m); m is the size, less 1 unless periodic.
void import_window(Op& op, double a0, double a1, double a2) {
  const std::int64_t size = op.known_integer(0, "size");
  op.check(size >= 0 && size <= kMaxElements, "size is ", size);
  const bool periodic = op.flag("periodic", true);
  const DType dtype = need_dtype(static_cast<int>(op.integer("output_datatype", 1)), "the window");
  const auto m = static_cast<double>(periodic ? size : size - 1);
  std::vector<double> window;
  for (std::int64_t i = 0; i < size; ++i) {
    const double angle = m == 0 ? 0 : kTurn * static_cast<double>(i) / m;
    window.push_back(a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle));
  }
  op.out(op.b.from_numbers(dtype, {size}, window));
}

void import_hann(Op& op) { import_window(op, 0.5, 0.5, 0); }
void import_hamming(Op& op) { import_window(op, 25.0 / 46.0, 21.0 / 46.0, 0); }
void import_blackman(Op& op) { import_window(op, 0.42, 0.5, 0.08); }

double cosine(std::int64_t k, std::int64_t t, std::int64_t length) {
  return std::cos(kTurn * static_cast<double>(k * t % length) / static_cast<double>(length));
}
double sine(std::int64_t k, std::int64_t t, std::int64_t length) {
  return std::sin(kTurn * static_cast<double>(k * t % length) / static_cast<double>(length));
}

struct Transform {
  std::int64_t length;   ///< of the transform
  std::int64_t outputs;  ///< frequencies, or places for inverse
  bool complex_input;
  bool inverse;
};

/// [length * parts, outputs * 2]: rows are numbers of the signal, columns real and imaginary parts.
ValueId fourier_matrix(Op& op, const Transform& t, DType dtype) {
  const std::int64_t parts = t.complex_input ? 2 : 1;
  op.check(t.length >= 1 && t.length * t.outputs <= kMaxElements / 4, "a transform of length ",
           t.length, " is too long for a product with its matrix");
  const double sign = t.inverse ? 1 : -1;
  const double scale = t.inverse ? 1.0 / static_cast<double>(t.length) : 1.0;
  std::vector<double> matrix;
  for (std::int64_t i = 0; i < t.length; ++i)
    for (std::int64_t part = 0; part < parts; ++part)
      for (std::int64_t k = 0; k < t.outputs; ++k) {
        const double c = scale * cosine(k, i, t.length), s = scale * sign * sine(k, i, t.length);
        matrix.push_back(part == 0 ? c : -s);
        matrix.push_back(part == 0 ? s : c);
      }
  return op.b.from_numbers(dtype, {t.length * parts, t.outputs * 2}, matrix);
}

/// [(length / 2 + 1) * 2, length]: the real signal of a one-sided spectrum.
ValueId real_inverse_matrix(Op& op, std::int64_t length, DType dtype) {
  op.check(length >= 1 && length * length <= kMaxElements / 4, "a transform of length ", length,
           " is too long for a product with its matrix");
  std::vector<double> matrix;
  for (std::int64_t k = 0; k <= length / 2; ++k)
    for (int part = 0; part < 2; ++part)
      for (std::int64_t i = 0; i < length; ++i) {
        const double twice = k == 0 || 2 * k == length ? 1 : 2;
        const double wave = part == 0 ? cosine(k, i, length) : -sine(k, i, length);
        matrix.push_back(twice * wave / static_cast<double>(length));
      }
  return op.b.from_numbers(dtype, {(length / 2 + 1) * 2, length}, matrix);
}

/// Cuts or pads an axis with zeros to an extent.
ValueId fit(Op& op, ValueId x, int axis, std::int64_t extent) {
  Ints pads(2 * static_cast<std::size_t>(op.b.rank(x)), 0);
  pads[static_cast<std::size_t>(axis + op.b.rank(x))] = extent - op.b.dim(x, axis);
  return op.b.pad(x, pads, fb::PadMode::constant, 0);
}

Ints swapped(int rank, int a, int b) {
  Ints perm;
  for (int axis = 0; axis < rank; ++axis) perm.push_back(axis);
  std::swap(perm[static_cast<std::size_t>(a)], perm[static_cast<std::size_t>(b)]);
  return perm;
}

/// x [..., n, parts] times a matrix over its last two axes; the result is [..., outputs, columns].
ValueId apply(Op& op, ValueId x, ValueId matrix, std::int64_t columns) {
  Shape flat, result;
  const int rank = op.b.rank(x);
  for (int axis = 0; axis < rank - 2; ++axis) flat.push_back(op.b.dim(x, axis));
  result = flat;
  flat.push_back(op.b.dim(x, rank - 2) * op.b.dim(x, rank - 1));
  result.push_back(op.b.dim(matrix, 1) / columns);
  result.push_back(columns);
  if (flat.rank() == 1) flat = {1, flat[0]};
  return op.b.reshape(op.b.matmul(op.b.reshape(x, flat), matrix), result);
}

void import_dft(Op& op) {
  const int rank = op.rank(0);
  op.check(rank >= 2 && op.shape(0).back() <= 2, "the input has the shape ", op.shape(0));
  const std::int64_t given = op.version < 20 ? op.integer("axis", 1)
                             : op.has(2)     ? op.known_integer(2, "axis")
                                             : -2;
  const int axis = op.axis(given, rank);
  op.check(axis != rank - 1, "axis is the one of real and imaginary parts");
  const bool inverse = op.flag("inverse", false), onesided = op.flag("onesided", false);
  const bool to_real = inverse && onesided;
  const std::int64_t extent = op.shape(0)[axis];
  std::int64_t length = to_real ? 2 * (extent - 1) : extent;
  if (op.has(1)) length = op.known_integer(1, "dft_length");
  op.check(length >= 1 && length <= kMaxElements, "dft_length is ", length);
  const Ints perm = swapped(rank, axis, rank - 2);
  const ValueId x =
      fit(op, op.b.transpose(op.in(0), perm), rank - 2, to_real ? length / 2 + 1 : length);
  const bool is_complex = op.b.dim(x, rank - 1) == 2;
  ValueId y;
  if (to_real) {
    op.check(is_complex, "the spectrum has no imaginary part");
    y = apply(op, x, real_inverse_matrix(op, length, op.b.dtype(x)), 1);
  } else {
    const Transform t{length, onesided ? length / 2 + 1 : length, is_complex, inverse};
    y = apply(op, x, fourier_matrix(op, t, op.b.dtype(x)), 2);
  }
  op.out(op.b.transpose(y, perm));
}

/// Frames of the signal, one each frame_step, times the window, transformed.
void import_stft(Op& op) {
  const std::int64_t step = op.known_integer(1, "frame_step");
  const bool onesided = op.flag("onesided", true);
  ValueId x = op.in(0);
  if (op.b.rank(x) == 2) x = op.b.unsqueeze(x, {2});
  op.check(op.b.rank(x) == 3 && op.b.dim(x, 2) <= 2, "the signal has the shape ", op.shape(0));
  const std::int64_t samples = op.b.dim(x, 1);
  std::int64_t length = op.has(2) ? op.shape(2).elements() : samples;
  if (op.has(3)) length = op.known_integer(3, "frame_length");
  op.check(step >= 1 && length >= 1 && length <= samples, "frames of ", length, " samples every ",
           step, " of ", samples);
  const std::int64_t frames = (samples - length) / step + 1;
  op.check(length <= kMaxElements && frames <= kMaxElements && frames * length <= kMaxElements,
           "there would be ", frames, " frames");
  Ints places;
  for (std::int64_t frame = 0; frame < frames; ++frame)
    for (std::int64_t i = 0; i < length; ++i) places.push_back(frame * step + i);
  ValueId cut = op.b.gather(x, op.b.from_integers(DType::int64, {frames, length}, places), 1);
  if (op.has(2))
    cut = op.b.binary(fb::BinaryFunction::mul, cut, op.b.reshape(op.in(2), {length, 1}));
  const Transform t{length, onesided ? length / 2 + 1 : length, op.b.dim(x, 2) == 2, false};
  op.out(apply(op, cut, fourier_matrix(op, t, op.b.dtype(x)), 2));
}

/// Triangles over the bins of a spectrum, evenly spaced on the mel scale: 2595 log10(1 + f / 700).
void import_mel_weights(Op& op) {
  const std::int64_t bands = op.known_integer(0, "num_mel_bins"),
                     length = op.known_integer(1, "dft_length"),
                     rate = op.known_integer(2, "sample_rate");
  op.check(bands >= 1 && bands <= 4096 && length >= 1 && length <= 65536 && rate >= 1, "it has ",
           bands, " bands, length ", length, ", rate ", rate);
  const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
  const double low = mel(op.known_number(3, "lower_edge_hertz")),
               high = mel(op.known_number(4, "upper_edge_hertz"));
  const std::int64_t bins = length / 2 + 1;
  Ints edges;
  for (std::int64_t i = 0; i < bands + 2; ++i) {
    const double at = low + static_cast<double>(i) * (high - low) / static_cast<double>(bands + 2);
    const double hertz = 700 * (std::pow(10, at / 2595) - 1);
    const double bin =
        std::floor(static_cast<double>(length + 1) * hertz / static_cast<double>(rate));
    op.check(bin >= 0 && bin < static_cast<double>(bins), "a band lies outside the spectrum");
    edges.push_back(static_cast<std::int64_t>(bin));
  }
  std::vector<double> weights(static_cast<std::size_t>(bins * bands), 0);
  for (std::int64_t band = 0; band < bands; ++band) {
    const auto i = static_cast<std::size_t>(band);
    const std::int64_t from = edges[i], top = edges[i + 1], to = edges[i + 2];
    const auto at = [&](std::int64_t bin) -> double& {
      return weights[static_cast<std::size_t>(bin * bands + band)];
    };
    for (std::int64_t bin = from; bin <= top; ++bin)
      at(bin) = top == from ? 1 : static_cast<double>(bin - from) / static_cast<double>(top - from);
    for (std::int64_t bin = top; bin < to; ++bin)
      at(bin) = static_cast<double>(to - bin) / static_cast<double>(to - top);
  }
  const DType dtype = need_dtype(static_cast<int>(op.integer("output_datatype", 1)), "the matrix");
  op.out(op.b.from_numbers(dtype, {bins, bands}, weights));
}

constexpr Adapter kAdapters[] = {
    {"BlackmanWindow", {17}, import_blackman},     {"DFT", {17, 20}, import_dft},
    {"HammingWindow", {17}, import_hamming},       {"HannWindow", {17}, import_hann},
    {"MelWeightMatrix", {17}, import_mel_weights}, {"STFT", {17}, import_stft},
};

}  // namespace

std::span<const Adapter> signal_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
