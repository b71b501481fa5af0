// Compares two sentences: sample_embed MODEL.skiff "12 7 431" "12 9 430"
// A sentence is given as the numbers of its tokens. The model (small/text_encoder.onnx, say) takes
// token ids and a mask of the same shape [sentences, tokens] and gives one vector a sentence.
//   skiff-convert text_encoder.onnx -o text.skiff --dyn input.1:0,onnx::Equal_1:0=1:1:4
#include <skiff/skiff.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Tokens = std::vector<std::int64_t>;

Tokens read_tokens(const char* text) {
  std::istringstream stream(text);
  Tokens tokens;
  for (std::int64_t token; stream >> token;) tokens.push_back(token);
  if (tokens.empty() || !stream.eof())
    throw skiff::Error(skiff::ErrorCode::invalid_argument, std::string("no token ids: ") + text);
  return tokens;
}

/// Writes the sentences into the rows of ids and mask, padded with 0.
void set_sentences(skiff::Session& session, std::span<const Tokens> sentences) {
  const std::span<std::int64_t> ids = session.input(0).values<std::int64_t>();
  const std::span<std::int64_t> mask = session.input(1).values<std::int64_t>();
  const std::size_t length = ids.size() / sentences.size();
  std::fill(ids.begin(), ids.end(), 0);
  std::fill(mask.begin(), mask.end(), 0);
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const std::size_t count = std::min(length, sentences[i].size());
    std::copy_n(sentences[i].begin(), count, &ids[i * length]);
    std::fill_n(&mask[i * length], count, 1);
  }
}

/// The cosine of the angle between two vectors.
double similarity(std::span<const float> a, std::span<const float> b) {
  double product = 0, squares_a = 0, squares_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    product += x * y, squares_a += x * x, squares_b += y * y;
  }
  return product / std::sqrt(squares_a * squares_b);
}

void check(const skiff::Status& status) {
  if (!status) throw skiff::Error(status.code(), status.message());
}

void compare(const char* model_path, std::span<const Tokens> sentences) {
  const skiff::Model model = skiff::Model::load(model_path);
  skiff::Session session(model);
  skiff::Shape shape = model.input(0).shape;
  shape[0] = static_cast<std::int64_t>(sentences.size());  // both in one run
  session.prepare(model.input(0).name, shape);             // a GPU wants to know sizes beforehand
  check(session.resize(model.input(0).name, shape));       // allocates nothing
  set_sentences(session, sentences);
  check(session.run());
  const std::span<const float> vectors = session.output(0).values<float>();
  const std::size_t width = vectors.size() / sentences.size();
  std::printf("similarity %.4f (vectors of %zu)\n",
              similarity(vectors.first(width), vectors.last(width)), width);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "use: %s MODEL.skiff \"TOKEN IDS\" \"TOKEN IDS\"\n", argv[0]);
    return 2;
  }
  try {
    const Tokens sentences[] = {read_tokens(argv[2]), read_tokens(argv[3])};
    compare(argv[1], sentences);
    return 0;
  } catch (const skiff::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
