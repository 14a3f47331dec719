#!/bin/sh
# Kernels and whole models on arm64 under qemu-user, bit for bit against this machine. README.md says how to get the parts.
# usage: run.sh ARM64_NODE ARM64_SYSROOT WORK_FOLDER [QEMU]
set -eu
[ $# -ge 3 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
node=$1 sysroot=$2 work=$3 qemu=${4:-qemu-aarch64-static}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work"

(cd "$here/../.." && npx rolldown "$here/kernels.mjs" --file "$work/kernels.mjs" --platform node --log-level silent)
[ -d "$work/packages" ] || node "$here/make-packages.mjs" "$work/packages"

# label, then the command that runs a program
measure() {
  label=$1
  shift
  echo "$label" >&2
  "$@" "$work/kernels.mjs" >"$work/kernels-$label.json"
  CPU_NAME=$label "$@" "$here/run-packages.mjs" "$work/packages" "$work/kernels-$label.json" >"$work/run-$label.json"
}

measure host node
# Node reserves 10 GB of addresses for each WebAssembly memory that relies on traps, which qemu keeps tables for: checks instead.
for cpu in max cortex-a72; do
  measure "$cpu" "$qemu" -L "$sysroot" -cpu "$cpu" "$node" --disable-wasm-trap-handler
done
node "$here/compare.mjs" "$work/run-host.json" "$work/run-max.json" "$work/run-cortex-a72.json"
