"""Retrieved passages are drawn as what they are: no marks, tables as tables, and no score where nothing was scored."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from ui.components.passage_text import LONGEST, Rows, Words, parts_of
from ui.components.passages_panel import PassageCard, PassagesPanel
from workbench.records.messages import Passage
from workbench.records.places import TextPlace

STAFF = (
    "Name: Wilk | Work: foreman | Since: 2003 | Hours: 38.5\nName: Petrov | Work: surfaces | Since: 2012 | Hours: 40"
)
RAW = {
    "staff.xlsx": STAFF,
    "plan.xlsx": "Monday | closed\nTuesday | 9 to 12",
    "prices.md": "## Prices\n\n| Part | Price |\n|---|---:|\n| Pump | 310 |\n\n- **Seal** kit [list](a.html)",
    "scan.pdf": "Opening hours\nMonday | closed",
    "terms.docx": "# Terms\n\nOffers bind us for 21 days.\nPart: Pump | Price: 310",
    "mail.eml": "Subject: Oak\nFrom: ada@example.org\n\n> quoted twice",
    "notes.txt": "a | b | c and no more",
}


def passage(path: str, text: str, **more: object) -> Passage:
    made = Passage(
        collection="c", document="d", document_hash="h", path=f"/docs/{path}", title=path, start=100,
        end=100 + len(text), text=text, score=0.5, similarity=0.6, n=1,
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


def drawn(card: PassageCard) -> list[str]:
    return [label.text() for label in card.findChildren(QLabel)]


@pytest.mark.parametrize(("path", "text"), RAW.items())
def test_no_marks_are_drawn_or_spoken(qtbot: QtBot, path: str, text: str) -> None:
    card = PassageCard(passage(path, text))
    qtbot.addWidget(card)
    for words in (*drawn(card), card.accessibleName()):
        for mark in (" | ", "|", "**", "# ", "](", "> ", "---"):
            assert mark not in words, words
    assert any("310" in words or "closed" in words or "quoted" in words or "no more" in words or "foreman" in words
               for words in drawn(card))  # fmt: skip


def test_rows_of_a_table_are_one_table_with_their_names() -> None:
    assert parts_of(passage("staff.xlsx", STAFF)) == [
        Rows(
            ("Name", "Work", "Since", "Hours"),
            (("Wilk", "foreman", "2003", "38.5"), ("Petrov", "surfaces", "2012", "40")),
        )
    ]
    named = passage("plan.xlsx", "Monday | closed", places=(TextPlace(90, "columns", "Day | Hours"),))
    assert parts_of(named) == [Rows(("Day", "Hours"), (("Monday", "closed"),))]
    assert parts_of(passage("plan.xlsx", "Monday | closed")) == [Rows(("", ""), (("Monday", "closed"),))]


def test_a_long_passage_is_shown_from_what_it_is_shown_for() -> None:
    text = f"{'one two ' * 100}\n\nThe Westkapelle tower is 52 m high."
    assert parts_of(passage("notes.txt", text), "westkapelle")[-1] == Words("The Westkapelle tower is 52 m high.")
    (words, *_) = parts_of(passage("notes.txt", text))
    assert isinstance(words, Words)
    assert len(words.text) <= LONGEST


def test_what_was_not_scored_has_no_score(qtbot: QtBot) -> None:
    panel = PassagesPanel()
    qtbot.addWidget(panel)
    panel.show_passages(
        "hours", [passage("staff.xlsx", STAFF), passage("staff.xlsx", STAFF, score=0.0, similarity=None)]
    )
    scored, asked = panel.list.cards
    assert "0.500" in drawn(scored)
    assert "0.000" not in drawn(asked)
    assert "score" not in asked.accessibleName()
    assert "found" not in " ".join(drawn(asked))
