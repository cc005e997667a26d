#!/bin/bash
# Installs a .deb in a bare Debian by apt, uses it as a person without a network would, and removes it:
#   packaging/linux/check_deb.sh FILE.deb RELEASE FOLDER
# Needs root and mmdebstrap. FOLDER keeps the Debian, and in FOLDER.out the picture of the window and the answers. TORCH is a
# folder with torch for a package that has none (check_oldest.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
deb=$(readlink -f "$1") release=$2 folder=$3
out=$folder.out
mkdir -p "$out"
[ -d "$folder/usr" ] || mmdebstrap --variant=minbase "$release" "$folder"
cp "$deb" "$folder/root/llm-workbench.deb"
cp /etc/resolv.conf "$folder/etc/" 2>/dev/null || true
install -m755 "$here/check_session.sh" "$folder/tmp/check_session.sh"
mkdir -p "$folder/opt/torch"
mount --bind /dev "$folder/dev"
[ -z "${TORCH:-}" ] || mount --bind "$TORCH" "$folder/opt/torch"
trap 'umount "$folder/dev" "$folder/opt/torch" "$folder/mnt" 2>/dev/null || true' EXIT
chroot "$folder" sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /root/llm-workbench.deb' \
  > "$out/install.log" 2>&1 || { tail -n 20 "$out/install.log"; exit 1; }
mount --bind "$here/../.." "$folder/mnt"
chroot "$folder" env ${TORCH:+PYTHONPATH=/opt/torch} sh -c '/opt/llm-workbench/*/python/bin/python3 -P /mnt/packaging/check_tree.py --checkout /mnt'
umount "$folder/mnt"
chroot "$folder" sh -c 'id ida >/dev/null 2>&1 || useradd -m ida'
echo "installed: $(du -sm "$folder/opt/llm-workbench" | cut -f1) MB"
# as a person: no network, nothing in the environment
# (its own /proc: a lock names the process that holds it)
unshare --net --ipc --pid --mount --fork sh -c 'ip link set lo up && mount -t proc proc "$1/proc" && exec chroot --userspec=ida:ida "$1" /usr/bin/env -i \
  HOME=/home/ida PATH=/usr/bin:/bin LANG=C.UTF-8 DISPLAY="$2" ${3:+WORKBENCH_TORCH=/opt/torch} sh /tmp/check_session.sh' sh "$folder" "${DISPLAY:-}" "${TORCH:-}" 2>&1 | tee "$out/session.log" || exit 1
cp "$folder"/home/ida/*.json "$out/" 2>/dev/null || true
before=$(find "$folder/home/ida/.local/share/llm-workbench" -type f | wc -l)
chroot "$folder" sh -c 'apt-get purge -y -qq llm-workbench' >> "$out/install.log" 2>&1
test ! -e "$folder/opt/llm-workbench" -a ! -e "$folder/usr/bin/llm-workbench" || { echo "something was left"; exit 1; }
after=$(find "$folder/home/ida/.local/share/llm-workbench" -type f | wc -l)
echo "purged; the home has $after of $before files"
test "$before" = "$after"
