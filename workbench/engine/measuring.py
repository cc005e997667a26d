"""The speed of the loaded model, measured through the loop that serves all requests."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

from workbench.api.events import Event, Finished, Progress
from workbench.api.protocol import RequestContext, finish
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.engine.encoder_decoder import ENCODER_TOKENS
from workbench.engine.inference_calls import MeasureSpeed, Speed
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.loop import Engine


class SpeedJob(Job):
    """A prompt of random tokens, then the ``new_tokens`` most probable tokens of each of ``width`` sequences. Ends in
    the seconds that the prompt and the rest took."""

    def __init__(self, prompt: list[int], new_tokens: int, width: int, context: RequestContext) -> None:
        super().__init__(prompt, len(prompt) - 1, len(prompt) + width * new_tokens, context, width=width)
        self._new_tokens = new_tokens
        self._made = 0
        self._began, self._first_at = time.perf_counter(), 0.0

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        token = int(logits.argmax())
        if not self._first_at:
            self._first_at = time.perf_counter()
            for number in range(1, self.width):
                # different texts, as those of different people would be
                self.memory.fork(branch).tokens.append((token + number) % len(logits))
            branch.tokens.append(token)
            return
        self._made += 1
        if self._made == (self._new_tokens - 1) * self.width:
            last = time.perf_counter()
            self._end(finish((self._first_at - self._began, last - self._first_at)))
        else:
            branch.tokens.append(token)

    def settle(self) -> None:
        pass


def measure_speed(engine: Engine, call: MeasureSpeed, context: RequestContext) -> Iterator[Event]:
    """Medians over ``call.rounds``, after a warm-up round. Raises UserError when the prompt does not fit."""
    if call.new_tokens < 2 or call.prompt_tokens < 1 or call.sequences < 1 or call.rounds < 1:
        raise UserError("A measurement needs a prompt, at least two new tokens, one sequence and one round.")
    size = engine.model.vocabulary.size
    prompts, alone, together = list[float](), list[float](), list[float]()
    for number in range(call.rounds + 1):
        yield Progress(stage="measuring", done=number, total=call.rounds + 1, unit="rounds")
        # another prompt each time, so that none of it is in memory
        prompt = [(7919 * (place + 1) + 104_729 * number) % size for place in range(call.prompt_tokens)]
        if (start := engine.model.decoder_start) is not None:
            prompt = [token if token != start else start + 1 for token in prompt[: ENCODER_TOKENS - 1]] + [start]
        took, rest = _run_job(engine, prompt, call.new_tokens, 1, context)
        if number:
            prompts.append(len(prompt) / took)
            alone.append((call.new_tokens - 1) / rest)
        _, rest = _run_job(engine, prompt, call.new_tokens, call.sequences, context)
        if number:
            together.append(call.sequences * (call.new_tokens - 1) / rest)
    yield finish(
        Speed(
            prompt=statistics.median(prompts),
            alone=statistics.median(alone),
            together=statistics.median(together),
            sequences=call.sequences,
        )
    )


def _run_job(
    engine: Engine, prompt: list[int], new_tokens: int, width: int, context: RequestContext
) -> tuple[float, float]:
    for event in engine.submit(SpeedJob(prompt, new_tokens, width, context)).events():
        if isinstance(event, Finished):
            took, rest = event.result
            return took, rest
    raise errors.Cancelled
