"""Reward models within a training: llama.cpp computes them over the base model's file, in a context of their own."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.api.events import Finished
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Load, LoraUse, RewardText, ScoreRewards
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.reward_scoring import reward_jobs
from workbench.errors import UserError
from workbench.rewards.reward import Sample
from workbench.training.protocol import TrainModel
from workbench.workers.reward_context import LocalRewardContext

CONTEXT_TOKENS = 4096
SEQUENCES = 8


class EngineRewardModels:
    """Scores samples, whose tokens have to be known, by reward models of ``base``, a GGUF file. ``adapters`` are their
    files by their names. The model is mapped with the first score; ``close`` frees it. Thread-safe."""

    def __init__(
        self, base: Path, adapters: Mapping[str, str], context: RequestContext | None = None, *, threads: int = 0
    ) -> None:
        self._base, self._adapters, self._threads = base, adapters, threads
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
            found = []
            for job in jobs:
                end = list(job.events())[-1] if job is not None else None
                found.append(float(end.result) if isinstance(end, Finished) else 0.0)
            self._context.raise_if_cancelled()
            return found

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
        most = details.model.context_tokens or CONTEXT_TOKENS
        call = Load(
            path=str(self._base),
            context_tokens=min(CONTEXT_TOKENS, most),
            threads=self._threads,
            sequences=SEQUENCES,
            prefix_cache_bytes=0,
        )
        loading = load_model(call, details, RequestContext())
        while True:
            try:
                next(loading)
            except StopIteration as loaded:
                return Engine(loaded.value)


def rewards_of_training(call: TrainModel, context: RequestContext) -> LocalRewardContext:
    """What rewards ask for within a training: its reward models are computed over the model that is trained."""
    base = call.over.path if call.over is not None else call.model.path
    models = EngineRewardModels(Path(base), call.reward_models, context, threads=call.threads)
    return LocalRewardContext(context, model_scores=models.scores, close=models.close)
