# shellcheck shell=bash disable=SC2034,SC2154  # they share names
# The parts that take times, as parts.sh lists them. Sourced.
seconds=${SKIFF_BENCH_SECONDS:-3}

# timed MODEL FLAG...: JSON of `skiff bench`.
timed() {
  local said
  said=$(on_gpu bench "$1" --warmUp=500 --duration="$seconds" "${@:2}" --json -) || return
  [ "$(field device <<< "$said")" = cuda ] || { echo "the CPU was timed" >&2; return 1; }
  echo "$said"
}

items_latency() { models; halves; }
check_latency() {
  local said median high low first load
  said=$(timed "$1" --percentile=10,90)
  median=$(field median <<< "$said")
  high=$(field p90 <<< "$said")
  low=$(field p10 <<< "$said")
  first=$(field first_run_ms <<< "$said")
  load=$(field load_ms <<< "$said")
  echo "median $median ms, p10 $low, p90 $high; first run $first, load $load"
  at_most "$high" "$(calculate "1.05 * $median")" "p90 against 1.05 of the median"
}

items_sessions() {
  models | grep -E '^(mnist|face_detection_short_range|mobilenet_v2_025)\.skiff$'
}
check_sessions() {
  local count said rate one=0
  for count in 1 2 4; do
    judged "$1" --sessions "$count" --runs "${SKIFF_RUNS:-1000}" > /dev/null
    said=$(timed "$1" --sessions="$count")
    rate=$(field throughput_per_s <<< "$said")
    echo "$count sessions: right, $rate runs/s, median $(field median <<< "$said") ms"
    at_most "$one" "$rate" "throughput of one"
    [ "$count" -ne 1 ] || one=$rate
  done
}

# bandwidth: of copies within the device, 10^9 bytes/s; measured once.
bandwidth() {
  local file said
  file=$(notes)/bandwidth
  [ -s "$file" ] || {
    said=$(gpu_runs mnist.skiff --runs 2 --bandwidth "${SKIFF_COPY_MIB:-1024}")
    field gbyte_per_s <<< "$said" > "$file"
  }
  cat "$file"
}
# roofline MODEL: median against the time that reading and writing each tensor once takes.
items_roofline() { models; halves; }
check_roofline() {
  local said bytes launches median floor rate
  rate=$(bandwidth)
  said=$(on_gpu profile "$1" --iterations=20 --json -)
  bytes=$(awk '$1 == "\"bytes\":" { sum += $2 } END { printf "%.0f", sum }' <<< "$said")
  launches=$(steps <<< "$said" | wc -l)
  median=$(timed "$1" | field median)
  [ "$bytes" -gt 0 ]
  floor=$(calculate "$bytes / $rate / 1e6")
  echo "$launches steps, $bytes bytes at $rate GB/s: at least $floor ms; median $median ms," \
    "ratio $(calculate "$median / $floor")"
  # Small networks live in the second-level cache, faster than memory, but not twenty times.
  at_most "$floor" "$(calculate "20 * $median")" "ms of the roofline against 20 medians"
}

# The networks of the plan, made here: they would be too much to carry. Goal in ms, batch 1, fp16.
goals='resnet50 0.25
mobilenet_v2 0.16
efficientnet_b0 0.30
yolo_like 0.35
bert_base_128 0.45
vit_b_16 0.50'
items_named() { awk '{ print $1 ".fp32"; print $1 ".fp16" }' <<< "$goals"; }
items_peers() { items_named; }

# made NAME.KIND: makes NAME.onnx and the network's file; sets `file` and `source_file`.
made() {
  local name=${1%%.*} flags=()
  source_file=$(notes)/$name.onnx
  file=$here/models/named/$1.skiff
  mkdir -p "$here/models/named"
  [ -s "$source_file" ] || "$here/gpu_networks" "$name" "$source_file"
  [[ $1 != *.fp16* ]] || flags=(--fp16)
  [[ $1 != *.pixels ]] || flags+=("${imagenet[@]}" --uint8-input)
  if [[ $1 = *.int8 ]]; then
    [ -s "$file.products" ] ||
      as_integers "$source_file" "$here/pictures" "$file" "${imagenet[@]}" --golden=auto
  else
    [ -s "$file" ] || "$here/skiff-convert" "$source_file" --golden=auto "${flags[@]}" -o "$file"
  fi
}
check_named() {
  local file source_file goal said median
  made "$1"
  right "named/$1.skiff"
  said=$(timed "named/$1.skiff" --tune=full --plan-cache="$(notes)/named.plans" --percentile=10,90)
  median=$(field median <<< "$said")
  goal=$(awk -v name="${1%.*}" '$1 == name { print $2 }' <<< "$goals")
  echo "$1: median $median ms, p10 $(field p10 <<< "$said"), p90 $(field p90 <<< "$said"), load" \
    "$(field load_ms <<< "$said") (goal for fp16 on an H100: $goal)"
  [ "${1#*.}" = fp32 ] || at_most "$median" "$goal" "ms, goal for an H100"
}

# What a median may be of the one that it is held against.
allowed=${SKIFF_SLOWER:-1.02}

# not_slower_tuned MODEL CACHE MODE...: median with --tune=off against each mode, which writes CACHE.
# Sets `off_load`.
not_slower_tuned() {
  local mode flags=() said median load off=0 bad=0
  for mode in off "${@:3}"; do
    [ "$mode" = off ] || flags=(--plan-cache="$2")
    said=$(timed "$1" --tune="$mode" "${flags[@]}") || return
    median=$(field median <<< "$said") && load=$(field load_ms <<< "$said") || return
    echo "$mode: median $median ms, load $load ms"
    [ "$mode" = off ] || at_most "$median" "$(calculate "$allowed * $off")" "median of $mode" || bad=1
    [ "$mode" != off ] || { off=$median; off_load=$load; }
  done
  return $bad
}

items_tuning() { models; }
check_tuning() {
  local cache said load off_load=0 bad=0
  cache=$(notes)/$1.plans
  rm -rf "$cache"*
  not_slower_tuned "$1" "$cache" fast full || bad=1
  said=$(timed "$1" --tune=off --plan-cache="$cache")
  load=$(field load_ms <<< "$said")
  echo "from the cache: median $(field median <<< "$said") ms, load $load ms"
  # Files are read and drivers wake up in their own time: 5 ms of that is let through.
  at_most "$load" "$(calculate "1.1 * $off_load + 5")" "load from the cache" || bad=1
  right "$1" --plan-cache="$cache" || bad=1
  [ ! -s "$cache" ] || head -c "$(($(stat -c %s "$cache") / 2))" "$cache" > "$cache.damaged"
  right "$1" --plan-cache="$cache.damaged" || bad=1
  return $bad
}

# Chains with kernels of their own; the plan cache is one for them alone.
items_chains() { models; }
check_chains() {
  local cache said chains compiled untuned tuned file
  cache=$(notes)/$1.chains
  rm -rf "$cache"*
  chains=$(on_gpu profile "$1" --iterations=2 --json - | steps | matching '\|pointwise chain')
  [ "$chains" -gt 0 ] || { echo "it has no chains"; return; }
  said=$(skiff doctor)
  [[ $said == *", NVRTC"* ]] || { echo "there is no NVRTC"; return 1; }
  said=$(on_gpu profile "$1" --iterations=2 --tune=fast --plan-cache="$cache" --json - | steps)
  compiled=$(matching '\|pointwise chain, compiled' <<< "$said")
  untuned=$(timed "$1" | field median)
  tuned=$(timed "$1" --plan-cache="$cache" | field median)
  echo "$chains chains, $compiled compiled; median untuned $untuned ms, tuned $tuned ms"
  right "$1" --plan-cache="$cache"
  for file in "$cache.code"/*; do
    [ ! -s "$file" ] || truncate -s 500 "$file"
  done
  right "$1" --plan-cache="$cache"
  at_most "$tuned" "$(calculate "$allowed * $untuned")" "median, tuned"
}

items_profile() { models; halves; networks int8/; networks pixels/; }
check_profile() {
  local file
  file=$(notes)/profile
  on_gpu profile "$1" --iterations="${SKIFF_RUNS:-100}" --json "$file"
  [ "$(field device < "$file")" = cuda ]
}

items_cold() { models; }
check_cold() {
  local cache said folder load first
  folder=$(notes)
  on_gpu bench "$1" --duration=0 --iterations=1 --tune=fast --plan-cache="$folder/cold" > /dev/null
  for cache in "$folder/cold" "$folder/none"; do
    said=$(on_gpu bench "$1" --warmUp=0 --duration=0 --iterations=1 --plan-cache="$cache" --json -)
    load=$(field load_ms <<< "$said")
    first=$(field first_run_ms <<< "$said")
    echo "$(basename "$cache"): load $load ms, first run $first ms"
    [ "$(field device <<< "$said")" = cuda ]
  done
}

# What else is installed here, in the same run.
check_peers() {
  local file source_file
  command -v python3 || { echo "no Python here: nothing to compare with"; return; }
  made "$1"
  python3 "$here/peers.py" "$here/skiff" "$file" "$source_file" "${1#*.}"
}
