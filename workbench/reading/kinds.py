"""File types of documents, and the documents in a folder. Light to import; opens no file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

Kind = Literal[
    "text",
    "markdown",
    "rst",
    "html",
    "pdf",
    "docx",
    "pptx",
    "xlsx",
    "odt",
    "rtf",
    "csv",
    "tsv",
    "json",
    "jsonl",
    "epub",
    "eml",
    "code",
    "old",
]

_CODE = """
    .py .pyi .js .mjs .cjs .jsx .ts .tsx .java .kt .kts .scala .groovy .c .h .cc .cpp .cxx .hh .hpp .hxx
    .cs .fs .vb .go .rs .swift .m .mm .rb .php .pl .pm .lua .r .jl .dart .ex .exs .erl .hrl .clj .cljs .hs .ml .mli .elm
    .sh .bash .zsh .fish .ps1 .bat .cmd .sql .css .scss .less .vue .svelte .proto .graphql .thrift .tf .cmake .gradle
    .asm .s .f .f90 .pas .d .nim .zig .v .sv .vhd .vhdl .yaml .yml .toml .ini .cfg .conf .properties .xml .xsd .tex .bib
"""

KINDS: dict[str, Kind] = {
    ".txt": "text",
    ".text": "text",
    ".log": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdown": "markdown",
    ".rst": "rst",
    ".rest": "rst",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".pptx": "pptx",
    ".pptm": "pptx",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".odt": "odt",
    ".rtf": "rtf",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".epub": "epub",
    ".eml": "eml",
    **dict.fromkeys(_CODE.split(), "code"),
}

REFUSED: dict[str, tuple[str, str]] = {
    ".doc": ("an old Word document", "Open it in Word or LibreOffice and save it as .docx."),
    ".xls": ("an old Excel workbook", "Open it in Excel or LibreOffice and save it as .xlsx."),
    ".ppt": ("an old PowerPoint presentation", "Open it in PowerPoint or LibreOffice and save it as .pptx."),
    ".msg": ("an Outlook message", "Save it as .eml in a mail program, or as HTML or text in Outlook."),
}
"""Unsupported documents by extension: their name, and what to do. In a folder they are reported, not skipped."""

KINDS |= dict.fromkeys(REFUSED, "old")

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
                if _is_text(entry.name):
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


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _ignore(path: Path, reason: str = "") -> None:
    pass
