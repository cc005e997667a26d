"""Recognising the text of a page with Tesseract, where the machine has it (Smith 2007, "An Overview of the Tesseract
OCR Engine"). It runs as a program of its own and gets plain pixels, so that it parses nothing of a person's file.
"""

from __future__ import annotations

import csv
import functools
import io
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from workbench.base.errors import UserError
from workbench.base.programs import find_program
from workbench.processes.outside_program import run_program
from workbench.reading.page_layout import Piece, RecognisedText, arrange
from workbench.text.language import detect_language

LONGEST_SIDE = 2340
"""Pixels of a drawn page: 200 dpi of A4. More costs time and gains nothing on print of 8 points."""
MOST_LANGUAGES = 3
"""So many are used at once: each costs time, and with many of them words are taken for those of another language."""
DPI = 300
"""What it is told: from it only the largest and least size of a line follow."""

_CELL_GAP = 2.0  # of the height of a word
_WORD = 5  # the level of a row of its table
_ASKING_S = 20.0
# modules that are no languages, old typefaces, and vertical text
_NO_LANGUAGES = re.compile(r"osd|equ|snum|frk|\w+_(?:frak|latf|vert)")
_CODES = {
    "ar": "ara", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa",
    "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "hy": "hye", "id": "ind",
    "it": "ita", "ja": "jpn", "ko": "kor", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron",
    "ru": "rus", "sv": "swe", "ta": "tam", "th": "tha", "tr": "tur", "uk": "ukr", "zh": "chi_sim",
}  # fmt: skip
"""ISO 639-1 code -> Tesseract's name of the language."""
_SCRIPTS = {
    **dict.fromkeys(("rus", "ukr", "bel", "bul", "mkd", "srp", "kaz"), "Cyrillic"),
    **dict.fromkeys(("chi_sim", "chi_tra"), "Han"),
    **dict.fromkeys(("ara", "fas", "urd"), "Arabic"),
    **dict.fromkeys(("hin", "mar", "nep", "san"), "Devanagari"),
    "ell": "Greek", "grc": "Greek", "heb": "Hebrew", "jpn": "Japanese", "kor": "Korean", "tha": "Thai",
    "hye": "Armenian", "kat": "Georgian", "tam": "Tamil", "ben": "Bengali",
}  # fmt: skip
"""The script of a language, as Tesseract names it; Latin for all others."""


def find_tesseract() -> Path | None:
    return find_program(("tesseract",), windows=("Tesseract-OCR/tesseract.exe",))


@functools.cache
def installed_languages(program: Path) -> tuple[str, ...]:
    """The languages that it can recognise, such as ``deu`` and ``eng``, in alphabetical order. Raises UserError when it
    cannot be asked."""
    names = [line.strip() for line in _ask(program, "--list-langs").splitlines()[1:]]
    return tuple(sorted(name for name in names if re.fullmatch(r"\w+", name) and not _NO_LANGUAGES.fullmatch(name)))


@functools.cache
def installed_version(program: Path) -> str:
    """Such as ``5.5.0``, "" where it does not say. Raises UserError when it cannot be asked."""
    found = re.match(r"tesseract v?(\S+)", _ask(program, "--version"))
    return found.group(1) if found is not None else ""


def recognise(
    picture: Any, program: Path, likely: Sequence[str] = (), *, seconds: float = 60.0, memory_mb: int = 900
) -> tuple[RecognisedText, tuple[str, ...]]:
    """The text of a picture, with a place for each word, and the languages that were used. ``picture`` has the shape
    (height, width, 3), uint8; ``likely`` are the languages of the page before.

    All installed languages are used where they are few. Of many, those of the page's script, and of these the one in
    which the page turns out to be written, with English. Raises UserError when the program fails, exceeds its time or
    memory, or has no language.
    """
    installed = installed_languages(program)
    if not installed:
        raise UserError("Tesseract has no language data.", "Install a language of Tesseract, such as eng.")
    page = _Page(picture, program, seconds, memory_mb)
    languages = tuple(name for name in likely if name in installed) or _english_first(installed)
    if len(languages) <= MOST_LANGUAGES and not likely:
        return page.recognise(languages), languages
    if not likely:
        languages = _of_script(installed, page.script())
    first = languages if len(languages) <= MOST_LANGUAGES else languages[:1]
    text = page.recognise(first)
    written = _CODES.get(detect_language(text.text), "")
    if written in first or written not in installed:
        return text, first
    second = _english_first({written, "eng"} & {*installed})
    return page.recognise(second), second


class _Page:
    """A picture as Tesseract gets it."""

    def __init__(self, picture: Any, program: Path, seconds: float, memory_mb: int) -> None:
        self._height, self._width = picture.shape[:2]
        grey = picture.mean(axis=2).astype("uint8")
        # https://netpbm.sourceforge.net/doc/pgm.html
        self._data = b"P5 %d %d 255\n" % (self._width, self._height) + grey.tobytes()
        self._program, self._seconds, self._memory_mb = program, seconds, memory_mb

    def recognise(self, languages: Sequence[str]) -> RecognisedText:
        return read_table(self._run("-l", "+".join(languages), "tsv"), self._width, self._height)

    def script(self) -> str:
        """Such as ``Latin``; also where it cannot tell, as of a page with few words."""
        try:
            found = re.search(r"^Script: (\w+)", self._run("--psm", "0"), re.M)
        except UserError:
            return "Latin"
        return found.group(1) if found is not None else "Latin"

    def _run(self, *options: str) -> str:
        command = [str(self._program), "stdin", "stdout", "--dpi", str(DPI), *options]
        with tempfile.TemporaryDirectory(prefix="llm-workbench-") as folder:
            told = run_program(
                command, folder=Path(folder), input=self._data, seconds=self._seconds, memory_mb=self._memory_mb,
                environment={"OMP_THREAD_LIMIT": "1"},  # its threads cost more than they save
            )  # fmt: skip
        return told.decode("utf-8", "replace")


def _ask(program: Path, option: str) -> str:
    with tempfile.TemporaryDirectory(prefix="llm-workbench-") as folder:
        told = run_program([str(program), option], folder=Path(folder), seconds=_ASKING_S)
    return told.decode("utf-8", "replace")


def _english_first(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (name != "eng", name)))


def _of_script(installed: Sequence[str], script: str) -> tuple[str, ...]:
    """The languages of a script; all for a script that none of them has."""
    own = [name for name in installed if _SCRIPTS.get(name, "Latin") == script]
    return _english_first(own or installed)


def read_table(table: str, width: float, height: float) -> RecognisedText:
    """The words of its table of tab-separated values, in the order of reading. A line is parted where its words are
    far apart, so that cells of a table are cells."""
    lines: list[list[Piece]] = []
    before: tuple[str, ...] = ()
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (row.get("text") or "").strip()
        if row["level"] != str(_WORD) or not text:
            continue
        here = tuple(row[name] for name in ("page_num", "block_num", "par_num", "line_num"))
        left, top = float(row["left"]), float(row["top"])
        right, bottom = left + float(row["width"]), top + float(row["height"])
        word = Piece(left, top, right, bottom, text, max(0.0, float(row["conf"])) / 100)
        if here != before or left - lines[-1][-1].right > _CELL_GAP * (bottom - top):
            lines.append([])
        lines[-1].append(word)
        before = here
    return arrange([_line(words) for words in lines], width, height)


def _line(words: list[Piece]) -> Piece:
    return Piece(
        left=min(word.left for word in words),
        top=min(word.top for word in words),
        right=max(word.right for word in words),
        bottom=max(word.bottom for word in words),
        text=" ".join(word.text for word in words),
        confidence=sum(word.confidence for word in words) / len(words),
        words=tuple(words),
    )
