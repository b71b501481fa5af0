# How every target of the project is compiled. Linking `skiff_build` gives all of it.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(SKIFF_CCACHE ccache)
if(SKIFF_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the checkout: what one clone compiled serves the next one too. Comments count:
  # a precompiled header knows the headers it was made of by their bytes, and includes others again.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_PCH_EXTSUM=1 CCACHE_COMMENTS=1
    "${SKIFF_CCACHE}")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")

# What is worth an option of its own in a Release build; sanitizers have their own level.
set(SKIFF_FOR_SIZE $<$<CONFIG:Release>:-Os>)       # decides once a load or less
set(SKIFF_FOR_HOST $<$<CONFIG:Release>:-O1>)       # converters, tests: compiles in 2/3 of the time

add_library(skiff_build INTERFACE)
target_include_directories(skiff_build INTERFACE "${PROJECT_SOURCE_DIR}")
set(_options
  -Wall -Wextra -Wconversion -Wshadow -Wno-psabi -ffunction-sections -fdata-sections
  # Results must not depend on where the compiler saw a chance to fuse: kernels ask for fma where
  # their error bound counts on it.
  -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 and 13 see overlaps and endless sizes in `"text" + std::string` where there are none.
  list(APPEND _options -Wno-restrict -Wno-stringop-overflow)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    list(APPEND _options -Wno-dangling-reference)  # takes a span for the owner of its numbers
  endif()
else()
  # `&` and `|` of conditions are meant: no branch. Pragmas for gcc's vectoriser stay.
  list(APPEND _options -Wno-bitwise-instead-of-logical -Wno-unknown-pragmas)
endif()
if(SKIFF_WERROR)
  list(APPEND _options -Werror)
endif()
# nvcc has options of its own.
target_compile_options(skiff_build INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${_options}>")
target_link_options(skiff_build INTERFACE -Wl,--gc-sections)
if(SKIFF_SANITIZE)
  add_compile_options(-fsanitize=${SKIFF_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SKIFF_SANITIZE})
endif()
option(SKIFF_FUZZ "Build the fuzzers (clang's libFuzzer; preset asan)" OFF)
if(SKIFF_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
