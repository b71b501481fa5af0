#!/usr/bin/env bash
# Installs what Skiff is built from, by the names of the distribution's packages (Debian 12,
# Ubuntu 22.04 and 24.04). Does nothing, and needs no network, when all of it is there.
#
#   install-deps.sh                   to build the library, the tools and the samples
#   install-deps.sh --pip             and what downloads from the Python package index
#   install-deps.sh --tests           and what the tests need
#   install-deps.sh --tests --cross   and the arm64 cross compiler, qemu, clang (fuzzers) and clang-format
set -euo pipefail

build=(cmake ninja-build g++ pkg-config ccache libeigen3-dev libflatbuffers-dev
       flatbuffers-compiler protobuf-compiler libprotobuf-dev libcli11-dev nlohmann-json3-dev
       libfmt-dev libstb-dev zlib1g-dev)
pip=(python3-pip)
tests=(libgtest-dev libbenchmark-dev libonnx-testdata)
# Ubuntu 22.04 has the sanitizers' libraries for clang inside libclang-common-14-dev.
cross=(git g++-aarch64-linux-gnu qemu-user clang-14 clang-format-14
       'libclang-rt-14-dev|libclang-common-14-dev')

wanted=("${build[@]}")
for argument in "$@"; do
  case "$argument" in
    --pip) wanted+=("${pip[@]}") ;;
    --tests) wanted+=("${tests[@]}") ;;
    --cross) wanted+=("${cross[@]}") ;;
    -h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "install-deps.sh: unknown option '$argument' (--pip, --tests, --cross)" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "install-deps.sh knows Debian and Ubuntu. Skiff needs the equivalents of: ${wanted[*]}" >&2
  exit 1
fi

is_installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# Of alternatives (a|b): nothing when one is installed, else the first the distribution knows.
choose() {
  local names name
  IFS='|' read -ra names <<<"$1"
  for name in "${names[@]}"; do is_installed "$name" && return; done
  for name in "${names[@]}"; do
    apt-cache show "$name" >/dev/null 2>&1 && { echo "$name"; return; }
  done
  echo "${names[0]}"
}

find_missing() {
  local entry name
  missing=()
  for entry in "${wanted[@]}"; do
    name=$(choose "$entry")
    [ -z "$name" ] || missing+=("$name")
  done
}

find_missing
if [ ${#missing[@]} -eq 0 ]; then
  echo "install-deps: everything is installed"
  exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as_root=(sudo)
else
  echo "install-deps: missing packages; run this as root:" >&2
  echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
"${as_root[@]}" apt-get update -q
find_missing  # only now are the names of this distribution known for sure
echo "install-deps: installing ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "${missing[@]}"
