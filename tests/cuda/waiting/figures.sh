# shellcheck shell=bash
# Figures out of the tools' JSON, which has a key a line, and what is expected of them. Sourced.

# field NAME < JSON: the first value of that name; fails where there is none.
field() {
  awk -v name="\"$1\":" '!found && $1 == name {
      value = $2; sub(/,$/, "", value); gsub(/"/, "", value); print value; found = 1
    } END { exit !found }'
}

# at_most A B WHAT: says so where A is above B or no number.
at_most() {
  awk -v a="$1" -v b="$2" 'function number(x) { return x ~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/ }
    BEGIN { exit !(number(a) && number(b) && a + 0 <= b + 0) }' && return
  echo "$3: $1 is above $2"
  return 1
}

# calculate FORMULA: prints it.
calculate() { awk "BEGIN { printf \"%.6g\\n\", $1 }"; }

# steps < JSON of `profile` or `inspect --placement`: a line a step, OP DEVICE TENSOR_CORES|KERNEL.
steps() {
  awk 'function flush() { if (op != "") print op, device, cores "|" kernel; op = "" }
    function value() { text = $0; sub(/^[^:]*: "?/, "", text); sub(/"?,?$/, "", text); return text }
    $1 == "\"name\":" { flush(); cores = "false" }
    $1 == "\"op\":" { op = value() } $1 == "\"device\":" { device = value() }
    $1 == "\"kernel\":" { kernel = value() } $1 == "\"tensor_cores\":" { cores = value() }
    END { flush() }'
}

# matching PATTERN: how many lines match; none is no failure.
matching() { grep -cE "$1" || [ $? -eq 1 ]; }
