#!/bin/sh
# Builds llama.cpp and the tree within a chroot: FOLDER ROOT PREFIX-OR-"" KIND PLATFORM SOURCE
set -eu
chroot_folder=$1 root=$2 python=$3 kind=$4 platform=$5 source=$6
rm -rf "$chroot_folder/root/repo" "$chroot_folder/root/tree"
mkdir -p "$chroot_folder/root/repo"
(cd "$root" && tar cf - --exclude=.git --exclude=.venv --exclude=__pycache__ --exclude='.*_cache' .) | tar xf - -C "$chroot_folder/root/repo"
for file in /etc/pip.conf "$HOME/.config/pip/pip.conf"; do
  [ -f "$file" ] && cp "$file" "$chroot_folder/etc/pip.conf"
done
cp -r /etc/ssl/certs/. "$chroot_folder/etc/ssl/certs/" 2>/dev/null || true
if [ -n "$python" ]; then rm -rf "$chroot_folder/root/prefix" && cp -a "$python" "$chroot_folder/root/prefix"; fi
mkdir -p "$chroot_folder/root/wheels"
# packages are fetched while llama.cpp is compiled
chroot "$chroot_folder" sh -eu -c '
  cd /root
  [ -d prefix ] || sh repo/packaging/linux/debian_prefix.sh /root/prefix
  [ -d v ] || { python3 -m venv v && v/bin/pip install --quiet scikit-build-core; }
  locks=repo/packaging/locks
  ls wheel/llama_cpp_python-*.whl >/dev/null 2>&1 || sh repo/packaging/linux/build_llama.sh /root/v/bin/python /root/llama /root/wheel \
    > llama.log 2>&1 &
  llama=$!
  v/bin/pip download --quiet --no-deps --require-hashes --only-binary :all: --find-links wheels -d wheels -r "$locks/$2.txt"
  v/bin/pip download --quiet --no-deps --require-hashes --only-binary :all: --find-links wheels -d wheels \
    --platform manylinux2014_x86_64 -r "$locks/starter.txt"
  wait $llama || { tail -n 30 llama.log; exit 1; }
  v/bin/python repo/packaging/tree.py --python /root/prefix --platform "$2" --kind "$1" --source "$3" \
    --llama-cpp "$(ls wheel/llama_cpp_python-*.whl)" --find-links /root/wheels --out /root/tree
' sh "$kind" "$platform" "$source"
