# Splits the header that flatc wrote. What readers need goes to the file `header`: accessors, and the
# structs XT of the object API. What few call goes to `definitions`, compiled once: Pack and UnPack,
# builders, FlatBuffers' own verification, tables of reflection. In every file that includes the
# header these took up to two thirds of the time it compiles.
#   awk -v header=include/skiff_generated.h -v definitions=skiff_objects.cpp -f objects.awk FILE

# Moves this line and those after it up to one that begins with `end`.
function move(end) { last = end }

# Prints the line to the header as one of a declaration: up to the brace of the body.
function declare(line) {
  declaring = line !~ /[{]$/
  sub(/ [{]$/, ";", line)
  print line > header
}

BEGIN {
  print "#include \"schema/skiff_generated.h\"\n\nnamespace skiff::fb {\n" > definitions
}

/^struct [A-Za-z]+ .*: private/ { table = $2 }

# `{}` says what these do by themselves, and instantiates their destructors in every file.
/^  std::[a-z_]+.*[{][}];$/ { sub(/[{][}];$/, ";") }

# Functions that the header declares before it defines them (of unions, no table of reflection).
/^inline .*(T::|Union::|::(UnPack|UnPackTo|Pack)\(|const [A-Za-z]+T ?\*_o|TypeTable\(\))/ ||
/^inline bool Verify[A-Za-z]+\(.*[,)] [{]$/ {
  sub(/^inline /, "")
  if (/TypeTable\(\) [{]$/) declare($0)
  if (!/;$/) move("}")
}

# What nothing outside calls by name. (Traits name a function that has two forms by then.)
/^struct [A-Za-z]+Builder [{]/ { move("};") }
/^struct [A-Za-z]+::Traits [{]/ { dropping = 1 }
/^inline .*Offset<[A-Za-z]+> Create[A-Za-z]+\($/ || /^inline .* UnPack[A-Za-z]+\($/ { move("}") }

# Functions that are declared where they are defined.
/^inline (bool Verify|void Finish)[A-Za-z]+Buffer\($/ {
  sub(/^inline /, "")
  move("}")
  declaring = 1
}
/^  bool Verify\(.*\) const [{]$/ {
  declare($0)
  sub(/^  bool /, "bool " table "::")
  move("  }")
}
declaring { declare($0) }

!dropping { print > (last == "" ? header : definitions) }
last != "" && index($0, last) == 1 { last = "" }
/^};/ { dropping = 0 }
END { print "\n}  // namespace skiff::fb" > definitions }
