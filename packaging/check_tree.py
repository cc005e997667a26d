"""Checks an installed tree from within: every data file is there and can be read, every worker can be imported.

    TREE/python/bin/python3 -P packaging/check_tree.py [--checkout ROOT]

With ``--checkout`` the data files of the checkout must be in the tree, byte for byte.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import sys
import tomllib
from importlib import metadata
from pathlib import Path

PACKAGES = ("workbench", "ui", "resources")


def data_files(root: Path) -> dict[str, Path]:
    """Everything of the three packages that is not Python, by its name in them."""
    return {
        path.relative_to(root).as_posix(): path
        for package in PACKAGES
        for path in sorted((root / package).rglob("*"))
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    }


def read(path: Path) -> None:
    """Raises what is wrong with a data file."""
    content = path.read_bytes()
    if not content:
        raise ValueError("it is empty")
    match path.suffix:
        case ".svg" | ".png":
            from PySide6.QtGui import QImageReader

            reader = QImageReader(str(path))
            if reader.read().isNull():
                raise ValueError(reader.errorString())
        case ".json":
            json.loads(content)
        case ".jsonl":
            [json.loads(line) for line in content.splitlines() if line.strip()]
        case ".toml":
            tomllib.loads(content.decode())
        case ".safetensors":
            from safetensors import safe_open

            with safe_open(path, "numpy") as opened:
                [opened.get_tensor(name) for name in opened.keys()]  # noqa: SIM118 - it is no mapping
        case ".sql" | ".txt" | ".md" | ".csv" | ".html" | ".eml":
            content.decode()
        case _:
            raise ValueError("there is no check for this kind of file")


def check(checkout: Path | None) -> list[str]:
    site = Path(importlib.import_module("workbench").__file__ or "").parents[1]
    problems = []
    found = data_files(site)
    for name, path in found.items():
        try:
            read(path)
        except Exception as error:  # noqa: BLE001 - each of them is a finding
            problems.append(f"{name}: {error}")
    for name, path in data_files(checkout).items() if checkout is not None else ():
        if name not in found or found[name].read_bytes() != path.read_bytes():
            problems.append(f"{name}: not as in the checkout")
    heavy = importlib.import_module("workbench.base.training_environment").PACKAGES
    workers = {
        worker: module.partition(":")[0]
        for worker, module in importlib.import_module("workbench.workers.__main__").WORKERS.items()
        if module.partition(".")[0] not in heavy  # the tree comes without those
    }
    for worker, module in workers.items():
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001
            problems.append(f"worker {worker}: {error}")
    if there := [name for name in heavy if importlib.util.find_spec(name) is not None]:
        problems.append(f"packages of the training environment are in the tree: {', '.join(there)}")
    tree = importlib.import_module("workbench.base.installation").installation()
    if tree is None:
        problems.append("installation.json is not found from this Python")
    elif tree.version != metadata.version("llm-workbench"):
        problems.append(f"installation.json says {tree.version}")
    sys.stdout.write(f"{len(found)} data files, {len(workers)} workers\n")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkout", type=Path)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    problems = check(parser.parse_args().checkout)
    sys.stdout.write("".join(f"{problem}\n" for problem in problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
