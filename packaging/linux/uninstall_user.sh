#!/bin/sh
# Removes the program of this user. The data folder stays.
set -eu
to='@TO@'
for link in /proc/[0-9]*/exe; do
  case $(readlink "$link" 2>/dev/null || true) in
    "$to"/*) echo "LLM Workbench is running. Close its windows, wait for its work, and try again." >&2; exit 1 ;;
  esac
done
data=${XDG_DATA_HOME:-$HOME/.local/share}
rm -f "$data/applications/org.llm_workbench.LLMWorkbench.desktop" "$data/mime/packages/llm-workbench.xml" \
  "$data/icons/hicolor/scalable/apps/llm-workbench.svg"
for name in llm-workbench workbench; do
  case $(readlink "$HOME/.local/bin/$name" 2>/dev/null || true) in "$to"/*) rm -f "$HOME/.local/bin/$name" ;; esac
done
update-desktop-database "$data/applications" 2>/dev/null || true
update-mime-database "$data/mime" 2>/dev/null || true
for folder in "$to"/*/; do
  folder=${folder%/}
  if [ ! -L "$folder" ] && [ -f "$folder/installation.json" ]; then rm -rf "$folder"; fi
done
rm -f "$to/current" "$to/uninstall.sh"
rmdir "$to" 2>/dev/null || true
echo "LLM Workbench was removed. Your data stays in ${WORKBENCH_HOME:-$data/llm-workbench}."
