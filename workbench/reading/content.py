"""The bytes of a file: read whole, once and safely, and their signature."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from workbench.base.errors import UserError
from workbench.base.files import SpecialFile, open_regular

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted Office file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a macOS program or a Java class"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"ID3", "a sound file"),
    (b"OggS", "a sound or video file"),
    (b"RIFF", "a sound, video or picture file"),
    (b"\x1aE\xdf\xa3", "a video file"),
    (b"GGUF", "a language model"),
)


@dataclass(frozen=True)
class Content:
    """All bytes of a file and their SHA-256, in hexadecimal."""

    data: bytes
    hash: str


def read_content(path: Path, largest_bytes: int) -> Content:
    """Read a file whole. Never blocks on a pipe or a device: only regular files are opened.

    Raises UserError with the reason when the file is missing, not permitted, not regular, empty, larger than
    ``largest_bytes``, or is being written to.
    """
    try:
        with open_regular(path) as file:
            before = os.fstat(file.fileno())
            if before.st_size > largest_bytes:
                raise UserError(
                    f"The file is too large: {_megabytes(before.st_size)}; the limit is {_megabytes(largest_bytes)}.",
                    "Split it, or raise the limit in Settings, Documents.",
                )
            data = _read_all(file.fileno(), before.st_size)
            after = os.fstat(file.fileno())
    except SpecialFile as error:
        raise UserError(f"This is {error.kind}, not a file.") from error
    except OSError as error:
        raise UserError(_reason(path, error)) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != before.st_size:
        raise UserError(
            "The file changed while it was being read.", "Add it again when no program writes to it any more."
        )
    if not data:
        raise UserError("The file is empty.")
    return Content(data, hashlib.sha256(data).hexdigest())


def signature_of(data: bytes) -> str | None:
    """The type that the first bytes announce ("a PNG picture"), or None."""
    for magic, meaning in _SIGNATURES:
        if data.startswith(magic):
            return meaning
    return None


def _read_all(descriptor: int, size: int) -> bytes:
    """Up to ``size + 1`` bytes: one more than expected reveals a file that grows."""
    pieces: list[bytes] = []
    left = size + 1
    while left > 0:
        piece = os.read(descriptor, min(left, 16 * 1024 * 1024))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _reason(path: Path, error: OSError) -> str:
    if error.errno == errno.EISDIR:
        return "This is a folder, not a file."
    if error.errno == errno.ELOOP:
        return "The file is a link that leads in a circle."
    if error.errno == errno.ENOENT:
        try:
            target = os.readlink(path)
        except OSError:
            return "The file is missing."
        return f"The file is a link to a missing file: {target}."
    if error.errno in (errno.EACCES, errno.EPERM):
        return "You have no permission to read the file."
    return f"The file cannot be read: {error.strerror}."


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:,.{0 if count >= 10_000_000 else 1}f} MB"
