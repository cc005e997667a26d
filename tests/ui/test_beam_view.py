"""The painted beam tree: where nodes stand, following the newest step, pointing with mouse and keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui import fake_tokens
from ui.features.chat.traces.beam_tree import BeamTree
from ui.features.chat.traces.beam_view import BeamView
from ui.theme.theme import Theme
from workbench.records.messages import Beam

TEXT = "The warranty runs for 36 months, and claims must be made in writing at once."


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> Iterator[BeamView]:
    view = BeamView()
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    view.activateWindow()
    yield view
    view.close()


@pytest.fixture
def tree() -> BeamTree:
    return BeamTree(fake_tokens.beams(TEXT))


def test_it_goes_with_the_newest_step_unless_one_scrolled_away(view: BeamView) -> None:
    steps = fake_tokens.beams(TEXT)
    tree = BeamTree()
    bar = view.canvas.horizontalScrollBar()
    for step in steps[:10]:
        tree.add(step)
        view.show_tree(tree)
    assert bar.maximum() > 0
    assert bar.value() == bar.maximum()
    bar.setValue(100)
    for step in steps[10:]:
        tree.add(step)
        view.show_tree(tree)
    assert bar.value() == 100
    bar.setValue(bar.maximum())
    tree.add(steps[1])
    view.show_tree(tree)
    assert bar.value() == bar.maximum()


def test_when_the_search_ends_its_answer_comes_into_sight(view: BeamView) -> None:
    short = Beam(parent=-1, token=1, text="No.", score=-0.1, ended=True)
    tree = BeamTree([(short, Beam(parent=-1, token=2, text="Yes", score=-0.9))])
    for step in fake_tokens.beams(TEXT):
        tree.add([msgspec.structs.replace(beam, parent=1) for beam in step[:1]])
        view.show_tree(tree)
    assert view.canvas.horizontalScrollBar().value() == view.canvas.horizontalScrollBar().maximum() > 0
    view.show_tree(tree, tree.winner("No."))
    assert view.canvas.winner == (0, 0)
    assert view.canvas.box_of((0, 0)).left() >= 0


def test_the_greedy_path_is_told(view: BeamView) -> None:
    tree = BeamTree(
        [(Beam(parent=-1, token=1, text="No", score=-0.1), Beam(parent=-1, token=2, text="Yes", score=-0.9))]
    )
    view.show_tree(tree)
    assert "greedy" not in view.detail.text()
    plain = view.canvas.viewport().grab().toImage()
    kept = tuple(msgspec.structs.replace(tree[0, lane], greedy=lane == 0) for lane in range(tree.width(0)))
    view.show_tree(BeamTree([kept]))
    assert view.detail.text().splitlines()[0].endswith("· the greedy path")
    assert view.canvas.viewport().grab().toImage() != plain


def test_nothing_moves_while_long_texts_are_told(view: BeamView) -> None:
    view.resize(480, 400)
    height = view.sizeHint().height()
    long = "A sentence of some length goes on and on. " * 8
    view.show_tree(BeamTree([[Beam(parent=-1, token=1, text=long, score=-0.1)]]))
    assert view.detail.heightForWidth(456) <= view.detail.minimumHeight()
    assert view.sizeHint().height() == height


def test_a_tree_that_is_done_begins_at_its_first_step(view: BeamView, tree: BeamTree) -> None:
    view.show_tree(tree, tree.winner(TEXT))
    assert view.canvas.horizontalScrollBar().value() == 0
    assert "· the answer" in view.detail.text()
    assert view.detail.text().endswith(TEXT)


def test_the_node_under_the_mouse_is_told_with_its_text_and_score(view: BeamView, tree: BeamTree) -> None:
    view.show_tree(tree, tree.winner(TEXT))
    place = (1, 2)
    point = view.canvas.box_of(place).center().toPoint()
    assert view.canvas.node_at(point) == place
    QTest.mouseMove(view.canvas.viewport(), point)
    assert view.canvas.selected == place
    told = view.detail.text()
    assert told.startswith(f"Step 2, beam 3 · score {tree[place].score:.2f}")
    assert told.endswith(" ".join(tree.text(place).split()))
    gap = view.canvas.box_of((1, 0)).bottomRight().toPoint() + QPoint(10, 0)
    assert view.canvas.node_at(gap) is None


def test_the_keyboard_goes_to_parents_and_others(qtbot: QtBot, view: BeamView, tree: BeamTree) -> None:
    winner = tree.winner(TEXT)
    assert winner is not None
    view.show_tree(tree, winner)
    view.canvas.setFocus()
    qtbot.waitUntil(view.canvas.hasFocus)
    QTest.keyClick(view.canvas, Qt.Key.Key_Left)
    assert view.canvas.selected == tree.parent(winner)
    QTest.keyClick(view.canvas, Qt.Key.Key_Down)
    assert view.canvas.selected == (winner[0] - 1, 1)
    box = view.canvas.box_of((winner[0] - 1, 1))
    assert box.left() >= 0
    assert box.right() <= view.canvas.viewport().width()
    QTest.keyClick(view.canvas, Qt.Key.Key_Home)
    QTest.keyClick(view.canvas, Qt.Key.Key_Right)
    assert view.canvas.selected == (1, 0)
    QTest.keyClick(view.canvas, Qt.Key.Key_End)
    assert view.canvas.selected == winner


def test_dead_branches_and_the_winning_path_look_different(view: BeamView, tree: BeamTree) -> None:
    view.show_tree(tree, tree.winner(TEXT))
    picture = view.canvas.viewport().grab().toImage()
    places = [(step, lane) for step in range(3) for lane in range(4)]
    dead = next(place for place in places if tree.state(place) == "dead")
    corner = QPoint(10, 34)
    colours = {
        name: picture.pixelColor(view.canvas.box_of(place).topLeft().toPoint() + corner).name()
        for name, place in (("won", (1, 0)), ("dead", dead))
    }
    assert colours["won"] != colours["dead"]


def test_the_height_follows_the_lanes(view: BeamView) -> None:
    view.show_tree(BeamTree(fake_tokens.beams(TEXT, 2)))
    two = view.canvas.height()
    view.show_tree(BeamTree(fake_tokens.beams(TEXT, 5)))
    five = view.canvas.height()
    assert five > two
    view.show_tree(BeamTree(fake_tokens.beams(TEXT, 16)))
    assert view.canvas.verticalScrollBar().maximum() > 0


def test_it_is_scaled_by_keys(view: BeamView, tree: BeamTree) -> None:
    view.show_tree(tree, tree.winner(TEXT))
    canvas, control = view.canvas, Qt.KeyboardModifier.ControlModifier
    wide, place = canvas.horizontalScrollBar().maximum(), (1, 2)
    QTest.keyClick(canvas, Qt.Key.Key_Minus, control)
    assert canvas.zoom == 0.8
    assert 0 < canvas.horizontalScrollBar().maximum() < wide
    canvas.reveal(place)
    assert canvas.node_at(canvas.box_of(place).center().toPoint()) == place
    QTest.keyClick(canvas, Qt.Key.Key_9, control)
    assert canvas.horizontalScrollBar().maximum() == 0
    QTest.keyClick(canvas, Qt.Key.Key_0, control)
    assert (canvas.zoom, canvas.horizontalScrollBar().maximum()) == (1.0, wide)


def test_a_node_is_described_for_a_screen_reader(view: BeamView, tree: BeamTree) -> None:
    view.show_tree(tree, tree.winner(TEXT))
    QTest.keyClick(view.canvas, Qt.Key.Key_Home)
    assert view.canvas.accessibleDescription() == view.detail.text()
    assert view.detail.text().startswith("Step 1, beam 1")


def test_a_long_search_has_nodes_for_what_is_in_sight_only(view: BeamView) -> None:
    step = tuple(Beam(parent=lane, token=lane, text="word", score=-0.1) for lane in range(8))
    tree = BeamTree([step] * 1_000)
    view.show_tree(tree, tree.winner())
    canvas, place = view.canvas, (500, 3)
    assert len(canvas.items()) < 200
    canvas.reveal(place)
    assert canvas.node_at(canvas.box_of(place).center().toPoint()) == place
    assert len(canvas.items()) < 200
