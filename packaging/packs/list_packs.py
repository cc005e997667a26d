"""Writes the list of runtime packs that installed programs may ask for, and its signature.

    python packaging/packs/list_packs.py --key release.packs.key --out FOLDER FILE.pack...
        [--earlier packs.json --at URL]

``packs.json`` and the packs belong beside ``latest.json``. Versions that are in use need packs of their own llama.cpp:
those of an earlier list stay in the new one, with their files in the folder URL.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from pathlib import Path
from urllib.parse import urljoin

import msgspec

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from keys import read_private, sign  # noqa: E402

from workbench.records.runtime import MANIFEST, PACK_LIST, PackList  # noqa: E402
from workbench.runtime.packs import MANIFEST_FILE  # noqa: E402


def list_packs(packs: list[Path], earlier: PackList | None = None, at: str = "") -> bytes:
    """The list of ``packs``, and of those of an ``earlier`` list that have other names, whose files are at ``at``/."""
    offers: list[dict[str, object]] = []
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
    names = {offer["name"] for offer in offers}
    for one in earlier.packs if earlier is not None else ():
        if one.name not in names:
            offers.append({**msgspec.structs.asdict(one), "url": urljoin(f"{at.rstrip('/')}/", one.url)})
    return PACK_LIST.encode(PACK_LIST.get({"format": 1, "packs": offers}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("pack", nargs="+", type=Path)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--earlier", type=Path)
    parser.add_argument("--at", default="", metavar="URL")
    given = parser.parse_args()
    earlier = PACK_LIST.get(given.earlier.read_bytes()) if given.earlier else None
    content = list_packs(given.pack, earlier, given.at)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "packs.json").write_bytes(content)
    (given.out / "packs.json.sig").write_text(sign(read_private(given.key), content) + "\n", "ascii")


if __name__ == "__main__":
    main()
