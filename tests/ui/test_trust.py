"""How far an answer can be trusted, as the window shows it: marks on statements, and the line under the answer."""

from __future__ import annotations

import msgspec
from PySide6.QtGui import QTextCharFormat
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.fakes import passage
from ui.components.prose import Prose
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.conversation.live_answer import LiveAnswer
from ui.theme.theme import Theme
from workbench.api import events
from workbench.records import trust
from workbench.records.answers import StoredMessage
from workbench.records.messages import Statement, Verification
from workbench.records.methods import Methods
from workbench.records.recipes import Recipe
from workbench.techniques.retrieval.citations import as_citation

TEXT = "It runs for **36 months** [1]. It covers frost damage too. Claims cost 20 euros [1]."


def message(verification: Verification | None, text: str = TEXT) -> StoredMessage:
    return StoredMessage(
        id="m", chat="c", parent="q", role="assistant", text=text, verification=verification, state="done"
    )


def statement(words: str, verdict: str, conflicts: tuple[str, ...] = ()) -> Statement:
    start = TEXT.index(words)
    end = TEXT.index(".", start) + 1
    return Statement(start=start, end=end, verdict=verdict, conflicts=conflicts, n=1)  # type: ignore[arg-type]


OWN = Verification(
    statements=(
        statement("It runs", "supported"),
        statement("It covers", "outside"),
        statement("Claims cost", "unsupported", ("20",)),
    ),
    confidence=0.3,
    unsure=True,
)


def underlined(view: AnswerView) -> str:
    """The underlined text, its pieces joined."""
    found = []
    for prose in (s for s in view.text.segments if isinstance(s, Prose)):
        block = prose.document().begin()
        while block.isValid():
            parts = block.begin()
            while not parts.atEnd():
                style = parts.fragment().charFormat()
                if style.underlineStyle() == QTextCharFormat.UnderlineStyle.DashUnderline:
                    found.append(parts.fragment().text())
                    assert style.toolTip()
                parts += 1
            block = block.next()
    return "".join(found)


def test_statements_without_support_are_underlined_and_counted(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(message(OWN), Methods(()))
    qtbot.addWidget(view)
    assert underlined(view) == "It covers frost damage too.Claims cost 20 euros"
    assert view.trust.text() == f"Your documents support 1 of 3 statements. {trust.UNSURE}"
    assert view.trust.toolTip() == trust.FITTED
    assert view.trust.property("role") == "attention"


def test_a_sure_answer_has_marks_where_it_contradicts_the_passages_alone(qtbot: QtBot, theme: Theme) -> None:
    beyond, wrong = statement("It covers", "unsupported"), statement("Claims cost", "unsupported", ("20",))
    sure = Verification(statements=(statement("It runs", "supported"), beyond, wrong), confidence=0.9)
    assert trust.describe_trust(sure) == ("Your documents support 1 of 3 statements.", False)
    none = msgspec.structs.replace(sure, statements=(beyond, wrong))
    assert trust.describe_trust(none) == (trust.BEYOND, False)
    contradicting = msgspec.structs.replace(wrong, contradictions=("20",))
    marked = msgspec.structs.replace(sure, statements=(*sure.statements[:2], contradicting))
    view = AnswerView(message(marked), Methods(()))
    qtbot.addWidget(view)
    assert underlined(view) == "Claims cost 20 euros"
    assert view.trust.property("role") == "attention"


def test_marks_come_back_after_a_change_of_the_theme(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(message(OWN), Methods(()))
    qtbot.addWidget(view)
    theme.changed.emit()
    assert underlined(view) == "It covers frost damage too.Claims cost 20 euros"


def test_a_quoted_answer_says_so_and_an_unverified_one_says_nothing(qtbot: QtBot, theme: Theme) -> None:
    quoted = "“It runs for 36 months.” [1]"
    checked = Verification(statements=(Statement(start=1, end=23, verdict="supported", n=1),), quoted=len(quoted))
    view = AnswerView(message(checked, quoted), Methods(()))
    qtbot.addWidget(view)
    assert (view.trust.text(), underlined(view)) == (trust.QUOTED, "")
    plain = AnswerView(message(None), Methods(()))
    qtbot.addWidget(plain)
    assert plain.trust.isHidden()


def test_an_answer_without_any_support_never_looks_cleaner_than_one_with(qtbot: QtBot, theme: Theme) -> None:
    nothing = Verification(statements=(statement("It runs", "outside"), statement("It covers", "unsupported")))
    words, warns = trust.describe_trust(nothing)
    assert warns
    assert words.startswith("Your documents support none of the 2")
    problem = Verification(unsure=True, problem="The answer is in another language.")
    assert trust.describe_trust(problem) == ("The answer is in another language.", True)


def test_statements_are_marked_and_sources_named_while_the_answer_is_written(qtbot: QtBot, theme: Theme) -> None:
    live = LiveAnswer("m", "c", Recipe(), QApplication.instance())  # type: ignore[arg-type]
    view = AnswerView(msgspec.structs.replace(message(None, ""), state="streaming"), Methods(()))
    qtbot.addWidget(view)
    live.text_added.connect(view.add_text)
    live.verified.connect(view.show_trusted)
    first, rest = TEXT[:63], TEXT[63:]
    live.take([events.TextDelta(text=first)])
    assert underlined(view) == ""
    source = as_citation(passage("It runs for 36 months.", n=1), claimed=False)
    live.take([events.Verified(statements=OWN.statements[:2], citations=(source,))])
    qtbot.waitUntil(lambda: underlined(view) == "It covers frost damage too.")
    assert len(view.sources.buttons) == 1
    for word in rest.split(" "):
        live.take([events.TextDelta(text=f"{word} ")])
        assert underlined(view) == "It covers frost damage too."  # also when the open block is written anew
    wrong = msgspec.structs.replace(OWN.statements[2], contradictions=("20",))
    live.take([events.Verified(statements=(wrong,))])
    qtbot.waitUntil(lambda: underlined(view) == "It covers frost damage too.Claims cost 20 euros")
    assert view.trust.isHidden()  # how many are supported is said of the whole answer
