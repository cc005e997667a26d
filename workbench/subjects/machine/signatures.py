"""Ed25519 signatures (RFC 8032) of what is fetched or brought along and then run: runtime packs, and announcements of
new versions.

A key is 32 bytes in base64, in a file ``NAME.updates.pub`` or ``NAME.packs.pub`` after what it may sign: the program's
own ones in ``resources/keys``, and those that a person puts into ``trusted-keys`` of the home folder.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Literal

from workbench.base.errors import UserError
from workbench.base.paths import RESOURCES

Use = Literal["updates", "packs"]
OWN_KEYS = RESOURCES / "keys"
KEY_BYTES, SIGNATURE_BYTES = 32, 64
_MOST_KEYS = 32


def trusted_keys(use: Use, *folders: Path) -> dict[str, bytes]:
    """The public keys in ``folders`` that may sign ``use``, by name. Raises UserError for a file that is no key."""
    found = {}
    for folder in folders:
        for file in sorted(folder.glob(f"*.{use}.pub"))[:_MOST_KEYS]:
            try:
                found[file.name.removesuffix(".pub")] = _decoded(file.read_text("ascii"), KEY_BYTES)
            except (OSError, ValueError) as error:
                raise UserError(
                    f"{file} is not a public key.", "Remove it, or put the right one in its place."
                ) from error
    return found


def check_signature(what: str, content: bytes, signature: str, keys: dict[str, bytes]) -> str:
    """The name of the key that signed ``content``. Raises UserError, with ``what`` was to be checked, when none did."""
    # imported late: it takes longer than the rest of the program's start
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not keys:
        raise UserError(
            f"{what} cannot be checked: this build of LLM Workbench has no key for it.",
            "Put the public key of its maker (NAME.updates.pub or NAME.packs.pub) into the folder trusted-keys of the "
            "data folder.",
        )
    try:
        raw = _decoded(signature, SIGNATURE_BYTES)
    except ValueError as error:
        raise UserError(f"{what} has no valid signature.", "Get it again from its maker.") from error
    for name, key in keys.items():
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(raw, content)
        except InvalidSignature:
            continue
        return name
    raise UserError(
        f"{what} is not signed by anybody that this program trusts ({', '.join(keys)}), or was changed since.",
        "Get it again from its maker. It was not opened.",
    )


def _decoded(text: str, size: int) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if len(raw) != size:
        raise ValueError(f"{len(raw)} bytes instead of {size}")
    return raw
