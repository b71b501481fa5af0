# The library without its CPU kernels (cpu/ and *_cpu) stays small: links the rest as a shared library
# of its own, strips it and looks at the file.
file(STRINGS "${OBJECTS}" objects)
list(FILTER objects EXCLUDE REGEX "_cpu\\.cpp\\.o$|/cpu/|skiff_cpu\\.dir")
set(library "${OBJECTS}.so")
execute_process(
  COMMAND "${CXX}" -shared -Wl,--gc-sections -Wl,--unresolved-symbols=ignore-all -Wl,-s
          ${objects} -o "${library}"
  RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "cannot link")
endif()
file(SIZE "${library}" bytes)
if(bytes GREATER LIMIT)
  message(FATAL_ERROR "libskiff without CPU kernels: ${bytes} bytes, more than ${LIMIT}")
endif()
message(STATUS "libskiff without CPU kernels: ${bytes} bytes, at most ${LIMIT}")
