# Splits the header that flatc wrote: what every file reads goes to the file `header`, and the
# functions of the object API (Pack and UnPack of the structs XT) to `definitions`, no longer inline:
# in each file that includes the header they took a second to compile.
#   awk -v header=include/skiff_generated.h -v definitions=skiff_objects.cpp -f objects.awk FILE
BEGIN {
  print "#include \"schema/skiff_generated.h\"\n\nnamespace skiff::fb {\n" > definitions
}
/^inline .*(T::|Union::|::(UnPack|UnPackTo|Pack)\(|const [A-Za-z]+T ?\*_o)/ {
  sub(/^inline /, "")
  moving = 1
}
moving { print > definitions }
!moving { print > header }
/^}/ { moving = 0 }
END { print "\n}  // namespace skiff::fb" > definitions }
