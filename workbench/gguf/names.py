"""Names of models: made from their metadata, unique in the catalogue."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from pathlib import Path

from workbench.base.naming import free_name

MAX_LENGTH = 80
_LONGEST_FOLDER = 60
_SPLIT = re.compile(r"-\d{5}-of-\d{5}$")
_HASH = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)
_SAYS_NOTHING = frozenset({"", "model", "models", "hub", "llama", "main", "snapshot", "snapshots", "unknown", "tmp"})


def name_of(path: Path, given: str = "") -> str:
    """A model's name: the one in its metadata where that is meaningful, else its file's or folder's."""
    given = clean_name(given.replace("\\", "/").rstrip("/").rpartition("/")[2])
    if given.lower() not in _SAYS_NOTHING and not _HASH.fullmatch(given):
        return given
    stem = _SPLIT.sub("", path.stem) if path.suffix.lower() == ".gguf" else path.name
    if _HASH.fullmatch(stem) or stem.lower() in _SAYS_NOTHING:
        # a snapshot in a Hugging Face cache is in models--ORGANISATION--NAME/snapshots/HASH
        for folder in path.parents:
            if folder.name.startswith("models--"):
                stem = folder.name.rpartition("--")[2]
                break
    return clean_name(stem) or "Model"


def clean_name(name: str) -> str:
    """The name on one line, without control characters, at most 80 characters long."""
    printable = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in name)
    return " ".join(printable.split())[:MAX_LENGTH].strip()


def unique_name(name: str, taken: Collection[str], quantization: str = "") -> str:
    """``name``, or, when it is taken (ignoring case), with its quantisation or else a number appended."""
    used = {t.casefold() for t in taken}
    if name.casefold() not in used:
        return name
    if quantization:
        with_type = f"{name} {quantization}"
        if quantization.casefold() not in name.casefold() and with_type.casefold() not in used:
            return with_type
    return free_name(name, used)


def file_safe(name: str) -> str:
    """A folder name of letters, digits, dot and dash; never empty, never reserved by Windows. Of a long name the middle
    is left out, since names that begin alike differ at their ends."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9.]+", "-", plain).strip("-.").lower()
    if len(safe) > _LONGEST_FOLDER:
        safe = f"{safe[: _LONGEST_FOLDER - 21].strip('-.')}-{safe[-20:].strip('-.')}"
    reserved = re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", safe)
    return f"model-{safe}" if reserved else safe or "model"
