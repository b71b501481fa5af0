# Writes a header with how the schema's tables lie in a buffer: what the loader's structural check
# walks by (runtime/model/structure.cpp). Reads the part of the schema language that skiff.fbs uses
# and refuses the rest.
#   cmake -DSCHEMA=skiff.fbs -DHEADER=skiff_layout.h -P layout.cmake
cmake_minimum_required(VERSION 3.22)
file(READ "${SCHEMA}" text)
string(REGEX REPLACE "//[^\n]*" "" text "${text}")
string(REGEX REPLACE "[ \t\r\n]+" " " text "${text}")
string(REGEX REPLACE "\\[([A-Za-z0-9]+)\\]" "\\1*" text "${text}")  # brackets are special in lists
string(REPLACE ";" "|" text "${text}")
set(_name "[A-Za-z][A-Za-z0-9_]*")
string(REGEX MATCHALL "(table|struct|enum|union) ${_name} ?:? ?[a-z]* ?{[^}]*}" declarations "${text}")

# bytes_X of numbers, enumerations and structs
set(kinds bool byte ubyte short ushort int uint float long ulong double)
set(sizes 1    1    1     2     2      4   4    4     8    8     8)
foreach(kind size IN ZIP_LISTS kinds sizes)
  set(bytes_${kind} ${size})
endforeach()

# what, name, base, body of a declaration; the fields of a body are a list of "name: type ...".
macro(take_apart declaration)
  string(REGEX MATCH "^([a-z]+) (${_name}) ?:? ?([a-z]*) ?{ ?([^}]*)}$" _ "${declaration}")
  set(what "${CMAKE_MATCH_1}")
  set(name "${CMAKE_MATCH_2}")
  set(base "${CMAKE_MATCH_3}")
  string(REGEX REPLACE "[| ]+$" "" body "${CMAKE_MATCH_4}")
  string(REGEX REPLACE " ?\\| ?" ";" body "${body}")
endmacro()

macro(take_field field)
  if(NOT "${field}" MATCHES "^(${_name}) ?: ?(${_name})(\\*?)( = [^ ]+)?( \\(required\\))?$")
    message(FATAL_ERROR "${SCHEMA}: the field '${field}' of ${name} is not understood")
  endif()
  set(type "${CMAKE_MATCH_2}")
  set(vector "${CMAKE_MATCH_3}")
  set(required false)
  if(CMAKE_MATCH_5)
    set(required true)
  endif()
endmacro()

# A line of C++ with the names of what a list enumerates, the first one being number 0.
set(names "")
macro(add_names list)
  set(number 0)
  set(text "")
  foreach(entry IN LISTS ${list})
    if(NOT "${entry}" MATCHES "^(${_name})( = ${number})?$")
      message(FATAL_ERROR "${SCHEMA}: '${entry}' of ${name} is not number ${number}")
    endif()
    string(APPEND text "${CMAKE_MATCH_1}\\0")
    math(EXPR number "${number} + 1")
  endforeach()
  string(APPEND names "inline constexpr char k${name}Names[] = \"${text}\"|\n")
endmacro()

set(tables "")
foreach(declaration IN LISTS declarations)
  take_apart("${declaration}")
  if(what STREQUAL "enum")
    set(bytes_${name} ${bytes_${base}})
    string(REGEX REPLACE " ?, ?" ";" body "${body}")
    string(STRIP "${body}" body)
    add_names(body)
  elseif(what STREQUAL "table")
    list(APPEND tables ${name})
  elseif(what STREQUAL "union" AND NOT DEFINED union_name)
    set(union_name ${name})
    string(REGEX REPLACE " ?, ?" ";" body "NONE, ${body}")
    add_names(body)
    list(JOIN body ", k" members)
    string(REPLACE "NONE" "kNone" members "${members}")
  elseif(what STREQUAL "struct")
    set(end 0)
    set(widest 1)
    foreach(field IN LISTS body)
      take_field("${field}")
      set(size ${bytes_${type}})
      math(EXPR end "(${end} + ${size} - 1) / ${size} * ${size} + ${size}")
      if(size GREATER widest)
        set(widest ${size})
      endif()
    endforeach()
    math(EXPR bytes_${name} "(${end} + ${widest} - 1) / ${widest} * ${widest}")
    set(struct_${name} TRUE)
  else()
    message(FATAL_ERROR "${SCHEMA}: '${declaration}' is not understood")
  endif()
endforeach()

set(rows "")
set(first "")
set(count 0)
foreach(declaration IN LISTS declarations)
  take_apart("${declaration}")
  if(NOT what STREQUAL "table")
    continue()
  endif()
  string(APPEND first "${count}, ")
  foreach(field IN LISTS body)
    take_field("${field}")
    if(type STREQUAL "${union_name}" AND NOT vector)
      string(APPEND rows "{Kind::number, 1, false}, {Kind::member, 0, ${required}},")
      math(EXPR count "${count} + 1")
    elseif(DEFINED bytes_${type} AND vector)
      string(APPEND rows "{Kind::numbers, ${bytes_${type}}, ${required}},")
    elseif(DEFINED bytes_${type} AND NOT struct_${type})
      string(APPEND rows "{Kind::number, ${bytes_${type}}, false},")
    elseif(type STREQUAL "string" AND vector)
      string(APPEND rows "{Kind::strings, 0, ${required}},")
    elseif(type STREQUAL "string")
      string(APPEND rows "{Kind::string, 0, ${required}},")
    elseif("${type}" IN_LIST tables AND vector)
      string(APPEND rows "{Kind::tables, k${type}, ${required}},")
    elseif("${type}" IN_LIST tables)
      string(APPEND rows "{Kind::table, k${type}, ${required}},")
    else()
      message(FATAL_ERROR "${SCHEMA}: the type of '${field}' of ${name} is not understood")
    endif()
    math(EXPR count "${count} + 1")
  endforeach()
  string(APPEND rows "  // ${name}\n    ")
endforeach()
list(TRANSFORM tables PREPEND "k")
list(JOIN tables ", " tables)
string(REPLACE "|" ";" names "${names}")

file(WRITE "${HEADER}" "// Made from skiff.fbs by layout.cmake.
#pragma once

#include <cstdint>

namespace skiff::fb::layout {

enum TableNumber : std::uint8_t { ${tables}, kNone };

/// Vectors of numbers may have structs for elements. A member is the table of a union whose type is
/// the number before it.
enum class Kind : std::uint8_t { number, numbers, string, strings, table, tables, member };

struct Field {
  Kind kind;
  std::uint8_t of;  ///< bytes of a number or an element, or the number of a table
  bool required;
};

/// The fields of all tables, in the order of their numbers.
inline constexpr Field kFields[] = {
    ${rows}};
/// Where those of a table begin; one entry more than there are tables.
inline constexpr std::uint16_t kFirst[] = {${first}${count}};
/// The table of each member of the union.
inline constexpr std::uint8_t kMembers[] = {${members}};

/// Names of enumerators from number 0 on, each with its own end; an empty one ends them.
${names}
}  // namespace skiff::fb::layout
")
