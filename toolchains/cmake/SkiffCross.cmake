# Dependencies of a cross build without a sysroot: headers that are the same for every processor
# are lent by this machine, one folder each (its /usr/include as a whole would bring the wrong C
# library); GoogleTest is built from the sources that libgtest-dev ships.
set(_root "${PROJECT_BINARY_DIR}/host-headers")
file(MAKE_DIRECTORY "${_root}/usr/include" "${_root}/usr/share")
foreach(folder include/eigen3 include/flatbuffers include/CLI include/nlohmann include/stb
        include/fmt share/eigen3)
  if(EXISTS "/usr/${folder}" AND NOT EXISTS "${_root}/usr/${folder}")
    file(CREATE_LINK "/usr/${folder}" "${_root}/usr/${folder}" SYMBOLIC)
  endif()
endforeach()
list(PREPEND CMAKE_FIND_ROOT_PATH "${_root}")

if(EXISTS "${_root}/usr/include/fmt/format.h" AND NOT TARGET fmt::fmt)
  add_library(fmt::fmt INTERFACE IMPORTED)
  target_include_directories(fmt::fmt INTERFACE "${_root}/usr/include")
  target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
  set(fmt_FOUND TRUE)
endif()

if(SKIFF_TESTS AND EXISTS /usr/src/googletest/CMakeLists.txt)
  set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
  set(BUILD_GMOCK OFF CACHE BOOL "" FORCE)
  add_subdirectory(/usr/src/googletest "${PROJECT_BINARY_DIR}/googletest" EXCLUDE_FROM_ALL)
  foreach(library gtest gtest_main)
    if(NOT TARGET GTest::${library})
      add_library(GTest::${library} ALIAS ${library})
    endif()
  endforeach()
  set(GTest_FOUND TRUE)
endif()
