# What the GPU module is made of; included by the build of the module itself and by the one of
# tests/cuda that runs its kernels on the host.
get_filename_component(_runtime "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
file(GLOB SKIFF_CUDA_KERNELS CONFIGURE_DEPENDS "${_runtime}/ops/*_cuda.cu")
file(GLOB SKIFF_CUDA_SOURCES CONFIGURE_DEPENDS "${_runtime}/ops/*_cuda.cpp")
list(APPEND SKIFF_CUDA_KERNELS
  "${_runtime}/cuda/copy.cu"
  "${_runtime}/cuda/epilogue.cu")
list(APPEND SKIFF_CUDA_SOURCES
  "${_runtime}/cuda/check.cpp"
  "${_runtime}/cuda/cublaslt/matmul.cpp"
  "${_runtime}/cuda/cudnn/graph.cpp"
  "${_runtime}/cuda/cudnn/plan.cpp"
  "${_runtime}/cuda/device.cpp"
  "${_runtime}/cuda/footprint.cpp"
  "${_runtime}/cuda/jit/code.cpp"
  "${_runtime}/cuda/jit/code_store.cpp"
  "${_runtime}/cuda/jit/headers.cpp"
  "${_runtime}/cuda/jit/nvrtc.cpp"
  "${_runtime}/cuda/kernel.cpp"
  "${_runtime}/cuda/kernels.cpp"
  "${_runtime}/cuda/module.cpp"
  "${_runtime}/cuda/probe.cpp"
  "${_runtime}/cuda/program.cpp"
  "${_runtime}/cuda/weights.cpp"
  "${_runtime}/../platform/memory_state.cpp"
  "${_runtime}/../platform/small_file.cpp"
  # The operators' rules: the module imports nothing of Skiff and carries the few it reads nodes by.
  "${_runtime}/core/error.cpp"
  "${_runtime}/ops/activation.cpp"
  "${_runtime}/ops/attention.cpp"
  "${_runtime}/ops/attributes.cpp"
  "${_runtime}/ops/conv.cpp"
  "${_runtime}/ops/convert_cpu.cpp"
  "${_runtime}/ops/integer_conv.cpp"
  "${_runtime}/ops/matmul.cpp"
  "${_runtime}/ops/op_name.cpp"
  "${_runtime}/ops/pool.cpp"
  "${_runtime}/ops/quantize_rows_cpu.cpp"
  "${_runtime}/ops/resize.cpp"
  "${_runtime}/ops/resize_axis_cpu.cpp"
  "${_runtime}/ops/rnn.cpp"
  "${_runtime}/ops/walk.cpp"
  # And what it keeps code in files with.
  "${_runtime}/../platform/cpu_info.cpp"
  "${_runtime}/../platform/file.cpp"
  "${_runtime}/../platform/sha256.cpp"
  "${_runtime}/../platform/sha256_arm.cpp"
  "${_runtime}/../platform/sha256_x86.cpp"
  "${_runtime}/../platform/small_file.cpp")

# The headers of code that is compiled while loading, as initialisers of names and texts.
set(_embedded "")
foreach(_header runtime/cuda/activation.cuh runtime/cuda/elementwise.cuh
    runtime/cuda/quantized.cuh skiff_device/stored.h)
  set(_path "${PROJECT_SOURCE_DIR}/${_header}")
  if(NOT EXISTS "${_path}")
    set(_path "${_runtime}/cuda/portable/${_header}")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_path}")
  file(READ "${_path}" _text)
  string(APPEND _embedded "{\"${_header}\", R\"header(${_text})header\"},\n")
endforeach()
set(SKIFF_CUDA_GENERATED "${PROJECT_BINARY_DIR}/runtime/cuda/include")
file(CONFIGURE OUTPUT "${SKIFF_CUDA_GENERATED}/embedded_headers.inc" CONTENT "${_embedded}" @ONLY)
# Nothing but this leaves the module.
set(SKIFF_CUDA_EXPORTS "-Wl,--version-script,${CMAKE_CURRENT_LIST_DIR}/module.map")
