#!/bin/sh
# Makes and signs the packs of the libraries that packaging/linux/build_llama.sh has built, and lists them:
#   packaging/packs/sign_packs.sh BACKENDS KEY OUT [EARLIER-LIST URL]
# BACKENDS has a folder for each backend (vulkan, cuda, rocm) with its library and what this brings along. Needs
# packaging/locks/announce.txt. EARLIER-LIST is the packs.json of the last release with packs.json.sig beside
# it; its files are at URL.
set -eu
backends=$1 key=$2 out=$3 earlier=${4:-} at=${5:-}
here=$(cd "$(dirname "$0")" && pwd)
base="llama-cpp-python $(sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' "$here/../locks/llama-cpp-python.txt")"
for folder in "$backends"/*/; do
  backend=$(basename "$folder")
  case $backend in
    vulkan) driver=1.2 ;;
    cuda) driver=525.60 ;; # the first of CUDA 12
    rocm) driver='' ;;
    *) echo "$folder: unknown backend" >&2; exit 1 ;;
  esac
  library=''
  set -- --licence "MIT (llama.cpp)"
  for file in "$folder"*; do
    case $file in */libggml-*) library=$file ;; *) set -- "$@" --more "$file" ;; esac
  done
  [ -n "$library" ] || { echo "$folder has no libggml-*" >&2; exit 1; }
  [ "$backend" != cuda ] || set -- "$@" --licence "NVIDIA's licence agreement (CUDA)"
  python3 "$here/make_pack.py" "$backend" "$library" --base "$base" --platform linux-x86_64 --minimum-driver "$driver" \
    --key "$key" --out "$out" "$@"
done
set -- ${earlier:+--earlier "$earlier" --at "$at"}
python3 "$here/list_packs.py" --key "$key" --out "$out" "$@" "$out"/*.pack
