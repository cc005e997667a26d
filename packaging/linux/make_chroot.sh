#!/bin/sh
# A Debian 12 to build in: what is built there starts on every system from glibc 2.36 on.
#   packaging/linux/make_chroot.sh FOLDER
set -eu
[ -d "$1/usr" ] && exit 0
mmdebstrap --variant=minbase --include=ca-certificates,python3,python3-venv,python3-pip,gcc,g++,make,cmake,ninja-build,\
patchelf,git,file,binutils,libssl3,libffi8,libsqlite3-0,liblzma5,libbz2-1.0,libxcb-cursor0,libxcb-icccm4,libxcb-keysyms1,\
libxcb-shape0,libxcb-randr0,libxcb-render-util0,libxcb-image0,libxcb-xkb1,libxkbcommon-x11-0,libxkbcommon0,libegl1,libgl1,\
libfontconfig1,libdbus-1-3,libglib2.0-0,libwayland-client0,libwayland-cursor0,libwayland-egl1,libx11-xcb1,libxcb-xinerama0,\
libxcb-sync1,libxcb-xfixes0,libxcb-shm0,libfreetype6,libdrm2,libinput10,libcups2,libxrender1 bookworm "$1"
cp /etc/resolv.conf "$1/etc/" 2>/dev/null || true
