# ONNX's own cases: nothing may fail, and what passes may not become less. Needs the shared data
# (SKIFF_DATA, or ../shared); says SKIPPED where it is missing.
#   cmake -DRUNNER=skiff-conformance -DDATA=folder -P onnx_test.cmake
if(DEFINED ENV{SKIFF_DATA})
  set(DATA "$ENV{SKIFF_DATA}")
endif()
set(cases "${DATA}/conformance/onnx-1.22.0")
if(NOT IS_DIRECTORY "${cases}")
  message("SKIPPED: no ${cases} (set SKIFF_DATA)")
  return()
endif()

# check(LEAST [arguments]): runs the cases; none fails, LEAST pass.
function(check least)
  execute_process(COMMAND "${RUNNER}" onnx "${cases}" --jobs 2 ${ARGN}
                  OUTPUT_VARIABLE printed ERROR_VARIABLE printed RESULT_VARIABLE code)
  string(REGEX MATCH "([0-9]+) passed, ([0-9]+) failed, ([0-9]+) refused" line "${printed}")
  message("${ARGN} ${line}")
  if(NOT code EQUAL 0 OR NOT CMAKE_MATCH_2 EQUAL 0 OR CMAKE_MATCH_1 LESS least)
    message(FATAL_ERROR "${printed}\nat least ${least} must pass and none fail")
  endif()
endfunction()

check(1589)
check(942 --list "${DATA}/conformance/derived/onnx-1.22.0_core_cases.txt")
