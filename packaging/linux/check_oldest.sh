#!/bin/bash
# Shows on the oldest system what can be shown without PyTorch's build for processors: a package of the tree without torch,
# installed in a bare Debian 12, with PyPI's torch (which needs a C library of 2.28, and brings CUDA) in a folder of its own.
#   packaging/linux/check_oldest.sh TREE TORCH WORK
# TREE as packaging/tree.py makes it (it stays); TORCH by: pip install --target TORCH torch==VERSION; WORK/debian12 is a build
# chroot (make_chroot.sh). This package is not for people: search and training do not start without that folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$1 torch=$(readlink -f "$2") work=$3
"$here/make_chroot.sh" "$work/debian12"
rm -rf "$work/tree" && cp -al "$tree" "$work/tree"
site=$(echo "$work"/tree/python/lib/python3*/*-packages)
rm -rf "$site"/torch "$site"/torchgen "$site"/functorch "$site"/torch-*.dist-info
mkdir -p "$work/debian12/root"
COMPRESSION=${COMPRESSION:-xz} LEVEL=${LEVEL:-1} "$here/build_deb.sh" --out "$work/out" --work "$work" --tree "$work/tree" --floor 2.36
TORCH=$torch "$here/check_deb.sh" "$work"/out/llm-workbench_*.deb bookworm "$work/bare12"
