# One file, every processor: what this machine's skiff-convert writes, golden data of this machine
# included, is right on the processor the tool was cross-compiled for. Says SKIPPED where the
# converter (preset cpu) or the models are missing.
#   cmake -DCONVERT=skiff-convert -DTOOL=skiff -DEMULATOR=qemu;flags -DDATA=folder -DSCRATCH=folder -P cross_test.cmake
if(DEFINED ENV{SKIFF_DATA})
  set(DATA "$ENV{SKIFF_DATA}")
endif()
file(GLOB models "/usr/share/libonnx-testdata/data/pytorch-converted/*/model.onnx"
     "${DATA}/models/onnx/mnist.onnx" "${DATA}/models/tflite/face_detection_short_range.tflite")
if(NOT EXISTS "${CONVERT}" OR NOT models)
  message("SKIPPED: needs ${CONVERT} and models (libonnx-testdata, or SKIFF_DATA)")
  return()
endif()

set(right 0)
file(MAKE_DIRECTORY "${SCRATCH}")
foreach(model IN LISTS models)
  execute_process(COMMAND "${CONVERT}" "${model}" -o "${SCRATCH}/model.skiff" --golden auto
                  OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    continue()  # which models convert is looked at elsewhere
  endif()
  execute_process(COMMAND ${EMULATOR} "${TOOL}" verify "${SCRATCH}/model.skiff"
                  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${model}\n${said}")
  endif()
  math(EXPR right "${right} + 1")
endforeach()

# Sums in float16, on processors that have them; nothing changes on others.
foreach(name onnx/mnist.onnx tflite/face_detection_short_range.tflite tflite/vww_96_float.tflite)
  set(model "${DATA}/models/${name}")
  if(NOT EXISTS "${model}")
    continue()
  endif()
  execute_process(COMMAND "${CONVERT}" "${model}" -o "${SCRATCH}/half.skiff" --golden auto --fp16
                          --fp16-sums
                  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE code)
  if(code EQUAL 0)
    execute_process(COMMAND ${EMULATOR} "${TOOL}" verify "${SCRATCH}/half.skiff"
                    OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE code)
  endif()
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${model} with --fp16-sums\n${said}")
  endif()
endforeach()

message("${right} of the models are right")
if(right LESS 60)
  message(FATAL_ERROR "at least 60 must be")
endif()
