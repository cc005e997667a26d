"""Writes the list of runtime packs that installed programs may ask for, and its signature.

    python packaging/packs/list_packs.py --key release.packs.key --out FOLDER FILE.pack...

``packs.json`` and the packs belong beside ``latest.json``. List the packs of every version that is in use.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from keys import read_private, sign  # noqa: E402

from workbench.records.runtime import MANIFEST, PACK_LIST  # noqa: E402
from workbench.runtime.packs import MANIFEST_FILE  # noqa: E402


def list_packs(packs: list[Path]) -> bytes:
    offers = []
    for path in packs:
        with zipfile.ZipFile(path) as packed:
            manifest = MANIFEST.get(packed.read(MANIFEST_FILE))
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        offers.append(
            {
                "name": manifest.name,
                "backend": manifest.backend,
                "base": manifest.base,
                "platform": manifest.platform,
                "url": path.name,
                "bytes": path.stat().st_size,
                "sha256": digest,
            }
        )
    return PACK_LIST.encode(PACK_LIST.get({"format": 1, "packs": offers}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("pack", nargs="+", type=Path)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    content = list_packs(given.pack)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "packs.json").write_bytes(content)
    (given.out / "packs.json.sig").write_text(sign(read_private(given.key), content) + "\n", "ascii")


if __name__ == "__main__":
    main()
