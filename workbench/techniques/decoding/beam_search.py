"""Beam search over log-probabilities: which beams continue, which are complete, and when none can improve.

It knows nothing of models and texts. ``length_penalty``, ``early_stopping`` and the rule for complete beams are those
of transformers' ``generate`` (5.24, ``_beam_search``): a step's candidates are ranked over all beams; a complete one
counts when it is among the first ``width``; the others fill the beams; the score is the sum of log-probabilities over
the length, an ending token included, to the power of the penalty.

Groups are those of diverse beam search (Vijayakumar et al. 2016, arXiv:1610.02424) as in transformers before it was
moved out of the library: each group is a beam search of its own, and each choice of a token by an earlier group at the
same position costs it ``diversity_penalty``, in its score too. Unlike there, an ending token counts in the length with
groups as it does without.

``keep_greedy`` is our addition: a beam search may prune the greedy path and end with something less probable, in
transformers too. With it that path is followed beside the beams and takes part in the ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

EarlyStopping = Literal["no", "yes", "never"]
E = TypeVar("E")


class Beam:
    """A live sequence: ``token`` after those of ``before``. ``score`` is the sum of log-probabilities that the search
    ranks by, ``logprob`` that under the model alone."""

    __slots__ = ("before", "length", "logprob", "score", "token")

    def __init__(self, before: Beam | None = None, token: int = -1, score: float = 0.0, logprob: float = 0.0) -> None:
        self.before = before
        self.token = token
        self.score = score
        self.logprob = logprob
        self.length: int = before.length + 1 if before is not None else 0

    @property
    def tokens(self) -> list[int]:
        tokens = []
        beam = self
        while beam.before is not None:
            tokens.append(beam.token)
            beam = beam.before
        return tokens[::-1]


class Row(NamedTuple):
    """The most probable next tokens of a beam, best first, without banned ones, and their log-probabilities: penalised
    (``scores``) and under the model alone."""

    tokens: npt.NDArray[np.intp]
    scores: npt.NDArray[np.float64]
    logprobs: npt.NDArray[np.float64]


class Choice(NamedTuple):
    """A token chosen after the beam at position ``parent`` of ``live``."""

    parent: int
    beam: Beam


class Complete(NamedTuple, Generic[E]):
    """A complete sequence, ranked by ``score``. ``ending`` is None at the maximum length."""

    parent: int
    beam: Beam
    score: float
    ending: E | None


class Step(NamedTuple, Generic[E]):
    """The result of a step: the continuing beams, group by group, and the complete ones that are good enough to keep.
    ``greedy`` is the parent and the token of the greedy path, while it is followed and not ended."""

    live: list[Choice]
    complete: list[Complete[E]]
    greedy: tuple[int, int] | None


class BeamSearch(Generic[E]):
    """A search of ``width`` beams, up to ``limit`` tokens long.

    ``live`` are the beams whose next tokens ``advance`` needs: one at first, then up to ``width``, and one more with
    ``keep_greedy`` where the greedy path is none of them.
    """

    def __init__(
        self,
        width: int,
        limit: int,
        *,
        length_penalty: float = 1.0,
        early_stopping: EarlyStopping = "no",
        groups: int = 1,
        diversity_penalty: float = 0.0,
        keep_greedy: bool = False,
    ) -> None:
        if width % groups:
            raise ValueError(f"{width} beams cannot be split into {groups} groups")
        self._limit = limit
        self._penalty = length_penalty
        self._stopping = early_stopping
        self._diversity = diversity_penalty
        self._groups: list[_Group[E]] = [_Group(width // groups) for _ in range(groups)]
        self.live: list[Beam] = [Beam()]
        self._begun = False
        self._greedy = 0 if keep_greedy else -1  # its position in ``live``
        self._greedy_end: Complete[E] | None = None

    @property
    def done(self) -> bool:
        return self._greedy < 0 and all(group.done for group in self._groups)

    @property
    def needed(self) -> int:
        """The number of non-ending tokens that a row must have, if there are so many."""
        width = self._groups[0].width
        return width * len(self._groups) if self._diversity else width

    def advance(self, rows: Sequence[Row], ends: Callable[[int, int], E | None]) -> Step[E]:
        """Choose the next tokens. ``rows`` has one row per beam of ``live``; ``ends(parent, token)`` returns the ending
        of the sequence with this token, or None. It is called for no more candidates than needed."""
        step: Step[E] = Step([], [], self._greedy_choice(rows))
        chosen: dict[int, int] = {}
        first = 0
        for group in self._groups:
            if group.done:
                continue
            count = group.live if self._begun else 1
            places = range(first, first + count) if self._begun else range(1)
            first += count
            live, complete = self._advance_group(group, [(at, self.live[at], rows[at]) for at in places], chosen, ends)
            if not group.done:
                step.live.extend(live)
            step.complete.extend(complete)
        if self._greedy >= 0:
            self._extend_greedily(step, rows[self._greedy], ends)
        self._begun = True
        self.live = [choice.beam for choice in step.live]
        return step

    def best(self, count: int, *, unfinished: bool = False) -> list[Complete[E]]:
        """The best complete sequences so far. ``unfinished``: live beams count as well."""
        found = [complete for group in self._groups for complete in group.complete]
        greedy = self._greedy_end
        if greedy is not None:
            same = [complete for complete in found if complete.beam.tokens == greedy.beam.tokens]
            if all(complete.score < greedy.score for complete in same):  # others may belong to a penalised group
                found = [complete for complete in found if complete not in same] + [greedy]
        if unfinished:
            found += [Complete(at, beam, self._score(beam), None) for at, beam in enumerate(self.live) if beam.length]
        return sorted(found, key=lambda complete: -complete.score)[:count]

    def _score(self, beam: Beam) -> float:
        return float(beam.score / beam.length**self._penalty)

    def _advance_group(
        self,
        group: _Group[E],
        beams: Sequence[tuple[int, Beam, Row]],
        chosen: dict[int, int],
        ends: Callable[[int, int], E | None],
    ) -> tuple[list[Choice], list[Complete[E]]]:
        scores = np.concatenate([row.scores + beam.score for _, beam, row in beams])
        logprobs = np.concatenate([row.logprobs + beam.logprob for _, beam, row in beams])
        tokens = np.concatenate([row.tokens for _, _, row in beams])
        parents = np.repeat(np.arange(len(beams)), [row.tokens.size for _, _, row in beams])
        for token, times in chosen.items():
            scores[tokens == token] -= self._diversity * times
        live: list[Choice] = []
        complete: list[Complete[E]] = []
        going_on: list[int] = []
        for rank, at in enumerate(np.argsort(-scores, kind="stable").tolist()):
            if len(going_on) == group.width:
                break
            place, before, _ = beams[int(parents[at])]
            token = int(tokens[at])
            ending = ends(place, token)
            beam = Beam(before, token, float(scores[at]), float(logprobs[at]))
            if ending is None:
                going_on.append(token)
            if ending is None and beam.length < self._limit:
                live.append(Choice(place, beam))
            elif rank < group.width:
                complete.append(Complete(place, beam, self._score(beam), ending))
        for token in going_on if self._diversity else ():
            chosen[token] = chosen.get(token, 0) + 1
        if not live and not complete and not group.complete:  # everything is banned: the beams end as they are
            complete = [Complete(place, beam, self._score(beam), None) for place, beam, _ in beams if beam.length]
        kept = group.keep(complete)
        group.live = len(live)
        group.done = not live or not self._can_improve(group, live[0].beam)
        return live, kept

    def _greedy_choice(self, rows: Sequence[Row]) -> tuple[int, int] | None:
        if self._greedy < 0 or not rows[self._greedy].tokens.size:
            return None
        row = rows[self._greedy]
        return self._greedy, int(row.tokens[int(row.scores.argmax())])

    def _extend_greedily(self, step: Step[E], row: Row, ends: Callable[[int, int], E | None]) -> None:
        """Extend the greedy path by a token: with the first group's beam that takes it too, else by itself. Only the
        first group's scores are free of the diversity penalty."""
        place, before = self._greedy, self.live[self._greedy]
        self._greedy = -1
        if step.greedy is None:  # everything is banned: it ends as it is
            if before.length:
                self._end_greedy_path(step, Complete(place, before, self._score(before), None))
            return
        best, token = int(row.scores.argmax()), step.greedy[1]
        shared = self._groups[0].live if not self._groups[0].done else 0
        for at, choice in enumerate(step.live[:shared]):
            if choice.parent == place and choice.beam.token == token:
                self._greedy = at
                return
        beam = Beam(before, token, before.score + float(row.scores[best]), before.logprob + float(row.logprobs[best]))
        ending = ends(place, token)
        if ending is None and beam.length < self._limit:
            self._greedy = len(step.live)
            step.live.append(Choice(place, beam))
        else:
            self._end_greedy_path(step, Complete(place, beam, self._score(beam), ending))

    def _end_greedy_path(self, step: Step[E], end: Complete[E]) -> None:
        self._greedy_end = end
        if all((end.parent, end.beam.token) != (one.parent, one.beam.token) for one in step.complete):
            step.complete.append(end)

    def _can_improve(self, group: _Group[E], best: Beam) -> bool:
        """Whether a live beam can become better than the complete ones."""
        if len(group.complete) < group.width:
            return True
        if self._stopping == "yes":
            return False
        length = self._limit if self._stopping == "never" and self._penalty > 0 else best.length
        return bool(best.score / length**self._penalty > group.complete[-1].score)


class _Group(Generic[E]):
    """``complete`` are the best complete sequences of the group, best first."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.live = 0
        self.complete: list[Complete[E]] = []
        self.done = False

    def keep(self, new: Sequence[Complete[E]]) -> list[Complete[E]]:
        """Add complete sequences; returns those that are among the best."""
        self.complete = sorted([*self.complete, *new], key=lambda complete: -complete.score)[: self.width]
        return [complete for complete in new if any(complete is kept for kept in self.complete)]
