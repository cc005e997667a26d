"""Each term of the course is found by the finder, is explained there, and opens the place that shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.features.documents.page import DocumentsPage
from ui.finder import Finder
from ui.shell import Shell
from ui.theme.theme import Theme
from workbench.base.fields import fields_of
from workbench.base.finding import folded
from workbench.records.recipes import PARTS
from workbench.records.terms import Term, course_terms
from workbench.techniques.registry import METHODS

ASKED = (
    "zero-shot", "one-shot", "few-shot", "chain of thought", "self-consistency", "tree of thoughts", "least-to-most",
    "ART", "ReAct", "Reflexion", "CRITIC", "greedy", "beam", "sampling", "top-k", "top-p", "temperature",
    "constrained decoding", "speculative", "embedding", "chunk", "similarity", "hybrid", "rerank", "routing", "graph",
    "RAG", "agents", "tools", "memory", "LoRA", "QLoRA", "soft prompt", "adapters", "catastrophic forgetting",
    "quantisation", "quantization", "RLHF", "RLAIF", "reward model", "PPO", "DPO", "GRPO", "decoder",
    "encoder-decoder", "mixture of experts", "MoE", "benchmark", "perplexity", "licence",
    "hybrid weights", "architecture", "bottleneck adapters",
)  # fmt: skip
"""As a student types them."""


@pytest.fixture
def shell(qtbot: QtBot, theme: Theme, front: FakeFront, tmp_path: Path) -> Iterator[Shell]:
    made = Shell(Bridge(front), tmp_path / "window.ini")
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    made.show()
    made.start("settings")
    qtbot.waitUntil(lambda: made._bridge.status is not None)
    yield made
    made.close()
    made.deleteLater()


def opened(shell: Shell, qtbot: QtBot) -> Finder:
    shell.show_finder()
    finder = shell.findChild(Finder)
    assert finder is not None
    qtbot.waitUntil(lambda: finder.field.hasFocus())
    return finder


def test_each_word_of_the_course_is_found_with_two_sentences_and_its_paper(shell: Shell, qtbot: QtBot) -> None:
    finder = opened(shell, qtbot)
    missing = []
    for word in ASKED:
        finder.field.setText(word)
        places = [row for row, line in enumerate(finder._found) if line.about]
        if not places:
            missing.append(word)
            continue
        finder.list.setCurrentRow(places[0])
        assert finder.card.isVisibleTo(finder)
        assert finder.card._about.text() == finder._found[places[0]].about
        assert finder.card._source.text()
    assert missing == []


@pytest.mark.parametrize("word", ["PPO", "tree of thoughts", "CRITIC", "hybrid search", "RAG"])
def test_a_term_that_is_typed_whole_is_the_first_line(shell: Shell, qtbot: QtBot, word: str) -> None:
    finder = opened(shell, qtbot)
    finder.field.setText(word)
    assert folded(finder._found[0].text) == folded(word)
    assert finder._found[0].about


def test_a_line_that_is_no_term_has_no_explanation(shell: Shell, qtbot: QtBot) -> None:
    finder = opened(shell, qtbot)
    finder.field.setText("flash attention")
    assert finder._found[0].kind == "setting"
    assert not finder.card.isVisibleTo(finder)


def test_enter_opens_the_place_of_a_term(shell: Shell, qtbot: QtBot) -> None:
    finder = opened(shell, qtbot)
    finder.field.setText("similarity")
    QTest.keyClick(finder.field, Qt.Key.Key_Return)
    assert shell.current_page == "map"


@pytest.mark.parametrize("words", ["costs of techniques", "cost"])
def test_the_order_of_costs_is_found(shell: Shell, qtbot: QtBot, words: str) -> None:
    finder = opened(shell, qtbot)
    finder.field.setText(words)
    QTest.keyClick(finder.field, Qt.Key.Key_Return)
    assert shell.current_page == "ladder"


def test_the_graph_of_names_opens_the_names(shell: Shell, qtbot: QtBot) -> None:
    finder = opened(shell, qtbot)
    finder.field.setText("graph")
    QTest.keyClick(finder.field, Qt.Key.Key_Return)
    page = shell.made_page("documents")
    assert isinstance(page, DocumentsPage)
    qtbot.waitUntil(lambda: page.parts.shows_names)
    qtbot.waitUntil(lambda: page.parts.names.table.rowCount() > 0)


def test_every_place_that_a_term_opens_exists(shell: Shell, qtbot: QtBot) -> None:
    places = {tuple(sorted(term.place.items())): term for term in course_terms()}
    for term in places.values():
        shell.open_page(term.place["page"], **term.target)
        assert shell.current_page == term.place["page"], term.name


@pytest.mark.parametrize("term", course_terms(), ids=lambda term: term.name)
def test_the_names_within_a_place_are_those_of_recipes_and_trainings(term: Term) -> None:
    place = term.place
    if "part" in place:
        assert place["field"] in {field.name for field in fields_of(PARTS[place["part"]])}
    for key, kind in (("objective", "objective"), ("method", "weights")):
        if key in place:
            assert METHODS.find(place[key], kind).name == place[key]


@pytest.mark.parametrize("term", course_terms(), ids=lambda term: term.name)
def test_a_term_is_two_sentences_and_a_paper(term: Term) -> None:
    sentences = [one for one in term.text.split(". ") if one]
    assert len(sentences) == 2, term.text
    assert term.text.endswith(".")
    assert term.paper
    assert 1900 < term.year < 2100


def test_no_term_stands_twice() -> None:
    names = [folded(term.name) for term in course_terms()]
    assert len(names) == len(set(names))
