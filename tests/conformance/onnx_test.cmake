# ONNX's own cases: nothing may fail, and what passes may not become less. They come with the shared
# data (SKIFF_DATA, or ../shared); where that is missing, older ones of the distribution's package
# libonnx-testdata serve; says SKIPPED without either.
#   cmake -DRUNNER=skiff-conformance -DDATA=folder -P onnx_test.cmake
if(DEFINED ENV{SKIFF_DATA})
  set(DATA "$ENV{SKIFF_DATA}")
endif()
set(cases "${DATA}/conformance/onnx-1.22.0")
# check(LEAST COUNT FOLDER [arguments]): runs the cases beneath it, of which there are COUNT ("any":
# however many); none fails, LEAST pass, or "LEAST%" of them.
function(check least count folder)
  execute_process(COMMAND "${RUNNER}" onnx "${folder}" --jobs 2 ${ARGN}
                  OUTPUT_VARIABLE printed ERROR_VARIABLE printed RESULT_VARIABLE code)
  set(passed 0)
  set(failed 0)
  set(refused 0)
  if(printed MATCHES "([0-9]+) passed, ([0-9]+) failed, ([0-9]+) refused")
    set(passed ${CMAKE_MATCH_1})
    set(failed ${CMAKE_MATCH_2})
    set(refused ${CMAKE_MATCH_3})
  endif()
  message("${folder} ${ARGN} ${passed} passed, ${failed} failed, ${refused} refused")
  math(EXPR found "${passed} + ${failed} + ${refused}")
  if(NOT count STREQUAL "any" AND NOT found EQUAL count)
    message(FATAL_ERROR "${folder} ${ARGN}: ${found} cases were run, there should be ${count}")
  endif()
  if(least MATCHES "^([0-9]+)%$")
    math(EXPR least "${found} * ${CMAKE_MATCH_1} / 100")
  endif()
  if(NOT code EQUAL 0 OR passed EQUAL 0 OR NOT failed EQUAL 0 OR passed LESS least)
    string(REGEX MATCHALL "failed [^\n]*" bad "${printed}")
    list(JOIN bad "\n" bad)
    message(FATAL_ERROR "${bad}\nat least ${least} must pass and none fail")
  endif()
endfunction()

if(IS_DIRECTORY "${cases}")
  check(1605 1914 "${cases}")
  check(942 975 "${cases}" --list "${DATA}/conformance/derived/onnx-1.22.0_core_cases.txt")
  check(9 9 "${cases}/light")
  return()
endif()
set(cases "/usr/share/libonnx-testdata/data")
if(IS_DIRECTORY "${cases}")
  check(84% any "${cases}")  # of the 1,072 of ONNX 1.12 with Debian 12; Ubuntu 22.04 has 886 older ones
else()
  message("SKIPPED: no ONNX cases (set SKIFF_DATA, or install libonnx-testdata)")
endif()
