#include "runtime/c_structs.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/error.h"

namespace skiff::c {
namespace {

constexpr auto kBad = ErrorCode::invalid_argument;

/// What a versioned struct begins with, where it can be true: no version was ever shorter, and none
/// will be longer.
std::size_t size_of_given(const void* versioned, const char* name) {
  check_given(versioned, name);
  std::uint32_t size = 0;
  std::memcpy(&size, versioned, sizeof size);
  require(size >= 16 && size <= 4096, kBad, name, "->size is ", size, ", should be its sizeof");
  return size;
}

void take_bytes(const void* from, void* to, std::size_t known, const char* name) {
  const std::size_t size = size_of_given(from, name);
  std::memcpy(to, from, std::min(size, known));
  const char* bytes = static_cast<const char*>(from);
  require(std::all_of(bytes + std::min(size, known), bytes + size, [](char c) { return c == 0; }),
          ErrorCode::unsupported, name, " has an option that this version does not know");
}

/// A caller compiled with an older header knows fewer fields; the rest stay zero.
template <typename T>
T taken(const T* from, const char* name) {
  T known{};
  if (from != nullptr) take_bytes(from, &known, sizeof known, name);
  return known;
}

void give_bytes(const void* from, void* to, std::size_t known) {
  const std::size_t size = size_of_given(to, "struct"), first = sizeof(std::uint32_t);
  const std::size_t both = std::min(size, known);
  std::memcpy(static_cast<char*>(to) + first, static_cast<const char*>(from) + first, both - first);
  std::memset(static_cast<char*>(to) + both, 0, size - both);
}

template <typename T>
void give(const T& from, T* to) {
  give_bytes(&from, to, sizeof from);
}

/// An enumerator that has a number from 0 to that of `last`.
template <typename E>
E enumerator(std::int32_t number, E last, const char* what) {
  require(number >= 0 && number <= static_cast<std::int32_t>(last), kBad, what,
          ": there is no number ", number);
  return static_cast<E>(number);
}

Allocator allocator_of(const skiff_allocator& given) noexcept {
  return {given.allocate, given.release, given.context};
}

std::span<std::byte> memory_of(void* memory, std::size_t bytes, const char* name) {
  require((memory == nullptr) == (bytes == 0), kBad, name, " and its bytes: one alone is given");
  return {static_cast<std::byte*>(memory), bytes};
}

void pass_on(void* user, LogLevel level, const char* message) {
  const auto& log = *static_cast<const skiff_log*>(user);
  log.function(log.user, static_cast<std::int32_t>(level), message);
}

}  // namespace

void check_given(const void* pointer, const char* name) {
  require(pointer != nullptr, kBad, name, " is NULL");
}

void check_index(std::size_t index, std::size_t count, const char* what) {
  require(index < count, ErrorCode::not_found, "there are ", count, " ", what, ", number ", index,
          " was asked for");
}

LoadOptions options_of(const skiff_load_options* given) {
  const skiff_load_options known = taken(given, "options");
  LoadOptions options;
  auto& [digests, memory_limit, allocator] = options;
  digests = known.skip_digests == 0;
  memory_limit = known.memory_limit;
  allocator = allocator_of(known.allocator);
  return options;
}

SessionOptions options_of(const skiff_session_options* given, skiff_log& kept_log) {
  const skiff_session_options known = taken(given, "options");
  SessionOptions options;
  auto& [device, threads, strict_gpu, isa, memory_limit, allocator, arena, log, gpu, stream,
         device_arena, tuning, plan_cache, fuse, tf32, progress] = options;
  device = enumerator(known.device, DeviceKind::cuda, "device");
  threads = known.threads == 0 ? 1 : known.threads;
  strict_gpu = known.strict_gpu != 0;
  isa = known.isa;
  memory_limit = known.memory_limit;
  allocator = allocator_of(known.allocator);
  arena = memory_of(known.arena, known.arena_bytes, "arena");
  kept_log = known.log;
  if (known.log.function != nullptr) log = {pass_on, &kept_log};
  gpu = known.gpu;
  stream = known.stream;
  device_arena = memory_of(known.device_arena, known.device_arena_bytes, "device_arena");
  tuning = enumerator(known.tuning, Tuning::full, "tuning");
  plan_cache = known.plan_cache;
  fuse = enumerator(known.fuse, Fuse::on, "fuse");
  tf32 = known.tf32 != 0;
  progress = {known.progress.function, known.progress.user};
  return options;
}

Shape shape_of(const std::int64_t* extents, std::int32_t rank) {
  require(rank >= 0 && rank <= kMaxRank, kBad, "a shape has 0 to 8 axes");
  return Shape({extents, static_cast<std::size_t>(rank)});
}

void describe(const TensorDesc& from, std::byte* data, skiff_tensor* to) {
  check_given(to, "tensor");
  const auto bytes = static_cast<std::size_t>(from.shape.elements()) * size_of(from.dtype);
  *to = {from.name.data(),
         from.name.size(),
         static_cast<std::int32_t>(from.dtype),
         from.shape.rank(),
         {},
         data,
         bytes};
  std::ranges::copy(from.shape, to->shape);
}

void describe(const Quantization& from, skiff_quantization& to) noexcept {
  const auto& [scale, zero_point, axis] = from;
  to = {scale.data(), scale.size(), zero_point.data(), zero_point.size(), axis};
}

void describe(const Model& from, skiff_model_info* to) {
  give({0, text_of(from.name()), from.input_count(), from.output_count(), from.symbol_count(),
        from.label_count()},
       to);
}

void describe(const Session& from, skiff_session_info* to) {
  give({0, static_cast<std::int32_t>(from.device()), from.threads(), from.isa(), from.step_count()},
       to);
}

void describe(const SymbolDesc& from, skiff_symbol* to) {
  const auto& [name, min, opt, max, multiple_of, counted] = from;
  give({0, counted, text_of(name), min, opt, max, multiple_of}, to);
}

void describe(const Preprocessing& from, skiff_preprocessing* to) {
  const auto& [present, color, fit, mean, std, pixel_scale, pad_value, height_axis, width_axis,
               channel_axis] = from;
  give({0, present, static_cast<std::int32_t>(color), static_cast<std::int32_t>(fit), mean.data(),
        mean.size(), std.data(), std.size(), pixel_scale, pad_value, height_axis, width_axis,
        channel_axis},
       to);
}

void describe(const Postprocessing& from, skiff_postprocessing* to) {
  const auto& [kind, scores, boxes, apply_softmax, apply_sigmoid, score_threshold, iou_threshold,
               anchors, box_scale, keypoints, background, channel_axis, score_clip] = from;
  give({0, static_cast<std::int32_t>(kind), scores, boxes, apply_softmax, apply_sigmoid,
        score_threshold, iou_threshold, anchors.data(), anchors.size(), box_scale, keypoints,
        background, channel_axis, score_clip},
       to);
}

void describe(const MemoryReport& from, skiff_memory_report* to) {
  const auto& [weights, arena, lower_bound, lower_bound_plain, proved_minimal, device_arena,
               workspace, io, other, total] = from;
  give({0, proved_minimal, weights, arena, lower_bound, lower_bound_plain, device_arena, workspace,
        io, other, total},
       to);
}

void describe(const StepInfo& from, std::size_t output_count, skiff_step* to) {
  const auto& [name, op, algorithm, flops, bytes, workspace, device, tensor_cores, why_cpu, output,
               layers] = from;
  skiff_step step{0,
                  static_cast<std::int32_t>(device),
                  text_of(name),
                  text_of(op),
                  text_of(algorithm),
                  text_of(why_cpu),
                  flops,
                  bytes,
                  workspace,
                  tensor_cores,
                  layers,
                  output_count,
                  output.rank(),
                  {}};
  std::ranges::copy(output, step.output_shape);
  give(step, to);
}

}  // namespace skiff::c
