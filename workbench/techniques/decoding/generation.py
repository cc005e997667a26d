"""Sampling and greedy decoding: one or several answers to a prompt, each token chosen from the model's distribution.

Several answers share the prompt, which is computed once, and are computed in parallel. A single one can use draft
tokens: see ``speculative``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.api.events import Cancelled
from workbench.api.protocol import RequestContext, finish
from workbench.engine.detokenizer import Detokenizer
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.keys import Key
from workbench.engine.probabilities import LogProbabilities
from workbench.engine.prompt import Prompt
from workbench.engine.vocabulary import Vocabulary
from workbench.errors import UserError
from workbench.records.messages import Finish, Usage
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.sampling import Sampler
from workbench.techniques.decoding.speculative import Speculation

if TYPE_CHECKING:
    from workbench.techniques.decoding.constraints import Constraint


class _Answer:
    """One unfinished answer."""

    def __init__(self, sampler: Sampler, detokenizer: Detokenizer) -> None:
        self.sampler = sampler
        self.detokenizer = detokenizer
        self.result: GeneratedSequence | None = None


class Generation(Job):
    """Continues a prompt token by token; streams Thought and TextDelta; ends in a Generated.

    The answer begins with the tokens ``answer``; ``ended`` is the finish reason if these end it already, else None.
    ``started`` is the time of the request (time.perf_counter). ``constraint`` is copied for each answer.
    ``speculation`` is used for a single answer only. Raises UserError when the context has no room for an answer.
    """

    def __init__(
        self,
        prompt: Prompt,
        decoding: DecodingPart,
        vocabulary: Vocabulary,
        context_tokens: int,
        context: RequestContext,
        *,
        started: float,
        assistant_start: str = "",
        answer: Sequence[int] = (),
        ended: Finish | None = None,
        constraint: Constraint | None = None,
        speculation: Speculation | None = None,
        key: Key = (),
        background: bool = False,
    ) -> None:
        tokens = [*prompt.tokens, *answer]
        count = decoding.n
        self._limit = longest_answer(len(tokens), decoding.max_tokens, context_tokens, count)
        room = min(context_tokens, len(tokens) + count * self._limit)
        super().__init__(tokens, len(tokens) - 1, room, context, width=count, key=key, background=background)
        self._prompt = prompt
        self._given = list(answer)
        self._ended = ended
        self._vocabulary = vocabulary
        self._decoding = decoding
        self._probabilities = LogProbabilities(vocabulary.size)
        self._speculation = speculation if count == 1 else None
        self.kept = count
        self._answers: list[_Answer] = []
        self._of: dict[int, _Answer] = {}  # by the number of its branch
        for number in range(count):
            held = constraint.copy() if constraint is not None else None
            if held is not None:
                held.limit = len(self._given) + self._limit
            sampler = Sampler(decoding, vocabulary, sequence=number, constraint=held)
            detokenizer = Detokenizer(
                prompt, decoding.stop, vocabulary, self._put, sequence=number, assistant_start=assistant_start
            )
            self._answers.append(_Answer(sampler, detokenizer))
        self._new_tokens = 0
        self._started = started
        self._first_at = self._last_at = 0.0
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
                answer.result = self._written(answer, "cancelled")
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
        answer.result = self._written(answer, reason)
        if all(one.result is not None for one in self._answers):
            self._end(finish(self._generated()))

    def _written(self, answer: _Answer, reason: Finish) -> GeneratedSequence:
        # given tokens say nothing about the model's choice
        result = answer.detokenizer.finish(reason)
        chosen = len(result.tokens) - len(self._given)
        mean = answer.detokenizer.logprob_sum / chosen if chosen > 0 else None
        return msgspec.structs.replace(result, mean_logprob=mean, score=mean)

    def _generated(self) -> Generated:
        sequences = [answer.result for answer in self._answers if answer.result is not None]
        if self._decoding.ranked:
            sequences.sort(key=lambda s: -float("inf") if s.score is None else s.score, reverse=True)
        first = sequences[0]
        speculation = self._speculation
        return Generated(
            text=first.text,
            thought=first.thought,
            finish=first.finish,
            usage=measured(
                self, self._prompt, self._new_tokens, self._started, self._first_at, self._last_at,
                drafted=speculation.drafted if speculation is not None else 0,
                accepted=speculation.accepted if speculation is not None else 0,
            ),
            dropped_turns=self._prompt.dropped_turns,
            mean_logprob=first.mean_logprob,
            seed=self._answers[0].sampler.seed,
            sequences=tuple(sequences),
            prompt=tuple(self._prompt.tokens),
        )  # fmt: skip


def longest_answer(prompt_tokens: int, max_tokens: int, context_tokens: int, sequences: int) -> int:
    """Maximum tokens for each of some sequences after a prompt. Raises UserError when there is room for none."""
    limit = min(max_tokens, (context_tokens - prompt_tokens) // sequences)
    if limit < 1:
        raise UserError(
            f"The conversation has {prompt_tokens:,} tokens; the model's context of {context_tokens:,} has no "
            f"room for {'an answer' if sequences == 1 else f'{sequences} answers'}.",
            "Ask for fewer answers, shorten the conversation, or set a longer context.",
        )
    return limit


def measured(
    job: Job,
    prompt: Prompt,
    new_tokens: int,
    started: float,
    first_at: float,
    last_at: float,
    *,
    computed: int | None = None,
    drafted: int = 0,
    accepted: int = 0,
) -> Usage:
    """The usage of a generation. Times are those of time.perf_counter; ``first_at`` 0: no token came. ``computed``: the
    number of tokens computed between the two times, where it exceeds that of the answers."""
    taken = last_at - first_at
    if computed is None:
        computed = new_tokens - 1
    return Usage(
        prompt_tokens=len(prompt.tokens),
        cached_tokens=min(job.cached, len(prompt.tokens)),
        new_tokens=new_tokens,
        first_token_s=round(first_at - started, 6) if first_at else 0.0,
        tokens_per_s=round(computed / taken, 3) if taken > 0 and computed > 0 else 0.0,
        drafted_tokens=drafted,
        accepted_tokens=accepted,
    )
