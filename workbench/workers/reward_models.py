"""Reward models within a training: llama.cpp computes them over the base model's file, in a context of their own that
has room for the longest prompt with the longest answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.api import events
from workbench.api.protocol import RequestContext, error_of
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Load, LoraUse, RewardText, ScoreRewards
from workbench.engine.jobs import Job
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.reward_scoring import reward_jobs
from workbench.rewards.reward import Sample
from workbench.training.experience.sizes import REWARD_SEQUENCES, USUAL_REWARD_TOKENS


class EngineRewardModels:
    """Scores samples, whose tokens have to be known, by reward models of ``base``, a GGUF file. ``adapters`` are their
    files by their names; ``longest`` are the tokens of the longest prompt and answer together, 0 for unknown. The model
    is mapped with the first score; ``close`` frees it. Thread-safe."""

    def __init__(
        self,
        base: Path,
        adapters: Mapping[str, str],
        context: RequestContext | None = None,
        *,
        longest: int = 0,
        threads: int = 0,
    ) -> None:
        self._base, self._adapters, self._longest, self._threads = base, adapters, longest, threads
        self._context = context or RequestContext()
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def scores(self, adapter: str, samples: Sequence[Sample]) -> list[float]:
        """A score for each sample; 0 for an answer without text. Raises UserError for a reward model that is not known,
        or does not fit, and errors.Cancelled."""
        path = self._adapters.get(adapter)
        if path is None:
            raise UserError(f"There is no reward model {adapter!r}.", "Train one first: the objective reward.")
        texts = tuple(RewardText(prompt=one.prompt_tokens, answer_tokens=one.answer_tokens) for one in samples)
        with self._lock:
            engine = self._engine = self._engine or self._load()
            call = ScoreRewards(adapter=LoraUse(path=path), texts=texts)
            jobs = reward_jobs(call, engine, None, self._context)
            engine.submit_all([job for job in jobs if job is not None])
            return [0.0 if job is None else float(result_of_job(job, self._context)) for job in jobs]

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.close()
            self._engine = None

    def _load(self) -> Engine:
        if self._base.is_dir():
            raise UserError(
                f"{self._base.name} is a folder of safetensors, over which llama.cpp computes no reward model.",
                "Train on the same model as a GGUF file.",
            )
        details = inspect_model(str(self._base))
        call = Load(
            path=str(self._base),
            context_tokens=context_for(self._longest, details.model.context_tokens or 0),
            threads=self._threads,
            sequences=REWARD_SEQUENCES,
            prefix_cache_bytes=0,
        )
        loading = load_model(call, details, RequestContext())
        while True:
            try:
                next(loading)
            except StopIteration as loaded:
                return Engine(loaded.value)


def context_for(longest: int, trained: int) -> int:
    """The context for texts of at most ``longest`` tokens over a model that was trained on ``trained``, each 0 where it
    is not known: several usual texts at once, and always the longest."""
    wanted = max(longest, min(USUAL_REWARD_TOKENS, REWARD_SEQUENCES * longest)) if longest else USUAL_REWARD_TOKENS
    return min(wanted, trained) if trained else wanted


def result_of_job(job: Job, context: RequestContext) -> Any:
    """The result of a job that was submitted. Raises errors.Cancelled, and what the job failed with."""
    *_, end = job.events()
    context.raise_if_cancelled()
    if isinstance(end, events.Finished):
        return end.result
    assert isinstance(end, events.Failed | events.Cancelled)
    raise error_of(end)
