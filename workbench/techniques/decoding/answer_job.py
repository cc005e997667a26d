"""The common part of the jobs of all decoding strategies: the request, the room for tokens, and the final
``Generated``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext
from workbench.base.errors import ContextExceeded
from workbench.engine.detokenizer import Detokenizer
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.engine.jobs import Branch, Job
from workbench.engine.keys import Key
from workbench.engine.probabilities import LogProbabilities
from workbench.engine.prompt import Prompt
from workbench.engine.vocabulary import Vocabulary
from workbench.records.messages import Finish, Usage
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding import loops
from workbench.techniques.decoding.reading_time import ReadingTime
from workbench.techniques.decoding.sampling import read_bias

READING_TOKENS = 1024
"""Prompts with at least so many tokens to compute report their progress."""
REPORT_EVERY_S = 0.25


@dataclass(frozen=True)
class GenerationRequest:
    """What is generated: an answer to ``prompt`` that begins with the tokens ``answer``, and whose text with
    ``assistant_start``. ``started`` is the time of the request (time.perf_counter). ``ends_loops``: an answer that
    repeats itself is ended, unless it has a form or must have its maximum length."""

    prompt: Prompt
    decoding: DecodingPart
    vocabulary: Vocabulary
    context_tokens: int
    context: RequestContext
    started: float
    key: Key = ()
    background: bool = False
    answer: Sequence[int] = ()
    assistant_start: str = ""
    ends_loops: bool = True


class AnswerJob(Job):
    """Continues a prompt by ``sequences`` of at most ``self._limit`` tokens each, with ``spare`` tokens beside them.
    Raises UserError when the context has no room for that."""

    def __init__(
        self, request: GenerationRequest, sequences: int, *, width: int = 0, spare: int = 0, from_prompt: bool = False
    ) -> None:
        tokens = [*request.prompt.tokens, *request.answer]
        most = request.decoding.max_tokens
        self._limit = longest_answer(len(tokens) + spare, most, request.context_tokens, sequences)
        super().__init__(
            tokens,
            0 if from_prompt else len(tokens) - 1,
            len(tokens) + sequences * self._limit + spare,
            request.context,
            width=width or sequences,
            key=request.key,
            background=request.background,
        )
        self._request = request
        self._prompt, self._decoding, self._vocabulary = request.prompt, request.decoding, request.vocabulary
        self._given = list(request.answer)
        free = request.decoding.format == "text" and not _bans_end(request.decoding, request.vocabulary)
        self._ends_loops = request.ends_loops and free
        self._probabilities = LogProbabilities(request.vocabulary.size)
        self._new_tokens = 0
        self._reported_at = 0.0
        self._reading = ReadingTime()
        self._first_at = self._last_at = 0.0  # when the first and the last token came (time.perf_counter)

    def report_reading(self, branch: Branch) -> None:
        total, now = len(self.prompt), time.monotonic()
        if total - self.cached < READING_TOKENS or now - self._reported_at < REPORT_EVERY_S:
            return
        self._reported_at = now
        self._put(
            Progress(
                stage="reading",
                done=branch.computed,
                total=total,
                unit="tokens",
                detail="the conversation",
                seconds_left=self._reading.left(now, branch.computed, total),
            )
        )

    def _detokenizer(self, send: Callable[[Event], None] | None, sequence: int = 0) -> Detokenizer:
        start = self._request.assistant_start
        return Detokenizer(
            self._prompt, self._decoding.stop, self._vocabulary, send, sequence=sequence, assistant_start=start
        )

    def _written(self, detokenizer: Detokenizer, reason: Finish) -> GeneratedSequence:
        """A finished sequence; its mean log-probability is that of the chosen tokens: given ones say nothing of the
        model's choice."""
        result = self._with_loop(detokenizer.finish(reason))
        chosen = len(result.tokens) - len(self._given)
        mean = sum(detokenizer.logprobs) / chosen if chosen > 0 else None
        return msgspec.structs.replace(result, mean_logprob=mean, score=mean)

    def _looks_for_loops(self, length: int) -> bool:
        """Whether an answer of so many tokens, without the given ones, is looked at."""
        return self._ends_loops and length % loops.EVERY == 0

    def _loops(self, tokens: Sequence[int]) -> bool:
        """Whether an answer, which begins with the given tokens, has just become a loop."""
        return self._looks_for_loops(len(tokens) - len(self._given)) and bool(self._repeated(tokens))

    def _repeated(self, tokens: Sequence[int]) -> str:
        return loops.repeated(tokens, self._vocabulary.piece, len(self._given))

    def _with_loop(self, written: GeneratedSequence) -> GeneratedSequence:
        """The sequence with what it has repeated, where it ended by that."""
        if written.finish != "loop":
            return written
        return msgspec.structs.replace(written, repeated=self._repeated(written.tokens).strip())

    def _result(
        self,
        sequences: Sequence[GeneratedSequence],
        *,
        computed: int | None = None,
        drafted: int = 0,
        accepted: int = 0,
    ) -> Generated:
        """``sequences``, best first. ``computed``: the number of tokens computed between the first and the last one,
        where it exceeds that of the answers."""
        first = sequences[0]
        taken = self._last_at - self._first_at
        computed = self._new_tokens - 1 if computed is None else computed
        usage = Usage(
            prompt_tokens=len(self._prompt.tokens),
            cached_tokens=min(self.cached, len(self._prompt.tokens)),
            new_tokens=self._new_tokens,
            first_token_s=round(self._first_at - self._request.started, 6) if self._first_at else 0.0,
            tokens_per_s=round(computed / taken, 3) if taken > 0 and computed > 0 else 0.0,
            drafted_tokens=drafted,
            accepted_tokens=accepted,
        )
        return Generated(
            text=first.text,
            thought=first.thought,
            finish=first.finish,
            usage=usage,
            dropped_turns=self._prompt.dropped_turns,
            mean_logprob=first.mean_logprob,
            sequences=tuple(sequences),
            prompt=tuple(self._prompt.tokens),
        )


def _bans_end(decoding: DecodingPart, vocabulary: Vocabulary) -> bool:
    """Whether the recipe forbids a token that ends answers: then their length is what is asked for."""
    if not decoding.logit_bias:
        return False
    tokens, bias = read_bias(decoding.logit_bias, vocabulary) or ((), ())
    banned = (int(token) for token, number in zip(tokens, bias, strict=True) if number == -math.inf)
    return any(vocabulary.ends_generation(token) for token in banned)


def longest_answer(prompt_tokens: int, max_tokens: int, context_tokens: int, sequences: int) -> int:
    """Maximum tokens for each of some sequences after a prompt. Raises UserError when there is room for none."""
    limit = min(max_tokens, (context_tokens - prompt_tokens) // sequences)
    if limit < 1:
        raise ContextExceeded(
            f"The conversation has {prompt_tokens:,} tokens; the model's context of {context_tokens:,} has no "
            f"room for {'an answer' if sequences == 1 else f'{sequences} answers'}.",
            "Ask for fewer answers, shorten the conversation, or set a longer context.",
            tokens=prompt_tokens,
            context_tokens=context_tokens,
        )
    return limit
