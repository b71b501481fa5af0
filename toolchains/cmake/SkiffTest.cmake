# skiff_add_test(NAME SOURCES file... [LIBRARIES target...] [LABELS label...] [SHARDS n])
#
# One GoogleTest program, linked with skiff, that is one ctest test of the same name; with SHARDS, n of
# them that run side by side: NAME_1 to NAME_n (the target's property SKIFF_CTESTS). Labels choose
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
  cmake_parse_arguments(ARG "" "SHARDS" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE
    skiff skiff_build skiff_schema_objects skiff_test_folders ${ARG_LIBRARIES} GTest::gtest_main)
  skiff_precompile_tests(${name})
  set(ctests "")
  if(ARG_SHARDS)
    foreach(shard RANGE 1 ${ARG_SHARDS})
      math(EXPR index "${shard} - 1")
      add_test(NAME ${name}_${shard} COMMAND ${name})
      set_tests_properties(${name}_${shard} PROPERTIES
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${index}")
      list(APPEND ctests ${name}_${shard})
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
    set(ctests ${name})
  endif()
  set_target_properties(${name} PROPERTIES SKIFF_CTESTS "${ctests}")
  set_tests_properties(${ctests} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 1200)
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
