"""Tesseract: its table of words, and which of its languages are used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from workbench.base.errors import UserError
from workbench.reading import tesseract
from workbench.reading.page_layout import RecognisedText
from workbench.reading.tesseract import read_table, recognise

HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
PAGE = np.full((10, 10, 3), 255, dtype=np.uint8)
ENGLISH = "The tenant pays the rent on the third day of the month, and that is what they have said to us all. " * 3
GERMAN = "Der Mieter zahlt die Miete am dritten Tag und das ist es, was sie uns allen gesagt haben, nicht mehr. " * 3
FRENCH = "Le locataire paie le loyer le troisième jour du mois et c'est ce qu'ils nous ont dit dans la maison. " * 3


def test_words_of_its_table_have_their_places() -> None:
    rows = [
        "1\t1\t0\t0\t0\t0\t0\t0\t1000\t500\t-1\t",
        '5\t1\t1\t1\t1\t1\t100\t50\t100\t20\t96.5\t"Notice:',
        "5\t1\t1\t1\t1\t2\t210\t50\t80\t20\t91\tninety",
        "5\t1\t1\t1\t1\t3\t600\t50\t80\t20\t90\tdays",
        "5\t1\t1\t1\t2\t1\t100\t80\t80\t20\t-1\t ",
        "5\t1\t1\t1\t3\t1\t100\t74\t80\t20\t0\tend",
    ]
    found = read_table(HEAD + "\n".join(rows) + "\n", 1000, 500)
    assert found.text == '"Notice: ninety  days\nend'
    first, *_, last = found.places
    assert (first.start, first.end, first.left, first.top, first.right, first.bottom) == (0, 8, 0.1, 0.1, 0.2, 0.14)
    assert found.text[last.start : last.end] == "end"
    assert found.confidence == pytest.approx((0.965 + 0.91 + 0.9 + 0) / 4)
    assert read_table(HEAD, 10, 10).text == ""


class Machine:
    """A Tesseract whose pages are in a language, as far as it is asked to read that one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, installed: Sequence[str], text: str, script: str) -> None:
        self.asked: list[str] = []
        monkeypatch.setattr(tesseract, "installed_languages", lambda program: tuple(installed))

        def run(page: object, *options: str) -> str:
            self.asked.append(options[1] if options[0] == "-l" else "script")
            if options[0] != "-l":
                return f"Page number: 0\nScript: {script}\nScript confidence: 2.1\n"
            return HEAD + "".join(
                f"5\t1\t1\t1\t{number}\t1\t0\t{20 * number}\t50\t10\t90\t{word}\n"
                for number, word in enumerate(text.split())
            )

        monkeypatch.setattr("workbench.reading.tesseract._Page._run", run)

    def read(self, likely: Sequence[str] = ()) -> tuple[RecognisedText, tuple[str, ...]]:
        return recognise(PAGE, Path("tesseract"), likely)


def test_few_languages_are_all_used(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, ["deu", "eng"], GERMAN, "Latin")
    found, languages = machine.read()
    assert (machine.asked, languages) == (["eng+deu"], ("eng", "deu"))
    assert found.text.split()[:2] == ["Der", "Mieter"]
    machine.read(languages)
    assert machine.asked == ["eng+deu"] * 2


def test_of_many_languages_that_of_the_page_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    many = ["chi_sim", "deu", "eng", "fra", "ita", "rus"]
    machine = Machine(monkeypatch, many, GERMAN, "Latin")
    _, languages = machine.read()
    assert (machine.asked, languages) == (["script", "eng", "eng+deu"], ("eng", "deu"))
    machine.asked.clear()
    assert machine.read(languages)[1] == languages
    assert machine.asked == ["eng+deu"]  # of the next page neither script nor language is tried again
    other = Machine(monkeypatch, many, FRENCH, "Latin")
    assert other.read(("eng", "deu"))[1] == ("eng", "fra")
    assert other.asked == ["eng+deu", "eng+fra"]
    assert Machine(monkeypatch, many, ENGLISH, "Latin").read()[1] == ("eng",)


def test_a_script_brings_its_own_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    many = ["chi_sim", "deu", "eng", "fra", "ita", "rus", "ukr"]
    assert Machine(monkeypatch, many, "слова на русском языке", "Cyrillic").read()[1] == ("rus", "ukr")
    assert Machine(monkeypatch, many, "words", "Georgian").read()[1] == ("eng",)


def test_without_languages_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no language data"):
        Machine(monkeypatch, [], "", "Latin").read()


def test_what_this_machine_has_is_asked_of_it() -> None:
    program = tesseract.find_tesseract()
    if program is None:
        pytest.skip("Tesseract is not installed on this machine")
    assert tesseract.installed_version(program)[0].isdigit()
    assert "osd" not in tesseract.installed_languages(program)
