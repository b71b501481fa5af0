#!/usr/bin/env bash
# Unpacks the distribution's arm64 libraries that the cross build links (zlib, for the device tool)
# into FOLDER, without root and without touching the package database of this machine.
#
#   arm64-libraries.sh FOLDER     nothing to do, and no network needed, when they are there
set -euo pipefail

case "${1:-}" in
  ''|-*) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
mkdir -p "$1"
folder=$(cd "$1" && pwd)
if [ -e "$folder/usr/include/zlib.h" ]; then
  echo "arm64-libraries: everything is there"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,packages}
: >"$work/status"
apt() {
  apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$work/state" \
    -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
    -o APT::Sandbox::User=root "$@"
}
apt update >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
(cd "$work/packages" && apt download zlib1g-dev zlib1g)
for package in "$work"/packages/*.deb; do dpkg -x "$package" "$folder"; done
# What is linked takes the static library, which needs nothing when it runs; the shared one is for
# libraries that were built elsewhere.
find "$folder" -name '*.so' -delete
