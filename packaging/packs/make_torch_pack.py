"""Makes a pack that replaces the program's torch by one with CUDA, for search and training.

    pip install --target FOLDER torch==VERSION      (PyPI's torch for Linux brings CUDA's libraries)
    python packaging/packs/make_torch_pack.py FOLDER --key release.packs.key --out OUT --minimum-driver 580.65

The version is that of the lock files. Of FOLDER only torch, Triton and NVIDIA's packages are taken: the others are the
program's own.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from keys import read_private  # noqa: E402
from make_pack import described, write_pack  # noqa: E402

from workbench.records.runtime import MANIFEST, PackManifest  # noqa: E402
from workbench.subjects.machine.packs import this_platform  # noqa: E402

TAKEN = re.compile(r"^(torch|torchgen|functorch|triton|nvidia|cuda)([/_-]|$)")
LEFT_OUT = re.compile(r"/(include|test|tests|__pycache__)/|\.(a|pyi|h|hpp|cuh|cmake)$|/RECORD$|/direct_url\.json$")


def files_of(folder: Path) -> dict[str, Path]:
    """What is taken, by its name in the pack."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path for name, path in found.items() if TAKEN.match(name) and not LEFT_OUT.search(f"/{name}")}


def describe(folder: Path, files: dict[str, Path], minimum_driver: str) -> PackManifest:
    version = next(folder.glob("torch-*.dist-info")).name.removeprefix("torch-").removesuffix(".dist-info")
    return MANIFEST.get(
        {
            "name": f"torch-cuda-{version.replace('+', '-')}-{this_platform()}".lower(),
            "backend": "torch-cuda",
            "base": f"torch {version.partition('+')[0]}",
            "platform": this_platform(),
            "library": "torch/__init__.py",
            "files": described(files),
            "minimum_driver": minimum_driver,
            "licences": ["BSD-3-Clause (torch)", "MIT (Triton)", "NVIDIA's licence agreements (CUDA, cuDNN)"],
        }
    )


def make_torch_pack(folder: Path, private: bytes, out: Path, minimum_driver: str = "") -> Path:
    """Write the pack; returns its path. One file is open at a time."""
    files = files_of(folder)
    return write_pack(describe(folder, files, minimum_driver), files, private, out, compression=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minimum-driver", default="")
    given = parser.parse_args()
    path = make_torch_pack(given.folder, read_private(given.key), given.out, given.minimum_driver)
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
