#!/usr/bin/env bash
# Does cuDNN have engines for the convolutions of all networks on Thor (sm_110)? Only its arm64 build
# knows: it is asked under qemu, without a GPU. The packages are fetched once, into BUILD.
# Usage: tests/cuda/thor-support.sh BUILD, where cuda_support_test left convolutions.txt.
# Exits with 77, and says why, when it cannot ask.
set -uo pipefail
[ $# -eq 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$(realpath "$1")
cd "$(dirname "$0")/../.." || exit
skip() { echo "skipped: $*"; exit 77; }

plans=$build/tests/cuda/convolutions.txt
[ -s "$plans" ] || skip "no $plans: cuda_support_test has not run, or found no shared data"
command -v qemu-aarch64 > /dev/null || skip "no qemu-aarch64"
command -v aarch64-linux-gnu-g++ > /dev/null || skip "no aarch64-linux-gnu-g++"
headers=${CUDA_PATH:-/usr/local/cuda}/include  # no processor's own
[ -e "$headers/cublasLt.h" ] || skip "no CUDA headers in $headers"
toolkit=$build/cuda-arm64
toolchains/cuda-packages.sh --arm64 "$toolkit" || skip "the packages cannot be had"
toolchains/arm64-libraries.sh "$toolkit/system" || skip "no arm64 zlib"

asker=$toolkit/support_thor
json=$(dirname "$(dirname "$(find /usr/include /usr/local/include -name json.hpp -path '*nlohmann*' | head -1)")")
# Of what reads nodes nothing is needed, nor its rules: left out by the linker.
aarch64-linux-gnu-g++ -std=c++20 -O1 -w -ffunction-sections -Wl,--gc-sections -idirafter "$json" -I. -Iruntime/include \
  -isystem "$toolkit/toolkit/include" -idirafter "$headers" -isystem "$build/schema/include" -idirafter /usr/include \
  tests/cuda/support_thor.cpp tests/cuda/support_plans.cpp tests/cuda/described_device.cpp \
  runtime/cuda/check.cpp runtime/cuda/cudnn/graph.cpp runtime/cuda/cudnn/plan.cpp \
  runtime/ops/conv_cudnn_graph_cuda.cpp runtime/ops/conv_plan_cuda.cpp runtime/core/error.cpp \
  "$toolkit"/toolkit/lib/libcudart.so.13 "$toolkit"/toolkit/lib/libcudnn.so.9 \
  -Wl,--allow-shlib-undefined -o "$asker" || exit 1
QEMU_LD_PREFIX=/usr/aarch64-linux-gnu qemu-aarch64 \
  -E LD_LIBRARY_PATH="$toolkit/toolkit/lib:$(dirname "$(find "$toolkit/system" -name 'libz.so.1' | head -1)")" \
  "$asker" "$plans"
