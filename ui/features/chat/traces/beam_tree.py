"""The tree of a beam search: what was held after each step, where it came from, and what became of it.

Plain Python, no Qt: it takes steps in as they come, at a cost that follows the width of the beam only, and answers
what a drawing asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.records.messages import Beam

State = Literal["alive", "ended", "dead"]
Place = tuple[int, int]
"""A node: its step and its lane in it, both from 0."""


@dataclass
class _Node:
    beam: Beam
    descendants: int = 0  # children that lead to something: a beam of the newest step or one that ended


class BeamTree:
    """Steps of beams, the first one at 0. A lane is a beam's place in its step, best first."""

    def __init__(self, steps: Sequence[Sequence[Beam]] = ()) -> None:
        self._steps: list[list[_Node]] = []
        for beams in steps:
            self.add(beams)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self._steps)

    @property
    def lanes(self) -> int:
        """The most beams that one step holds."""
        return max((len(step) for step in self._steps), default=0)

    def width(self, step: int) -> int:
        """How many beams a step holds."""
        return len(self._steps[step])

    def __contains__(self, place: Place) -> bool:
        step, lane = place
        return 0 <= step < len(self._steps) and 0 <= lane < len(self._steps[step])

    def __getitem__(self, place: Place) -> Beam:
        return self._steps[place[0]][place[1]].beam

    def add(self, beams: Sequence[Beam]) -> None:
        """The next step. A parent that is not among the beams of the step before counts as the prompt.

        A step that holds nothing is the end of the search and no step.
        """
        if not beams:
            return
        before = self._steps[-1] if self._steps else []
        self._steps.append([_Node(beam) for beam in beams])
        for lane in range(len(beams)):
            parent = self.parent((len(self._steps) - 1, lane))
            if parent is not None:
                before[parent[1]].descendants += 1
        for lane, node in enumerate(before):
            if not node.descendants and not node.beam.ended:
                self._let_die((len(self._steps) - 2, lane))

    def parent(self, place: Place) -> Place | None:
        """The node that a node goes on from; None for the prompt."""
        step, lane = place
        above = (step - 1, self._steps[step][lane].beam.parent)
        return above if above in self else None

    def state(self, place: Place) -> State:
        """``ended``: a complete answer. ``alive``: it leads to one or to the newest step. ``dead``: to neither."""
        step, lane = place
        node = self._steps[step][lane]
        if node.beam.ended:
            return "ended"
        return "alive" if node.descendants or step == len(self._steps) - 1 else "dead"

    def path(self, place: Place) -> list[Place]:
        """The nodes from the first step down to this one."""
        found = [place]
        while (above := self.parent(found[-1])) is not None:
            found.append(above)
        return found[::-1]

    def text(self, place: Place) -> str:
        """What a beam has said so far."""
        return "".join(self[at].text for at in self.path(place))

    def ends(self) -> Iterator[Place]:
        """The complete answers, in the order in which they were completed."""
        for step, nodes in enumerate(self._steps):
            for lane, node in enumerate(nodes):
                if node.beam.ended:
                    yield (step, lane)

    def best(self) -> Place | None:
        """The first beam of the newest step: what the search would go on with."""
        last = len(self._steps) - 1
        return (last, 0) if (last, 0) in self else None

    def winner(self, answer: str = "", length_penalty: float = 1.0) -> Place | None:
        """The beam that became the answer; with its text given, the one that says it.

        Else the best by the sum of log-probabilities over the length to the power of ``length_penalty``, as
        transformers' ``generate`` scores it, among the complete ones and those of the newest step.
        """
        last = len(self._steps) - 1
        candidates = list(self.ends())
        if self._steps:
            candidates += [(last, lane) for lane in range(len(self._steps[last])) if (last, lane) not in candidates]
        saying = [place for place in candidates if self.text(place).strip() == answer.strip()] if answer.strip() else []

        def score(place: Place) -> float:
            return self[place].score / float((place[0] + 1) ** length_penalty)

        return max(saying or candidates, key=score, default=None)

    def _let_die(self, place: Place) -> None:
        """Nothing leads on from here: its parents lose what came of them."""
        while (above := self.parent(place)) is not None:
            node = self._steps[above[0]][above[1]]
            node.descendants -= 1
            if node.descendants or node.beam.ended:
                return
            place = above
