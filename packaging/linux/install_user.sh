#!/bin/sh
# Installs the tree beside this script for one user; run by the .run file. No root is needed, and nothing is compiled.
#   install_user.sh [--to FOLDER] [--force]
set -eu
version=@VERSION@
here=$(cd "$(dirname "$0")" && pwd)
to=${HOME}/.local/opt/llm-workbench force=
while [ $# -gt 0 ]; do
  case $1 in
    --to) to=$2; shift 2 ;;
    --force) force=yes; shift ;;
    *) echo "unknown argument $1; known are --to FOLDER and --force" >&2; exit 2 ;;
  esac
done

older() { # whether version $1 is before $2
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1)" = "$1" ]
}

in_use() { # whether a process runs from the folder
  for link in /proc/[0-9]*/exe; do
    case $(readlink "$link" 2>/dev/null || true) in "$1"/*) return 0 ;; esac
  done
  return 1
}

needed=$(du -sk "$here/tree" | cut -f1)
mkdir -p "$to"
to=$(cd "$to" && pwd)
free=$(df -Pk "$to" | awk 'NR == 2 { print $4 }')
if [ "$free" -lt "$needed" ]; then
  echo "$to needs $((needed / 1000)) MB, and its disk has $((free / 1000)) MB free." >&2
  exit 1
fi
current=$(readlink "$to/current" 2>/dev/null || true)
if [ -n "$current" ] && older "$version" "$current" && [ -z "$force" ]; then
  echo "Version $current is installed, which is later than $version: an older version cannot read what it has stored." >&2
  echo "Nothing was changed. --force installs $version all the same." >&2
  exit 1
fi

rm -rf "$to/.$version.new"
cp -a "$here/tree" "$to/.$version.new"
if [ -d "$to/$version" ]; then
  if in_use "$to/$version"; then
    rm -rf "$to/.$version.new"
    echo "Version $version is running from $to. Close its windows, wait for its work, and try again." >&2
    exit 1
  fi
  rm -rf "${to:?}/$version"
fi
mv "$to/.$version.new" "$to/$version"
ln -sfn "$version" "$to/.current.new" && mv -T "$to/.current.new" "$to/current"

for folder in "$to"/*/; do
  folder=${folder%/}
  [ -L "$folder" ] && continue
  name=$(basename "$folder")
  [ "$name" = "$version" ] && continue
  [ -f "$folder/installation.json" ] || continue
  if in_use "$folder"; then
    echo "Version $name is still running. Close its windows and wait for its work: the next start is version $version."
  else
    rm -rf "$folder"
  fi
done

data=${XDG_DATA_HOME:-$HOME/.local/share}
mkdir -p "$HOME/.local/bin" "$data/applications" "$data/icons/hicolor/scalable/apps" "$data/mime/packages"
for name in llm-workbench workbench; do ln -sf "$to/current/bin/$name" "$HOME/.local/bin/$name"; done
sed "s|^Exec=.*|Exec=\"$to/current/bin/llm-workbench\" %f|" "$here/share/org.llm_workbench.LLMWorkbench.desktop" \
  > "$data/applications/org.llm_workbench.LLMWorkbench.desktop"
cp "$here/share/llm-workbench.mime.xml" "$data/mime/packages/llm-workbench.xml"
cp "$here/share/llm-workbench.svg" "$data/icons/hicolor/scalable/apps/llm-workbench.svg"
update-desktop-database "$data/applications" 2>/dev/null || true
update-mime-database "$data/mime" 2>/dev/null || true
sed "s|@TO@|$to|" "$here/uninstall_user.sh" > "$to/uninstall.sh"
chmod +x "$to/uninstall.sh"
missing=$("$to/$version/python/bin/python3" -P -c '
import ctypes
for name in "EGL.so.1 GL.so.1 xkbcommon.so.0 xcb-cursor.so.0 xcb-icccm.so.4 xcb-keysyms.so.1 fontconfig.so.1 dbus-1.so.3".split():
    try:
        ctypes.CDLL("lib" + name)
    except OSError:
        print("lib" + name)
' 2>&1 | tr '\n' ' ')
if [ -n "$missing" ]; then echo "The window needs libraries that this system lacks: $missing"; fi
echo "LLM Workbench $version is installed in $to. Start it with $HOME/.local/bin/llm-workbench, or from the menu."
echo "$to/uninstall.sh removes it; your data stays."
