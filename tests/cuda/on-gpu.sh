#!/usr/bin/env bash
# The checks of WAITING.md. `pack FOLDER` here, `run [PART...]` and `report` from the folder there.
# A part is a list of items; the first one, prepare, makes the networks. What is done is not done again; a part that needs more than 8 minutes
# stops before, and `run` goes on with it. `run` exits with 1 where something is not as expected, with
# 75 where items are open.
set -uo pipefail
self=$(realpath "${BASH_SOURCE[0]}")
here=$(dirname "$self")
limit=${SKIFF_PART_SECONDS:-480}
parts=()
# shellcheck source=/dev/null
for script in "$here"/waiting/*.sh; do source "$script" || exit; done

usage() { sed -n '2p' "$self" | sed 's/^# //'; echo "parts: ${parts[*]}"; }

# finished PART NAME CODE: writes an item's verdict down.
finished() {
  local to=$here/results/$1/$2
  rm -f "$to.bad" "$to.good"
  if [ "$3" -eq 0 ]; then touch "$to.good"; else touch "$to.bad"; fi
  echo "-- $1 $2: $([ "$3" -eq 0 ] && echo good || echo "NOT as expected ($3)")" | tee -a "$to.txt"
}

# Every item in a shell of its own, where whatever fails, a missing program too, ends it.
run_part() {
  local part=$1 begin=$SECONDS items item name left code any='' folder=$here/results/$1
  mkdir -p "$folder"
  echo "== $part"
  if ! items=$(bash "$self" items "$part") || [ -z "$items" ]; then
    echo "there is nothing to check" > "$folder/nothing.txt"
    finished "$part" nothing 1
    return 1
  fi
  rm -f "$folder"/nothing.*
  for item in $items; do
    name=${item//\//_}
    [ ! -e "$folder/$name.good" ] || continue
    left=$((limit - SECONDS + begin))
    [ "$left" -gt 0 ] || return 75
    timeout "$left" bash "$self" check "$part" "$item" 2>&1 | tee "$folder/$name.txt"
    code=${PIPESTATUS[0]}
    # Cut short by those before it: the next time it has all of the time.
    [ "$code" -ne 124 ] || [ -z "$any" ] || return 75
    any=yes
    finished "$part" "$name" "$code"
  done
  ! compgen -G "$folder/*.bad" > /dev/null
}

run() {
  local part code worst=0
  [ $# -gt 0 ] || set -- "${parts[@]}"
  for part in "$@"; do
    [[ " ${parts[*]} " == *" $part "* ]] || { usage >&2; exit 2; }
  done
  for part in "$@"; do
    run_part "$part"
    code=$?
    case $code in
      0) echo "== $part: good" ;;
      75) echo "== $part: not finished, run it again" ;;
      *) echo "== $part: NOT as expected" ;;
    esac
    [ "$worst" -eq 1 ] || [ "$code" -eq 0 ] || worst=$code
  done
  return "$worst"
}

count() { find "$here/results/$1" -name "*.$2" 2> /dev/null | wc -l; }

report() {
  local part item all
  for part in "${parts[@]}"; do
    all=$(bash "$self" items "$part" 2> /dev/null | wc -l)
    echo "$part: $(count "$part" good) of $all good, $(count "$part" bad) not as expected"
    for item in "$here/results/$part"/*.bad; do
      [ ! -e "$item" ] || echo "  $(basename "$item" .bad): $(tail -n 2 "${item%.bad}.txt" | head -n 1)"
    done
  done
}

# items PART, check PART ITEM: what run_part asks.
inside() {
  set -eE
  [[ " ${parts[*]} " == *" $2 "* ]]
  "$1_$2" "${@:3}"
}

case "${1:-}" in
  pack) [ $# -eq 2 ] || { usage >&2; exit 2; }; pack "$(realpath -m "$2")" ;;
  run) shift; run "$@" ;;
  report) report ;;
  items | check) inside "$@" ;;
  make_model) "$@" ;;
  *) usage >&2; exit 2 ;;
esac
