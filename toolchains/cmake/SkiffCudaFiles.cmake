# Finds the headers and the libraries of CUDA, cuDNN and cuBLASLt: SKIFF_CUDA_HEADERS and
# SKIFF_CUDA_LIBRARIES, each "" where one is missing. Headers alone are enough for tests/cuda.
# SKIFF_LIBRARY_nvrtc is found for tests; nothing links it.
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

set(SKIFF_CUDA_LIBRARIES "")
foreach(_library cudart cudnn cublasLt)
  find_library(SKIFF_LIBRARY_${_library}
    NAMES ${_library} lib${_library}.so.13 lib${_library}.so.12 lib${_library}.so.9
    HINTS ${_toolkits}
    PATH_SUFFIXES lib64 lib targets/${CMAKE_SYSTEM_PROCESSOR}-linux/lib)
  mark_as_advanced(SKIFF_LIBRARY_${_library})
  list(APPEND SKIFF_CUDA_LIBRARIES "${SKIFF_LIBRARY_${_library}}")
endforeach()
find_library(SKIFF_LIBRARY_nvrtc
  NAMES nvrtc libnvrtc.so.13 libnvrtc.so.12
  HINTS ${_toolkits} PATH_SUFFIXES lib64 lib targets/${CMAKE_SYSTEM_PROCESSOR}-linux/lib)
mark_as_advanced(SKIFF_LIBRARY_nvrtc)
if(SKIFF_CUDA_LIBRARIES MATCHES "NOTFOUND")
  set(SKIFF_CUDA_LIBRARIES "")
endif()
