"""The formats of documents that are read: for the reader, and for what a person sees of them."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

import msgspec

from workbench.base.catalogue import Shown

Kind = Literal[
    "text", "markdown", "rst", "html", "pdf", "docx", "pptx", "xlsx", "odt", "rtf", "csv", "tsv", "json", "jsonl",
    "epub", "eml", "code", "picture", "doc", "xls", "ppt", "msg",
]  # fmt: skip
Need = Literal["", "recognition", "office"]

_CODE = """
    .py .pyi .js .mjs .cjs .jsx .ts .tsx .java .kt .kts .scala .groovy .c .h .cc .cpp .cxx .hh .hpp .hxx
    .cs .fs .vb .go .rs .swift .m .mm .rb .php .pl .pm .lua .r .jl .dart .ex .exs .erl .hrl .clj .cljs .hs .ml .mli .elm
    .sh .bash .zsh .fish .ps1 .bat .cmd .sql .css .scss .less .vue .svelte .proto .graphql .thrift .tf .cmake .gradle
    .asm .s .f .f90 .pas .d .nim .zig .v .sv .vhd .vhdl .yaml .yml .toml .ini .cfg .conf .properties .xml .xsd .tex .bib
"""


class DocumentFormat(msgspec.Struct, frozen=True):
    """``title`` is its name in a list of formats. ``needs``: text recognition, or LibreOffice, which a machine may not
    have."""

    kind: Kind
    title: Shown
    extensions: tuple[str, ...]
    needs: Need = ""


FORMATS = (
    DocumentFormat("pdf", "PDF", (".pdf",)),
    DocumentFormat("docx", "Word", (".docx", ".docm")),
    DocumentFormat("pptx", "PowerPoint", (".pptx", ".pptm")),
    DocumentFormat("xlsx", "Excel", (".xlsx", ".xlsm")),
    DocumentFormat("odt", "OpenDocument text", (".odt",)),
    DocumentFormat("rtf", "rich text", (".rtf",)),
    DocumentFormat("text", "text", (".txt", ".text", ".log")),
    DocumentFormat("markdown", "Markdown", (".md", ".markdown", ".mdown")),
    DocumentFormat("rst", "reStructuredText", (".rst", ".rest")),
    DocumentFormat("html", "HTML", (".html", ".htm", ".xhtml")),
    DocumentFormat("csv", "CSV", (".csv",)),
    DocumentFormat("tsv", "TSV", (".tsv", ".tab")),
    DocumentFormat("json", "JSON", (".json",)),
    DocumentFormat("jsonl", "JSON Lines", (".jsonl", ".ndjson")),
    DocumentFormat("epub", "e-books", (".epub",)),
    DocumentFormat("eml", "mail", (".eml",)),
    DocumentFormat("code", "source code", tuple(_CODE.split())),
    DocumentFormat("picture", "pictures", (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"), "recognition"),
    DocumentFormat("doc", "Word 97", (".doc",), "office"),
    DocumentFormat("xls", "Excel 97", (".xls",), "office"),
    DocumentFormat("ppt", "PowerPoint 97", (".ppt",), "office"),
)

_KINDS = {extension: one.kind for one in FORMATS for extension in one.extensions}


def kind_by_name(path: str) -> Kind:
    """The kind that a file has by the end of its name; text without a known one."""
    return _KINDS.get(PurePath(path).suffix.lower(), "text")


DRAWN: tuple[Kind, ...] = ("pdf", "picture")
"""The kinds whose pages are drawn."""


def format_titles(needs: Need = "") -> str:
    """The formats with this need, such as ``PDF, Word, … and source code``."""
    titles = [one.title for one in FORMATS if one.needs == needs]
    return f"{', '.join(titles[:-1])} and {titles[-1]}" if len(titles) > 1 else "".join(titles)


def format_sentence() -> Shown:
    """All formats in two sentences, for a person."""
    return (
        f"Supported: {format_titles()}. Scanned pages and {format_titles('recognition')} are read where text "
        f"recognition is installed, and {format_titles('office')} where LibreOffice is."
    )


def file_patterns() -> str:
    """For a dialog that chooses files: ``*.pdf *.docx …``."""
    return " ".join(f"*{extension}" for one in FORMATS for extension in one.extensions)
