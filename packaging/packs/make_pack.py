"""Makes a runtime pack of a backend's library that was built from the source of the base.

    python packaging/packs/make_pack.py vulkan libggml-vulkan.so --key release.packs.key --out FOLDER
        [--base "llama-cpp-python VERSION"] [--platform linux-x86_64] [--minimum-driver 535.54] [--more FILE]...
        [--licence TEXT]...

Without --base it is the installed llama-cpp-python, without --platform this one. Further libraries that the backend
brings along (those of CUDA, for example) are named with --more; they lie beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from keys import read_private, sign  # noqa: E402

from workbench.base.installation import base_release  # noqa: E402
from workbench.records.runtime import MANIFEST, PackManifest  # noqa: E402
from workbench.subjects.machine.packs import MANIFEST_FILE, SIGNATURE_FILE, this_platform  # noqa: E402


def make_pack(
    backend: str,
    files: list[Path],
    private: bytes,
    out: Path,
    *,
    base: str = "",
    platform: str = "",
    minimum_driver: str = "",
    licences: tuple[str, ...] = (),
    name: str = "",
) -> Path:
    """Write a pack of ``files``, the first of which is the backend's library; returns its path."""
    base, platform = base or base_release(), platform or this_platform()
    contents = {file.name: file for file in files}
    manifest = MANIFEST.get(
        {
            "name": name or f"{backend}-{base.rpartition(' ')[2]}-{platform}".lower(),
            "backend": backend,
            "base": base,
            "platform": platform,
            "library": files[0].name,
            "files": described(contents),
            "minimum_driver": minimum_driver,
            "licences": list(licences),
        }
    )
    return write_pack(manifest, contents, private, out)


def described(files: Mapping[str, Path]) -> list[dict[str, object]]:
    """Name in the pack, size and hash of each file, as a manifest holds them. One file is open at a time."""
    found: list[dict[str, object]] = []
    for name, path in files.items():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.append({"name": name, "bytes": path.stat().st_size, "sha256": digest})
    return found


def write_pack(
    manifest: PackManifest, files: Mapping[str, Path], private: bytes, out: Path, *, compression: int | None = None
) -> Path:
    """Write a signed pack of ``files``, by their names in it; returns its path. ``compression`` is zlib's level."""
    encoded = MANIFEST.encode(manifest)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{manifest.name}.pack"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=compression) as packed:
        packed.writestr(MANIFEST_FILE, encoded)
        packed.writestr(SIGNATURE_FILE, sign(private, encoded))
        for name, source in files.items():
            packed.write(source, name)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("backend", choices=("vulkan", "cuda", "rocm"))
    parser.add_argument("library", type=Path)
    parser.add_argument("--more", type=Path, action="append", default=[])
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", default="")
    parser.add_argument("--platform", default="")
    parser.add_argument("--minimum-driver", default="")
    parser.add_argument("--licence", action="append", default=[])
    given = parser.parse_args()
    path = make_pack(
        given.backend,
        [given.library, *given.more],
        read_private(given.key),
        given.out,
        base=given.base,
        platform=given.platform,
        minimum_driver=given.minimum_driver,
        licences=tuple(given.licence),
    )
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
