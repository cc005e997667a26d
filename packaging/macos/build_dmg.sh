#!/bin/bash
# Makes the disk image for macOS on Apple silicon; not run by the authors: see docs/packaging.md.
#   packaging/macos/build_dmg.sh --python ARCHIVE --sha256 HASH --out OUT [--source URL]
# Signed where SIGN_IDENTITY names a "Developer ID Application" certificate, and notarised where NOTARY_PROFILE names a
# profile of notarytool; without them the app is signed ad hoc, for this machine only.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python='' sha='' out='' source=''
while [ $# -gt 0 ]; do
  case $1 in
    --python) python=$2 ;; --sha256) sha=$2 ;; --out) out=$2 ;; --source) source=$2 ;;
    *) echo "unknown argument $1" >&2; exit 2 ;;
  esac
  shift 2
done
test -n "$python" -a -n "$sha" -a -n "$out" || { echo "--python, --sha256 and --out are needed" >&2; exit 2; }
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$root/workbench/__init__.py")
identity=${SIGN_IDENTITY:--}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MACOSX_DEPLOYMENT_TARGET=14.0

python3 -m venv "$work/v"
"$work/v/bin/pip" install --quiet scikit-build-core hatchling cmake ninja
CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_METAL=ON -DGGML_METAL_EMBED_LIBRARY=ON" \
  "$work/v/bin/pip" wheel --no-deps --no-build-isolation --no-binary :all: --require-hashes \
  -r "$root/packaging/locks/llama-cpp-python.txt" -w "$work/wheel"
"$work/v/bin/python" "$root/packaging/tree.py" --python "$python" --python-sha256 "$sha" --platform macos-arm64 --kind macos \
  --llama-cpp "$(ls "$work"/wheel/llama_cpp_python-*.whl)" --source "$source" --out "$work/tree"
"$work/tree/python/bin/python3" -P "$root/packaging/check_tree.py" --checkout "$root"

app="$work/image/LLM Workbench.app"
mkdir -p "$app/Contents/MacOS" "$app/Contents/Resources"
mv "$work/tree" "$app/Contents/Resources/tree"
sed "s/@VERSION@/$version/g" "$here/Info.plist" > "$app/Contents/Info.plist"
plutil -lint "$app/Contents/Info.plist"
cp "$here/launcher.sh" "$app/Contents/MacOS/llm-workbench"
chmod +x "$app/Contents/MacOS/llm-workbench"
mkdir "$work/icon.iconset"
for size in 16 32 128 256 512; do
  "$root/packaging/draw_icon.sh" "$app/Contents/Resources/tree" "$root/resources/app-icon.svg" $size "$work/icon.iconset/icon_${size}x$size.png"
  "$root/packaging/draw_icon.sh" "$app/Contents/Resources/tree" "$root/resources/app-icon.svg" $((size * 2)) "$work/icon.iconset/icon_${size}x$size@2x.png"
done
iconutil -c icns "$work/icon.iconset" -o "$app/Contents/Resources/llm-workbench.icns"

# from the inside out: a signature covers those of what it contains
sign() { codesign --force --timestamp${TIMESTAMP:+=$TIMESTAMP} --options runtime --entitlements "$here/entitlements.plist" --sign "$identity" "$@"; }
find "$app/Contents/Resources/tree" -type f \( -name '*.so' -o -name '*.dylib' \) -print0 | while IFS= read -r -d '' file; do sign "$file"; done
find "$app/Contents/Resources/tree" -type d -name '*.framework' -print0 | while IFS= read -r -d '' folder; do sign "$folder"; done
find "$app/Contents/Resources/tree" -type f -perm -u+x ! -name '*.so' ! -name '*.dylib' -print0 | while IFS= read -r -d '' file; do
  if file -b "$file" | grep -q Mach-O; then sign "$file"; fi
done
sign "$app"
codesign --verify --deep --strict "$app"

mkdir -p "$out"
cp "$app/Contents/Resources/tree/sbom.json" "$out/sbom-macos-arm64.json"
ln -s /Applications "$work/image/Applications"
file="$out/llm-workbench-$version-arm64.dmg"
hdiutil create -volname "LLM Workbench" -srcfolder "$work/image" -ov -format ULMO "$file"
if [ "$identity" != - ]; then codesign --timestamp --sign "$identity" "$file"; fi
if [ -n "${NOTARY_PROFILE:-}" ]; then
  xcrun notarytool submit "$file" --keychain-profile "$NOTARY_PROFILE" --wait
  xcrun stapler staple "$file"
fi
(cd "$out" && shasum -a 256 "$(basename "$file")" > "$(basename "$file").sha256")
