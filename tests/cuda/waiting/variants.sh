# shellcheck shell=bash disable=SC2034,SC2154  # they share names
# The parts that hold two files of one network against each other. Sourced.

# Some are made there: what is carried is small, and a launch takes more of it than its arithmetic.
large=${SKIFF_LARGE-resnet50 mobilenet_v2}
tune=${SKIFF_TUNE:-full}

# ready MODEL...: makes those that are made there.
ready() {
  local model
  for model in "$@"; do
    [[ $model != named/* ]] || made "$(basename "$model" .skiff)"
  done
}

# in_turn MODEL MODEL: the lesser of two medians of each, so that what else changes meets both.
in_turn() {
  local model median medians=()
  for model in "$1" "$2" "$1" "$2"; do
    median=$(timed "$model" | field median) || return
    medians+=("$median")
  done
  awk 'function least(a, b) { return a + 0 < b + 0 ? a : b }
    BEGIN { print least(ARGV[1], ARGV[3]), least(ARGV[2], ARGV[4]) }' "${medians[@]}"
}

# as_the_cpu MODEL [FLAG...]: errors against golden data are the CPU's. An integer file's own bound
# is that of its rounding, which tells little of a device.
as_the_cpu() {
  local host device i
  mapfile -t host < <(errors_of cpu "$1")
  mapfile -t device < <(errors_of cuda "$@")
  if [ "${#host[@]}" -eq 0 ] || [ "${#host[@]}" -ne "${#device[@]}" ]; then
    echo "no error was measured"
    return 1
  fi
  for i in "${!host[@]}"; do
    echo "relative L2 ${device[i]}, on the CPU ${host[i]}"
    at_most "${device[i]}" "$(calculate "${host[i]} + 0.001")" "relative L2, the CPU's" || return
  done
}

items_int8() {
  local name
  networks int8/
  for name in $large; do echo "named/$name.int8.skiff"; done
}
check_int8() {
  local half cache listed of_half medians expected found fewer ours theirs verdict bad=0
  half=half/${1#int8/}
  [[ $1 != named/* ]] || half=${1%.int8.skiff}.fp16.skiff
  cache=$(notes)/$(basename "$1").int8-plans
  rm -rf "$cache"*
  ready "$1" "$half"
  right "$1"
  as_the_cpu "$1" || bad=1

  listed=$(on_gpu profile "$1" --iterations="${SKIFF_RUNS:-100}" --json - | steps)
  of_half=$(on_gpu profile "$half" --iterations="${SKIFF_RUNS:-100}" --json - | steps)
  read -r found ours <<< "$(sum integer_conv true <<< "$listed")"
  read -r _ theirs <<< "$(sum 'conv|matmul' true <<< "$of_half")"
  expected=$(cat "$here/models/$1.products")
  echo "$found integer products on tensor cores, $expected expected"
  [ "$found" -eq "$expected" ] || { grep '^integer_conv .* false|' <<< "$listed"; bad=1; }
  verdict=missed
  ! number_at_most "$ours" "$(calculate "0.7 * $theirs")" || verdict=met
  echo "on tensor cores: $ours ms, as fp16 $theirs ms: 0.7 of it is $verdict" \
    "(ratio $(calculate "$ours / $theirs"))"
  read -r fewer ours <<< "$(sum integer_conv false <<< "$listed")"
  read -r _ theirs <<< "$(sum 'conv|matmul' false <<< "$of_half")"
  echo "in groups or of few channels: $fewer, $ours ms; as fp16 $theirs ms"
  medians=$(in_turn "$1" "$half")
  echo "medians: ${medians% *} ms, as fp16 ${medians#* } ms"

  not_slower_tuned "$1" "$cache" "$tune" || bad=1
  right "$1" --plan-cache="$cache" && as_the_cpu "$1" --plan-cache="$cache" || bad=1
  return $bad
}

items_pictures() {
  local name
  networks pixels/
  networks pixels/half/
  for name in $large; do printf 'named/%s.fp%s.pixels.skiff\n' "$name" 32 "$name" 16; done
}
check_pictures() {
  local floats cache model medians arena of_floats first bad=0
  floats=${1#pixels/}
  [[ $1 != named/* ]] || floats=${1%.pixels.skiff}.skiff
  cache=$(notes)/${1//\//_}.plans
  rm -rf "$cache"*
  ready "$1" "$floats"
  right "$1"
  medians=$(in_turn "$1" "$floats")
  echo "medians: ${medians% *} ms, of floats ${medians#* } ms"
  at_most "${medians% *}" "$(calculate "$allowed * ${medians#* }")" "median against that of floats" ||
    bad=1
  arena=$(briefly "$1" | field device_arena)
  of_floats=$(briefly "$floats" | field device_arena)
  echo "device arena: $arena bytes, of floats $of_floats"
  at_most "$arena" "$of_floats" "bytes of device arena" || bad=1
  for model in "$1" "$floats"; do
    first=$(on_gpu profile "$model" --iterations="${SKIFF_RUNS:-100}" --tune="$tune" \
      --plan-cache="$cache" --json - | steps | to_first_conv)
    echo "$model, tuned, to its first convolution: $first"
  done
  right "$1" --plan-cache="$cache" || bad=1
  return $bad
}
