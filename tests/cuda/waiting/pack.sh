# shellcheck shell=bash disable=SC2034,SC2154  # they share names
# What is carried to the machine with the GPU. Sourced by on-gpu.sh.
build=$here  # where skiff-convert is
# What networks trained with ImageNet's pictures take off and divide by.
imagenet=('--mean=0.485,0.456,0.406' '--std=0.229,0.224,0.225')

# Networks with open sizes, one file a golden case, and shapes at the ends of their bounds.
pack_open() {
  local folder=$1 models=$2 name model cases golden bounds
  mkdir -p "$folder" || return
  while IFS='|' read -r model cases bounds; do
    name=$(basename "$model" .onnx)
    for golden in "$models"/golden/"$name".$cases.npz; do
      [ -e "$golden" ] || continue
      # shellcheck disable=SC2086  # bounds are words
      "$build/skiff-convert" "$models/$model" $bounds --golden="$golden" \
        -o "$folder/$(basename "$golden" .npz).skiff" > /dev/null || return
    done
  done << 'END'
onnx/ch_PP-OCRv4_det_infer.onnx|*|--dyn x:0=1:1:1 --dyn x:2=320:480:640 --dyn x:3=320:640:640
onnx/ch_PP-OCRv4_rec_infer.onnx|48x160|--dyn x:0=1:1:1 --dyn x:2=48:48:48 --dyn x:3=32:320:640
small/vit_tiny.onnx|*|--dyn x:0=1:1:4
small/convnext_tiny.onnx|*|--dyn input.1:0=1:1:4
END
  for golden in "$folder"/*.skiff; do
    case $(basename "$golden") in
      ch_PP-OCRv4_det*) printf '%s x=1x3x%s\n' "$(basename "$golden")" 320x320 \
        "$(basename "$golden")" 640x640 ;;
      ch_PP-OCRv4_rec*) printf '%s x=1x3x48x%s\n' "$(basename "$golden")" 32 \
        "$(basename "$golden")" 640 ;;
      vit_tiny*) printf '%s x=%sx3x64x64\n' "$(basename "$golden")" 1 "$(basename "$golden")" 4 ;;
    esac
  done > "$folder/ends.txt"
}

# Every network as float32, those below 4 MB in half precision too.
pack_models() {
  local folder=$1 models=$2 model name
  mkdir -p "$folder/half" || return
  for model in "$models"/{onnx,small,tflite}/*.{onnx,tflite}; do
    [ -e "$model" ] || continue
    name=$(basename "$model")
    # What is quantised throughout or has open sizes is refused here, by name.
    "$build/skiff-convert" "$model" --golden=auto -o "$folder/${name%.*}.skiff" \
      > /dev/null 2> "$folder/refused.txt" || {
      echo "left out: $name ($(tail -1 "$folder/refused.txt"))"
      continue
    }
    [ "$(stat -Lc %s "$model")" -gt 4000000 ] || "$build/skiff-convert" "$model" --golden=auto \
      --fp16 -o "$folder/half/${name%.*}.skiff" > /dev/null || return
  done
  rm -f "$folder/refused.txt"
}

# as_integers MODEL SAMPLES FILE [FLAG...]: converts to integers; FILE.products: how many products
# there are that are in no groups and have 8 channels at least, as the converter's graph tells.
as_integers() {
  local graph=$3.graph last
  rm -rf "$graph"
  "$build/skiff-convert" "$1" --int8 --calibrate "$2" --dump-ir "$graph" "${@:4}" -o "$3" || return
  last=$(find "$graph" -type f | sort | tail -n 1)
  awk '$1 == "integer_conv" && !/[{,]groups: / && match($0, /:int8\[[0-9]+[^]]*\] const/) {
      split(substr($0, RSTART + 6), extents, /[],]/)
      if (extents[1] >= 8) ++count
    } END { print count + 0 }' "$last" > "$3.products" && rm -r "$graph"
}

# Trained networks, and some with layers of every kind, by their golden inputs.
pack_int8() {
  local folder=$1 models=$2 model name golden samples
  samples=$(mktemp -d) || return
  mkdir -p "$folder" || return
  for model in onnx/{mnist,FastestDet,version-RFB-320}.onnx \
    tflite/{face_detection_short_range,pretrainedResnet,vww_96_float}.tflite \
    small/{mobilenet_v2_025,regnet_grouped,resnet_bottleneck}.onnx; do
    [ -e "$models/$model" ] || continue
    name=$(basename "${model%.*}")
    rm -f "$samples"/*
    cp "$models/golden/$name".*.npz "$samples/" || return
    golden=$(find "$samples" -name '*.npz' | sort | head -n 1)
    as_integers "$models/$model" "$samples" "$folder/$name.skiff" --golden="$golden" \
      > /dev/null || return
  done
  rm -r "$samples"
}

# Networks that take pictures as they are, beside those of pack_models.
pack_pixels() {
  local folder=$1 models=$2 model name flags
  mkdir -p "$folder/half" || return
  for model in tflite/face_detection_short_range.tflite small/mobilenet_v2_025.onnx; do
    [ -e "$models/$model" ] || continue
    name=$(basename "${model%.*}").skiff
    flags=("${imagenet[@]}")
    [[ $name != face* ]] || flags=('--mean=0.5,0.5,0.5' '--std=0.5,0.5,0.5')
    flags+=(--uint8-input --golden=auto)
    "$build/skiff-convert" "$models/$model" "${flags[@]}" -o "$folder/$name" > /dev/null &&
      "$build/skiff-convert" "$models/$model" "${flags[@]}" --fp16 -o "$folder/half/$name" \
        > /dev/null || return
  done
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
  local programs=(skiff skiff-convert skiff-conformance gpu_ops_test gpu_runs gpu_networks)
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
  pack_models "$folder/models" "$data/models" && pack_open "$folder/models/open" "$data/models" &&
    pack_int8 "$folder/models/int8" "$data/models" &&
    pack_pixels "$folder/models/pixels" "$data/models" && pack_cases "$folder" "$data" || exit
  # Samples for networks that are made there.
  mkdir -p "$folder/pictures" &&
    cp "$data"/media/{cat_224x224.png,street_people.jpg} "$folder/pictures/" || exit
  du -sm "$folder" | awk '{ print $1 " MB"; exit $1 > 60 }' || { echo "more than 60 MB" >&2; exit 1; }
}
