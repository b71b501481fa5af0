# The metadata's generated header takes most of an object's time to compile, so it is compiled once
# for each way of compiling:
#   skiff_precompile(TARGET...)         objects of libraries (-fPIC)
#   skiff_precompile_small(TARGET...)   the same, and the targets are compiled for size
#   skiff_precompile_host(TARGET...)    the same, and the targets are compiled to compile soon
#   skiff_precompile_tests(TARGET...)   programs (-fPIE) that compile soon, with GoogleTest
# gcc 13 takes no header that was compiled at another level of optimisation.
# CMAKE_DISABLE_PRECOMPILE_HEADERS=ON (preset asan) does without, which shows whether every file
# includes what it uses. (clang writes paths and times into such a header: ccache cannot share it.)
set(_headers
  <algorithm> <array> <cstddef> <cstdint> <cstring> <map> <memory> <memory_resource> <optional>
  <span> <string> <string_view> <vector> [["schema/skiff_generated.h"]])

# A precompiled header's bytes differ from one build folder to the next, so ccache would share nothing
# that was compiled with it. It takes the file beside the header for its content (CCACHE_PCH_EXTSUM):
# what the header is made of. The command line and the compiler it looks at by itself.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SKIFF_SCHEMA_SOURCES})
function(_skiff_describe_precompiled target)
  set(schema "")
  foreach(source IN LISTS SKIFF_SCHEMA_SOURCES)
    file(SHA256 "${source}" hash)
    string(APPEND schema "${hash} ")
  endforeach()
  file(SHA256 "${SKIFF_FLATBUFFERS_INCLUDE}/flatbuffers/base.h" flatbuffers)  # has its version
  string(SHA256 described
    "${schema} ${flatbuffers} ${GTest_VERSION} ${CMAKE_CXX_COMPILER_VERSION} ${ARGN}")
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.gch.sum"
    CONTENT "${described}\n")
endfunction()

# _skiff_precompiled(TARGET LIBRARIES HEADERS...)
function(_skiff_precompiled target libraries)
  add_library(${target} OBJECT EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/schema/precompiled.cpp")
  target_link_libraries(${target} PRIVATE skiff_build skiff_schema ${libraries})
  target_precompile_headers(${target} PRIVATE ${ARGN})
  _skiff_describe_precompiled(${target} ${ARGN})
endfunction()

_skiff_precompiled(skiff_precompiled "" ${_headers})
_skiff_precompiled(skiff_precompiled_small "" ${_headers})
_skiff_precompiled(skiff_precompiled_host "" ${_headers})
target_compile_options(skiff_precompiled_small PRIVATE ${SKIFF_FOR_SIZE})
target_compile_options(skiff_precompiled_host PRIVATE ${SKIFF_FOR_HOST})

# _skiff_precompile_as(HEADERS OPTIONS TARGET...)
function(_skiff_precompile_as headers options)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE ${options})
    target_precompile_headers(${target} REUSE_FROM ${headers})
  endforeach()
endfunction()

function(skiff_precompile)
  _skiff_precompile_as(skiff_precompiled "" ${ARGN})
endfunction()

function(skiff_precompile_small)
  _skiff_precompile_as(skiff_precompiled_small "${SKIFF_FOR_SIZE}" ${ARGN})
endfunction()

function(skiff_precompile_host)
  _skiff_precompile_as(skiff_precompiled_host "${SKIFF_FOR_HOST}" ${ARGN})
endfunction()

if(SKIFF_TESTS)
  _skiff_precompiled(skiff_precompiled_tests GTest::gtest ${_headers} <gtest/gtest.h>)
  set_target_properties(skiff_precompiled_tests PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(skiff_precompiled_tests PRIVATE -fPIE ${SKIFF_FOR_HOST})
endif()

function(skiff_precompile_tests)
  foreach(target IN LISTS ARGN)
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "EXECUTABLE")
      set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${target} PRIVATE -fPIE)
    endif()
  endforeach()
  _skiff_precompile_as(skiff_precompiled_tests "${SKIFF_FOR_HOST}" ${ARGN})
endfunction()
