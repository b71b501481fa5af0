# The library stays small: links it as a shared library of its own, without its CPU kernels (*_cpu and
# the target skiff_cpu) and with all of them, strips both and looks at the files.
file(STRINGS "${OBJECTS}" core)
file(STRINGS "${CPU_OBJECTS}" kernels)
set(all ${core} ${kernels})
list(FILTER core EXCLUDE REGEX "_cpu\\.cpp\\.o$")

function(check_size what objects limit)
  set(library "${OBJECTS}.so")
  list(LENGTH objects count)
  if(count LESS 20)
    message(FATAL_ERROR "${what}: only ${count} objects, the list is wrong")
  endif()
  execute_process(
    COMMAND "${CXX}" -shared -Wl,--gc-sections -Wl,--unresolved-symbols=ignore-all -Wl,-s
            ${objects} -o "${library}"
    RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${what}: cannot link")
  endif()
  file(SIZE "${library}" bytes)
  if(bytes GREATER limit)
    message(FATAL_ERROR "${what}: ${bytes} bytes, more than ${limit}")
  endif()
  message(STATUS "${what}: ${bytes} bytes, at most ${limit}")
endfunction()

check_size("libskiff without CPU kernels" "${core}" "${LIMIT}")
check_size("libskiff with all CPU kernels" "${all}" "${LIMIT_ALL}")
