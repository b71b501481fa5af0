# The library stays small: links it like libskiff.so, without its CPU kernels (*_cpu and the target
# skiff_cpu) and with all of them, strips both and looks at the files.
file(STRINGS "${OBJECTS}" core)
file(STRINGS "${CPU_OBJECTS}" kernels)
set(all ${core} ${kernels})
list(FILTER core EXCLUDE REGEX "_cpu\\.cpp\\.o$")
set(library "${OBJECTS}.so")

function(link objects)
  execute_process(
    COMMAND "${CXX}" -shared -Wl,--gc-sections "-Wl,--version-script=${MAP}"
            -Wl,--unresolved-symbols=ignore-all -Wl,-s ${ARGN} ${objects} -o "${library}"
    RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "cannot link")
  endif()
endfunction()

function(check_size what objects limit)
  list(LENGTH objects count)
  if(count LESS 20)
    message(FATAL_ERROR "${what}: only ${count} objects, the list is wrong")
  endif()
  # What was left out is called within the real library, not imported: empty stand-ins.
  link("${objects}")
  execute_process(COMMAND "${NM}" -D --undefined-only "${library}" OUTPUT_VARIABLE imports)
  string(REGEX MATCHALL "_Z[A-Z]+5skiff[^\n]*" missing "${imports}")
  list(TRANSFORM missing REPLACE "(.+)" ".globl \\1\n.hidden \\1\n\\1:\n")
  list(JOIN missing "" text)
  file(WRITE "${OBJECTS}.s" ".section .note.GNU-stack,\"\",%progbits\n.text\n${text}")
  link("${objects}" "${OBJECTS}.s")
  execute_process(COMMAND "${NM}" -D --defined-only "${library}" OUTPUT_VARIABLE exports)
  if(NOT exports MATCHES "skiff_session_run" OR exports MATCHES "(4Impl|_Z[A-Z]*St)[^\n]*")
    message(FATAL_ERROR "${what}: exports more or less than its API: ${CMAKE_MATCH_0}")
  endif()
  file(SIZE "${library}" bytes)
  if(bytes GREATER limit)
    message(FATAL_ERROR "${what}: ${bytes} bytes, more than ${limit}")
  endif()
  message(STATUS "${what}: ${bytes} bytes, at most ${limit}")
endfunction()

check_size("libskiff without CPU kernels" "${core}" "${LIMIT}")
check_size("libskiff with all CPU kernels" "${all}" "${LIMIT_ALL}")
