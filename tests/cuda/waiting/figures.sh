# shellcheck shell=bash disable=SC2034,SC2154  # they share names
# Figures out of the tools' JSON, which has a key a line, and what is expected of them. Sourced.

# field NAME < JSON: the first value of that name; fails where there is none.
field() {
  awk -v name="\"$1\":" '!found && $1 == name {
      value = $2; sub(/,$/, "", value); gsub(/"/, "", value); print value; found = 1
    } END { exit !found }'
}

# number_at_most A B: silent.
number_at_most() {
  awk -v a="$1" -v b="$2" 'function number(x) { return x ~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/ }
    BEGIN { exit !(number(a) && number(b) && a + 0 <= b + 0) }'
}

# at_most A B WHAT: says so where A is above B or no number.
at_most() {
  number_at_most "$1" "$2" && return
  echo "$3: $1 is above $2"
  return 1
}

# calculate FORMULA: prints it.
calculate() { awk "BEGIN { printf \"%.6g\\n\", $1 }"; }

# steps < JSON of `profile` or `inspect --placement`: a line a step, OP DEVICE MS TENSOR_CORES|KERNEL.
steps() {
  awk 'function flush() { if (op != "") print op, device, ms, cores "|" kernel; op = "" }
    function value() { text = $0; sub(/^[^:]*: "?/, "", text); sub(/"?,?$/, "", text); return text }
    $1 == "\"name\":" { flush(); cores = "false"; ms = 0 }
    $1 == "\"op\":" { op = value() } $1 == "\"device\":" { device = value() }
    $1 == "\"kernel\":" { kernel = value() } $1 == "\"tensor_cores\":" { cores = value() }
    $1 == "\"ms\":" { ms = value() }
    END { flush() }'
}

# sum OPS TENSOR_CORES < steps: how many of these operators are on tensor cores or not, and their ms.
sum() {
  awk -v ops="^($1)$" -v cores="$2" '$1 ~ ops && index($4, cores "|") == 1 { ++count; ms += $3 }
    END { printf "%d %.6g\n", count, ms }'
}

# to_first_conv < steps: what a network does before it goes on from its first convolution.
to_first_conv() {
  awk '!found { ms += $3; ++count } !found && $1 ~ /^(pixel_)?conv$/ { found = 1; line = $0 }
    END { if (found) printf "%.6g ms in %d steps, %s\n", ms, count, line; exit !found }'
}

# matching PATTERN: how many lines match; none is no failure.
matching() { grep -cE "$1" || [ $? -eq 1 ]; }
