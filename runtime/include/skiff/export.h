#pragma once

/// Marks what libskiff exports; everything else stays hidden.
#define SKIFF_API __attribute__((visibility("default")))
