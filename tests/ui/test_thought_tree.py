"""The tree of thoughts in the window: its drawing, the keyboard, and going on from a changed thought."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.fake_tokens import thoughts
from tests.ui.test_chat_page import answers, ask, begin, page
from ui.components.steps.thought_canvas import ThoughtCanvas, packed
from ui.components.steps.trace_view import TraceView
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.api import events
from workbench.records.recipes import PromptingPart
from workbench.records.thoughts import ThoughtTree
from workbench.records.trace import StepEdit, Trace, TraceStep

__all__ = ["page"]


@pytest.fixture
def view(qtbot: QtBot) -> TraceView:
    made = TraceView()
    qtbot.addWidget(made)
    made.resize(1000, 800)
    made.set_changeable(True)
    made.show_trace(thoughts(60))
    made.show()
    qtbot.waitExposed(made)
    return made


def tree(view: TraceView) -> ThoughtTree:
    assert view.canvas.tree is not None
    return view.canvas.tree


def test_no_two_thoughts_overlap_and_parents_are_beside_their_children() -> None:
    rng = random.Random(2)
    for _ in range(40):
        running = rng.random() < 0.5
        steps = [TraceStep(id="0", kind="tree", state="running" if running else "done")]
        for number in range(1, rng.randint(2, 80)):
            steps.append(TraceStep(id=str(number), kind="thought", parent=str(rng.randint(0, (number - 1) // 2))))
        made = ThoughtTree.of(Trace(steps=tuple(steps)))
        assert made is not None
        places = packed(made, 10)
        for depth in range(max(node.depth for node in made.nodes.values()) + 1):
            level = sorted(places[id] for id, node in made.nodes.items() if node.depth == depth)
            assert all(after - before >= 10 - 1e-6 for before, after in itertools.pairwise(level))
        for id, below in made.children.items():
            if below:
                middle = (places[below[0]] + places[below[-1]]) / 2
                straight = next((places[child] for child in below if child in made.best), middle)
                assert places[id] == pytest.approx(middle if running else straight)
                assert [places[child] for child in below] == sorted(places[child] for child in below)
        assert min(places.values()) == 0


def test_the_best_thought_is_selected_and_the_arrow_keys_go_along_the_tree(qtbot: QtBot, view: TraceView) -> None:
    canvas, shown = view.canvas, tree(view)
    assert canvas.isVisible()
    assert not view.tree.isVisible()
    assert canvas.selected == shown.best[-1]
    assert view.selected is not None
    assert view.selected.id == shown.best[-1]
    assert "on the best path" in canvas.accessibleDescription()
    canvas.setFocus()
    for expected in reversed(shown.best[:-1]):
        qtbot.keyClick(canvas, Qt.Key.Key_Left)
        assert canvas.selected == expected
    for expected in shown.best[1:]:
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
        assert canvas.selected == expected
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    first = list(shown.children["1"])
    start = first.index(canvas.selected)
    qtbot.keyClick(canvas, Qt.Key.Key_Down if start == 0 else Qt.Key.Key_Up)
    assert canvas.selected == first[start + (1 if start == 0 else -1)]
    assert view.details.title.text() == shown.nodes[canvas.selected].step.title
    assert canvas.viewport().rect().contains(canvas.box_of(canvas.selected).toRect().center())


def test_a_thought_tells_its_figures_and_what_became_of_it(view: TraceView) -> None:
    pruned = next(id for id, node in tree(view).nodes.items() if node.state == "pruned")
    view.canvas.select(pruned)
    assert view.canvas.accessibleDescription() == "2 + 2 = 4 · 0.58 · pruned · 6 tokens · 1.4 s"
    assert view.details.figures.text() == "Thought · 1.40 s · score 0.58 · 6 new tokens"
    assert view.count.text() == "60 thoughts, 16 given up"


def test_tree_and_outline_have_the_same_thought_selected(qtbot: QtBot, view: TraceView) -> None:
    view.outline_button.click()
    assert (view.tree.isVisible(), view.canvas.isVisible()) == (True, False)
    assert view.selected is not None
    assert view.selected.id == view.canvas.selected
    view.tree.setFocus()
    qtbot.keyClick(view.tree, Qt.Key.Key_Home)
    qtbot.keyClick(view.tree, Qt.Key.Key_Down)
    qtbot.keyClick(view.tree, Qt.Key.Key_Down)
    chosen = view.selected.id
    view.tree_button.click()
    assert view.selected.id == chosen
    assert view.canvas.selected == (chosen if chosen in tree(view).nodes else view.canvas.selected)


def test_it_is_scaled_by_keys_and_buttons(qtbot: QtBot, view: TraceView) -> None:
    canvas = view.canvas
    high = canvas.verticalScrollBar().maximum()
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert canvas.zoom < 1
    assert canvas.verticalScrollBar().maximum() < high
    view.larger_button.click()
    view.larger_button.click()
    assert canvas.zoom > 1
    qtbot.keyClick(canvas, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert canvas.zoom == 1


def test_a_tree_fits_a_narrow_column_by_itself_and_all_of_it_on_request(qtbot: QtBot, view: TraceView) -> None:
    canvas = view.canvas
    view.resize(500, 800)
    qtbot.waitUntil(lambda: canvas.viewport().width() < 520)
    assert canvas.zoom == ThoughtCanvas.least_legible  # of many levels not all can be read at once
    small = TraceView()
    qtbot.addWidget(small)
    small.resize(500, 800)
    small.show_trace(thoughts(12))
    small.show()
    qtbot.waitExposed(small)
    assert max(node.depth for node in tree(small).nodes.values()) == 2
    assert small.canvas.horizontalScrollBar().maximum() == 0
    assert ThoughtCanvas.least_legible < small.canvas.zoom <= 1
    assert canvas.verticalScrollBar().maximum() > 0
    view.fit_button.click()
    shown = canvas.viewport()
    qtbot.waitUntil(lambda: all(shown.rect().contains(canvas.box_of(id).toRect()) for id in tree(view).nodes))
    assert canvas.horizontalScrollBar().maximum() == canvas.verticalScrollBar().maximum() == 0
    assert canvas.zoom < ThoughtCanvas.least_legible
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert canvas.zoom >= ThoughtCanvas.least_legible


def test_a_growing_tree_keeps_what_the_person_selected(qtbot: QtBot, view: TraceView) -> None:
    grown = TraceView()
    qtbot.addWidget(grown)
    grown.resize(1000, 800)
    grown.show()
    whole = thoughts(60, running=True)
    for count in range(1, len(whole.steps) + 1):
        grown.show_trace(Trace(steps=whole.steps[:count]))
        if count == 12:
            assert grown.canvas.selected == tree(grown).best[-1]
            grown.canvas.setFocus()
            qtbot.keyClick(grown.canvas, Qt.Key.Key_Home)
            qtbot.keyClick(grown.canvas, Qt.Key.Key_Right)
            chosen = grown.canvas.selected
    assert grown.canvas.selected == chosen
    assert len(tree(grown).nodes) == 61
    assert list(tree(grown).nodes.values())[-1].state == "running"
    assert grown.canvas.height() <= 400
    assert not grown.changes.isVisible()  # an answer that is being made cannot be changed


def test_buttons_keys_and_menu_change_a_thought(qtbot: QtBot, view: TraceView) -> None:
    canvas, asked = view.canvas, []
    view.edit_wanted.connect(asked.append)
    best = canvas.selected
    view.changes.buttons["expand"].click()
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Delete)
    qtbot.keyClick(canvas, Qt.Key.Key_F2)
    editor = view.changes.editor
    assert editor.isVisible()
    assert editor.field.toPlainText() == tree(view).nodes[best].step.title
    editor.field.setPlainText("4 * 6 = 24")
    editor.take_button.click()
    expected = [
        StepEdit(step=best, action="expand"),
        StepEdit(step=best, action="prune"),
        StepEdit(step=best, action="edit", text="4 * 6 = 24"),
    ]
    assert asked == expected
    assert not editor.isVisible()
    place = canvas.box_of(best).center().toPoint()
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(canvas.viewport(), QContextMenuEvent(reason, place, canvas.viewport().mapToGlobal(place)))
    menu = view.changes.findChild(QMenu)
    assert menu is not None
    assert [entry.text() for entry in menu.actions()] == ["Expand", "Prune", "Edit…"]
    menu.actions()[1].trigger()
    assert asked[-1] == expected[1]
    menu.close()
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert [a for a, button in view.changes.buttons.items() if button.isVisible()] == ["expand"]  # of the question
    view.set_changeable(False)
    assert not view.changes.isVisible()
    qtbot.keyClick(canvas, Qt.Key.Key_Insert)
    assert len(asked) == 4


def test_the_program_of_a_line_is_saved_as_a_demonstration(qtbot: QtBot) -> None:
    view, asked = TraceView(), list[bool]()
    qtbot.addWidget(view)
    view.demonstration_wanted.connect(asked.append)
    view.show_trace(Trace(steps=(TraceStep(id="1", kind="line", title="Write line 1", output="Answer: 8\n"),)))
    view.show()
    button = view.changes.demonstration_button
    assert not button.isVisible()  # while the answer is generated
    view.set_changeable(True)
    assert button.isVisible()
    button.click()
    view.changes.set_demonstrated(True)
    assert button.text() == "Remove demonstration"
    button.click()
    assert asked == [True, False]
    thought = TraceStep(id="2", kind="reasoning", title="Think", output="A book costs 5.")
    view.changes.show_step(thought)
    assert not button.isVisible()


def test_a_reasoning_is_edited_whole_and_a_solution_is_not_expanded(qtbot: QtBot) -> None:
    view, asked = TraceView(), []
    qtbot.addWidget(view)
    view.set_changeable(True)
    view.edit_wanted.connect(asked.append)
    reasoning = TraceStep(id="1", kind="reasoning", title="Think step by step", output="A book costs 5.\nBoth cost 8.")
    view.show_trace(Trace(steps=(reasoning,)))
    view.show()
    assert not view.head.isVisible()
    assert view.changes.offered == ("edit",)
    view.tree.setFocus()
    qtbot.keyClick(view.tree, Qt.Key.Key_F2)
    assert view.changes.editor.field.toPlainText() == reasoning.output
    view.changes.editor.field.setPlainText("A book costs 8.")
    view.changes.editor.take_button.click()
    assert asked == [StepEdit(step="1", action="edit", text="A book costs 8.")]
    solved = TraceStep(id="3", kind="thought", parent="2", title="6 * 4 = 24", output="solved", score=1.0)
    view.show_trace(Trace(steps=(reasoning, TraceStep(id="2", kind="tree"), solved)))
    view.canvas.select("3")
    assert view.changes.offered == ("prune", "edit")


def test_another_answer_goes_on_from_the_changed_thought(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    held = front.hold(c.Ask)
    part = PromptingPart(technique="tree-of-thoughts")
    page.session.ask("Make 24 from 4 9 10 13.", msgspec.structs.replace(page.parts.recipe.recipe, prompting=part))
    answer = begin(front, home, held, qtbot)
    view = answers(page)[-1]
    held.emit(
        events.StepStarted(step="1", kind="tree", title="Tree of thoughts"),
        events.StepStarted(step="2", parent="1", kind="proposal", title="Propose"),
        events.StepFinished(step="2", output="13 - 9 = 4"),
        events.StepStarted(step="3", parent="1", kind="thought", title="13 - 9 = 4"),
        events.StepFinished(step="3", score=0.5),
    )
    qtbot.waitUntil(lambda: view.inspection.steps.canvas.isVisible())  # it opens by itself
    assert view.inspection.title.text() == "Steps"
    view.inspection.steps.canvas.select("1")
    assert "The question · searching…" in view.inspection.steps.canvas.accessibleDescription()
    assert not view.inspection.steps.changes.isVisible()
    home.end_answer(answer, "No way.")
    held.emit(events.StepFinished(step="1"))
    held.finish(c.AskResult(answer="No way.", chat=answer.chat, message=answer.id, recipe=held.call.recipe))
    qtbot.waitUntil(lambda: view.inspection.steps.changes.isVisible())
    view.inspection.steps.changes.buttons["prune"].click()
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    call = front.asked(c.Ask)[-1]
    assert (call.regenerate, call.edit) == (answer.id, StepEdit(step="3", action="prune"))
    assert call.recipe.prompting.technique == "tree-of-thoughts"


def test_other_answers_offer_no_change(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: bool(answers(page)) and not page.session.busy)
    shown = answers(page)[-1]
    shown.footer.menu.steps.trigger()
    qtbot.waitUntil(lambda: shown.inspection.steps.isVisible())
    assert not shown.inspection.steps.changes.isVisible()
    assert not shown.inspection.steps.head.isVisible()
