# shellcheck shell=bash
# The parts that ask whether results are right: items_PART lists, check_PART ITEM judges. Sourced.
parts=(doctor operators conformance networks half tf32 memory repeat allocations sanitizer sizes
  latency sessions roofline named tuning chains profile cold peers)
export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mib=1048576

skiff() { "$here/skiff" "$@"; }
on_gpu() { "$here/skiff" "$1" "$here/models/$2" --device=cuda "${@:3}"; }
gpu_runs() { "$here/gpu_runs" "$here/models/$1" "${@:2}"; }
models() { (cd "$here/models" && printf '%s\n' *.skiff); }
halves() { (cd "$here/models" && printf '%s\n' half/*.skiff); }
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
  errors=$(on_gpu verify "$1" --tf32 --json - || true)  # files carry the bound of float32
  errors=$(awk '$1 == "\"relative_l2\":" && $2 ~ /,$/ { sub(/,/, "", $2); print $2 }' <<< "$errors")
  [ -n "$errors" ] || { echo "no error was measured"; bad=1; }
  for error in $errors; do
    echo "relative L2 $error"
    at_most "$error" 0.005 "relative L2" || bad=1
  done
  return $bad
}

used_mib() { nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits | head -1; }
# Pages of 2 MiB, of weights and arena and for both networks; what code is loaded for kernels that
# the smallest network has not, and the libraries' workspaces, cannot be planned.
pages_mib=8
code_mib=${SKIFF_CODE_MIB:-64}

# memory_of MODEL: what gpu_runs prints, and "used_mib": what nvidia-smi says more than before.
memory_of() {
  local before during printed file
  file=$(notes)/used
  before=$(used_mib)
  printed=$(gpu_runs "$1" --runs 2 --then "nvidia-smi --query-gpu=memory.used \
    --format=csv,noheader,nounits | head -1 > '$file'") || { echo "$printed"; return 1; }
  during=$(cat "$file")
  printf '%s\n"used_mib": %s\n' "$printed" "$((during - before))"
}
items_memory() { models; }
check_memory() {
  local small network asked predicted used planned context beside
  small=$(memory_of mnist.skiff) || { echo "$small"; return 1; }
  network=$(memory_of "$1") || { echo "$network"; return 1; }
  asked=$(field device_bytes <<< "$network")
  predicted=$(field device_predicted <<< "$network")
  used=$(($(field used_mib <<< "$network") - $(field used_mib <<< "$small")))
  planned=$(calculate "($predicted - $(field device_predicted <<< "$small")) / $mib")
  echo "predicted $predicted bytes on the device, asked of CUDA $asked; by nvidia-smi" \
    "$(field used_mib <<< "$network") MiB with the context, $used MiB more than mnist" \
    "(predicted: $planned more)"
  # Weights of steps that the CPU keeps lie with it.
  [ "$(field cpu_steps <<< "$network")" -ne 0 ] || [ "$asked" -eq "$predicted" ]
  [ "$asked" -le "$predicted" ]
  [ "$(field used_mib <<< "$network")" -gt 0 ]
  at_most "$planned" "$((used + pages_mib))" "MiB planned"
  at_most "$used" "$(calculate "$planned + $pages_mib + $code_mib")" "MiB used"
  # What the tool says of context and libraries, against the same by nvidia-smi.
  context=$(on_gpu bench "$1" --warmUp=0 --duration=0 --json - | field context)
  beside=$(calculate "$(field used_mib <<< "$network") - $asked / $mib")
  echo "context and libraries: $context bytes by skiff bench, $beside MiB by nvidia-smi"
  at_most "$(calculate "$context / $mib - $beside")" "$code_mib" "MiB of context above"
  at_most "$(calculate "$beside - $context / $mib")" "$code_mib" "MiB of context below"
}

# judged MODEL FLAG...: gpu_runs, and its verdict once more from its figures.
judged() {
  local said
  said=$(gpu_runs "$@") || { echo "$said"; return 1; }
  echo "$said"
  [ "$(field differing <<< "$said")" -eq 0 ]
  [ "$(field allocations_running <<< "$said")" -eq 0 ]
  [ "$(field free_after <<< "$said")" -eq "$(field free_before <<< "$said")" ]
  [ "$(field output_bytes <<< "$said")" -gt 0 ]
}

# The same inputs must give the same bytes, whatever ran before.
items_repeat() { models | grep -E '^(mnist|face_detection_short_range)\.skiff$'; }
check_repeat() {
  local folder
  folder=$(notes)
  rm -f "$folder"/{first,last}
  judged "$1" --runs "${SKIFF_REPEATS:-10000}" --outputs "$folder"
  [ -s "$folder/first" ]
  cmp "$folder/first" "$folder/last"
}

items_allocations() { models; halves; }
check_allocations() { judged "$1" --runs "${SKIFF_RUNS:-1000}"; }

# Open sizes: golden cases at several sizes, each prepared; then the ends of the bounds.
items_sizes() { (cd "$here/models" && printf '%s\n' open/*.skiff); }
check_sizes() {
  local model shape arena first said
  right "$1"
  said=$(on_gpu bench "$1" --duration=0 --iterations=2 --warmUp=0 --json -)
  first=$(field arena <<< "$said")
  while read -r model shape; do
    [ "open/$model" = "$1" ] || continue
    said=$(on_gpu bench "$1" --duration=0 --iterations=2 --warmUp=0 --shape "$shape" --json -)
    arena=$(field arena <<< "$said")
    echo "$shape: arena of $arena bytes, first $first"
    [ "$arena" -eq "$first" ]
  done < "$here/models/open/ends.txt"
}
