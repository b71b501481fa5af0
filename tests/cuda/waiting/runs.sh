# shellcheck shell=bash disable=SC2034,SC2154  # they share names
# The parts that run networks often or at many sizes and count what they take. Sourced.

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

# ends_of MODEL: shapes at the ends of its bounds.
ends_of() { awk -v model="$1" '"open/" $1 == model { print $2 }' "$here/models/open/ends.txt"; }
# briefly MODEL [FLAG...]: JSON of a bench that is not for its times.
briefly() { on_gpu bench "$1" --duration=0 --iterations=2 --warmUp=0 "${@:2}" --json -; }

# Open sizes: golden cases at several sizes, each prepared; then the ends of the bounds.
items_sizes() { networks open/; }
check_sizes() {
  local shape arena first said
  right "$1"
  said=$(briefly "$1")
  first=$(field arena <<< "$said")
  for shape in $(ends_of "$1"); do
    said=$(briefly "$1" --shape "$shape")
    arena=$(field arena <<< "$said")
    echo "$shape: arena of $arena bytes, first $first"
    [ "$arena" -eq "$first" ]
  done
}

# On a caller's stream, whose work brings the inputs: what a session without one gives.
items_streams() {
  models | grep -E '^(mnist|face_detection_short_range)\.skiff$'
  networks open/
}
check_streams() {
  local shapes
  mapfile -t shapes <<< "$(ends_of "$1" | sed 's/^/--shape=/')"
  judged "$1" --stream --runs "${SKIFF_RUNS:-200}" ${shapes:+"${shapes[@]}"}
}
