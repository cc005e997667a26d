#!/bin/sh
# A relocatable Python for packaging/tree.py out of Debian's own packages, where no python-build-standalone is at hand:
#   packaging/linux/debian_prefix.sh OUT
# Run it on the oldest Debian that is to be supported (12 has Python 3.11). Its libraries (libssl, libffi, ...) stay those
# of the system: packaging/linux/depends.py finds them.
set -eu
out=$1
version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
mkdir -p "$out/bin" "$out/lib"
cp "/usr/bin/python$version" "$out/bin/"
ln -s "python$version" "$out/bin/python3"
cp -a "/usr/lib/python$version" "$out/lib/"
# Debian's site looks for packages in dist-packages; of the tree, and of no other place
rm -f "$out/lib/python$version/sitecustomize.py" "$out/lib/python$version/EXTERNALLY-MANAGED"
mkdir -p "$out/lib/python$version/dist-packages"
cp "/usr/share/doc/python$version/copyright" "$out/lib/python$version/LICENSE.txt"
