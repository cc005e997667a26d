#!/bin/sh
# Builds a backend's library within the chroot of the oldest system, and checks the C library that it needs:
#   packaging/packs/in_chroot.sh CHROOT BACKEND OUT
# CHROOT is made by packaging/linux/make_chroot.sh; for vulkan packaging/packs/shader_tools.sh adds to it.
set -eu
chroot_folder=$1 backend=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$chroot_folder/root
rm -rf "$root/pack" && mkdir -p "$root/pack" "$out"
cp -r "$here/.." "$root/pack/packaging"
for file in /etc/pip.conf "$HOME/.config/pip/pip.conf"; do
  [ -f "$file" ] && cp "$file" "$chroot_folder/etc/pip.conf"
done
cp -r /etc/ssl/certs/. "$chroot_folder/etc/ssl/certs/" 2>/dev/null || true
chroot "$chroot_folder" env PACK="$backend" JOBS="${JOBS:-}" sh -eu -c '
  cd /root
  [ -d v ] || { python3 -m venv v && v/bin/pip install --quiet scikit-build-core; }
  sh pack/packaging/linux/build_llama.sh /root/v/bin/python /root/pack/work /root/pack/out > pack.log 2>&1 || { tail -n 30 pack.log; exit 1; }
  python3 pack/packaging/linux/depends.py pack/out --floor 2.36 --base libggml >/dev/null
'
cp "$root"/pack/out/* "$out/"
