"""The documents of an office without tables to compute with, written from ``texts/LANGUAGE/NAME.SUFFIX.txt``.

A file `texts/de/Vertrag.docx.txt` in the mark-up of `kit.py` becomes `Vertrag.docx`; one of a suffix that `kit.py` does
not write (`.md`, `.txt`, `.csv`) is copied as it is.
"""

from collections.abc import Callable
from pathlib import Path

import kit

WRITERS: dict[str, Callable[[Path, str], None]] = {
    ".docx": kit.write_docx,
    ".odt": kit.write_odt,
    ".pdf": kit.write_pdf,
    ".pptx": kit.write_pptx,
    ".eml": kit.write_eml,
    ".html": lambda path, text: kit.write_html(path, text, title=path.stem),
}


class PlainOffice:
    """What an office's `documents.py` has: `LANGUAGE`, `PICTURES`, `TABLES`, `write`."""

    def __init__(self, texts: Path) -> None:
        self._texts = {one.name.removesuffix(".txt"): one for one in sorted(texts.glob("*/*.txt"))}
        self.LANGUAGE = {name: one.parent.name for name, one in self._texts.items()}
        self.PICTURES: dict[str, str] = {}
        self.TABLES: dict[str, object] = {}

    def write(self, folder: Path) -> None:
        for name, source in self._texts.items():
            path, text = folder / name, source.read_text(encoding="utf-8")
            writer = WRITERS.get(path.suffix)
            if writer is None:
                path.write_text(text, encoding="utf-8")
            else:
                writer(path, text)
