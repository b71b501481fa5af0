#pragma once

/// The whole public C++ API.
#include <skiff/error.h>
#include <skiff/model.h>
#include <skiff/options.h>
#include <skiff/session.h>
#include <skiff/tensor.h>
#include <skiff/vision.h>
