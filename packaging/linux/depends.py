"""What a tree needs of the system, derived from its ELF files: shared libraries, by the packages of Debian that have
them, and the C library.

    python packaging/linux/depends.py TREE                 prints a value for Depends
    python packaging/linux/depends.py TREE --floor 2.36    fails where a file needs a later C library
    python packaging/linux/depends.py PACK --base libggml  of a runtime pack: its program has libraries so named already

Needs objdump; the packages are those of the system that it runs on (dpkg).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NEEDED = re.compile(r"^\s*NEEDED\s+(\S+)", re.MULTILINE)
GLIBC = re.compile(r"\bGLIBC_(\d+)\.(\d+)\b")
NOT_NEEDED = re.compile(
    # plugins that Qt leaves out where their library is missing, and drivers of GPUs
    r"lib(gtk-3|gdk|pango|cairo|atk|ssl|crypto|mysql|pq|odbc|cuda|nv|hip|roc|amdhip|hsa|vulkan|OpenCL|tbb|wayland-server)"
)
OPENED = {  # opened by name at run time
    "libegl1": "Qt",
    "libgl1": "Qt",
    "libxcb-cursor0": "Qt's plugin for X11",
    "libxcb-icccm4": "Qt's plugin for X11",
    "libxcb-keysyms1": "Qt's plugin for X11",
    "libxcb-shape0": "Qt's plugin for X11",
    "fonts-dejavu-core": "there may be no font at all",
}


@dataclass(frozen=True)
class Elf:
    needed: tuple[str, ...]
    glibc: tuple[int, int]


def is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def read_elf(text: str) -> Elf:
    """From what ``objdump -p`` prints."""
    versions = [(int(a), int(b)) for a, b in GLIBC.findall(text)]
    return Elf(tuple(NEEDED.findall(text)), max(versions, default=(0, 0)))


def inspect(path: Path) -> Elf:
    done = subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=True)
    return read_elf(done.stdout)


def foreign(files: dict[Path, Elf]) -> set[str]:
    """The libraries that are needed and not in the tree."""
    own = {path.name for path in files}
    return {name for elf in files.values() for name in elf.needed if name not in own}


def packages(libraries: set[str], system: dict[str, str]) -> tuple[list[str], list[str]]:
    """The packages that have these libraries, and the libraries that none has."""
    found, missing = set(OPENED), []
    for library in sorted(libraries):
        if library.startswith(
            ("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libutil.so", "ld-linux")
        ):
            continue
        if library in system:
            found.add(system[library])
        elif not NOT_NEEDED.match(library):
            missing.append(library)
    return sorted(found), missing


def system_libraries() -> dict[str, str]:
    """Library to package, as dpkg knows them here."""
    done = subprocess.run(["dpkg", "-S", "*.so.*"], capture_output=True, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        package, _, path = line.partition(": ")
        found[Path(path).name] = package.partition(":")[0]
    return found


def read_tree(tree: Path) -> dict[Path, Elf]:
    files = {path: inspect(path) for path in tree.rglob("*") if is_elf(path)}
    links = [path for path in tree.rglob("*.so*") if path.is_symlink()]
    return {**files, **{path: files[path.resolve()] for path in links if path.resolve() in files}}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("tree", type=Path)
    parser.add_argument("--floor", default="", help="the latest C library that may be needed, such as 2.36")
    parser.add_argument("--base", default="", metavar="PREFIX", help="libraries that another tree brings")
    given = parser.parse_args()
    files = read_tree(given.tree.resolve())
    most, needs = max(((elf.glibc, path) for path, elf in files.items()), default=((0, 0), given.tree))
    if given.floor:
        floor = tuple(map(int, given.floor.split(".")))
        if most > floor:
            sys.stderr.write(f"{needs} needs GLIBC_{most[0]}.{most[1]}, later than {given.floor}.\n")
            return 1
        sys.stderr.write(f"{len(files)} files need at most GLIBC_{most[0]}.{most[1]}.\n")
    needed = {name for name in foreign(files) if not (given.base and name.startswith(given.base))}
    found, missing = packages(needed, system_libraries())
    if missing:
        sys.stderr.write(f"Neither the tree nor a package of this system has {', '.join(missing)}.\n")
        return 1
    found = [one for one in found if one != "libc6"]
    sys.stdout.write(", ".join([f"libc6 (>= {most[0]}.{most[1]})", *found]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
