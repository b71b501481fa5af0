# ONNX's own cases: nothing may fail, and what passes may not become less. They come with the shared
# data (SKIFF_DATA, or ../shared); where that is missing, older ones of the distribution's package
# libonnx-testdata serve; says SKIPPED without either.
#   cmake -DRUNNER=skiff-conformance -DDATA=folder -P onnx_test.cmake
if(DEFINED ENV{SKIFF_DATA})
  set(DATA "$ENV{SKIFF_DATA}")
endif()
set(cases "${DATA}/conformance/onnx-1.22.0")
# check(LEAST FOLDER [arguments]): runs the cases beneath it; none fails, LEAST pass.
function(check least folder)
  execute_process(COMMAND "${RUNNER}" onnx "${folder}" --jobs 2 ${ARGN}
                  OUTPUT_VARIABLE printed ERROR_VARIABLE printed RESULT_VARIABLE code)
  string(REGEX MATCH "([0-9]+) passed, ([0-9]+) failed, ([0-9]+) refused" line "${printed}")
  message("${folder} ${ARGN} ${line}")
  if(NOT code EQUAL 0 OR NOT CMAKE_MATCH_2 EQUAL 0 OR CMAKE_MATCH_1 LESS least)
    string(REGEX MATCHALL "failed [^\n]*" bad "${printed}")
    list(JOIN bad "\n" bad)
    message(FATAL_ERROR "${bad}\nat least ${least} must pass and none fail")
  endif()
endfunction()

if(IS_DIRECTORY "${cases}")
  check(1605 "${cases}")
  check(942 "${cases}" --list "${DATA}/conformance/derived/onnx-1.22.0_core_cases.txt")
  check(9 "${cases}/light")
  return()
endif()
set(cases "/usr/share/libonnx-testdata/data")
if(IS_DIRECTORY "${cases}")
  check(900 "${cases}")  # of 1.12's 1072; other versions have about as many
else()
  message("SKIPPED: no ONNX cases (set SKIFF_DATA, or install libonnx-testdata)")
endif()
