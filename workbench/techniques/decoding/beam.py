"""Beam search on the engine: the most probable of many answers, found by following several beams in parallel.

The beams share their common prefix in the model's memory. ``beam_search`` has the search and its scoring rules,
``token_rules`` the changes of single tokens' scores; this module adds log-probabilities, the ends of answers, and text.
As in transformers' ``generate``, penalties, bans and constraints apply after the log-softmax: they do not make the
other tokens more probable.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from workbench.api.events import BeamStep, Cancelled, TextDelta, Thought
from workbench.api.protocol import finish
from workbench.engine.detokenizer import Detokenizer
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.engine.jobs import Branch, Logits
from workbench.records.messages import Beam as ShownBeam
from workbench.records.messages import Finish
from workbench.techniques.decoding.answer_job import AnswerJob, GenerationRequest
from workbench.techniques.decoding.beam_search import BeamSearch, Complete, Row, Step
from workbench.techniques.decoding.constraints import Constraint
from workbench.techniques.decoding.logits_filters import largest
from workbench.techniques.decoding.token_rules import History, TokenRules


@dataclass(eq=False, slots=True)
class _Path:
    """A beam with its branch of the model's memory. ``tail``: its last bytes, for finding stop strings; ``doubtful``
    once a stop string occurred in its bytes but not in its answer."""

    branch: Branch
    constraint: Constraint | None
    history: History
    tail: bytes
    doubtful: bool = False
    row: Row | None = None


class _Ending(NamedTuple):
    """``in_answer``: whether the token that ends the answer belongs to it."""

    reason: Finish
    in_answer: bool


class BeamJob(AnswerJob):
    """Continues a prompt by beam search; sends a BeamStep after each step, and at the end the text of the
    ``decoding.n`` best answers and a Generated. Raises UserError when the context has no room for the beams."""

    def __init__(self, request: GenerationRequest, *, constraint: Constraint | None = None) -> None:
        decoding = request.decoding
        width = decoding.num_beams
        super().__init__(request, width + decoding.keep_greedy)
        self._search: BeamSearch[_Ending] = BeamSearch(
            width,
            self._limit,
            length_penalty=decoding.length_penalty,
            early_stopping=decoding.early_stopping,
            groups=decoding.num_beam_groups,
            diversity_penalty=decoding.diversity_penalty,
            keep_greedy=decoding.keep_greedy,
        )
        self._rules = TokenRules(decoding, self._vocabulary, constrained=constraint is not None)
        self._stops = [stop.encode() for stop in (*decoding.stop, *self._prompt.stops) if stop]
        self._kept_bytes = max((len(stop) for stop in self._stops), default=0) + 64
        self._constraint = constraint.copy() if constraint is not None else None
        if self._constraint is not None:
            self._constraint.limit = min(self._constraint.limit, len(self._given) + self._limit)
        self._next_constraints: dict[tuple[int, int], Constraint] = {}
        self._paths: list[_Path] = []
        self._order: list[int] = []  # the position of each live beam among the beams shown for the last step
        self._steps = 0
        self._followed = 0  # computed tokens of all beams, without the prompt

    def begin(self) -> None:
        history = self._rules.begin()
        for token in self._given:
            history = self._rules.extend(history, token)
            if self._constraint is not None:
                self._constraint.accept(token)
        tail = b"".join(self._piece(token) for token in self._given)[-self._kept_bytes :]
        self._paths = [_Path(self.branches[0], self._constraint, history, tail)]

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        path = next(path for path in self._paths if path.branch is branch)
        normaliser = self._probabilities.normaliser(logits)
        if path.constraint is not None:
            path.constraint.mask(logits)
        own = logits.copy() if self._rules.change_anything else logits
        if own is not logits:
            self._rules.apply(logits, branch.tokens, path.history, normaliser)
        tokens = self._best_tokens(logits, path.constraint)
        if not tokens.size and path.constraint is not None:
            logits[:] = own  # all that the constraint allows is banned: the ban yields
            tokens = self._best_tokens(logits, path.constraint)
        scores = logits[tokens].astype(np.float64) - normaliser
        path.row = Row(tokens, scores, own[tokens].astype(np.float64) - normaliser)

    def settle(self) -> None:
        self._last_at = time.perf_counter()
        self._first_at = self._first_at or self._last_at
        self._next_constraints.clear()
        rows = [path.row for path in self._paths if path.row is not None]
        assert len(rows) == len(self._paths)
        self._followed += len(rows) if self._steps else 0
        step = self._search.advance(rows, self._ending)
        self._show(step)
        self._steps += 1
        if self._search.done:
            self._finish()
        else:
            self._follow(step)

    def cancel(self) -> None:
        results = self._results(self._search.best(self._decoding.n, unfinished=True), "cancelled")
        self._end(Cancelled(result=msgspec.to_builtins(self._generated(results))))

    # -- a step -----------------------------------------------------------------------------------------

    def _best_tokens(self, logits: Logits, constraint: Constraint | None) -> npt.NDArray[np.intp]:
        """The most probable tokens, with as many as the search needs of those that do not end an answer."""
        needed = self._search.needed
        count = 2 * needed
        while True:
            tokens = largest(logits, min(count, logits.size))
            tokens = tokens[logits[tokens] > -np.inf]
            exhausted = tokens.size < count
            if constraint is not None:
                affordable = [token for token in tokens.tolist() if constraint.affords(token)]
                if affordable or not exhausted:  # else no ending is known yet
                    tokens = np.array(affordable, np.intp)
            if exhausted or sum(not self._vocabulary.ends_generation(token) for token in tokens.tolist()) >= needed:
                return tokens
            count *= 2

    def _ending(self, parent: int, token: int) -> _Ending | None:
        """The ending of a beam's answer with this token."""
        path = self._paths[parent]
        if self._vocabulary.ends_generation(token):
            return _Ending("grammar" if path.constraint is not None else "eos", in_answer=False)
        if self._stops and self._stopped(path, parent, token):
            return _Ending("stop", in_answer=True)
        if path.constraint is not None:
            following = path.constraint.copy()
            following.accept(token)
            self._next_constraints[parent, token] = following
            if following.complete:
                return _Ending("grammar", in_answer=True)
        if self._looks_for_loops(self._steps + 1):
            before = self._search.live[parent].tokens if self._steps else []
            if self._loops([*self._given, *before, token]):
                return _Ending("loop", in_answer=True)
        return None

    def _stopped(self, path: _Path, parent: int, token: int) -> bool:
        """Whether the answer contains a stop string: searched in the bytes, then verified in the text."""
        tail = path.tail + self._piece(token)
        if not path.doubtful and not any(stop in tail for stop in self._stops):
            return False
        detokenizer = self._read(self._search.live[parent].tokens)
        return detokenizer.feed(token, 0.0)

    def _follow(self, step: Step[_Ending]) -> None:
        """Make the branches in memory those of the continuing beams; beams that end go first, to free their room."""
        parents = [choice.parent for choice in step.live]
        for place, path in enumerate(self._paths):
            if place not in parents:
                self.memory.drop(path.branch)
        following: list[_Path] = []
        used: set[int] = set()
        for choice in step.live:
            path, token = self._paths[choice.parent], choice.beam.token
            branch = self.memory.fork(path.branch) if choice.parent in used else path.branch
            used.add(choice.parent)
            bytes_ = path.tail + self._piece(token) if self._stops else b""
            doubtful = path.doubtful or any(stop in bytes_ for stop in self._stops)
            constraint = self._next_constraints.get((choice.parent, token))
            history = self._rules.extend(path.history, token)
            following.append(_Path(branch, constraint, history, bytes_[-self._kept_bytes :], doubtful))
        for path, choice in zip(following, step.live, strict=True):
            path.branch.tokens.append(choice.beam.token)
        self._paths = following

    def _show(self, step: Step[_Ending]) -> None:
        shown = [(choice.beam, choice.parent, False) for choice in step.live]
        shown += [(complete.beam, complete.parent, True) for complete in step.complete]
        order = sorted(range(len(shown)), key=lambda at: -shown[at][0].score)
        beams = tuple(
            ShownBeam(
                parent=self._order[parent] if self._steps else -1,
                token=beam.token,
                text=self._piece(beam.token).decode("utf-8", "replace"),
                score=beam.score,
                ended=ended,
                greedy=(parent, beam.token) == step.greedy,
            )
            for beam, parent, ended in (shown[at] for at in order)
        )
        self._order = [order.index(at) for at in range(len(step.live))]
        self._put(BeamStep(number=self._steps, beams=beams))

    # -- the end ----------------------------------------------------------------------------------------

    def _finish(self) -> None:
        results = self._results(self._search.best(self._decoding.n), "length")
        for number, result in enumerate(results):
            if result.thought:
                self._put(Thought(text=result.thought, sequence=number))
            if result.text:
                self._put(TextDelta(text=result.text, sequence=number))
        self._end(finish(self._generated(results)))

    def _results(self, found: Sequence[Complete[_Ending]], otherwise: Finish) -> list[GeneratedSequence]:
        """``otherwise`` is the finish reason of beams without an ending of their own."""
        results = []
        for complete in found:
            ending, beam = complete.ending, complete.beam
            if ending is not None and not ending.in_answer and beam.before is not None:
                beam = beam.before
            result = self._with_loop(self._read(beam.tokens).finish(ending.reason if ending is not None else otherwise))
            mean = beam.logprob / beam.length if beam.length else None
            results.append(msgspec.structs.replace(result, mean_logprob=mean, score=complete.score))
        return results

    def _generated(self, sequences: Sequence[GeneratedSequence]) -> Generated:
        self._new_tokens = sum(len(sequence.tokens) - len(self._given) for sequence in sequences)
        sequences = sequences or [self._read(()).finish("cancelled" if self.cancelled else "length")]
        return self._result(sequences, computed=self._followed)

    def _read(self, tokens: Sequence[int]) -> Detokenizer:
        """A detokenizer that has read the tokens of a beam."""
        detokenizer = self._detokenizer(None)
        for token in (*self._given, *tokens):
            detokenizer.feed(token, 0.0)
        return detokenizer

    def _piece(self, token: int) -> bytes:
        return self._vocabulary.piece(token, special=token in self._vocabulary.marks)
