#!/usr/bin/env bash
# The checks of WAITING.md. `pack FOLDER` here, `run [PART...]` and `report` from the folder there.
set -uo pipefail
self=$(realpath "${BASH_SOURCE[0]}")
here=$(dirname "$self")
parts=(doctor operators networks memory repeat sanitizer latency sessions)

usage() { sed -n '2p' "$self" | sed 's/^# //'; echo "parts: ${parts[*]}"; }

pack() {
  local folder=$1 root data model name
  root=$(realpath "$here/../..")
  data=${SKIFF_DATA:-$root/../shared}
  mkdir -p "$folder/models" || exit
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
    build/cuda/skiff-convert "$model" --golden=auto -o "$folder/models/${name%.*}.skiff" \
      > /dev/null 2> "$folder/refused.txt" || echo "left out: $name ($(tail -1 "$folder/refused.txt"))"
  done
  rm -f "$folder/refused.txt"
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
      --gtest_filter='Reduce*:Softmax*:LayerNorm*:GroupNorm*:Pad*:Gather*:Resize*' | tail -5 || bad=1
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
