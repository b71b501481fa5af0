// print_schema FILE.bfbs: the lines that schema-1.0.txt holds.
#include <cstdio>

#include "tests/format/schema_lines.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (const std::string& line : skiff::test::schema_lines(skiff::test::read_text(argv[1])))
    std::puts(line.c_str());
}
