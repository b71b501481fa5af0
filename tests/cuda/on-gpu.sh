#!/usr/bin/env bash
# The checks of WAITING.md. `pack FOLDER` here, `run [PART...]` and `report` from the folder there.
set -uo pipefail
self=$(realpath "${BASH_SOURCE[0]}")
here=$(dirname "$self")
parts=(doctor operators networks half tf32 memory repeat sanitizer latency sessions sizes tuning chains profile cold peers)

usage() { sed -n '2p' "$self" | sed 's/^# //'; echo "parts: ${parts[*]}"; }

# Networks with open sizes, one file a golden case, and shapes at the ends of their bounds.
pack_open() {
  local folder=$1 models=$2 name model golden bounds
  mkdir -p "$folder" || return
  while IFS='|' read -r model cases bounds; do
    name=$(basename "$model" .onnx)
    for golden in "$models"/golden/"$name".$cases.npz; do
      # shellcheck disable=SC2086  # bounds are words
      build/cuda/skiff-convert "$models/$model" $bounds --golden="$golden" \
        -o "$folder/$(basename "$golden" .npz).skiff" > /dev/null || return
    done
  done << 'END'
onnx/ch_PP-OCRv4_det_infer.onnx|*|--dyn x:0=1:1:1 --dyn x:2=320:480:640 --dyn x:3=320:640:640
onnx/ch_PP-OCRv4_rec_infer.onnx|48x160|--dyn x:0=1:1:1 --dyn x:2=48:48:48 --dyn x:3=32:320:640
small/vit_tiny.onnx|*|--dyn x:0=1:1:4
small/convnext_tiny.onnx|*|--dyn input.1:0=1:1:4
END
  for golden in "$folder"/ch_PP-OCRv4_det_infer.*.skiff; do
    printf '%s x=1x3x%s\n' "$(basename "$golden")" 320x320 "$(basename "$golden")" 640x640
  done > "$folder/ends.txt"
}

pack() {
  local folder=$1 root data model name
  root=$(realpath "$here/../..")
  data=${SKIFF_DATA:-$root/../shared}
  mkdir -p "$folder/models/half" || exit
  cd "$root" || exit
  cmake --preset cuda -DSKIFF_TESTS=ON -Wno-dev > /dev/null &&
    cmake --build --preset cuda -j "${SKIFF_JOBS:-$(nproc)}" -- \
      skiff_cli skiff_cuda skiff-convert gpu_ops_test || exit
  cp build/cuda/skiff build/cuda/libskiff_cuda.so build/cuda/gpu_ops_test "$folder/"
  cp "$self" "$folder/on-gpu.sh"
  strip "$folder"/{skiff,libskiff_cuda.so,gpu_ops_test}
  for model in "$data"/models/{onnx,small,tflite}/*.{onnx,tflite}; do
    name=$(basename "$model")
    # What is quantised or has open sizes the GPU does not take yet: refused here, by name.
    [[ $model != */small/*.onnx ]] || cp "$model" "$folder/models/"
    build/cuda/skiff-convert "$model" --golden=auto -o "$folder/models/${name%.*}.skiff" \
      > /dev/null 2> "$folder/refused.txt" || {
      echo "left out: $name ($(tail -1 "$folder/refused.txt"))"
      continue
    }
    [ "$(stat -c %s "$model")" -gt 4000000 ] || build/cuda/skiff-convert "$model" --golden=auto \
      --fp16 -o "$folder/models/half/${name%.*}.skiff" > /dev/null || exit
  done
  pack_open "$folder/models/open" "$data/models" 2> "$folder/refused.txt" || cat "$folder/refused.txt"
  rm -f "$folder/refused.txt"
  cp tests/cuda/peers.py "$folder/"
  du -sm "$folder" | awk '{ print $1 " MB"; exit $1 > 60 }' || { echo "more than 60 MB" >&2; exit 1; }
}

models() { ls "$here"/models/*.skiff; }
skiff() { "$here/skiff" "$@"; }

# Every part prints its findings and fails when one is not as expected.
part_doctor() { skiff doctor | tee /dev/stderr | grep '^GPU' | grep -vq 'not used'; }

part_operators() { "$here/gpu_ops_test" --gtest_brief=1; }

part_networks() {
  local model bad=0
  for model in $(models); do
    skiff verify "$model" --device=cuda --strict-gpu || skiff verify "$model" --device=cuda || bad=1
  done
  return $bad
}

tensor_core_layers() { skiff profile "$@" --device=cuda | grep -c '(TC)'; }

part_half() {
  local model bad=0
  for model in "$here"/models/half/*.skiff; do
    skiff verify "$model" --device=cuda --strict-gpu || skiff verify "$model" --device=cuda || bad=1
    echo "$(tensor_core_layers "$model") layers on tensor cores"
    skiff bench "$model" --device=cuda --warmUp=500 --duration=2 --percentile=10,90 || bad=1
  done
  return $bad
}

part_tf32() {
  local model bad=0
  for model in $(models); do
    [ "$(tensor_core_layers "$model")" -eq 0 ] || { echo "$model is rounded without --tf32"; bad=1; }
    echo "$(tensor_core_layers "$model" --tf32) layers on tensor cores"
    skiff verify "$model" --device=cuda --tf32
    skiff bench "$model" --device=cuda --tf32 --warmUp=500 --duration=1 --percentile=10,90 || bad=1
  done
  return $bad
}

used_mib() { nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits | head -1; }

part_memory() {
  local model before during
  for model in $(models); do
    before=$(used_mib)
    skiff bench "$model" --device=cuda --duration=3 > /dev/null &
    sleep 2
    during=$(used_mib)
    wait $! || return
    echo "$(basename "$model"): $((during - before)) MiB on the GPU while it runs, context included;" \
      "predicted $(skiff inspect "$model" --device=cuda --memory --json - | tr -d '\n' |
        sed 's/.*"memory"[^}]*"total": *\([0-9]*\).*/\1/') bytes"
  done
}

# The same inputs must give the same bytes, whatever ran before.
part_repeat() {
  local model first again i
  model=$here/models/mnist.skiff
  skiff bench "$model" --device=cuda --iterations=10000 --duration=0 || return
  first=$(skiff verify "$model" --device=cuda --json - | sha256sum)
  for i in $(seq 20); do
    again=$(skiff verify "$model" --device=cuda --json - | sha256sum)
    [ "$first" = "$again" ] || { echo "run $i differs"; return 1; }
  done
  echo "20 processes agree to the bit"
}

part_sanitizer() {
  local tool bad=0
  command -v compute-sanitizer > /dev/null || { echo "no compute-sanitizer here"; return 1; }
  for tool in memcheck racecheck initcheck; do
    compute-sanitizer --tool "$tool" --error-exitcode 1 "$here/gpu_ops_test" --gtest_brief=1 \
      --gtest_filter='Reduce*:Softmax*:LayerNorm*:GroupNorm*:Pad*:Gather*:Resize*:TopK.E*:ArgReduce*:RoiAlign*' | tail -5 || bad=1
  done
  return $bad
}

part_latency() {
  local model
  for model in $(models); do
    skiff bench "$model" --device=cuda --warmUp=500 --duration=3 --percentile=10,90 || return
  done
}

part_sessions() {
  local count model
  for model in "$here"/models/{mnist,face_detection_short_range,mobilenet_v2_025}.skiff; do
    for count in 1 2 4; do
      skiff bench "$model" --device=cuda --sessions="$count" --duration=3 || return
    done
  done
}

# Open sizes: golden cases at several sizes, each prepared; then the ends of the bounds.
part_sizes() {
  local model bad=0 ends
  for model in "$here"/models/open/*.skiff; do
    skiff verify "$model" --device=cuda --strict-gpu || bad=1
  done
  while read -r model ends; do
    skiff bench "$here/models/open/$model" --device=cuda --duration=1 --shape "$ends" || bad=1
  done < "$here/models/open/ends.txt"
  return $bad
}

median() { sed -n 's/.*"median": *\([0-9.]*\).*/\1/p' | head -1; }
load_ms() { sed -n 's/.*"load_ms": *\([0-9.]*\).*/\1/p' | head -1; }

part_tuning() {
  local model mode cache=$here/results/plans bad=0
  for model in $(models); do
    for mode in off fast full; do
      printf '%s %s: ' "$(basename "$model")" "$mode"
      skiff bench "$model" --device=cuda --tune=$mode --plan-cache="$cache" --duration=1 --json - |
        tee >(median > "$here/results/median") >(load_ms > "$here/results/load") > /dev/null
      echo "median $(cat "$here/results/median") ms, load $(cat "$here/results/load") ms"
    done
    skiff verify "$model" --device=cuda --tune=off --plan-cache="$cache" || bad=1
  done
  head -c 1000 "$cache" > "$cache.damaged"
  for model in $(models); do
    skiff verify "$model" --device=cuda --plan-cache="$cache.damaged" || bad=1
  done
  return $bad
}

# Chains with kernels of their own; the plan cache is one for them alone.
part_chains() {
  local model cache=$here/results/chains bad=0 compiled file
  for model in $(models); do
    compiled=$(skiff profile "$model" --device=cuda --tune=fast --plan-cache="$cache" |
      grep -c 'pointwise chain, compiled')
    [ "$compiled" -gt 0 ] || continue
    printf '%s: %s compiled; median untuned %s ms, tuned %s ms\n' "$(basename "$model")" "$compiled" \
      "$(skiff bench "$model" --device=cuda --duration=1 --json - | median)" \
      "$(skiff bench "$model" --device=cuda --plan-cache="$cache" --duration=1 --json - | median)"
    skiff verify "$model" --device=cuda --plan-cache="$cache" || bad=1
    for file in "$cache.code"/*; do head -c 500 "$file" > "$file.cut" && mv "$file.cut" "$file"; done
    skiff verify "$model" --device=cuda --plan-cache="$cache" || bad=1
  done
  return $bad
}

part_profile() {
  local model
  for model in $(models); do
    echo "-- $(basename "$model")"
    skiff profile "$model" --device=cuda --iterations=100 || return
  done
}

part_cold() {
  local model cache
  for model in $(models); do
    for cache in "$here/results/plans" /nowhere/plans; do
      echo "$(basename "$model") with $cache: $(skiff bench "$model" --device=cuda --warmUp=0 \
        --duration=0 --iterations=1 --plan-cache="$cache" --json - | grep -E 'load_ms|first_run_ms')"
    done
  done
}

# What else is installed here, in the same run.
part_peers() {
  command -v python3 > /dev/null || { echo "no Python here: nothing to compare with"; return 0; }
  python3 "$here/peers.py" "$here/skiff" "$here"/models/*.skiff
}

run() {
  local part code
  mkdir -p "$here/results"
  [ $# -gt 0 ] || set -- "${parts[@]}"
  for part in "$@"; do
    [[ " ${parts[*]} " == *" $part "* ]] || { usage >&2; exit 2; }
    if [ -e "$here/results/$part.good" ]; then echo "== $part: done before"; continue; fi
    echo "== $part"
    export -f skiff models used_mib "part_$part"
    here=$here timeout 480 bash -c "set -o pipefail; part_$part" 2>&1 | tee "$here/results/$part.txt"
    code=${PIPESTATUS[0]}
    echo "== $part: $([ "$code" -eq 0 ] && echo good || echo "NOT as expected ($code)")" |
      tee -a "$here/results/$part.txt"
    [ "$code" -ne 0 ] || touch "$here/results/$part.good"
  done
}

case "${1:-}" in
  pack) [ $# -eq 2 ] || { usage >&2; exit 2; }; pack "$(realpath -m "$2")" ;;
  run) shift; run "$@" ;;
  report) tail -n 1 "$here"/results/*.txt ;;
  *) usage >&2; exit 2 ;;
esac
