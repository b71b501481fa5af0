#!/usr/bin/env bash
# Do the tests of the GPU back end bite? Each line below breaks the module in one place: a barrier is
# deleted, an index shifted, two operations swapped. Some test must fail on every one of them.
# Usage: tests/cuda/mutations.sh BUILD, the folder of a build with the tests (build/cpu).
set -uo pipefail
[ $# -eq 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$(realpath "$1")
cd "$(dirname "$0")/../.." || exit
copy=$build/mutations
mkdir -p "$copy"
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$copy"

# file | what sed does | test program | its tests
mutations=(
  'runtime/cuda/block_reduce.cuh|0,/__syncthreads();$/s/  __syncthreads();$//|cuda_ops_test|Softmax*:LayerNorm*'
  'runtime/ops/reduce_cuda.cu|s/^  __syncthreads();$//|cuda_ops_test|Reduce*'
  'runtime/cuda/window.cuh|s/- w.pad\[i\] + tap/- w.pad[i] + 1 + tap/|cuda_ops_test|Pool*'
  'runtime/cuda/copy.cu|s/read += index \* loop.from/read += index * loop.to/|cuda_ops_test|Transpose*'
  'runtime/ops/gather_cuda.cu|s/index >= s.extent/index > s.extent/|cuda_ops_test|Gather*'
  'runtime/cuda/epilogue.cuh|s/residual\[element\]/residual[channel]/|cuda_ops_test|Conv*'
  'runtime/ops/conv_cudnn_graph_cuda.cpp|s/if (adds_bias) add(result.bias, row);//|cuda_ops_test|Conv*'
  'runtime/ops/conv_cudnn_graph_cuda.cpp|s/g.pad_begin, g.pad_end, g.stride/g.pad_end, g.pad_begin, g.stride/|cuda_ops_test|Conv*'
  'runtime/ops/conv_cudnn_cuda.cpp|s/return engine_.plan.workspace;/return 0;/|cuda_ops_test|Conv*'
  'runtime/ops/conv_mma_cuda.cu|s/^    __syncthreads();.*$//|cuda_ops_test|Conv.Narrow*'
  'runtime/ops/conv_mma_cuda.cu|s/^    wait_copy_groups<kStages - 2>();$//|cuda_ops_test|Conv.Narrow*'
  'runtime/ops/conv_mma_cuda.cu|s/^    wait_copy_groups<kStages - 2>/    wait_copy_groups<kStages - 1>/|cuda_ops_test|Conv.Narrow*'
  'runtime/ops/conv_mma_cuda.cu|s/next % kStages/step % kStages/|cuda_ops_test|Conv.Narrow*'
  'runtime/ops/conv_mma_cuda.cu|s/lane % 16\]\[k/lane % 8][k/|cuda_ops_test|Conv.Narrow*'
  'runtime/ops/conv_mma_cuda.cu|s/place >= 0 \&\& place < w.in/place < w.in/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/cublaslt/matmul.cpp|s/MATMUL_DESC_TRANSA, turned(p.transpose_b)/MATMUL_DESC_TRANSA, turned(p.transpose_a)/|cuda_ops_test|MatMul*'
  'runtime/cuda/module.cpp|s/latch(kind == SKIFF_MEMORY_DEVICE/if (kind != SKIFF_MEMORY_DEVICE) latch(kind == SKIFF_MEMORY_DEVICE/|cuda_faults_test|*'
  'runtime/cuda/program.cpp|s/static_cast<void>(cudaStreamEndCapture(device_.stream(), graph.out()));//|cuda_faults_test|*'
)

cmake -S "$copy" -B "$copy/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSKIFF_CUDA=OFF \
  -DSKIFF_TESTS=ON -Wno-dev > /dev/null || exit
survived=0
for mutation in "${mutations[@]}"; do
  IFS='|' read -r file change program filter <<< "$mutation"
  sed "$change" "$file" > "$copy/$file"
  if cmp -s "$file" "$copy/$file"; then
    echo "STALE     $file: nothing matches $change"
    survived=$((survived + 1))
  elif ! ninja -C "$copy/build" skiff_cuda_emulated > "$copy/log.txt" 2>&1; then
    tail -5 "$copy/log.txt"
    echo "BROKEN    $file: $change"
    survived=$((survived + 1))
  elif SKIFF_CUDA_MODULE=$copy/build/tests/cuda/libraries/libskiff_cuda.so timeout 300 \
    "$build/$program" --gtest_brief=1 --gtest_filter="$filter" > "$copy/log.txt" 2>&1; then
    echo "SURVIVED  $file: $change"
    survived=$((survived + 1))
  else
    echo "killed    $file: $change"
  fi
  cp "$file" "$copy/$file"
done
echo "$((${#mutations[@]} - survived)) of ${#mutations[@]} mutations killed"
[ "$survived" -eq 0 ]
