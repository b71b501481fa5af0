# cmake --install: headers, libskiff.a, libskiff.so, tools, SkiffConfig.cmake and skiff.pc. The
# package files find everything relative to themselves, so an installed tree may be moved. They are
# written by hand: an exported target would carry the build's own warning flags along.
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/runtime/include/skiff"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
foreach(target skiff skiff_shared skiff_cuda)
  if(TARGET ${target})
    install(TARGETS ${target} ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
            LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  endif()
endforeach()
foreach(target skiff_cli skiff-convert)
  if(TARGET ${target})
    install(TARGETS ${target} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()

set(_package "${CMAKE_INSTALL_LIBDIR}/cmake/Skiff")
configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/SkiffConfig.cmake.in" "${PROJECT_BINARY_DIR}/package/SkiffConfig.cmake"
  INSTALL_DESTINATION "${_package}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/package/SkiffConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/package/SkiffConfig.cmake"
              "${PROJECT_BINARY_DIR}/package/SkiffConfigVersion.cmake" DESTINATION "${_package}")

file(RELATIVE_PATH SKIFF_PC_PREFIX "/x/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/x")
string(REGEX REPLACE "/$" "" SKIFF_PC_PREFIX "${SKIFF_PC_PREFIX}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/skiff.pc.in" "${PROJECT_BINARY_DIR}/package/skiff.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/package/skiff.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
