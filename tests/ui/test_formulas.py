"""Formulas in messages: found among dollars and code, drawn, copied as source, and waiting without harm."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtGui import QImage, QTextCursor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_markdown_view import content, make_view
from tests.unit.reading.test_formula_drawing import DRAWN, SHOWN_AS_SOURCE
from ui.bridge import Bridge
from ui.components.formula_text import formula_of, split_formulas
from ui.components.formulas import OBJECT, Formulas, current_formulas
from ui.components.markdown_blocks import make_parser, parse
from ui.components.prose import Prose
from ui.features.chat.conversation.question_view import QuestionView
from ui.features.chat.page import ChatPage
from ui.theme.theme import Theme
from workbench.reading.formula_drawing import draw_formula
from workbench.records.answers import StoredMessage
from workbench.records.formulas import Formula
from workbench.subjects.formulas.calls import DrawFormulas

QUADRATIC = r"$$x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$$"


def formulas_in(text: str) -> list[str]:
    """The sources of the formulas that a Markdown text holds."""
    leaves = parse(text, make_parser())
    spans = [*(span for leaf in leaves for span in leaf.spans)]
    spans += [span for leaf in leaves for row in leaf.rows for cell in row for span in cell]
    return [span.text for span in spans if span.formula]


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $7.",
        "It costs $5, or $7 in all.",
        "Between $5-$7, $5/$10 and $1,000 (or 1,000$).",
        "I have $20 and you have $30, so 20+30=50$ is not a formula.",
        "Pay $5 million in US$ or 5$ or US$ 5$.",
        "The price fell from $10 to $8 (a fall of 20%), a saving of $2.",
        "Rated $$ to $$$ by guests.",
        "Use `$x$` and ``$$y$$`` in code, and costs $5 `x$`.",
        "```\n$x^2$\n\\[ y \\]\n```",
        "    $x^2$ in indented code",
        "Set $HOME and $PATH, or $HOME/$USER.",
        r"An escaped \$x\$ and \[not a link\] and \[1\].",
        "A footnote[1] and a [link](https://example.com/$a$b).",
    ],
)
def test_money_code_and_brackets_are_no_formulas(text: str) -> None:
    assert formulas_in(text) == []


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("So $x$, $5$ and $2x+1=5$.", ["$x$", "$5$", "$2x+1=5$"]),
        (r"It costs $5, and \(x_1\) is \[y\] here.", [r"\(x_1\)", r"\[y\]"]),
        ("The *sum* $a_1*b_1$ and $c_1*d_1$.", ["$a_1*b_1$", "$c_1*d_1$"]),
        (r"$\$5 + \$7$ is money in a formula.", [r"$\$5 + \$7$"]),
        (QUADRATIC, [QUADRATIC]),
        ("\\[\na\n- b\n+ c\n= d\n\\]", ["\\[\na\n- b\n+ c\n= d\n\\]"]),
        ("Words before\n$$\nx = 1\n$$\nand after.", ["$$\nx = 1\n$$"]),
        ("1. One:\n   $$\n   x\n   $$\n2. Two $y$", ["$$\nx\n$$", "$y$"]),
        ("> $$x^2$$", ["$$x^2$$"]),
        ("\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}", ["\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}"]),
        ("| a |\n|---|\n| $x^2$ |", ["$x^2$"]),
        ("# The $n$th", []),
        ("# The $n$ of it", ["$n$"]),
    ],
)
def test_formulas_are_found(text: str, sources: list[str]) -> None:
    assert formulas_in(text) == sources


def test_what_never_ends_stays_text() -> None:
    (open_,) = parse("\\[\na_1*b*\n- c", make_parser())
    assert [span.text for span in open_.spans] == ["\\[ a_1*b* - c"]
    blank = parse("\\[\na\n\nA new *paragraph*.", make_parser())
    assert "".join(span.text for span in blank[-1].spans) == "A new paragraph."
    (inline,) = parse(r"Then \(a_1 and so on", make_parser())
    assert inline.spans[0].text == r"Then \(a_1 and so on"


def test_the_delimiters_say_how_a_formula_is_set() -> None:
    assert formula_of(r"\( x \)") == Formula("x")
    assert formula_of("$x$") == Formula("x")
    assert formula_of("$$x$$") == formula_of("\\[\nx\n\\]") == Formula("x", display=True)


def test_a_question_is_plain_text_but_for_its_formulas() -> None:
    pieces = list(split_formulas("What is *x* in $x^2=4$, `$y$` and $5 or $6?"))
    assert pieces == [("What is *x* in ", None), ("$x^2=4$", "inline"), (", `$y$` and $5 or $6?", None)]


@pytest.fixture
def formulas(home: FakeHome, front: FakeFront, qtbot: QtBot) -> Iterator[Formulas]:
    """The application's formulas, drawn by a fake core."""
    bridge = Bridge(front)
    bridge.start()
    found = current_formulas()
    found.draw_with(bridge)
    yield found
    found.draw_with(None)
    bridge.close()


def test_a_formula_is_its_source_until_it_is_drawn_and_nothing_moves_above(
    qtbot: QtBot, theme: Theme, formulas: Formulas
) -> None:
    view = make_view(qtbot)
    view.add("A line before.\n\nThen $x^2$ and\n\n" + QUADRATIC[:-4])
    (prose,) = view.segments
    assert isinstance(prose, Prose)
    assert "$x^2$" in prose.toPlainText()
    with qtbot.waitSignal(formulas.drawn):
        view.add(QUADRATIC[-4:])
    assert prose.toPlainText().count(OBJECT) in (1, 2)
    qtbot.waitUntil(lambda: prose.toPlainText().count(OBJECT) == 2)
    waiting = prose.height()
    view.add("\n\nAnd *after* it.")
    view.finish()
    assert view.segments == [prose]
    assert prose.toPlainText().endswith("And after it.")
    assert prose.height() > waiting


def test_growing_and_whole_show_the_same(qtbot: QtBot, theme: Theme, formulas: Formulas) -> None:
    text = "\n\n".join(f"Number {n}: $x_{n}$ and\n\n$$y_{n} = {n}$$" for n in range(12))
    growing, whole = make_view(qtbot), make_view(qtbot)
    for start in range(0, len(text), 7):
        growing.add(text[start : start + 7])
        QApplication.processEvents()
    growing.finish()
    whole.set_text(text)
    qtbot.waitUntil(lambda: content(growing)[0][1].count(OBJECT) == 24 and content(whole) == content(growing))
    assert "$" not in content(whole)[0][1]


def test_formulas_are_copied_as_their_source(qtbot: QtBot, theme: Theme, formulas: Formulas) -> None:
    view = make_view(qtbot)
    view.set_text(f"Let $a<b$ be.\n\n{QUADRATIC}\n\nThe end.")
    (prose,) = view.segments
    assert isinstance(prose, Prose)
    qtbot.waitUntil(lambda: prose.toPlainText().count(OBJECT) == 2)
    prose.selectAll()
    copied = prose.createMimeDataFromSelection()
    assert copied.text() == f"Let $a<b$ be.\n{QUADRATIC}\nThe end."
    assert "$a&lt;b$" in copied.html()
    cursor = prose.textCursor()
    cursor.setPosition(prose.toPlainText().rindex(OBJECT))
    cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
    prose.setTextCursor(cursor)
    assert prose.createMimeDataFromSelection().text() == f"{QUADRATIC}\nThe end."


def test_a_screen_reader_gets_the_sources(qtbot: QtBot, theme: Theme, formulas: Formulas) -> None:
    view = make_view(qtbot)
    view.set_text(f"Let $a<b$ and $a<b$ be.\n\n{QUADRATIC}\n\nThe end.")
    (prose,) = view.segments
    assert isinstance(prose, Prose)
    qtbot.waitUntil(lambda: prose.toPlainText().count(OBJECT) == 3)
    told = f"Let $a<b$ and $a<b$ be.\n{QUADRATIC}\nThe end."
    qtbot.waitUntil(lambda: prose.accessibleDescription() == told)
    view.set_text("No formula any more.")
    qtbot.waitUntil(lambda: view.segments[0].accessibleDescription() == "")


def test_what_is_drawn_in_time_does_not_grow(qtbot: QtBot, theme: Theme, formulas: Formulas) -> None:
    sources = (QUADRATIC, "$z_1$", QUADRATIC)
    begun: list[int] = []

    def begin() -> None:
        view = make_view(qtbot)
        view.set_text("\n\n".join(sources))
        begun.append(view.segments[0].height())
        assert content(view)[0][1].count(OBJECT) == 3

    assert formulas.prepare(sources, begin, 60_000, formulas)
    assert begun == [], "the drawings are not known yet"
    qtbot.waitUntil(lambda: bool(begun))
    assert not formulas.prepare(sources, begin, 60_000, formulas)
    assert begun[0] == begun[1]


def test_what_is_not_drawn_in_time_is_not_waited_for(
    qtbot: QtBot, theme: Theme, formulas: Formulas, front: FakeFront
) -> None:
    held = front.hold(DrawFormulas)
    begun: list[bool] = []
    gone = QObject()
    assert formulas.prepare(["$z_2$"], lambda: begun.append(True), 1, formulas)
    assert formulas.prepare(["$z_2$"], lambda: begun.append(False), 1, gone)
    shiboken6.delete(gone)
    qtbot.waitUntil(lambda: bool(begun))
    assert begun == [True]
    held.finish(())


def test_a_formula_has_the_colour_of_the_text_in_both_themes(qtbot: QtBot, theme: Theme, formulas: Formulas) -> None:
    view = make_view(qtbot, 200)
    view.set_text("$$W$$")
    qtbot.waitUntil(lambda: OBJECT in content(view)[0][1])
    for choice in ("light", "dark"):
        theme.choose(choice)  # type: ignore[arg-type]
        assert OBJECT in content(view)[0][1]
        picture = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        colours = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
        assert theme.palette.text in colours


def test_a_wide_formula_is_drawn_within_its_column(qtbot: QtBot, theme: Theme, formulas: Formulas) -> None:
    view = make_view(qtbot, 240)
    view.set_text("$$" + "a+" * 20 + "b$$\n\nand\n\n$$" + "a+" * 300 + "b$$")
    (prose,) = view.segments
    assert isinstance(prose, Prose)
    qtbot.waitUntil(lambda: prose.toPlainText().count(OBJECT) == 1)
    assert prose.document().idealWidth() <= prose.width()
    assert "a+a+" in prose.toPlainText(), "what would be too small to read is shown as its source"


def test_no_formula_breaks_a_message(qtbot: QtBot, theme: Theme, formulas: Formulas) -> None:
    every = [source for source in (*DRAWN, *SHOWN_AS_SOURCE) if source and "\x00" not in source and len(source) < 1000]
    assert len(every) >= 60
    view = make_view(qtbot)
    view.set_text("".join(f"Before {n}.\n\n$$\n{source}\n$$\n\nBehind {n}.\n\n" for n, source in enumerate(every)))
    (prose,) = view.segments
    assert isinstance(prose, Prose)
    qtbot.waitUntil(lambda: prose.toPlainText().count(OBJECT) >= len(DRAWN), timeout=40_000)
    shown = prose.toPlainText()
    for number in range(len(every)):
        assert f"Before {number}." in shown
        assert f"Behind {number}." in shown


def test_the_formulas_of_a_question_are_drawn(qtbot: QtBot, theme: Theme, formulas: Formulas) -> None:
    view = QuestionView(
        StoredMessage(
            id="q", chat="c", parent=None, created=0.0, role="user", text="What is $x^2$?\nIt costs $5 or $6."
        )
    )
    qtbot.addWidget(view)
    view.show()
    prose = view.findChild(Prose)
    assert isinstance(prose, Prose)
    qtbot.waitUntil(lambda: OBJECT in prose.toPlainText())
    assert "It costs $5 or $6." in prose.toPlainText()


def test_what_is_kept_is_bounded_and_a_failed_call_harms_nothing(
    qtbot: QtBot, theme: Theme, formulas: Formulas, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.components.formulas._MOST_DRAWN", 3)
    view = make_view(qtbot)
    view.set_text(" ".join(f"$x_{{{n}}}$" for n in range(20)))
    qtbot.waitUntil(lambda: content(view)[0][1].count(OBJECT) == 20)
    assert len(formulas._known) <= 12, "no more than the drawings of one call"
    before = view.segments[0].height()
    view.resize(300, 600)
    view.resize(700, 600)
    assert view.segments[0].height() == before, "the layout does not depend on what is kept"
    front.answer(DrawFormulas, lambda call: 1 / 0)  # type: ignore[arg-type, return-value]
    view.set_text("$y_1$ is left as it is.")
    qtbot.waitUntil(lambda: not formulas._asking and not formulas._wanted)
    assert "$y_1$" in content(view)[0][1]


def test_a_chat_is_shown_with_its_formulas(
    qtbot: QtBot,
    theme: Theme,
    formulas: Formulas,
    home: FakeHome,
    front: FakeFront,
    bridge: Bridge,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ui.features.chat.conversation.first_formulas.MOST_MS", 60_000)
    chat, other = list(home.chats.values())[:2]
    home.messages[chat.id] = [
        msgspec.structs.replace(message, text=f"{QUADRATIC}\n\nand $u_1$." if message.role == "assistant" else "Why?")
        for message in home.messages[chat.id][:2]
    ]
    page = ChatPage(bridge, RecordingShell())
    qtbot.addWidget(page)
    page.show()
    held = front.hold(DrawFormulas)
    page.session.open(chat.id)
    qtbot.waitUntil(lambda: held.call is not None)
    assert page.session.chat.id is None, "it is not shown before its drawings come"
    page.session.open(other.id)
    held.finish(tuple(draw_formula(formula) for formula in held.call.formulas))
    qtbot.waitUntil(lambda: page.session.chat.id == other.id)
    shown: list[str | None] = []
    page.session.opened.connect(lambda: shown.append(page.session.chat.id))
    page.session.open(chat.id)
    qtbot.waitUntil(lambda: page.session.chat.id == chat.id)
    texts = [prose.toPlainText() for prose in page.parts.conversation.findChildren(Prose)]
    assert sum(text.count(OBJECT) for text in texts) == 2
    assert shown == [chat.id], "the chat that was left while it waited has not come up"
