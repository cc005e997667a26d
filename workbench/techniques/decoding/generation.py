"""Sampling and greedy decoding: one or several answers to a prompt, each token chosen from the model's distribution.

Several answers share the prompt, which is computed once, and are computed in parallel. A single one can use draft
tokens: see ``speculative``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.api.events import Cancelled
from workbench.api.protocol import finish
from workbench.engine.detokenizer import Detokenizer
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.engine.jobs import Branch, Logits
from workbench.records.messages import Finish
from workbench.techniques.decoding.answer_job import AnswerJob, GenerationRequest
from workbench.techniques.decoding.sampling import Sampler
from workbench.techniques.decoding.speculative import Speculation

if TYPE_CHECKING:
    from workbench.techniques.decoding.constraints import Constraint


@dataclass(eq=False)
class _Answer:
    """One unfinished answer."""

    sampler: Sampler
    detokenizer: Detokenizer
    result: GeneratedSequence | None = None


class Generation(AnswerJob):
    """Continues a prompt token by token; streams Thought and TextDelta; ends in a Generated.

    ``ended`` is the finish reason if the request's ``answer`` ends it already, else None. ``constraint`` is copied for
    each answer. ``speculation`` is used for a single answer only. Raises UserError when the context has no room for an
    answer.
    """

    def __init__(
        self,
        request: GenerationRequest,
        *,
        ended: Finish | None = None,
        constraint: Constraint | None = None,
        speculation: Speculation | None = None,
    ) -> None:
        count = request.decoding.n
        super().__init__(request, count)
        self._ended = ended
        self._speculation = speculation if count == 1 else None
        self.kept = count
        self._answers: list[_Answer] = []
        self._of: dict[int, _Answer] = {}  # by the number of its branch
        for number in range(count):
            held = constraint.copy() if constraint is not None else None
            if held is not None:
                held.limit = len(self._given) + self._limit
            sampler = Sampler(self._decoding, self._vocabulary, sequence=number, constraint=held)
            self._answers.append(_Answer(sampler, self._detokenizer(self._put, number)))
        self._drafts: list[int] = []
        self._checked = 0
        self._next: int | None = None  # chosen where a draft token was wrong, or after the last one

    def begin(self) -> None:
        for answer in self._answers:
            for token in self._given:
                answer.sampler.observe(token)
                if self._vocabulary.ends_generation(token) or answer.detokenizer.feed(token, 0.0):
                    break
            answer.detokenizer.flush()
        if self._speculation is not None:
            self._speculation.begin(self.branches[0].tokens)

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        if self._ended is not None:
            for each in self._answers:
                self._finish(each, self._ended)
            return
        answer = self._of.get(branch.number)
        if answer is not None:
            self._choose(answer, branch, context, row, logits)
            return
        # after the prompt: all answers begin here
        before = logits.copy() if len(self._answers) > 1 else logits
        branches = [branch] + [self.memory.fork(branch) for _ in self._answers[1:]]
        for number, (one, its) in enumerate(zip(self._answers, branches, strict=True)):
            if number:
                logits[:] = before
            self._of[its.number] = one
            self._choose(one, its, context, row, logits)

    def settle(self) -> None:
        """All draft tokens are verified: continue after the last accepted one."""
        branch = self.branches[0]
        assert self._next is not None
        assert self._speculation is not None
        right = self._checked
        self._speculation.learn(len(self._drafts), right)
        length = len(branch.tokens) - len(self._drafts) + right
        self.memory.rewind(branch, length)
        branch.logits_from = length
        token, self._next = self._next, None
        self._append(branch, token)

    def cancel(self) -> None:
        for answer in self._answers:
            if answer.result is None:
                answer.result = self._written(answer.detokenizer, "cancelled")
        self._end(Cancelled(result=msgspec.to_builtins(self._generated())))

    def release(self) -> None:
        for answer in self._answers:
            answer.sampler.close()
        if self._speculation is not None:
            self._speculation.close()

    def _choose(self, answer: _Answer, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        if self._next is not None:  # rows after a rejected draft token are meaningless
            return
        if answer.sampler.takes_best:
            token, logit = answer.sampler.choose(context, row, logits)
            normaliser = self._probabilities.normaliser(logits, logit)
        else:  # a constraint changes them
            normaliser = self._probabilities.normaliser(logits)
            token, logit = answer.sampler.choose(context, row, logits)
        now = time.perf_counter()
        self._last_at = now
        if not self._first_at:
            self._first_at = now
        if self._vocabulary.ends_generation(token):
            self._finish(answer, "grammar" if answer.sampler.ended else "eos")
            return
        self._new_tokens += 1
        if answer.detokenizer.feed(token, logit - normaliser, now):
            self._finish(answer, "stop")
        elif answer.sampler.ended:
            self._finish(answer, "grammar")
        elif self._loops(answer.detokenizer.tokens):
            self._finish(answer, "loop")
        elif len(answer.detokenizer.tokens) - len(self._given) >= self._limit:
            self._finish(answer, "length")
        elif self._speculation is None:
            branch.tokens.append(token)
        elif self._checked < len(self._drafts) and self._drafts[self._checked] == token:
            self._checked += 1
        elif self._drafts:
            self._next = token
        else:
            self._append(branch, token)

    def _append(self, branch: Branch, token: int) -> None:
        """The next token, followed by draft tokens."""
        assert self._speculation is not None
        branch.tokens.append(token)
        self._checked = 0
        left = self.room - len(branch.tokens)
        self._drafts = self._speculation.propose(branch.tokens, left)
        branch.tokens += self._drafts

    def _finish(self, answer: _Answer, reason: Finish) -> None:
        answer.result = self._written(answer.detokenizer, reason)
        if all(one.result is not None for one in self._answers):
            self._end(finish(self._generated()))

    def _generated(self) -> Generated:
        sequences = [answer.result for answer in self._answers if answer.result is not None]
        if self._decoding.ranked:
            sequences.sort(key=lambda s: -float("inf") if s.score is None else s.score, reverse=True)
        speculation = self._speculation
        drafted, accepted = (speculation.drafted, speculation.accepted) if speculation is not None else (0, 0)
        result = self._result(sequences, drafted=drafted, accepted=accepted)
        return msgspec.structs.replace(result, seed=self._answers[0].sampler.seed)
