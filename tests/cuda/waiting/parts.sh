# shellcheck shell=bash disable=SC2034,SC2154  # they share names
# The parts that ask whether results are right: items_PART lists, check_PART ITEM judges. Sourced.
parts=(prepare doctor operators conformance networks half tf32 memory repeat allocations sanitizer sizes
  streams latency sessions roofline named tuning chains int8 pictures profile cold peers)
export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mib=1048576

skiff() { "$here/skiff" "$@"; }
on_gpu() { "$here/skiff" "$1" "$here/models/$2" --device=cuda "${@:3}"; }
gpu_runs() { "$here/gpu_runs" "$here/models/$1" "${@:2}"; }
# networks [FOLDER/]: the files of that folder.
networks() { (cd "$here/models" && printf '%s\n' "${1:-}"*.skiff); }
models() { networks; }
halves() { networks half/; }
# A folder for what an item leaves behind.
notes() { mkdir -p "$here/results/notes" && echo "$here/results/notes"; }

items_doctor() { echo all; }
check_doctor() {
  local said
  said=$(skiff doctor)
  echo "$said"
  said=$(grep '^GPU' <<< "$said")
  [[ $said != *"not used"* ]]
}

shards=${SKIFF_SHARDS:-16}
# operator_tests SHARD COMMAND...: that part of all operator tests. A program that runs none is no
# success.
operator_tests() {
  local said
  said=$(GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$1 "${@:2}" "$here/gpu_ops_test" 2>&1) || {
    tail -n 40 <<< "$said"
    return 1
  }
  grep -E '^\[  PASSED  \] [1-9][0-9]* test|ERROR SUMMARY' <<< "$said"
  [[ $said == *"[  PASSED  ] "[1-9]* ]]
}
items_operators() { seq 0 $((shards - 1)); }
check_operators() { operator_tests "$1" env; }

items_sanitizer() {
  local tool
  for tool in memcheck racecheck initcheck; do
    seq -f "$tool.%g" 0 $((shards - 1))
  done
}
check_sanitizer() {
  command -v compute-sanitizer
  operator_tests "${1#*.}" compute-sanitizer --tool "${1%.*}" --error-exitcode 1
}

conformance_pieces=4
items_conformance() { seq 0 $((conformance_pieces - 1)); }
check_conformance() {
  local list said passed failed refused used
  [ -d "$here/results/cases" ] || {
    mkdir -p "$here/results/cases.new"
    tar -xzf "$here/cases.tar.gz" -C "$here/results/cases.new"
    mv "$here/results/cases.new" "$here/results/cases"
  }
  list=$(notes)/cases.$1
  awk -v piece="$1" -v of=$conformance_pieces 'NR % of == piece' "$here/cases.txt" > "$list"
  said=$("$here/skiff-conformance" onnx "$here/results/cases" --list "$list" --device=cuda \
    --jobs 4 --timeout 60) || { echo "$said"; return 1; }
  tail -n 2 <<< "$said"
  used=$(sed -n 's/ with steps on the GPU$//p' <<< "$said")
  read -r passed _ failed _ refused _ <<< "$(tail -n 1 <<< "$said")"
  # Of all 975 CI's doubles pass 942 and run steps of 809 on the GPU.
  [ "$failed" -eq 0 ]
  [ "$((passed + refused))" -eq "$(wc -l < "$list")" ]
  at_most "$(wc -l < "$list")" "$((passed * 100 / 94))" "cases, with 6 % that may be refused"
  at_most "$(wc -l < "$list")" "$((used * 100 / 75))" "cases, with 25 % that may be the CPU's"
}

# What the CPU keeps on purpose: variables.
kept_by_cpu='^(read|assign)_variable cpu '

# right MODEL [FLAG...]: golden data, with every step on the GPU but those the CPU keeps.
right() {
  local listed wrong
  if on_gpu verify "$1" --strict-gpu "${@:2}"; then return; fi
  listed=$(on_gpu inspect "$1" "${@:2}" --placement --json - | steps)
  wrong=$(grep ' cpu ' <<< "$listed") || { echo "no step is the CPU's: it is wrong"; return 1; }
  echo "on the CPU: $(sort <<< "$wrong" | uniq -c | tr '\n' ';')"
  if grep -vE "$kept_by_cpu" <<< "$wrong"; then
    echo "that should be on the GPU"
    return 1
  fi
  listed=$(on_gpu verify "$1" "${@:2}") || { echo "$listed"; return 1; }
  echo "$listed"
  grep -q ': right on cuda ' <<< "$listed"
}
items_networks() { models; }
check_networks() { right "$1"; }

items_half() { halves; }
check_half() {
  local listed off
  right "$1"
  listed=$(on_gpu profile "$1" --iterations=5 --json - | steps)
  echo "$(matching ' true\|' <<< "$listed") steps on tensor cores"
  off=$(grep '^conv .* false|' <<< "$listed" | grep -cvE '\|(depthwise|direct)') || [ $? -eq 1 ]
  [ "$off" -eq 0 ] || { grep '^conv .* false|' <<< "$listed"; return 1; }
}

# errors_of DEVICE MODEL [FLAG...]: relative L2 of each output against golden data. Files carry a
# bound, which is not in question here.
errors_of() {
  { skiff verify "$here/models/$2" --device="$1" "${@:3}" --json - || true; } |
    awk '$1 == "\"relative_l2\":" && $2 ~ /,$/ { sub(/,/, "", $2); print $2 }'
}

items_tf32() { models; }
check_tf32() {
  local plain rounded errors error bad=0
  plain=$(on_gpu profile "$1" --iterations=2 --json - | steps | matching ' true\|')
  [ "$plain" -eq 0 ] || { echo "$plain steps on tensor cores without --tf32"; bad=1; }
  rounded=$(on_gpu profile "$1" --iterations=2 --tf32 --json - | steps)
  echo "$(matching ' true\|' <<< "$rounded") steps on tensor cores"
  if grep '^conv ' <<< "$rounded" | grep -vE '\|depthwise' > /dev/null; then
    grep -q ' true|' <<< "$rounded" || { echo "none, though it has convolutions"; bad=1; }
  fi
  errors=$(errors_of cuda "$1" --tf32)
  [ -n "$errors" ] || { echo "no error was measured"; bad=1; }
  for error in $errors; do
    echo "relative L2 $error"
    at_most "$error" 0.005 "relative L2" || bad=1
  done
  return $bad
}
