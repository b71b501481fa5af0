#pragma once

#include "runtime/lower/bind.h"

namespace skiff {

/// Reads every constant of the host's into its form. `weights` has weights_bytes, `scratch`
/// pack_scratch bytes.
void fill_weights(const model::Verified& model, Binding& binding, std::span<std::byte> weights,
                  std::span<std::byte> scratch);

/// The same for the device's, through `staging` of device_staging bytes.
void fill_device_weights(const model::Verified& model, Binding& binding, backend::Device& device,
                         std::byte* weights, std::span<std::byte> staging);

/// Computes a device kernel's tables into `to`, through `staging` of just their size.
void pack_tables(Kernel& kernel, backend::Device& device, std::byte* to,
                 std::span<std::byte> staging);

/// Host memory that uploading a form takes: a packed one whole, a stored one piece by piece.
std::uint64_t staging_bytes(const ConstantForm& form) noexcept;

}  // namespace skiff
