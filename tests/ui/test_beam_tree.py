"""The tree of a beam search as plain data: parents, what lives and dies, texts, the winner."""

from __future__ import annotations

import pytest

from ui.features.chat.traces.beam_tree import BeamTree
from workbench.records.messages import Beam


def beam(parent: int, text: str, score: float, ended: bool = False) -> Beam:
    return Beam(parent=parent, token=len(text), text=text, score=score, ended=ended)


@pytest.fixture
def tree() -> BeamTree:
    """Three steps; the first beam forks, the third dies, then an answer ends beside a longer one."""
    return BeamTree(
        [
            [beam(-1, "The", -0.1), beam(-1, "A", -1.0), beam(-1, "It", -2.0)],
            [beam(0, " pump", -0.3), beam(0, " motor", -1.2), beam(1, " pump", -1.5)],
            [beam(0, ".", -0.6, ended=True), beam(0, " runs", -0.8), beam(2, " hums", -2.5)],
        ]
    )


def test_a_path_goes_through_the_parents_to_the_first_step(tree: BeamTree) -> None:
    assert tree.path((2, 1)) == [(0, 0), (1, 0), (2, 1)]
    assert tree.text((2, 1)) == "The pump runs"
    assert tree.text((2, 2)) == "A pump hums"
    assert tree.parent((0, 2)) is None
    assert (tree.steps, tree.lanes, tree.width(1)) == (3, 3, 3)


def test_what_leads_nowhere_is_dead(tree: BeamTree) -> None:
    assert tree.state((0, 2)) == "dead"
    assert tree.state((1, 1)) == "dead"
    assert tree.state((0, 0)) == tree.state((0, 1)) == tree.state((2, 1)) == "alive"
    assert tree.state((2, 0)) == "ended"


def test_death_goes_up_to_where_something_else_lives(tree: BeamTree) -> None:
    tree.add([beam(1, " well", -1.0)])
    assert tree.state((2, 2)) == tree.state((1, 2)) == tree.state((0, 1)) == "dead"
    assert tree.state((0, 0)) == "alive"


def test_a_complete_answer_keeps_its_path_alive(tree: BeamTree) -> None:
    tree.add([beam(2, " on", -3.0)])
    assert tree.state((1, 0)) == "alive"
    assert list(tree.ends()) == [(2, 0)]


def test_the_state_of_a_grown_tree_is_that_of_one_made_at_once(tree: BeamTree) -> None:
    steps = [[tree[step, lane] for lane in range(tree.width(step))] for step in range(tree.steps)]
    steps += [[beam(1, " well", -1.0), beam(1, " on", -1.1)], [beam(1, ".", -1.3, ended=True)]]
    grown = BeamTree()
    for number, step in enumerate(steps):
        grown.add(step)
        whole = BeamTree(steps[: number + 1])
        places = [(s, lane) for s in range(whole.steps) for lane in range(whole.width(s))]
        living = {at for end in [*whole.ends(), *((number, n) for n in range(len(step)))] for at in whole.path(end)}
        assert {at for at in places if grown.state(at) != "dead"} == living


def test_the_winner_says_the_answer_or_scores_best(tree: BeamTree) -> None:
    assert tree.best() == (2, 0)
    assert tree.winner("The pump runs") == (2, 1)
    assert tree.winner() == (2, 0)
    assert tree.winner("something else") == (2, 0)
    assert BeamTree().winner() is None
    assert BeamTree().best() is None


def test_the_length_penalty_decides_between_short_and_long() -> None:
    tree = BeamTree([[beam(-1, "No", -1.0, ended=True), beam(-1, "Yes", -1.1)], [beam(1, " it does", -1.6)]])
    assert tree.winner(length_penalty=0.0) == (0, 0)
    assert tree.winner(length_penalty=1.0) == (1, 0)


def test_a_step_that_holds_nothing_is_the_end_and_kills_nothing(tree: BeamTree) -> None:
    tree.add(())
    assert tree.steps == 3
    assert tree.state((2, 1)) == "alive"
    assert tree.best() == (2, 0)


def test_an_unknown_parent_counts_as_the_prompt() -> None:
    tree = BeamTree([[beam(-1, "a", -1)], [beam(7, "b", -1)]])
    assert tree.path((1, 0)) == [(1, 0)]
    assert tree.state((0, 0)) == "dead"
