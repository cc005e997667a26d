"""Contrastive search: probable tokens that do not repeat what was said (Su et al. 2022, arXiv:2202.06417).

Each of the ``contrastive_k`` most probable next tokens is computed; the best is the one with the highest ``(1 -
penalty_alpha) * probability - penalty_alpha * similarity``, where the similarity is the highest cosine of its last
hidden state with those of all tokens before it, the prompt's included. As in transformers before it was moved out of
the library, changes of single tokens' scores (``token_rules``) apply first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from workbench.api.events import Cancelled
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Generated
from workbench.engine.jobs import Branch, Logits
from workbench.records.messages import Finish
from workbench.techniques.decoding.answer_job import AnswerJob, GenerationRequest
from workbench.techniques.decoding.logits_filters import largest
from workbench.techniques.decoding.token_rules import History, TokenRules

Vectors = npt.NDArray[np.float32]


@dataclass(eq=False, slots=True)
class _Candidate:
    """A candidate next token: ``probability`` after the penalties, ``logprob`` under the model alone. Then its state,
    of length 1, and the tokens that may follow it."""

    token: int
    probability: float
    logprob: float
    branch: Branch | None = None
    state: Vectors | None = None
    following: list[_Candidate] = field(default_factory=list)


class ContrastiveJob(AnswerJob):
    """Continues a prompt by contrastive search; streams Thought and TextDelta; ends in a Generated. Raises UserError
    for more than one answer, and when the context has no room for one."""

    needs_states = True

    def __init__(self, request: GenerationRequest) -> None:
        decoding, vocabulary = request.decoding, request.vocabulary
        if decoding.n > 1:
            raise UserError("Contrastive search gives one answer.", "Set the number of answers to 1.")
        self._k = min(decoding.contrastive_k, vocabulary.size)
        super().__init__(request, 1, width=self._k, spare=self._k, from_prompt=True)
        self._alpha = decoding.penalty_alpha
        self._rules = TokenRules(decoding, vocabulary)
        self._history = self._rules.begin()
        self._text = self._detokenizer(self._put)
        self._states: Vectors = np.empty((0, 0), np.float32)
        self._first = self._known = 0  # where the stored states begin and end: an encoder's tokens have none
        self._candidates: list[_Candidate] = []

    def begin(self) -> None:
        self._first = self._known = self.branches[0].computed
        for token in self._given:
            self._history = self._rules.extend(self._history, token)
            self._text.feed(token, 0.0)
        self._text.flush()

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        state = directed(self.memory.states(row))
        for candidate in self._candidates:
            if candidate.branch is branch:
                candidate.state = state
                history = self._rules.extend(self._history, candidate.token)
                candidate.following = self._most_probable(logits, branch.tokens, history)
                return
        if not self._states.size:
            self._states = np.empty((len(self.prompt) + self._limit, state.size), np.float32)
        self._remember(state)
        if self._known == len(self.prompt):
            self._first_at = time.perf_counter()
            following = self._most_probable(logits, branch.tokens, self._history)
            self._compute(branch, following)

    def settle(self) -> None:
        candidates = self._candidates
        states = np.array([candidate.state for candidate in candidates], np.float32)
        probabilities = np.array([candidate.probability for candidate in candidates])
        chosen = candidates[choose(probabilities, states, self._states[self._first : self._known], self._alpha)]
        for candidate in candidates:
            if candidate is not chosen:
                assert candidate.branch is not None
                self.memory.drop(candidate.branch)
        assert chosen.branch is not None
        assert chosen.state is not None
        self._last_at = time.perf_counter()
        if self._vocabulary.ends_generation(chosen.token):
            self._finish("eos")
            return
        self._new_tokens += 1
        self._history = self._rules.extend(self._history, chosen.token)
        self._remember(chosen.state)
        if self._text.feed(chosen.token, chosen.logprob, self._last_at):
            self._finish("stop")
        elif self._loops(self._text.tokens):
            self._finish("loop")
        elif self._new_tokens >= self._limit:
            self._finish("length")
        else:
            self._compute(chosen.branch, chosen.following)

    def cancel(self) -> None:
        self._end(Cancelled(result=msgspec.to_builtins(self._generated("cancelled"))))

    def _most_probable(self, logits: Logits, tokens: Sequence[int], history: History) -> list[_Candidate]:
        normaliser = after = self._probabilities.normaliser(logits)
        own = logits
        if self._rules.change_anything:
            own = logits.copy()
            self._rules.apply(logits, tokens, history)
            after = self._probabilities.normaliser(logits)
        found = largest(logits, self._k)
        return [
            _Candidate(token, float(np.exp(logits[token] - after)), float(own[token]) - normaliser)
            for token in found.tolist()
            if logits[token] > -np.inf
        ]

    def _compute(self, branch: Branch, candidates: list[_Candidate]) -> None:
        """Request a branch for each candidate."""
        if not candidates:  # every token would repeat a phrase
            self._finish("length")
            return
        for number, candidate in enumerate(candidates):
            candidate.branch = self.memory.fork(branch) if number else branch
        for candidate in candidates:
            assert candidate.branch is not None
            candidate.branch.tokens.append(candidate.token)
        self._candidates = candidates

    def _remember(self, state: Vectors) -> None:
        self._states[self._known] = state
        self._known += 1

    def _finish(self, reason: Finish) -> None:
        self._end(finish(self._generated(reason)))

    def _generated(self, reason: Finish) -> Generated:
        return self._result([self._written(self._text, reason)])


def choose(probabilities: npt.NDArray[np.float64], candidates: Vectors, before: Vectors, penalty_alpha: float) -> int:
    """The position of the best candidate. ``candidates`` (k, width) and ``before`` (tokens, width) are states of length
    1."""
    similarity = (candidates @ before.T).max(axis=1)
    return int(np.argmax((1 - penalty_alpha) * probabilities - penalty_alpha * similarity))


def directed(state: Vectors) -> Vectors:
    """A copy normalised to length 1."""
    length = float(np.linalg.norm(state))
    return state / np.float32(length) if length > 0 else state.copy()
