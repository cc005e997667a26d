"""Text recognition (OCR): which recogniser this machine has, and the text of a picture by it. Light to import.

Tesseract is preferred: it needs a third of the processor time of RapidOCR, reads scans of two columns in their order,
and gives a place for each word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.base.errors import UserError
from workbench.reading import rapid_ocr, tesseract
from workbench.reading.page_layout import RecognisedText

INSTALL = (
    "Install Tesseract, with the languages of your documents, and read the file again; or install the optional package "
    'of text recognition: pip install "llm-workbench[ocr]".'
)
LEAST_CONFIDENCE = 0.8
"""Of a page whose words or lines are surer than this on average nothing is said."""


@dataclass(frozen=True)
class Recogniser:
    """``longest_side``: pixels of a drawn page; ``program``: that of Tesseract."""

    name: Literal["tesseract", "rapidocr"]
    longest_side: int
    program: Path | None = None

    @property
    def description(self) -> str:
        """``Tesseract 5.5.0 (deu, eng)``. Raises UserError when Tesseract cannot be asked."""
        if self.program is None:
            return "RapidOCR"
        languages = ", ".join(tesseract.installed_languages(self.program)) or "no language"
        return f"Tesseract {tesseract.installed_version(self.program)} ({languages})"

    def recognise(
        self, picture: Any, likely: Sequence[str] = (), *, seconds: float = 60.0, memory_mb: int = 900
    ) -> tuple[RecognisedText, tuple[str, ...]]:
        """As ``tesseract.recognise``; RapidOCR knows no languages, and the reader process's own limits hold."""
        if self.program is None:
            return rapid_ocr.recognise(picture), ()
        return tesseract.recognise(picture, self.program, likely, seconds=seconds, memory_mb=memory_mb)


def recognisers() -> tuple[Recogniser, ...]:
    """Those that this machine has, the preferred one first."""
    found = []
    program = tesseract.find_tesseract()
    if program is not None and _has_languages(program):
        found.append(Recogniser("tesseract", tesseract.LONGEST_SIDE, program))
    if rapid_ocr.is_available():
        found.append(Recogniser("rapidocr", rapid_ocr.LONGEST_SIDE))
    return tuple(found)


def _has_languages(program: Path) -> bool:
    try:
        return bool(tesseract.installed_languages(program))
    except UserError:  # it does not run: the diagnosis says so
        return False


def is_available() -> bool:
    return bool(recognisers())


def recogniser() -> Recogniser:
    """The preferred one. Raises UserError when there is none."""
    found = recognisers()
    if not found:
        raise UserError("Text recognition (OCR) is not installed.", INSTALL)
    return found[0]
