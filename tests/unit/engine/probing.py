"""What tests of the loop share: jobs that look at logits, and how far two rows are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Generated
from workbench.engine.jobs import Branch, Job, Logits
from workbench.engine.library import llama
from workbench.engine.loop import Engine
from workbench.engine.prompt import Prompt
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.answer_job import GenerationRequest
from workbench.techniques.decoding.generation import Generation
from workbench.techniques.decoding.speculative import Speculation

TEXT = (
    "The harbour of the old town lies below the castle. Every morning the boats come in with herring, and the "
    "women of the market carry it up the hill in baskets, three hundred and twelve steps, past the baker's door. "
)
NOISE = 0.05
"""Nats. A quantised model rounds its activations: the same words cut into other batches differ by 0.02 on gemma."""
GREEDY = DecodingPart(max_tokens=24, repetition_penalty=1.0)


class Probe(Job):
    """Computes tokens and keeps the logits after the last of them, and after each of the ``count`` last ones."""

    def __init__(self, tokens: Sequence[int], key: object = (), count: int = 1) -> None:
        super().__init__(tokens, len(tokens) - count, len(tokens), RequestContext(), key=key)
        self.rows: list[Logits] = []
        self._count = count

    @property
    def logits(self) -> Logits | None:
        return self.rows[-1] if self.rows else None

    def take(self, branch: Branch, context: Any, row: int, logits: Logits) -> None:
        self.rows.append(logits.copy())
        if len(self.rows) == self._count:
            self._end(events.Finished())

    def cancel(self) -> None:
        self._end(events.Cancelled())


class UnableToGoBack:
    """llama.cpp, but for memories that cannot take back a part of a sequence, as those of recurrent models."""

    def __getattr__(self, name: str) -> Any:
        return getattr(llama, name)

    def llama_memory_seq_rm(self, memory: Any, sequence: int, first: int, end: int) -> bool:
        return first <= 0 and bool(llama.llama_memory_seq_rm(memory, sequence, first, end))


def tokens_of(engine: Engine, text: str) -> list[int]:
    vocabulary = engine.model.vocabulary
    tokens = vocabulary.tokenize(text, special=False)
    return [vocabulary.bos, *tokens] if vocabulary.adds_bos else tokens


def probe(engine: Engine, tokens: Sequence[int], key: object = (), count: int = 1) -> Probe:
    job = Probe(tokens, key, count)
    list(engine.submit(job).events())
    return job


def generation(
    engine: Engine,
    text: str,
    decoding: DecodingPart = GREEDY,
    context: RequestContext | None = None,
    *,
    key: object = (),
    background: bool = False,
    speculation: Speculation | None = None,
) -> Generation:
    model = engine.model
    prompt = Prompt(tokens_of(engine, text))
    where = model.vocabulary, model.context_tokens, context or RequestContext()
    request = GenerationRequest(prompt, decoding, *where, started=0.0, key=key, background=background)
    return Generation(request, speculation=speculation)


def result_of(job: Job) -> Generated:
    *_, last = job.events()
    assert isinstance(last, events.Finished | events.Cancelled)
    return msgspec.convert(last.result, Generated)


def assert_like_cold(engine: Engine, job: Probe, tokens: Sequence[int]) -> None:
    """The job's logits are those of a run from the beginning."""
    engine.forget()
    cold = probe(engine, tokens, job.key)
    assert cold.cached == 0
    assert job.logits is not None
    assert cold.logits is not None
    # how a prompt is cut into batches changes the last bits; memory that is not what it should be is far off (1.9 where
    # the window's beginning is missing)
    assert divergence(cold.logits, job.logits) < NOISE
    assert cold.logits.max() - cold.logits[job.logits.argmax()] < 0.1  # the same, or one as likely


def divergence(one: Logits, other: Logits) -> float:
    """Kullback-Leibler divergence of two rows' distributions, in nats."""
    p, q = (log_softmax(logits) for logits in (one, other))
    return float((np.exp(p) * (p - q)).sum())


def log_softmax(logits: Logits) -> npt.NDArray[np.float64]:
    row = logits.astype(np.float64)
    row -= row.max()
    return row - np.log(np.exp(row).sum())
