"""The catalogue: which languages are looked for, and what stands where there is none."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.ui.pseudo_locale import LANGUAGE, pseudo, write_catalogue
from workbench.base import catalogue
from workbench.base.catalogue import Shown, _, localised, ngettext, system_languages, texts_of, translated


@pytest.mark.parametrize(
    ("variables", "languages"),
    [
        ({"LANG": "de_AT.UTF-8"}, ["de_AT.UTF-8"]),
        ({"LANG": "de_AT.UTF-8", "LC_MESSAGES": "fr_FR"}, ["fr_FR"]),
        ({"LC_MESSAGES": "fr_FR", "LC_ALL": "it_IT"}, ["it_IT"]),
        ({"LANG": "de_AT.UTF-8", "LANGUAGE": "pt:es"}, ["pt", "es"]),
        ({"LANG": "de_AT.UTF-8", "LANGUAGE": ""}, ["de_AT.UTF-8"]),
    ],
)
def test_the_system_names_the_languages(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], languages: list[str]
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert system_languages() == languages


def test_a_text_without_a_translation_is_shown_in_english() -> None:
    assert _("A text that no catalogue knows") == "A text that no catalogue knows"
    assert _("") == ""  # gettext gives the head of the file for it
    assert [ngettext("{count} file", "{count} files", count) for count in (0, 1, 2)] == [
        "{count} files",
        "{count} file",
        "{count} files",
    ]


class Row(msgspec.Struct, frozen=True):
    title: Shown
    name: str
    notes: tuple[Shown, ...] = ()
    inner: tuple[Row, ...] = ()


@pytest.fixture
def _spoken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A language that is there, as gettext finds it."""
    texts = ("Documents", "{path} exists already.", "{count} of {total} files were read.", "Fast", "It is {title}.")
    write_catalogue([*((text, "") for text in texts), ("{count} file", "{count} files")], tmp_path)
    found = catalogue.find_catalogue(tmp_path, [LANGUAGE])
    monkeypatch.setattr(catalogue, "_CATALOGUE", found)


@pytest.mark.usefixtures("_spoken")
def test_a_text_and_its_plural_are_looked_up() -> None:
    assert _("Documents") == pseudo("Documents") == "⟦Dóçúméñtš··⟧"
    assert ngettext("{count} file", "{count} files", 3).format(count=3).startswith("⟦3 fíléš")


@pytest.mark.usefixtures("_spoken")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Documents", "⟦Dóçúméñtš··⟧"),
        ("/home/a exists already.", pseudo("{path} exists already.").format(path="/home/a")),
        ("It is Fast.", pseudo("It is {title}.").format(title=pseudo("Fast"))),
        (
            "It is Fast. 12 of 40 files were read.",
            f"{pseudo('It is {title}.').format(title=pseudo('Fast'))} "
            f"{pseudo('{count} of {total} files were read.').format(count='12', total='40')}",
        ),
        ("12 of 40 files were read.", pseudo("{count} of {total} files were read.").format(count="12", total="40")),
        ("What nobody translated", "What nobody translated"),
        ("", ""),
    ],
)
def test_a_sentence_with_values_is_found_by_its_words(text: str, shown: str) -> None:
    assert translated(text) == shown


@pytest.mark.usefixtures("_spoken")
def test_the_texts_of_a_value_are_translated_and_its_names_are_not() -> None:
    row = Row("Fast", "Fast", ("Documents",), (Row("Documents", "Documents"),))
    assert localised([row]) == [
        Row(pseudo("Fast"), "Fast", (pseudo("Documents"),), (Row(pseudo("Documents"), "Documents"),))
    ]
    unknown = Row("Slow", "b")
    assert localised(unknown) is unknown


def test_the_texts_of_a_value_are_found() -> None:
    row = Row("Fast", "name", ("Documents",), (Row("Slow", "other"),))
    assert list(texts_of({"a": [row]})) == ["Fast", "Documents", "Slow"]


def test_without_a_translation_a_value_is_left_as_it_is() -> None:
    row = Row("Fast", "name")
    assert localised(row) is row
    assert translated("/home/a exists already.") == "/home/a exists already."


@pytest.mark.usefixtures("_spoken")
def test_a_text_that_is_too_long_to_be_searched_stays_as_it_is() -> None:
    """The error of an endpoint may be of any length, and the window waits for the search."""
    long = "x" * 3_000 + " exists already."
    assert translated(long) == long
    lines = "\n".join(["a of b files were read."] * 200)
    assert translated(lines) == lines
    assert translated("x" * 500 + " exists already.") != "x" * 500 + " exists already."
