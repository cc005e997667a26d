#!/bin/bash
# Installs a .deb in a bare Debian by apt, uses it as a person without a network would, and removes it:
#   packaging/linux/check_deb.sh FILE.deb RELEASE FOLDER
# Needs root and mmdebstrap. FOLDER keeps the Debian, FOLDER.out the answers and, where DISPLAY is an X server on this machine
# and xwininfo and import are there, a picture of the window. With TRAINING, a folder with a training pack or with wheels, the
# training environment is set up from it and used; KEY is the public key of a pack that is not signed by a release's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
deb=$(readlink -f "$1") release=$2 folder=$3
out=$folder.out
mkdir -p "$out"
[ -d "$folder/usr" ] || mmdebstrap --variant=minbase "$release" "$folder"
cp "$deb" "$folder/root/llm-workbench.deb"
cp /etc/resolv.conf "$folder/etc/" 2>/dev/null || true
install -m755 "$here/check_session.sh" "$here/check_training.sh" "$folder/tmp"
mkdir -p "$folder/opt/training"
mount --bind /dev "$folder/dev"
[ -z "${TRAINING:-}" ] || mount --bind "$TRAINING" "$folder/opt/training"
trap 'umount "$folder/dev" "$folder/opt/training" "$folder/mnt" "$folder/tmp/.X11-unix" 2>/dev/null || true' EXIT
chroot "$folder" sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /root/llm-workbench.deb' \
  > "$out/install.log" 2>&1 || { tail -n 20 "$out/install.log"; exit 1; }
mount --bind "$here/../.." "$folder/mnt"
chroot "$folder" sh -c '/opt/llm-workbench/*/python/bin/python3 -P /mnt/packaging/check_tree.py --checkout /mnt'
umount "$folder/mnt"
chroot "$folder" sh -c 'id ida >/dev/null 2>&1 || useradd -m ida'
echo "installed: $(du -sm "$folder/opt/llm-workbench" | cut -f1) MB"
# as a person: no network, nothing in the environment; HOME is the first argument
# (its own /proc: a lock names the process that holds it); it ends the shell that calls it
as_person() {
  exec unshare --net --ipc --pid --kill-child --mount --fork sh -c 'ip link set lo up && mount -t proc proc "$1/proc" &&
    folder=$1 home=$2 display=$3; shift 3; exec chroot --userspec=ida:ida "$folder" /usr/bin/env -i HOME="$home" \
    PATH=/usr/bin:/bin LANG=C.UTF-8 DISPLAY="$display" "$@"' sh "$folder" "$1" "${DISPLAY:-}" "${@:2}"
}
(as_person /home/ida sh /tmp/check_session.sh) 2>&1 | tee "$out/session.log"
if [ -n "${DISPLAY:-}" ] && command -v xwininfo > /dev/null && command -v import > /dev/null; then
  mkdir -p "$folder/tmp/.X11-unix" && mount --bind /tmp/.X11-unix "$folder/tmp/.X11-unix"
  chroot "$folder" install -d -o ida -g ida /home/ida/first # a home without anything: the window of a first start
  # unshare waits whatever signal it gets, and a first process of its own PID space ends by no other signal than this
  stop_window() { pkill -KILL -P "$window"; wait "$window" 2> /dev/null || true; }
  began=$(cut -d' ' -f1 /proc/uptime)
  as_person /home/ida/first llm-workbench > "$out/window.log" 2>&1 & window=$!
  until xwininfo -name 'LLM Workbench' 2> /dev/null | grep -q IsViewable; do
    kill -0 $window 2> /dev/null || { cat "$out/window.log"; echo "the window did not open"; exit 1; }
    [ "$(cut -d. -f1 /proc/uptime)" -lt $((${began%.*} + 120)) ] || { echo "the window was not seen for 120 s"; stop_window; exit 1; }
    sleep 0.05
  done
  awk -v a="$began" -v b="$(cut -d' ' -f1 /proc/uptime)" 'BEGIN { printf "window visible after %.1f s\n", b - a }'
  sleep 5
  import -window root "$out/window.png"
  stop_window
fi
if [ -n "${TRAINING:-}" ]; then
  keys=$folder/home/ida/.local/share/llm-workbench/trusted-keys
  [ -z "${KEY:-}" ] || install -Dm644 "$KEY" -t "$keys"
  (as_person /home/ida sh /tmp/check_training.sh) 2>&1 | tee "$out/training.log"
fi
cp "$folder"/home/ida/*.json "$out/" 2>/dev/null || true
before=$(find "$folder/home/ida/.local/share/llm-workbench" -type f | wc -l)
chroot "$folder" sh -c 'apt-get purge -y -qq llm-workbench' >> "$out/install.log" 2>&1
test ! -e "$folder/opt/llm-workbench" -a ! -e "$folder/usr/bin/llm-workbench" || { echo "something was left"; exit 1; }
after=$(find "$folder/home/ida/.local/share/llm-workbench" -type f | wc -l)
echo "purged; the home has $after of $before files"
test "$before" = "$after"
