#!/usr/bin/env bash
# A CUDA toolkit without root, from NVIDIA's packages in the Python registry (proprietary: look at
# their licences; never commit them). Needs python3 with pip, and unzip.
#
#   toolchains/cuda-packages.sh FOLDER             CUDA 13.0 with nvcc, cuDNN 9.19: builds the module
#   toolchains/cuda-packages.sh --jetpack6 FOLDER  headers of CUDA 12.6 and cuDNN 9.3, as JetPack 6 has
#   toolchains/cuda-packages.sh --arm64 FOLDER     CUDA 13.0's runtime, cuBLAS, cuDNN 9.19 for arm64
#
# Can be repeated; prints how to configure with it.
set -euo pipefail

jetpack6= arm64=
folder=
for argument in "$@"; do
  case "$argument" in
    --jetpack6) jetpack6=1 ;;
    --arm64) arm64=1 ;;
    -h|--help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "cuda-packages.sh: unknown option '$argument' (--jetpack6, --arm64)" >&2; exit 2 ;;
    *) folder=$argument ;;
  esac
done
[ -n "$folder" ] || { echo "usage: cuda-packages.sh [--jetpack6|--arm64] FOLDER" >&2; exit 2; }

if [ -n "$jetpack6" ]; then
  packages=(nvidia-cuda-runtime-cu12==12.6.77 nvidia-cuda-nvcc-cu12==12.6.85
    nvidia-cuda-cccl-cu12==12.6.77 nvidia-cublas-cu12==12.6.4.1 nvidia-cudnn-cu12==9.3.0.75)
  wanted='*/include/*'
elif [ -n "$arm64" ]; then
  packages=(nvidia-cuda-runtime==13.0.96 nvidia-cublas==13.1.0.3 nvidia-cudnn-cu13==9.19.1.2)
  wanted='nvidia/*'
else
  packages=(nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88
    nvidia-cuda-cccl==13.0.85 nvidia-cuda-runtime==13.0.96 nvidia-cublas==13.1.0.3
    nvidia-cudnn-cu13==9.19.0.56)
  wanted='nvidia/*'
fi

machine=${arm64:+aarch64}
: "${machine:=$(uname -m)}"
mkdir -p "$folder/wheels" "$folder/toolkit"
for package in "${packages[@]}"; do
  name=${package%%==*}
  if compgen -G "$folder/wheels/${name//-/_}-*.done" > /dev/null; then continue; fi
  echo "-- $package"
  python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$folder/wheels" \
    --platform "manylinux2014_$machine" --platform "manylinux_2_17_$machine" \
    --platform "manylinux_2_27_$machine" "$package"
  wheel=$(ls "$folder/wheels/${name//-/_}"-*.whl)
  unzip -qo "$wheel" "$wanted" -d "$folder/wheels/unpacked"
  rm "$wheel"
  touch "$wheel.done"
done
# One tree, as an installed toolkit has it.
for part in "$folder"/wheels/unpacked/nvidia/*/; do cp -a "$part/." "$folder/toolkit/"; done
find "$folder/toolkit" -path '*/bin/*' -type f -exec chmod +x {} +
for library in "$folder"/toolkit/lib/lib*.so.*; do
  [ -e "$library" ] && ln -sf "$(basename "$library")" "${library%%.so.*}.so"
done
echo "CUDA_PATH=$(realpath "$folder/toolkit")${jetpack6:+   (headers only)}"
[ -n "$jetpack6$arm64" ] ||
  echo "configure with: CUDA_PATH=\$CUDA_PATH CUDACXX=\$CUDA_PATH/bin/nvcc cmake --preset cuda"
