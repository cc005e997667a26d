"""Puts GCC's OpenMP runtime beside llama.cpp in a wheel:

    python packaging/linux/finish_wheel.py WHEEL OUT

The libraries find each other in their own folder ($ORIGIN). OUT gets the wheel.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = "llama_cpp/lib/"


def openmp(library: Path) -> Path | None:
    """The OpenMP runtime that a library is linked to on this system."""
    done = subprocess.run(["ldd", library], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        name, _, rest = line.strip().partition(" => ")
        if name.startswith("libgomp.so"):
            return Path(rest.split(" ")[0]).resolve()
    return None


def finish(wheel: Path, out: Path) -> Path:
    """Raises SystemExit for a wheel without libraries for the kinds of processors, or without the one for images."""
    with zipfile.ZipFile(wheel) as packed, tempfile.TemporaryDirectory() as folder:
        names = [one for one in packed.namelist() if not one.startswith(("lib/", "bin/", "include/"))]
        work = Path(folder)
        packed.extractall(work, [one for one in names if one.startswith(FOLDER)])
        libraries = [one for one in (work / FOLDER).iterdir() if ".so" in one.name]
        if not any("ggml-cpu-" in one.name for one in libraries):
            raise SystemExit(f"{wheel} has no variants for processors in {FOLDER}.")
        if not any(one.name.startswith("libmtmd.") for one in libraries):
            raise SystemExit(f"{wheel} has no library for images (mtmd) in {FOLDER}.")
        runtime = next((found for one in libraries if (found := openmp(one)) is not None), None)
        for library in libraries:
            subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", library], check=True)
        out.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(out / wheel.name, "w", zipfile.ZIP_DEFLATED) as to:
            for name in names:
                if name.startswith(FOLDER) and not name.endswith("/"):
                    to.write(work / name, name)
                elif name.endswith(".dist-info/RECORD"):
                    to.writestr(name, "\n".join(f"{one},," for one in names) + "\n")
                else:
                    to.writestr(packed.getinfo(name), packed.read(name))
            if runtime is not None:
                to.write(runtime, FOLDER + "libgomp.so.1")
    return out / wheel.name


if __name__ == "__main__":
    sys.stdout.write(f"{finish(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
