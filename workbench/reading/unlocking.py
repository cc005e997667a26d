"""Files that are protected by a password: Office files are decrypted here, PDFs where they are opened.

Passwords come with one reading and are stored nowhere.
"""

from __future__ import annotations

import io
import struct

from workbench.base.errors import UserError
from workbench.reading.archive import OLE

_PACKAGE = "EncryptedPackage".encode("utf-16-le")


class FileLocked(UserError):
    """A file cannot be opened without its password, or not with the one that was given."""

    def __init__(self, password: str = "") -> None:
        message = "The password is wrong." if password else "The file is protected by a password."
        super().__init__(message, "Enter its password, or save a copy without one.")


def is_locked_office_file(data: bytes) -> bool:
    """Whether it is an encrypted docx, xlsx or pptx ([MS-OFFCRYPTO] 2.3.2)."""
    return data.startswith(OLE) and _PACKAGE in data


def unlock_office_file(data: bytes, password: str) -> bytes:
    """The decrypted file. Raises FileLocked without the right password, UserError when it is damaged or encrypted in a
    way that is not supported."""
    if not password:
        raise FileLocked
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

    unlocked = io.BytesIO()
    try:
        file = msoffcrypto.OfficeFile(io.BytesIO(data))
        file.load_key(password=password, verify_password=True)
        file.decrypt(unlocked)
    except InvalidKeyError as error:
        raise FileLocked(password) from error
    except (DecryptionError, FileFormatError, ParseError, struct.error, ValueError, KeyError, OSError) as error:
        raise UserError(
            "The file cannot be decrypted: it is damaged, or encrypted in a way that is not supported.",
            "Save a copy without the password.",
        ) from error
    return unlocked.getvalue()
