#include "runtime/lower/constant_forms.h"

#include <algorithm>

#include "runtime/core/error.h"
#include "runtime/core/hash.h"
#include "runtime/lower/weights.h"

namespace skiff {

void ConstantForms::add_constant(std::int32_t step, std::int32_t input,
                                 const GraphValue& constant) {
  const Step& taker = binding_.steps[static_cast<std::size_t>(step)];
  const std::uint64_t packed = taker.kernel->packed_bytes(input);
  const std::int32_t form =
      packed == 0 ? stored_form(constant, taker.space) : packed_form(step, input, constant, packed);
  binding_.uses.push_back({step, input, form});
}

void ConstantForms::add_tables(std::int32_t step) {
  const std::uint64_t bytes =
      binding_.steps[static_cast<std::size_t>(step)].kernel->packed_bytes(-1);
  if (bytes == 0) return;
  const std::int32_t form = form_for({-1, 0, step, -1, Space::device, DType::none},
                                     {.step = step, .space = Space::device, .bytes = bytes});
  binding_.uses.push_back({step, -1, form});
}

void ConstantForms::add_stored(std::int32_t buffer) {
  if (buffer < 0) return;
  form_for({buffer, 0, -1, -1, Space::host, DType::none},
           {.buffer = buffer, .bytes = model_.buffer_size(buffer)});
}

std::int32_t ConstantForms::stored_form(const GraphValue& constant, Space space) {
  return form_for({constant.buffer, 0, -1, -1, space, constant.info.stored},
                  {.buffer = constant.buffer,
                   .space = space,
                   .stored = constant.info.stored,
                   .bytes = static_cast<std::uint64_t>(constant.max_bytes)});
}

std::int32_t ConstantForms::packed_form(std::int32_t step, std::int32_t input,
                                        const GraphValue& constant, std::uint64_t bytes) {
  const Step& taker = binding_.steps[static_cast<std::size_t>(step)];
  const std::uint64_t key = taker.kernel->pack_key(input);
  // Without a key a packed form belongs to its one kernel; on the host a key says all.
  const bool any_place = key != 0 && taker.space == Space::host;
  return form_for({constant.buffer, key, key == 0 ? step : -1, any_place ? -1 : input, taker.space,
                   constant.info.stored},
                  {.buffer = constant.buffer,
                   .step = step,
                   .input = input,
                   .space = taker.space,
                   .stored = constant.info.stored,
                   .bytes = bytes,
                   .scratch = taker.kernel->pack_scratch_bytes(input)});
}

/// Forms are a set: their hashes are added up.
std::uint64_t ConstantForms::hash_of(const Key& key, const ConstantForm& form) noexcept {
  const auto& [buffer, packing, step, input, space, stored] = key;
  std::uint64_t hash = packing;
  for (std::int64_t value : {std::int64_t{buffer}, std::int64_t{step}, std::int64_t{input},
                             static_cast<std::int64_t>(space), static_cast<std::int64_t>(stored),
                             static_cast<std::int64_t>(form.bytes)})
    hash = hashed(hash, value);
  return hash ^ hash >> 32;
}

std::int32_t ConstantForms::form_for(const Key& key, const ConstantForm& form) {
  const auto [place, added] =
      index_of_.try_emplace(key, static_cast<std::int32_t>(binding_.forms.size()));
  if (!added) return place->second;
  binding_.forms_key += hash_of(key, form);
  require(static_cast<std::int64_t>(form.bytes) <= kMaxTensorBytes, ErrorCode::unsupported,
          "weights of more than ", kMaxTensorBytes, " bytes");
  if (form.space == Space::host)
    binding_.pack_scratch = std::max(binding_.pack_scratch, form.scratch);
  else
    binding_.device_staging = std::max(binding_.device_staging, staging_bytes(form));
  binding_.forms.push_back(form);
  return place->second;
}

void ConstantForms::place() {
  for (const auto& [key, index] : index_of_) {
    ConstantForm& form = binding_.forms[static_cast<std::size_t>(index)];
    std::uint64_t& total =
        form.space == Space::host ? binding_.weights_bytes : binding_.device_weights_bytes;
    form.offset = total;
    total += static_cast<std::uint64_t>(round_up(static_cast<std::int64_t>(form.bytes),
                                                 static_cast<std::int64_t>(Block::kAlignment)));
  }
}

}  // namespace skiff
