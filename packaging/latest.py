"""Writes the announcement of a version, which installed programs ask for, and its signature.

    python packaging/latest.py --key release.updates.key --version 0.2.0 --out FOLDER [--notes FILE] FILE...

FILE are the installers; the announcement names them by their kind and platform, size and SHA-256. It is checked by the
program's own reader before it is written.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from keys import read_private, sign  # noqa: E402

from workbench.subjects.machine.updates import ANNOUNCEMENT  # noqa: E402

MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64", "arm64": "arm64"}
KINDS = {".deb": ("deb", "linux"), ".run": ("run", "linux"), ".exe": ("windows", "windows"), ".dmg": ("macos", "macos")}


def place_of(installer: Path) -> str:
    """Such as "deb-linux-x86_64", from a file's name."""
    kind, system = KINDS[installer.suffix]
    machine = MACHINES[installer.stem.replace("_amd64", "-amd64").replace("_arm64", "-arm64").rpartition("-")[2]]
    if installer.suffix == ".deb" and machine == "arm64":
        machine = "aarch64"
    return f"{kind}-{system}-{machine}"


def announce(version: str, installers: list[Path], notes: str, published: str) -> bytes:
    files = {
        place_of(path): {
            "url": path.name,
            "name": path.name,
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in installers
    }
    plain = {"format": 1, "version": version, "published": published, "notes": notes, "files": files}
    return ANNOUNCEMENT.encode(ANNOUNCEMENT.get(plain))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("installer", nargs="+", type=Path)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--notes", type=Path)
    given = parser.parse_args()
    notes = given.notes.read_text("utf-8") if given.notes else ""
    content = announce(given.version, given.installer, notes, datetime.now(UTC).date().isoformat())
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "latest.json").write_bytes(content)
    (given.out / "latest.json.sig").write_text(sign(read_private(given.key), content) + "\n", "ascii")


if __name__ == "__main__":
    main()
