#!/bin/bash
# Makes the .deb of a tree, or everything from a clean checkout:
#   packaging/linux/build_deb.sh --out OUT [--tree TREE] [--work WORK] [--python PREFIX] [--source URL]
# Without --tree: llama.cpp is built and the tree made, in a Debian 12 (mmdebstrap) so that it starts there too. The tree is
# moved into the package. JOBS [all cores] compilers run at once. --floor is the latest C library that a file may need [2.36].
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out='' tree='' work='' python='' source='' floor=2.36
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2 ;; --tree) tree=$2 ;; --work) work=$2 ;; --python) python=$2 ;; --source) source=$2 ;;
    --floor) floor=$2 ;; *) echo "unknown argument $1" >&2; exit 2 ;;
  esac
  shift 2
done
test -n "$out" || { echo "--out is missing" >&2; exit 2; }
work=${work:-$(mktemp -d)}
mkdir -p "$out" "$work"
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$root/workbench/__init__.py")
arch=$(dpkg --print-architecture)
platform=linux-$(uname -m)
chroot_folder=$work/debian12

if [ -z "$tree" ]; then
  "$here/make_chroot.sh" "$chroot_folder"
  "$here/in_chroot.sh" "$chroot_folder" "$root" "$python" deb "$platform" "$source"
  tree=$chroot_folder/root/tree
fi

package=$work/llm-workbench_${version}_${arch}
rm -rf "$package"
mkdir -p "$package/DEBIAN" "$package/opt/llm-workbench" "$package/usr/bin"
mv "$tree" "$package/opt/llm-workbench/$version"
tree=$package/opt/llm-workbench/$version

for name in llm-workbench workbench; do ln -s "/opt/llm-workbench/$version/bin/$name" "$package/usr/bin/$name"; done
share=$package/usr/share
install -Dm644 "$here/share/org.llm_workbench.LLMWorkbench.desktop" -t "$share/applications"
install -Dm644 "$here/share/llm-workbench.mime.xml" "$share/mime/packages/llm-workbench.xml"
mkdir -p "$share/metainfo"
sed "s/@VERSION@/$version/; s/@DATE@/$(date -u +%F)/; s|@HOMEPAGE@|${HOMEPAGE:-https://llm-workbench.invalid}|" "$here/share/org.llm_workbench.LLMWorkbench.metainfo.xml" \
  > "$share/metainfo/org.llm_workbench.LLMWorkbench.metainfo.xml"
install -Dm644 "$root/resources/app-icon.svg" "$share/icons/hicolor/scalable/apps/llm-workbench.svg"
for size in 16 32 48 64 128 256; do
  mkdir -p "$share/icons/hicolor/${size}x$size/apps"
  QT_QPA_PLATFORM=offscreen "$here/../draw_icon.sh" "$tree" "$root/resources/app-icon.svg" "$size" \
    "$share/icons/hicolor/${size}x$size/apps/llm-workbench.png" || rmdir -p --ignore-fail-on-non-empty "$share/icons/hicolor/${size}x$size/apps"
done
doc=$share/doc/llm-workbench
install -Dm644 "$here/copyright" -t "$doc"
gzip -9nc "$root/CHANGELOG.md" > "$doc/CHANGELOG.md.gz"
printf 'llm-workbench (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n -- %s  %s\n' "$version" \
  "The LLM Workbench authors <authors@llm-workbench.invalid>" "$(date -uR)" | gzip -9n > "$doc/changelog.gz"
install -Dm644 "$here/lintian-overrides" "$share/lintian/overrides/llm-workbench"

find "$package" -type d -exec chmod 755 {} +
find "$package/opt" -type f -not -perm -u+x -exec chmod 644 {} +
if [ -d "$chroot_folder/root" ]; then # the packages of the oldest system
  mkdir -p "$chroot_folder/root/check" && mount --bind "$tree" "$chroot_folder/root/check"
  cp "$here/depends.py" "$chroot_folder/root/depends.py"
  depends=$(chroot "$chroot_folder" python3 /root/depends.py /root/check --floor "$floor") || { umount "$chroot_folder/root/check"; exit 1; }
  umount "$chroot_folder/root/check"
else
  depends=$(python3 "$here/depends.py" "$tree" --floor "$floor")
fi
installed=$(du -sk "$package" | cut -f1)
sed "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$installed/; s/@DEPENDS@/$depends/" "$here/control" > "$package/DEBIAN/control"
for script in preinst postinst prerm postrm; do
  sed "s/@VERSION@/$version/g" "$here/$script" > "$package/DEBIAN/$script"
  chmod 755 "$package/DEBIAN/$script"
done
(cd "$package" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
dpkg-deb --root-owner-group -Z"${COMPRESSION:-xz}" -z"${LEVEL:-9}" $([ "${COMPRESSION:-xz}" != xz ] || echo -Sextreme) --build "$package" "$out" >/dev/null
file=$out/llm-workbench_${version}_${arch}.deb
(cd "$out" && sha256sum "$(basename "$file")" > "$(basename "$file").sha256")
echo "$file: $(($(stat -c %s "$file") / 1000000)) MB"
