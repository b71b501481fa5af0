#!/usr/bin/env bash
# Does on-gpu.sh say good and bad where it should? Every part with programs that answer as they would
# on a GPU (waiting/stub), as they are and with one fault each; then what needs no clock with the
# programs of BUILD on CUDA's doubles. Usage: tests/cuda/on_gpu_test.sh BUILD [stub|double]
set -uo pipefail
build=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
data=${SKIFF_DATA:-$here/../../../shared}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
unset GTEST_TOTAL_SHARDS GTEST_SHARD_INDEX SKIFF_LONG  # what the programs find is not in question

# expect CODE PART WHAT: what `run PART` must exit with.
expect() {
  local code printed
  rm -rf "$folder/carried/results/$2"
  printed=$(cd / && PATH=$folder/bin:$PATH "$folder/carried/on-gpu.sh" run "$2" 2>&1)
  code=$?
  [ "$code" -eq "$1" ] && return
  echo "FAILED: part $2 exits with $code, not $1: $3"
  tail -n 25 <<< "$printed"
  failed=1
}

# --- With stubs.
stubs() {
  local carried=$folder/carried name
  mkdir -p "$carried"/{waiting,models/{half,open,int8,pixels/half}} "$folder/bin"
  cp "$here/on-gpu.sh" "$carried/" && cp "$here"/waiting/*.sh "$carried/waiting/"
  touch "$carried"/models/{mnist,face_detection_short_range,mobilenet_v2_025}.skiff \
    "$carried"/models/{half,open}/vit_tiny.skiff "$carried"/models/int8/mnist.skiff \
    "$carried"/models/pixels/{,half/}mobilenet_v2_025.skiff
  echo 1 > "$carried/models/int8/mnist.skiff.products"
  echo 'vit_tiny.skiff x=1x3x32x32' > "$carried/models/open/ends.txt"
  seq -f 'test_%g' 40 > "$carried/cases.txt"
  (cd "$carried" && tar -czf cases.tar.gz cases.txt)
  for name in skiff skiff-convert skiff-conformance gpu_ops_test gpu_runs gpu_networks; do
    ln -s "$here/waiting/stub/program" "$carried/$name"
  done
  for name in nvidia-smi compute-sanitizer python3; do
    ln -s "$here/waiting/stub/program" "$folder/bin/$name"
  done
  export SKIFF_SHARDS=2
}

# part | program | what sed makes of its answers, or "exit"
faults='doctor|skiff|s/Stub.*/not used: there is no NVIDIA driver/
doctor|skiff|/GPU/d
operators|gpu_ops_test|exit
operators|gpu_ops_test|s/9 tests/0 tests/
conformance|skiff-conformance|exit
conformance|skiff-conformance|s/0 failed/1 failed/
conformance|skiff-conformance|s/^[0-9]* with/0 with/
conformance|skiff-conformance|s/^[0-9]* passed/3 passed/
networks|skiff|exit
half|skiff|s/true/false/
half|skiff|exit
tf32|skiff|s/false/true/
tf32|skiff|s/true/false/
tf32|skiff|s/0.001/0.01/
tf32|skiff|s/0.001/null/
tf32|skiff|/relative_l2/d
memory|gpu_runs|s/"device_bytes": 67108864/"device_bytes": 67108863/
memory|gpu_runs|s/"device_[a-z]*": 67108864/"device_bytes": 99999999/
memory|gpu_runs|/device_predicted/d
memory|skiff|s/419430400/519430400/
memory|skiff|s/419430400/319430400/
memory|skiff|/context/d
memory|nvidia-smi|s/.*/500/
memory|nvidia-smi|s/^964$/1500/
memory|nvidia-smi|s/^964$/920/
repeat|gpu_runs|s/"differing": 0/"differing": 1/
repeat|gpu_runs|exit
allocations|gpu_runs|s/"allocations_running": 0/"allocations_running": 1/
allocations|gpu_runs|s/"free_after": 9/"free_after": 8/
allocations|gpu_runs|/output_bytes/d
sanitizer|compute-sanitizer|exit
sanitizer|gpu_ops_test|s/9 tests/0 tests/
sizes|skiff|exit
sizes|skiff|/arena/d
streams|gpu_runs|exit
streams|gpu_runs|s/"differing": 0/"differing": 1/
streams|gpu_runs|s/"allocations_running": 0/"allocations_running": 1/
streams|gpu_runs|/output_bytes/d
latency|skiff|s/"p90": 0.104/"p90": 0.106/
latency|skiff|/median/d
latency|skiff|s/"device": "cuda"/"device": "cpu"/
sessions|skiff|s/: 1500/: 900/
sessions|gpu_runs|s/"differing": 0/"differing": 2/
roofline|skiff|/"bytes"/d
roofline|gpu_runs|/gbyte_per_s/d
roofline|skiff|s/"bytes": 30000000/"bytes": 300000000000/
named|skiff|s/"median": 0.1/"median": 0.7/
named|skiff|s/right on cuda/WRONG/;s/"median": 0.1/"median": null/
named|gpu_networks|exit
named|skiff-convert|exit
tuning|skiff|/load_ms/d
tuning|skiff|/median/d
chains|skiff|s/, NVRTC//
chains|skiff|/median/d
int8|skiff|exit
int8|skiff|s/"tensor_cores": true/"tensor_cores": false/
int8|skiff|s/"tensor_cores": false/"tensor_cores": true/
int8|skiff|/relative_l2/d
int8|skiff|/median/d
int8|skiff|s/"device": "cuda"/"device": "cpu"/
int8|gpu_networks|exit
int8|skiff-convert|exit
pictures|skiff|exit
pictures|skiff|/"median"/d
pictures|skiff|/device_arena/d
pictures|skiff|s/conv"/pool"/
pictures|skiff|s/"device": "cuda"/"device": "cpu"/
pictures|gpu_networks|exit
pictures|skiff-convert|exit
profile|skiff|exit
profile|skiff|s/cuda/cpu/
cold|skiff|/first_run_ms/d
latency|skiff|/first_run_ms/d
cold|skiff|s/"device": "cuda"/"device": "cpu"/
peers|python3|exit
peers|gpu_networks|exit'

with_stubs() {
  local part program fault name
  stubs
  # shellcheck source=/dev/null
  parts=$(sed -n '/^parts=(/,/)/p' "$here/waiting/parts.sh" | tr -d '()' | sed 's/parts=//')
  parts=${parts/prepare/}
  for part in $parts; do
    expect 0 "$part" "nothing is wrong"
    grep -q "^$part|" <<< "$faults" || { echo "FAILED: no fault for part $part"; failed=1; }
  done
  while IFS='|' read -r part program fault; do
    export FAULT_OF=$program FAULT=$fault FAULT_CODE=0
    [ "$fault" != exit ] || export FAULT='' FAULT_CODE=1
    rm -rf "$folder"/carried/{models/named,results/notes}
    expect 1 "$part" "$program with '$fault'"
  done <<< "$faults"
  unset FAULT_OF FAULT FAULT_CODE
  LAST=2 expect 1 repeat "the last run wrote other bytes"
  # What a run that slows down, loads slowly or grows looks like.
  slower 'tuning' '*--tune=full*' 's/"median": 0.1/"median": 0.2/'
  slower 'tuning' '*--tune=off*--plan-cache*' 's/"load_ms": 20/"load_ms": 28/'
  slower 'tuning' 'verify*.damaged*' 's/right on cuda/right on avx2/' 1
  slower 'chains' 'bench*--plan-cache*' 's/"median": 0.1/"median": 0.2/'
  slower 'int8' 'bench*--tune=full*' 's/"median": 0.1/"median": 0.2/'
  slower 'int8' 'verify*--device=cuda*--json*' 's/0.001/0.0021/'
  slower 'int8' 'verify*--plan-cache*--json*' 's/0.001/0.0021/'
  slower 'int8' 'verify*--strict-gpu*--plan-cache*' '' 1
  slower 'pictures' 'bench*pixels*' 's/"median": 0.1/"median": 0.103/'
  slower 'pictures' 'bench*pixels*' 's/"device_arena": 4096/"device_arena": 4097/'
  slower 'pictures' 'verify*--strict-gpu*--plan-cache*' '' 1
  slower 'sizes' '*--shape*' 's/"arena": 4096/"arena": 8192/'
  slower 'networks' '*--strict-gpu*' '' 1
  recorded
  rm -rf "$folder/carried/results"
  # A program that is not there fails every part that needs it.
  for part in $parts; do
    for name in skiff gpu_runs gpu_ops_test skiff-conformance gpu_networks; do
      mv "$folder/carried/$name" "$folder/"
    done
    rm -rf "$folder"/carried/{models/named,results}
    expect 1 "$part" "no program is there"
    for name in skiff gpu_runs gpu_ops_test skiff-conformance gpu_networks; do
      mv "$folder/$name" "$folder/carried/"
    done
  done
  resumed
  prepared
}

# The networks are made anew, and all of them.
prepared() {
  local carried=$folder/carried kind
  rm -rf "$carried/models"
  expect 1 prepare "no models were carried"
  mkdir -p "$carried"/sources/{onnx,small,tflite,golden,open/onnx}
  touch "$carried"/sources/{small/{vit_tiny,mobilenet_v2_025}.onnx,open/onnx/ch_PP-OCRv4_det_infer.onnx,tflite/face_detection_short_range.tflite} \
    "$carried"/sources/golden/{vit_tiny,ch_PP-OCRv4_det_infer,mobilenet_v2_025,face_detection_short_range}.cat.npz
  (cd "$carried" && tar -czf programs.tar.gz skiff skiff-convert)
  expect 0 prepare "all is there"
  for kind in '' half/ pixels/ pixels/half/ int8/; do
    [ -s "$carried/models/${kind}mobilenet_v2_025.skiff" ] || { echo "FAILED: no $kind"; failed=1; }
  done
  if [ "$(cat "$carried/models/int8/mobilenet_v2_025.skiff.products")" != 1 ] ||
    [ ! -s "$carried/models/open/vit_tiny.cat.skiff" ] ||
    [ ! -s "$carried/models/open/ch_PP-OCRv4_det_infer.cat.skiff" ] ||
    ! grep -q '^vit_tiny' "$carried/models/open/ends.txt"; then
    echo "FAILED: prepare"
    failed=1
  fi
  FAULT_OF=skiff-convert FAULT_CODE=1 expect 1 prepare "skiff-convert fails"
  rm "$carried/programs.tar.gz"
  expect 1 prepare "no programs were carried"
}

# slower PART PATTERN SED [CODE]: only calls of skiff with such arguments are bad.
slower() {
  local carried=$folder/carried
  mv "$carried/skiff" "$carried/real"
  cat > "$carried/skiff" << END
#!/usr/bin/env bash
export FAULT_OF=skiff
case "\$*" in
  $2) export FAULT='$3' FAULT_CODE=${4:-0} ;;
esac
exec -a skiff bash "$folder/skiff" "\$@"
END
  chmod +x "$carried/skiff"
  cp "$here/waiting/stub/program" "$folder/skiff"
  expect 1 "$1" "calls like $2 with '$3'"
  rm "$folder/skiff"
  mv "$carried/real" "$carried/skiff"
}

# says PART TEXT: what a part that is good must have written down.
says() {
  expect 0 "$1" "it only records"
  grep -rqF -- "$2" "$folder/carried/results/$1" || { echo "FAILED: part $1 has no '$2'"; failed=1; }
}
# What is not judged is said.
recorded() {
  says int8 'on tensor cores: 0.05 ms, as fp16 0.1 ms: 0.7 of it is met (ratio 0.5)'
  FAULT_OF=skiff FAULT='s/"ms": 0.05/"ms": 0.071/' says int8 '0.7 of it is missed (ratio 0.71)'
  says int8 'in groups or of few channels: 1, 0.1 ms; as fp16 0.1 ms'
  says pictures 'to its first convolution: 0.1 ms in 1 steps, pixel_conv cuda 0.1 false|stem of uint8'
  says pictures 'to its first convolution: 0.1 ms in 1 steps, conv cuda 0.1 true|cuDNN 1, fused'
}

# A part that has no time left goes on with what is open, and does nothing twice.
resumed() {
  local results=$folder/carried/results/latency
  rm -rf "$results"
  SKIFF_PART_SECONDS=0 expect 75 latency "there is no time"
  expect 0 latency "there is time again"
  touch -d @0 "$results"/*.txt
  "$folder/carried/on-gpu.sh" run latency > /dev/null || { echo "FAILED: run again"; failed=1; }
  [ -z "$(find "$results" -name '*.txt' -newermt @1)" ] || { echo "FAILED: done twice"; failed=1; }
  grep -q '^latency: 4 of 4 good, 0 not' <<< "$("$folder/carried/on-gpu.sh" report)" ||
    { echo "FAILED: report"; failed=1; }
}

# --- With the programs themselves on the doubles.
with_doubles() {
  local some=$folder/data name part
  [ -e "$data/models/onnx/mnist.onnx" ] || { echo "SKIPPED: no shared data (set SKIFF_DATA)"; exit; }
  mkdir -p "$some"/models/{onnx,small,tflite,golden} "$some"/media "$some"/conformance/{derived,onnx-1.22.0/node} \
    "$folder"/{bin,programs}
  for name in onnx/mnist.onnx small/vit_tiny.onnx tflite/trained_lstm.tflite \
    small/mobilenet_v2_025.onnx golden/{vit_tiny.random,mnist.nine,mobilenet_v2_025.random}.npz; do
    ln -s "$(realpath "$data/models/$name")" "$some/models/$name"
  done
  for name in cat_224x224.png street_people.jpg; do
    ln -s "$(realpath "$data/media/$name")" "$some/media/$name"
  done
  for name in test_abs test_add test_relu test_softmax_axis_1; do
    cp -r "$data/conformance/onnx-1.22.0/node/$name" "$some/conformance/onnx-1.22.0/node/"
    echo "$name" >> "$some/conformance/derived/onnx-1.22.0_core_cases.txt"
  done
  for name in skiff skiff-convert skiff-conformance gpu_runs gpu_networks; do
    ln -s "$build/$name" "$folder/programs/"
  done
  ln -s "$build/cuda_ops_test" "$folder/programs/gpu_ops_test"
  for name in nvidia-smi compute-sanitizer; do
    ln -s "$here/waiting/stub/program" "$folder/bin/$name"
  done
  export SKIFF_CUDA_MODULE=$build/tests/cuda/libraries/libskiff_cuda.so GTEST_FILTER='Softmax.E*:Relu*:ArgR*'
  export SKIFF_SHARDS=2 SKIFF_REPEATS=100 SKIFF_RUNS=10 SKIFF_BENCH_SECONDS=0 SKIFF_COPY_MIB=1
  export SKIFF_SLOWER=1000 SKIFF_LARGE='' SKIFF_TUNE=fast
  SKIFF_BUILD=$folder/programs SKIFF_DATA=$some "$here/on-gpu.sh" pack "$folder/carried" \
    > "$folder/pack.txt" 2>&1 || { cat "$folder/pack.txt"; failed=1; }
  expect 0 prepare "all was packed"
  # Nobody knows what nvidia-smi would say of them, nor what time they take.
  for part in doctor operators conformance networks half tf32 repeat allocations sanitizer sizes \
    streams roofline int8 pictures profile cold; do
    expect 0 "$part" "on the doubles"
  done
  for part in doctor operators conformance networks half tf32 memory repeat allocations sanitizer \
    sizes streams roofline int8 pictures profile cold; do
    SKIFF_CUDA_MODULE=/nowhere expect 1 "$part" "there is no GPU"
  done
  for part in repeat allocations; do
    LD_PRELOAD=$build/tests/cuda/broken/libcuda_unsteady.so expect 1 "$part" "runs disturb"
  done
  LD_PRELOAD=$build/tests/cuda/broken/libcuda_hasty.so expect 1 streams "runs do not wait"
}

[ "${2:-stub}" = stub ] || { with_doubles; exit $failed; }
with_stubs
exit $failed
