#pragma once

#include <span>
#include <vector>

#include "pictures.h"

namespace sample {

/// A rectangle around a line of text, turned as the text is: its middle, the direction of the text
/// (of length 1) and its sizes along and across it, in pixels.
struct TextBox {
  float x = 0, y = 0;
  float along_x = 1, along_y = 0;
  float width = 0, height = 0;
};

/// Boxes out of a map of [height, width] probabilities that a pixel lies in the core of a text
/// line, as DB (differentiable binarisation) networks give it: each connected piece, grown to the
/// size of its line. From top to bottom.
std::vector<TextBox> text_boxes(std::span<const float> map, int width, int height);

/// The box in a picture that is larger by these factors, which should be nearly the same.
void stretch(TextBox& box, float factor_x, float factor_y);

/// The part of a picture in a box, turned upright and scaled.
Picture cut_out(const Picture& picture, const TextBox& box, int width, int height);

}  // namespace sample
