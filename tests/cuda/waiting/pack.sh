# shellcheck shell=bash disable=SC2034,SC2154  # they share names
# What is carried to the machine with the GPU. Sourced by on-gpu.sh.

# The models that can be converted, and the golden data that
# go with them: all networks that are made of them would take more room than may be carried.
pack_sources() {
  local folder=$1 models=$2 trial=$1/trial.skiff model kind name cases
  for kind in onnx small tflite; do
    mkdir -p "$folder/$kind" || return
    for model in "$models/$kind"/*.{onnx,tflite}; do
      [ -e "$model" ] || continue
      # What is quantised throughout or has open sizes is refused here, by name.
      if "$build/skiff-convert" "$model" -o "$trial" > /dev/null 2> "$trial.txt"; then
        cp -L "$model" "$folder/$kind/" || return
      else
        echo "left out: $(basename "$model") ($(tail -1 "$trial.txt"))"
      fi
    done
  done
  rm -f "$trial" "$trial.txt"
  for model in $(open_files); do
    if [ -e "$models/$model" ] && [ ! -e "$folder/$model" ]; then
      install -D "$models/$model" "$folder/open/$model" || return
    fi
  done
  mkdir -p "$folder/golden" || return
  while IFS='|' read -r model cases; do
    name=$(basename "${model%.*}")
    # shellcheck disable=SC2086  # cases are a pattern
    [ ! -e "$models/$model" ] || cp -L "$models/golden/$name".$cases.npz "$folder/golden/" || return
  done < <(with_golden)
}

# ONNX's core cases in one file: as files of their own they would take three times the room.
pack_cases() {
  local folder=$1 data=$2/conformance cases=$2/conformance/onnx-1.22.0
  [ -d "$cases" ] || { echo "left out: no ONNX cases in $cases"; return; }
  cp "$data/derived/onnx-1.22.0_core_cases.txt" "$folder/cases.txt"
  sed 's|$|/|' "$folder/cases.txt" > "$folder/cases.find"
  (cd "$cases" && find . -type d -name 'test_*' -prune -printf '%P/\n' |
    awk -F/ 'NR == FNR { wanted[$1]; next } $(NF - 1) in wanted' "$folder/cases.find" - |
    tar -czf "$folder/cases.tar.gz" -T -) || return
  rm "$folder/cases.find"
}

# pack FOLDER; SKIFF_BUILD names a build that is there, with its module in SKIFF_CUDA_MODULE.
pack() {
  local folder=$1 data program
  local programs=(skiff skiff-convert skiff-conformance gpu_ops_test gpu_runs gpu_networks) packed=(lib)
  cd "$here/../.." || exit
  data=$(realpath "${SKIFF_DATA:-../shared}") || exit
  build=${SKIFF_BUILD:-build/cuda}
  [ -n "${SKIFF_BUILD:-}" ] || {
    cmake --preset cuda -DSKIFF_TESTS=ON -Wno-dev > /dev/null &&
      cmake --build --preset cuda -j "${SKIFF_JOBS:-$(nproc)}" -- \
        skiff_cli skiff_cuda "${programs[@]:1}" || exit
  }
  mkdir -p "$folder/waiting" || exit
  for program in "${programs[@]}"; do
    cp "$build/$program" "$folder/" && strip "$folder/$program" || exit
  done
  [ -n "${SKIFF_CUDA_MODULE:-}" ] || {
    cp "$build/libskiff_cuda.so" "$folder/" && strip "$folder/libskiff_cuda.so" || exit
  }
  cp "$self" tests/cuda/peers.py "$folder/" && cp "$here"/waiting/*.sh "$folder/waiting/" || exit
  # What the tools are linked with and a bare machine may lack.
  mkdir -p "$folder/lib"
  ldd "$folder"/{skiff,skiff-convert,skiff-conformance} | awk '/libfmt|libprotobuf/ { print $3 }' |
    sort -u | xargs -r cp -Lt "$folder/lib" || exit
  packed+=("${programs[@]}")
  [ ! -e "$folder/libskiff_cuda.so" ] || packed+=(libskiff_cuda.so)
  (cd "$folder" && tar -czf programs.tar.gz "${packed[@]}" && rm -r "${packed[@]}") || exit
  pack_sources "$folder/sources" "$data/models" && pack_cases "$folder" "$data" || exit
  # Samples for networks that are made there.
  mkdir -p "$folder/pictures" &&
    cp "$data"/media/{cat_224x224.png,street_people.jpg} "$folder/pictures/" || exit
  du -sm "$folder" | awk '{ print $1 " MB"; exit $1 > 60 }' || { echo "more than 60 MB" >&2; exit 1; }
}
