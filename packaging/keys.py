"""Keys and signatures of releases (Ed25519, RFC 8032).

python packaging/keys.py new NAME FOLDER       a pair: NAME.pub is for resources/keys, NAME.key stays secret; NAME ends
                                               in .updates or .packs, after what it may sign
python packaging/keys.py sign NAME.key FILE    writes FILE.sig
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

USES = (".updates", ".packs")


def new_pair() -> tuple[bytes, bytes]:
    """A private and its public key, 32 bytes each."""
    private = Ed25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def public_of(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def sign(private: bytes, content: bytes) -> str:
    """The signature of ``content`` in base64."""
    return base64.b64encode(Ed25519PrivateKey.from_private_bytes(private).sign(content)).decode()


def read_private(path: Path) -> bytes:
    return base64.b64decode(path.read_text("ascii").strip(), validate=True)


def write_pair(name: str, folder: Path) -> None:
    """Raises SystemExit for a name that does not say what the key may sign."""
    if not name.endswith(USES):
        raise SystemExit(f"The name of a key ends in {' or '.join(USES)}; {name} does not.")
    private, public = new_pair()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(private).decode() + "\n")
    (folder / f"{name}.pub").write_text(base64.b64encode(public).decode() + "\n", "ascii")


def main(arguments: list[str]) -> int:
    match arguments:
        case ["new", name, folder]:
            write_pair(name, Path(folder))
        case ["sign", key, file]:
            signature = sign(read_private(Path(key)), Path(file).read_bytes())
            Path(f"{file}.sig").write_text(signature + "\n", "ascii")
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
