"""Writes the list of runtime packs that installed programs may ask for, and its signature.

    python packaging/packs/list_packs.py --key release.packs.key --out FOLDER FILE.pack...
        [--earlier packs.json --at URL]

``packs.json`` and the packs belong beside ``latest.json``. Versions that are in use need packs of their own llama.cpp:
those of an earlier list stay in the new one, with their files in the folder URL. An earlier list is believed with its
signature only, packs.json.sig beside it, by the same key or one of resources/keys.
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

from keys import public_of, read_private, sign  # noqa: E402

from workbench.base.errors import UserError  # noqa: E402
from workbench.records.runtime import MANIFEST, PACK_LIST, PackList  # noqa: E402
from workbench.subjects.machine.packs import MANIFEST_FILE  # noqa: E402
from workbench.subjects.machine.signatures import OWN_KEYS, check_signature, trusted_keys  # noqa: E402


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


def read_signed(path: Path, key: bytes) -> PackList:
    """A list that was signed by the private ``key`` or a trusted one. Raises SystemExit for any other: what is in it
    would be signed again."""
    content, signature = path.read_bytes(), Path(f"{path}.sig")
    keys = {"the key that signs": public_of(key), **trusted_keys("packs", OWN_KEYS)}
    try:
        check_signature(str(path), content, signature.read_text("ascii"), keys)
        return PACK_LIST.get(content)
    except (OSError, UserError) as error:
        raise SystemExit(f"{error}") from error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("pack", nargs="+", type=Path)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--earlier", type=Path)
    parser.add_argument("--at", default="", metavar="URL")
    given = parser.parse_args()
    key = read_private(given.key)
    earlier = read_signed(given.earlier, key) if given.earlier else None
    content = list_packs(given.pack, earlier, given.at)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "packs.json").write_bytes(content)
    (given.out / "packs.json.sig").write_text(sign(key, content) + "\n", "ascii")


if __name__ == "__main__":
    main()
