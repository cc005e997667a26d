"""Writes the lock files: for each platform every package with its hashes, as wheels only.

    python packaging/lock.py [--torch VERSION] [--find-links FOLDER] [--index URL] [PLATFORM]...

Needs uv. llama-cpp-python has no wheels: its source is locked by itself, and built by the scripts of each system.
On Linux PyPI's torch brings 15 packages of CUDA: ``--torch`` names a build for processors there, such as 2.13.0+cpu,
from PyTorch's own index (``--index``) or a folder of wheels (``--find-links``).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "packaging" / "locks"
PLATFORMS = {  # the floors are those of the wheels: docs/packaging.md
    "linux-x86_64": "x86_64-manylinux_2_34",
    "linux-aarch64": "aarch64-manylinux_2_39",
    "windows-x86_64": "x86_64-pc-windows-msvc",
    "macos-arm64": "aarch64-apple-darwin",
}
PYTHON = "3.11"
BUILT_FROM_SOURCE = "llama-cpp-python"
OF_LLAMA_CPP_PYTHON = ["diskcache>=5.6.1", "typing-extensions>=4.5.0"]
EXTRAS = ("mcp",)
ANNOUNCING = ["cryptography", "httpx2", "msgspec", "platformdirs", "psutil", "tomli-w"]  # packaging/latest.py


def requirements() -> list[str]:
    """What the program needs at run time, without what is built from source and without the starter models."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    return [one for one in wanted if not one.startswith(BUILT_FROM_SOURCE)] + OF_LLAMA_CPP_PYTHON


def starters() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return list(project["optional-dependencies"]["starter"])


def lock(wanted: list[str], out: Path, platform: str, more: list[str]) -> None:
    command = ["uv", "pip", "compile", "-", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"]
    command += ["--python-platform", PLATFORMS[platform], "--python-version", PYTHON, "--only-binary", ":all:"]
    command += ["--output-file", str(out), *more]
    floor = {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    subprocess.run(command, input="\n".join(wanted), text=True, check=True, env={**os.environ, **floor})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("platform", nargs="*", choices=list(PLATFORMS), default=[])
    parser.add_argument("--torch", metavar="VERSION", default="")
    parser.add_argument("--find-links", default="")
    parser.add_argument("--index", default="")
    given = parser.parse_args()
    more = ["--find-links", given.find_links] if given.find_links else []
    more += ["--index", given.index, "--index-strategy", "unsafe-best-match"] if given.index else []
    LOCKS.mkdir(exist_ok=True)
    for platform in given.platform or PLATFORMS:
        torch = [f"torch=={given.torch}"] if given.torch and platform.startswith("linux") else []
        lock([*requirements(), *torch], LOCKS / f"{platform}.txt", platform, more)
        sys.stdout.write(f"{platform}\n")
    lock(ANNOUNCING, LOCKS / "announce.txt", "linux-x86_64", [])
    lock(starters(), LOCKS / "starter.txt", "linux-x86_64", ["--no-deps"])


if __name__ == "__main__":
    main()
