# Finds the headers of CUDA, cuDNN and cuBLASLt: SKIFF_CUDA_HEADERS, or "" where some are missing.
# Headers alone are enough to build the GPU module for tests/cuda.
set(_toolkits "$ENV{CUDA_PATH}" "$ENV{CUDA_HOME}" /usr/local/cuda)
set(SKIFF_CUDA_HEADERS "")
foreach(_header cuda_runtime_api.h cudnn.h cublasLt.h)
  string(MAKE_C_IDENTIFIER "SKIFF_FOLDER_OF_${_header}" _folder)
  find_path(${_folder} ${_header} HINTS ${_toolkits} PATH_SUFFIXES include)
  mark_as_advanced(${_folder})
  list(APPEND SKIFF_CUDA_HEADERS "${${_folder}}")
endforeach()
if(SKIFF_CUDA_HEADERS MATCHES "NOTFOUND")
  set(SKIFF_CUDA_HEADERS "")
endif()
list(REMOVE_DUPLICATES SKIFF_CUDA_HEADERS)
