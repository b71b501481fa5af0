#!/usr/bin/env bash
# Compiles the GPU module against the headers of JetPack 6 (CUDA 12.6, cuDNN 9.3), kernels included,
# without producing anything. Usage: tests/cuda/jetpack6.sh TOOLKIT BUILD, with TOOLKIT as
# toolchains/cuda-packages.sh --jetpack6 makes it and the folder of a build (build/cpu).
set -uo pipefail
[ $# -eq 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
toolkit=$(realpath "$1") build=$(realpath "$2")
cd "$(dirname "$0")/../.." || exit
failed=0
compile() {
  g++ -std=c++20 -fsyntax-only -Wall -Wextra -Werror -isystem "$toolkit/include" \
    -isystem "$build/schema/include" -I "$build/runtime/cuda/include" -I. -Iruntime/include "$@" ||
    { echo "FAILED: ${*: -1}" >&2; failed=1; }
}
for source in runtime/cuda/*.cpp runtime/cuda/*/*.cpp runtime/ops/*_cuda.cpp; do
  compile -Iruntime/cuda/portable "$source"
done
for source in runtime/cuda/*.cu runtime/ops/*_cuda.cu; do
  compile -Itests/cuda/emulation/portable -include tests/cuda/emulation/host_cuda.h \
    -Wno-unknown-pragmas -x c++ "$source"
done
exit $failed
