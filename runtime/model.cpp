#include <skiff/model.h>

#include "runtime/core/error.h"
#include "runtime/model_impl.h"

namespace skiff {
namespace {

using model::length;
using model::numbers;
using model::text;

TensorDesc describe(const Graph& graph, std::int32_t value) noexcept {
  return describe(graph.value(value).info);
}

}  // namespace

TensorDesc describe(const TensorInfo& info) noexcept {
  TensorDesc desc{.name = info.name, .dtype = info.dtype, .shape = info.shape, .quantization = {}};
  if (const fb::Quantization* q = info.quantization)
    desc.quantization = {numbers(q->scale()), numbers(q->zero_point()), q->axis()};
  return desc;
}

void Tensor::check_type(DType wanted) const {
  require(wanted == desc_.dtype, ErrorCode::invalid_argument, "tensor '", desc_.name, "' holds ",
          desc_.dtype, ", not ", wanted);
}

Model::Impl::Impl(model::Source source, const LoadOptions& load_options)
    : options(load_options),
      book(load_options.allocator, load_options.memory_limit),
      arena(kMetadataChunk, &book),
      verified(
          model::Loader::load(std::move(source), {.digests = load_options.digests}, book, arena)),
      wide(widen(verified.graph(), arena, book)) {}

namespace {

/// The shared object of a model comes from its own allocator like everything else, so that no byte
/// of a load goes unaccounted; the book itself lies inside, so this part is added by hand.
template <typename T>
struct ImplAllocator {
  using value_type = T;
  Allocator base;
  std::uint64_t* requested;

  ImplAllocator(const Allocator& allocator, std::uint64_t* bytes) noexcept
      : base(allocator), requested(bytes) {}
  template <typename U>
  ImplAllocator(const ImplAllocator<U>& other) noexcept  // NOLINT: allocators convert
      : base(other.base), requested(other.requested) {}
  T* allocate(std::size_t count) {
    MemoryBook book(base);
    *requested += count * sizeof(T);
    return static_cast<T*>(book.allocate(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if (base.release != nullptr)
      base.release(base.context, memory, count * sizeof(T));
    else
      std::free(memory);
  }
  template <typename U>
  bool operator==(const ImplAllocator<U>&) const noexcept {
    return true;
  }
};

std::shared_ptr<Model::Impl> make_impl(model::Source source, const LoadOptions& options) {
  std::uint64_t requested = 0;
  auto impl = std::allocate_shared<Model::Impl>(
      ImplAllocator<Model::Impl>(options.allocator, &requested), std::move(source), options);
  impl->book.charge(requested);
  impl->metadata_bytes = impl->book.current();
  impl->load_peak = impl->book.peak();
  return impl;
}

}  // namespace

Model Model::load(const char* path, const LoadOptions& options) {
  return Model(make_impl(model::Source(platform::File(path)), options));
}

Model Model::from_bytes(std::span<const std::byte> bytes, const LoadOptions& options) {
  return Model(make_impl(model::Source(bytes), options));
}

std::string_view Model::name() const noexcept { return text(impl_->verified.metadata().name()); }
std::size_t Model::input_count() const noexcept { return impl_->verified.graph().inputs.size(); }
std::size_t Model::output_count() const noexcept { return impl_->verified.graph().outputs.size(); }

TensorDesc Model::input(std::size_t i) const noexcept {
  const Graph& graph = impl_->verified.graph();
  return describe(graph, graph.inputs[i]);
}

TensorDesc Model::output(std::size_t i) const noexcept {
  const Graph& graph = impl_->verified.graph();
  return describe(graph, graph.outputs[i]);
}

std::size_t Model::symbol_count() const noexcept {
  const Symbols* symbols = impl_->verified.graph().symbols;
  return symbols == nullptr ? 0 : symbols->count();
}

SymbolDesc Model::symbol(std::size_t i) const noexcept {
  const fb::Symbol& s = impl_->verified.graph().symbols->record(i);
  return {text(s.name()), s.min(), s.opt(), s.max(), s.multiple_of(), s.node() >= 0};
}

int Model::input_symbol(std::size_t i, int axis) const noexcept {
  const Graph& graph = impl_->verified.graph();
  return graph.symbol_of(graph.inputs[i], axis);
}

Preprocessing Model::preprocessing(std::size_t input) const noexcept {
  const auto* records = impl_->verified.metadata().preprocess();
  for (std::size_t i = 0; i < length(records); ++i) {
    const fb::Preprocess& p = *records->Get(static_cast<unsigned>(i));
    if (static_cast<std::size_t>(p.input()) != input) continue;
    return {.present = true,
            .color = static_cast<ColorOrder>(p.color()),
            .fit = static_cast<FitMode>(p.fit()),
            .mean = numbers(p.mean()),
            .std = numbers(p.std()),
            .pixel_scale = p.pixel_scale(),
            .pad_value = p.pad_value(),
            .height_axis = p.height_axis(),
            .width_axis = p.width_axis(),
            .channel_axis = p.channel_axis()};
  }
  return {};
}

Postprocessing Model::postprocessing() const noexcept {
  const fb::Postprocess* p = impl_->verified.metadata().postprocess();
  if (p == nullptr) return {};
  return {.kind = static_cast<PostprocessKind>(p->kind()),
          .scores = p->scores(),
          .boxes = p->boxes(),
          .apply_softmax = p->apply_softmax(),
          .apply_sigmoid = p->apply_sigmoid(),
          .score_threshold = p->score_threshold(),
          .iou_threshold = p->iou_threshold(),
          .anchors = numbers(p->anchors()),
          .box_scale = p->box_scale(),
          .keypoints = p->keypoints(),
          .background = p->background(),
          .channel_axis = p->channel_axis(),
          .score_clip = p->score_clip()};
}

std::size_t Model::label_count() const noexcept {
  return length(impl_->verified.metadata().labels());
}

std::string_view Model::label(std::size_t i) const noexcept {
  return text(impl_->verified.metadata().labels()->Get(static_cast<unsigned>(i)));
}

}  // namespace skiff
