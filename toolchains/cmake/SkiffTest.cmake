# skiff_add_test(NAME SOURCES file... [LIBRARIES target...] [LABELS label...])
#
# One GoogleTest program, linked with skiff, that is one ctest test of the same name. Labels choose
# the stages of `tests/run.sh --all` it takes part in besides the Release one:
#   sanitize  built and run with ASan and UBSan        threads  built and run with TSan
#   qemu      cross-compiled and run under qemu-user
# The target skiff_tests_LABEL builds the programs of a label and nothing else.
foreach(label sanitize threads qemu)
  add_custom_target(skiff_tests_${label})
endforeach()

# skiff_add_test_library(NAME SOURCES file... [LIBRARIES target...]): what several programs share.
function(skiff_add_test_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${name} STATIC EXCLUDE_FROM_ALL ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC
    skiff skiff_build skiff_schema_objects skiff_test_folders ${ARG_LIBRARIES} GTest::gtest)
  skiff_precompile_tests(${name})
endfunction()

function(skiff_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE
    skiff skiff_build skiff_schema_objects skiff_test_folders ${ARG_LIBRARIES} GTest::gtest_main)
  skiff_precompile_tests(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 3000)
  foreach(label IN LISTS ARG_LABELS)
    add_dependencies(skiff_tests_${label} ${name})
  endforeach()
endfunction()

# skiff_add_fuzzer(NAME SOURCES file... [LIBRARIES target...]): a libFuzzer program; nothing unless
# SKIFF_FUZZ is on.
function(skiff_add_fuzzer name)
  if(SKIFF_FUZZ)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name} EXCLUDE_FROM_ALL ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE skiff skiff_build ${ARG_LIBRARIES})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endif()
endfunction()
