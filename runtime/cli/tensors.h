#pragma once

#include <skiff/session.h>

#include <string>
#include <vector>

#include "converters/npy/npy.h"

namespace skiff::cli {

/// A file for an input.
struct InputFile {
  std::string name, path;
};

/// Fills a session's inputs from files: .npy, .npz (the array called `name` or in/NAME, or the only
/// one), .raw (as it lies in memory), .pb (see onnx_tensor.h), or a picture where the model takes
/// one. Shapes of arrays that differ from the session's become its own where the model allows it.
/// Throws Error: not_found and invalid_argument for names, others for what the files hold.
void fill_inputs(Session& session, const std::vector<InputFile>& files);

/// An array of a .npy, .npz or .raw file that must be like `desc`. `prefix`: "in/" or "out/".
/// Throws as fill_inputs() does.
npy::Array read_array(const TensorDesc& desc, const std::string& prefix, const std::string& path);

/// Throws Error{invalid_argument} for a path that does not end with .npy, .npz or .raw, and
/// Error{io} where nothing can be written: for before a run.
void check_tensor_file(const std::string& path);

/// Writes a tensor to a file whose name check_tensor_file() takes.
void write_tensor(const Tensor& tensor, const std::string& path);

/// Pseudo-random numbers in [-1, 1) for floating-point inputs, zeros (valid indices) for others.
void fill_random(Session& session);

/// Element i of a tensor's bytes as a number; NaN for types that have none.
double number_at(DType dtype, const std::byte* data, std::size_t i) noexcept;

}  // namespace skiff::cli
