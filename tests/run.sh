#!/usr/bin/env bash
# Installs what is missing, builds, runs the tests. The last line is 'N passed, M failed, K skipped'.
#
#   tests/run.sh          Release build, all tests but the long ones
#   tests/run.sh --all    and the long ones, ASan+UBSan, TSan, clang-format, a minute of fuzzing, and
#                         the kernels on arm64 (qemu), the GPU module with nvcc where there is one;
#                         warnings are errors
#
# SKIFF_JOBS=n       parallel jobs (default: as many as CPUs)
# SKIFF_SKIP="..."   stages to leave out: release format asan tsan fuzz aarch64 cuda; each counts as skipped
# SKIFF_FUZZ_SECONDS=n   for all fuzzers together (default 60)
set -uo pipefail
cd "$(dirname "$0")/.." || exit

all=
for argument in "$@"; do
  case "$argument" in
    --all) all=ON ;;
    -h|--help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option '$argument' (--all)" >&2; exit 2 ;;
  esac
done
jobs=${SKIFF_JOBS:-$(nproc)}
passed=0 failed=0 skipped=0

add() { passed=$((passed + $1)); failed=$((failed + $2)); skipped=$((skipped + $3)); }

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

# stage NAME WHAT: runs stage_NAME, says what it is and how long it took.
stage() {
  echo
  echo "== $1: $2"
  if [[ " ${SKIFF_SKIP:-} " == *" $1 "* ]]; then
    echo "== $1: left out by SKIFF_SKIP"
    add 0 0 1
    return
  fi
  local begin=$SECONDS
  "stage_$1" || echo "== $1: FAILED"
  echo "== $1: $((SECONDS - begin)) s"
}

# A step that is no test itself: says so and counts as one failed test when it fails.
step() {
  "$@" && return
  echo "FAILED: $*" >&2
  add 0 1 0
  return 1
}

configure() { step cmake --preset "$1" "${@:2}" -Wno-dev; }
build() { step cmake --build --preset "$1" -j "$jobs" -- "${@:2}"; }

# run_ctest PRESET [arguments]: adds what the tests count.
run_ctest() {
  local folder="build/$1" printed code good bad left
  printed=$(mktemp)
  rm -f "$folder/Testing/Temporary/LastTest.log"
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$jobs" "${@:2}" 2>&1 |
    tee "$printed"
  code=$?
  read -r good bad left < <(awk -f tests/count_results.awk "$printed" \
    "$folder/Testing/Temporary/LastTest.log")
  rm -f "$printed"
  [ "$code" -eq 0 ] || [ "${bad:-0}" -gt 0 ] || bad=1
  echo "-- $folder: ${good:=0} passed, ${bad:=0} failed, ${left:=0} skipped"
  add "$good" "$bad" "$left"
  [ "$bad" -eq 0 ]
}

# The first thing a new user does. What it downloads, the tests of the samples use as well.
try_quickstart() {
  if samples/quickstart.sh; then
    add 1 0 0
  elif [ -f .cache/astronaut.png ]; then
    step false "samples/quickstart.sh"
  else
    echo "nothing can be downloaded: left out"
    add 0 0 1
  fi
}

stage_release() {
  # The quick start configures the same folder without tests.
  configure cpu -DSKIFF_TESTS=ON -DSKIFF_WERROR="${all:-OFF}" &&
    build cpu all ${all:+kernels_bench} || return
  [ -z "$all" ] || try_quickstart
  run_ctest cpu
}

stage_format() {
  local wrong
  wrong=$(git ls-files -z '*.cpp' '*.h' '*.cu' '*.cuh' | xargs -0 clang-format-14 --dry-run 2>&1)
  if [ -n "$wrong" ]; then
    echo "$wrong" | grep 'warning:\|error' | cut -d: -f1 | sort | uniq -c
    echo "not formatted; run: git ls-files '*.cpp' '*.h' | xargs clang-format-14 -i"
    add 0 1 0
    return 1
  fi
  add 1 0 0
}

stage_asan() {
  # Leaks of a run are faults too; the allocator may refuse what a hostile file asks for.
  export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1
  export UBSAN_OPTIONS=print_stacktrace=1
  configure asan && build asan skiff_tests_sanitize && run_ctest asan -L '^sanitize$'
}

stage_tsan() { configure tsan && build tsan skiff_tests_threads && run_ctest tsan -L '^threads$'; }

# Each tests/fuzz/fuzz_NAME.cpp is a fuzzer and a target of that name, built beside the tests of the
# asan stage; the target make_seeds writes their first inputs into FOLDER/fuzz_NAME.
stage_fuzz() {
  local sources=(tests/fuzz/fuzz_*.cpp) targets=() source target code=0
  local folder=build/asan corpus=build/asan/corpus
  for source in "${sources[@]}"; do targets+=("$(basename "$source" .cpp)"); done
  configure asan && build asan "${targets[@]}" make_seeds || return
  for target in "${targets[@]}"; do mkdir -p "$corpus/$target"; done
  step "$folder/make_seeds" "$corpus" || return
  local each=$((${SKIFF_FUZZ_SECONDS:-60} / ${#targets[@]}))
  for target in "${targets[@]}"; do
    echo "-- $target: $each s, $(find "$corpus/$target" -type f | wc -l) inputs to start from"
    if "$folder/$target" -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$folder/$target-" "$corpus/$target"; then
      add 1 0 0
    else
      echo "FAILED $target: the input lies beside $folder/$target" >&2
      add 0 1 0
      code=1
    fi
  done
  return "$code"
}

# The oldest board's processor and one with half-precision and dot-product instructions.
stage_aarch64() {
  local code=0 cpu newer=cortex-a76
  toolchains/arm64-libraries.sh build/arm64-libraries || {
    echo "no arm64 zlib: the device tool is not built"
    add 0 0 1
  }
  [[ $(qemu-aarch64 -cpu help) == *"$newer"* ]] || newer=max  # qemu before 7.1 does not know it
  configure aarch64 && build aarch64 skiff_tests_qemu || return
  for cpu in cortex-a57 $newer; do
    echo "-- $cpu"
    QEMU_CPU=$cpu run_ctest aarch64 -L '^qemu$' || code=1
  done
  return "$code"
}

# What the tests of the GPU back end cannot show: that nvcc takes the kernels, for every GPU they are
# meant for, and that the module says on this machine what it lacks, or works.
stage_cuda() {
  local nvcc code
  # Headers of another generation of CUDA, and the cuDNN of another processor, where they can be had.
  if toolchains/cuda-packages.sh --jetpack6 build/jetpack6; then
    step tests/cuda/jetpack6.sh build/jetpack6/toolkit build/cpu && add 1 0 0
  else
    echo "JetPack 6's headers cannot be had: left out"
    add 0 0 1
  fi
  tests/cuda/thor-support.sh build/cpu
  code=$?
  case $code in
    0) add 1 0 0 ;;
    77) add 0 0 1 ;;
    *) step false "cuDNN on Thor" ;;
  esac
  # And that the tests notice when the module is wrong. (All the defects take most of an hour.)
  if [ -x build/cpu/cuda_ops_test ] && step tests/cuda/mutations.sh --sample build/cpu; then
    add 1 0 0
  fi
  nvcc=$(command -v nvcc || ls "${CUDA_PATH:-/usr/local/cuda}/bin/nvcc" 2> /dev/null) || true
  if [ -z "$nvcc" ]; then
    echo "no nvcc, and NVIDIA's packages cannot be had: the GPU module is SKIPPED"
    add 0 0 1
    return
  fi
  CUDACXX=$nvcc configure cuda -DSKIFF_TESTS=OFF -DSKIFF_SAMPLES=OFF -DSKIFF_CONVERTERS=OFF \
    -DSKIFF_WERROR=ON && build cuda skiff_cuda skiff_cli || return
  local said
  said=$(build/cuda/skiff doctor | grep '^GPU')
  echo "$said"
  case "$said" in
    *"is not installed"* | *"cannot be loaded"*) step false "the module does not load" ;;
    *) add 1 0 0 ;;
  esac
}

# Where no toolkit is installed the packages give one: headers for the doubles, nvcc for the module.
bring_cuda() {
  local folder=build/cuda-toolkit
  command -v nvcc > /dev/null || [ -x "${CUDA_PATH:-/usr/local/cuda}/bin/nvcc" ] && return
  toolchains/cuda-packages.sh "$folder" || { echo "no CUDA toolkit can be had"; return; }
  CUDA_PATH=$(realpath "$folder/toolkit")
  export CUDA_PATH
}

echo "== what is missing"
step toolchains/install-deps.sh ${all:+--cross} --tests || finish
[ -z "$all" ] || export SKIFF_LONG=1
[ -z "$all" ] || [[ " ${SKIFF_SKIP:-} " == *" cuda "* ]] || bring_cuda

stage release "Release build, all tests"
if [ -n "$all" ]; then
  stage format "clang-format 14"
  stage asan "AddressSanitizer and UndefinedBehaviorSanitizer"
  stage tsan "ThreadSanitizer"
  stage fuzz "fuzzers"
  stage aarch64 "arm64 under qemu"
  stage cuda "the GPU module with nvcc"
fi
echo
finish
