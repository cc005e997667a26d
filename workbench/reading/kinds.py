"""File types of documents, and the documents in a folder. Light to import; opens no file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.base.files import is_unicode
from workbench.records.document_formats import FORMATS, Kind

KINDS: dict[str, Kind] = {extension: one.kind for one in FORMATS for extension in one.extensions} | {".msg": "msg"}

CONVERTED: dict[Kind, tuple[str, str, Kind]] = {
    "doc": ("a Word 97 document", ".docx", "docx"),
    "xls": ("an Excel 97 workbook", ".xlsx", "xlsx"),
    "ppt": ("a PowerPoint 97 presentation", ".pptx", "pptx"),
}
"""The formats that LibreOffice converts: their name, and the format that they become."""

REFUSED: dict[str, tuple[str, str]] = {
    "msg": ("an Outlook message", "Save it as .eml in a mail program, or as HTML or text in Outlook."),
}
"""Documents that cannot be read: their name, and what to do. In a folder they are reported, not skipped."""

NAMES: dict[str, Kind] = {
    "readme": "text",
    "license": "text",
    "licence": "text",
    "copying": "text",
    "authors": "text",
    "changelog": "text",
    "changes": "text",
    "notice": "text",
    "todo": "text",
    "makefile": "code",
    "dockerfile": "code",
    "jenkinsfile": "code",
    "rakefile": "code",
    "gemfile": "code",
}

PASSED_OVER = frozenset(
    {"node_modules", "bower_components", "__pycache__", "site-packages", "__MACOSX", "$RECYCLE.BIN"}
)
"""Folders of programs, not of people. Hidden ones (``.git``, ``.venv``) are skipped by their dot."""


def kind_of(path: str | os.PathLike[str]) -> Kind | None:
    """The document type for a file name, or None when it is not supported."""
    name = os.path.basename(os.fspath(path)).lower()
    stem, extension = os.path.splitext(name)
    return KINDS.get(extension) if extension else NAMES.get(stem)


def find_files(
    root: Path,
    on_unreadable: Callable[[Path, str], None] | None = None,
    on_outside: Callable[[Path], None] | None = None,
) -> Iterator[Path]:
    """The documents below a folder, those of each folder by name, then its folders; ``root`` itself if it is a file.

    Files of unknown types, hidden files and folders, and folders of programs are skipped silently. Links within the
    folder are followed, but each real folder is entered once, so that a circular link ends; those that lead out of it
    are given to ``on_outside`` instead. Files are not opened: broken links and the like are yielded, and reading them
    gives the reason. ``on_unreadable`` gets each folder that cannot be listed and each name that is not valid text,
    with the reason.
    """
    tell = on_unreadable if on_unreadable is not None else _ignore
    tell_outside = on_outside if on_outside is not None else _ignore
    if not root.is_dir():
        yield root
        return
    within = os.path.realpath(root)
    entered: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            status = folder.stat()
            identity = (status.st_dev, status.st_ino)
            if identity in entered:
                continue
            entered.add(identity)
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            tell(folder, f"The folder cannot be opened: {error.strerror}.")
            continue
        if any(entry.name == "pyvenv.cfg" for entry in entries):
            continue  # a Python virtual environment
        inner: list[Path] = []
        for entry in entries:
            if entry.name.startswith((".", "~$")):
                continue
            if _is_link(entry) and not _is_within(os.path.realpath(entry.path), within):
                if kind_of(entry.name) is not None or _is_folder(entry):
                    tell_outside(Path(entry.path))
                continue
            if _is_folder(entry):
                if entry.name not in PASSED_OVER:
                    inner.append(Path(entry.path))
            elif kind_of(entry.name) is not None:
                if is_unicode(entry.name):
                    yield Path(entry.path)
                else:
                    tell(Path(entry.path), "The file name is not valid text. Rename the file.")
        waiting.extend(reversed(inner))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circle of links
        return False


def _is_link(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() or bool(getattr(entry, "is_junction", bool)())  # junctions: Windows, Python 3.12


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _ignore(path: Path, reason: str = "") -> None:
    pass
