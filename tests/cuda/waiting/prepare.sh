# shellcheck shell=bash disable=SC2034,SC2154  # they share names
# The part that makes networks of the models that were carried: prepare. Sourced by on-gpu.sh.

# What networks trained with ImageNet's pictures take off and divide by.
imagenet=('--mean=0.485,0.456,0.406' '--std=0.229,0.224,0.225')
# Model, golden cases, bounds.
open_models='onnx/ch_PP-OCRv4_det_infer.onnx|*|--dyn x:0=1:1:1 --dyn x:2=320:480:640 --dyn x:3=320:640:640
onnx/ch_PP-OCRv4_rec_infer.onnx|48x160|--dyn x:0=1:1:1 --dyn x:2=48:48:48 --dyn x:3=32:320:640
small/vit_tiny.onnx|*|--dyn x:0=1:1:4
small/convnext_tiny.onnx|*|--dyn input.1:0=1:1:4'
# Trained networks, and some with layers of every kind.
integer_models=(onnx/{mnist,FastestDet,version-RFB-320}.onnx
  tflite/{face_detection_short_range,pretrainedResnet,vww_96_float}.tflite
  small/{mobilenet_v2_025,regnet_grouped,resnet_bottleneck}.onnx)
open_files() { cut -d '|' -f 1 <<< "$open_models"; }
# MODEL|CASES of golden data that are converted with their models.
with_golden() {
  cut -d '|' -f 1,2 <<< "$open_models"
  printf '%s|*\n' "${integer_models[@]}"
}

items_prepare() { printf '%s\n' programs models open int8 pixels; }
check_prepare() {
  local to=$here/models
  case $1 in
    programs) tar -xzf "$here/programs.tar.gz" -C "$here" ;;
    models) make_models "$to" "$here/sources" ;;
    *) "make_$1" "$to/$1" "$here/sources" ;;
  esac
}

# Networks with open sizes, one file a golden case, and shapes at the ends of their bounds.
make_open() {
  local folder=$1 models=$2 name model cases golden bounds
  mkdir -p "$folder" || return
  while IFS='|' read -r model cases bounds; do
    name=$(basename "$model" .onnx)
    [ -e "$models/$model" ] || model=open/$model
    for golden in "$models"/golden/"$name".$cases.npz; do
      [ -e "$golden" ] || continue
      # shellcheck disable=SC2086  # bounds are words
      "$here/skiff-convert" "$models/$model" $bounds --golden="$golden" \
        -o "$folder/$(basename "$golden" .npz).skiff" > /dev/null || return
    done
  done <<< "$open_models"
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

# Every network as float32, those below 4 MB in half precision too; some at a time.
make_models() {
  local folder=$1 models=$2 model
  mkdir -p "$folder/half" || return
  for model in "$models"/{onnx,small,tflite}/*.{onnx,tflite}; do
    [ ! -e "$model" ] || echo "$model"
  done | xargs -P "$(nproc)" -I {} bash "$self" make_model "$folder" {}
}
make_model() {
  local name=${2##*/}
  name=${name%.*}.skiff
  "$here/skiff-convert" "$2" --golden=auto -o "$1/$name" > /dev/null || return
  [ "$(stat -Lc %s "$2")" -gt 4000000 ] ||
    "$here/skiff-convert" "$2" --golden=auto --fp16 -o "$1/half/$name" > /dev/null
}

# as_integers MODEL SAMPLES FILE [FLAG...]: converts to integers; FILE.products: how many products
# there are that are in no groups and have 8 channels at least, as the converter's graph tells.
as_integers() {
  local graph=$3.graph last
  rm -rf "$graph"
  "$here/skiff-convert" "$1" --int8 --calibrate "$2" --dump-ir "$graph" "${@:4}" -o "$3" || return
  last=$(find "$graph" -type f | sort | tail -n 1)
  awk '$1 == "integer_conv" && !/[{,]groups: / && match($0, /:int8\[[0-9]+[^]]*\] const/) {
      split(substr($0, RSTART + 6), extents, /[],]/)
      if (extents[1] >= 8) ++count
    } END { print count + 0 }' "$last" > "$3.products" && rm -r "$graph"
}

# By their golden inputs.
make_int8() {
  local folder=$1 models=$2 model name golden samples
  samples=$(mktemp -d) || return
  mkdir -p "$folder" || return
  for model in "${integer_models[@]}"; do
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

# Networks that take pictures as they are, beside those of make_models.
make_pixels() {
  local folder=$1 models=$2 model name flags
  mkdir -p "$folder/half" || return
  for model in tflite/face_detection_short_range.tflite small/mobilenet_v2_025.onnx; do
    [ -e "$models/$model" ] || continue
    name=$(basename "${model%.*}").skiff
    flags=("${imagenet[@]}")
    [[ $name != face* ]] || flags=('--mean=0.5,0.5,0.5' '--std=0.5,0.5,0.5')
    flags+=(--uint8-input --golden=auto)
    "$here/skiff-convert" "$models/$model" "${flags[@]}" -o "$folder/$name" > /dev/null &&
      "$here/skiff-convert" "$models/$model" "${flags[@]}" --fp16 -o "$folder/half/$name" \
        > /dev/null || return
  done
}
