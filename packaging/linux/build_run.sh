#!/bin/bash
# Makes the .run file, which installs a tree for one user without root (makeself):
#   packaging/linux/build_run.sh TREE OUT
# Not an AppImage: its mount ends with its first process, and the core outlives the window.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tree=$(cd "$1" && pwd) out=$2
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$root/workbench/__init__.py")
stage=$(mktemp -d -p "${TMPDIR:-/tmp}")
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/share" "$out"
cp -al "$tree" "$stage/tree" 2>/dev/null || cp -a "$tree" "$stage/tree"
sed -i.old 's/"kind": "[a-z]*"/"kind": "run"/' "$stage/tree/installation.json" && rm -f "$stage/tree/installation.json.old"
cp "$here/share/org.llm_workbench.LLMWorkbench.desktop" "$here/share/llm-workbench.mime.xml" "$stage/share/"
cp "$root/resources/app-icon.svg" "$stage/share/llm-workbench.svg"
sed "s/@VERSION@/$version/" "$here/install_user.sh" > "$stage/install_user.sh"
cp "$here/uninstall_user.sh" "$stage/"
chmod +x "$stage/install_user.sh"
file=$out/llm-workbench-$version-$(uname -m).run
makeself --quiet --nox11 --nomd5 --sha256 "${COMPRESS:---xz}" --complevel "${LEVEL:-9}" --threads "$(nproc)" \
  "$stage" "$file" "LLM Workbench $version" ./install_user.sh
(cd "$out" && sha256sum "$(basename "$file")" > "$(basename "$file").sha256")
echo "$file: $(($(stat -c %s "$file") / 1000000)) MB"
