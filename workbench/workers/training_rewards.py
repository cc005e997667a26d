"""The reward models and judges of a training, by its call.

The services that rewards use within a training: format checks and the sandbox of this process; reward models and
judges as the training has them.

Judges within a training: llama.cpp computes their grades over the judge's own file, in a context of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.engine.encoder_prompts import writer_for
from workbench.engine.inference_calls import Load, Scores
from workbench.engine.keys import make_key, virtual_tokens
from workbench.engine.loading import inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.prompt import PromptWriter, TemplateOptions
from workbench.engine.scoring import SIDE_BY_SIDE, Scoring
from workbench.engine.template import TemplateRenderer
from workbench.records.messages import Message
from workbench.rewards.reward import ProgramResult, Sample
from workbench.techniques.decoding.formats import find_problem
from workbench.techniques.tools.sandbox_host import Sandbox
from workbench.training.protocol import JudgeUse, TrainModel
from workbench.workers.reward_models import EngineRewardModels, result_of_job


def rewards_of_training(call: TrainModel, context: RequestContext) -> LocalRewardContext:
    """Reward models are computed over the model that is trained, judges over their own."""
    base = call.over.path if call.over is not None else call.model.path
    longest = call.config.data.max_length
    models = EngineRewardModels(Path(base), call.reward_models, context, longest=longest, threads=call.threads)
    judges = EngineJudges(call.judges, context, threads=call.threads)

    def close() -> None:
        models.close()
        judges.close()

    return LocalRewardContext(context, model_scores=models.scores, grade_logprobs=judges.grade_logprobs, close=close)


ScoreSamples = Callable[[str, Sequence[Sample]], list[float]]
GradePrompts = Callable[[str, Sequence[Sequence[Message]], Sequence[str]], list[list[float]]]


class LocalRewardContext:
    """``rewards.RewardContext`` of this process. ``model_scores`` and ``grade_logprobs`` are None where the training
    has no reward model and no judge; the argument ``close`` frees what they hold. Thread-safe as far as they are."""

    def __init__(
        self,
        context: RequestContext | None = None,
        *,
        sandbox: Sandbox | None = None,
        model_scores: ScoreSamples | None = None,
        grade_logprobs: GradePrompts | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context or RequestContext()
        self._sandbox = sandbox or Sandbox()  # its process starts with the first program
        self._model_scores = model_scores
        self._grade_logprobs = grade_logprobs
        self._close = close

    def find_problem(self, format: str, grammar: str, text: str) -> str:
        return find_problem(format, grammar, text)

    def run_program(self, code: str) -> ProgramResult:
        result = self._sandbox.run(code, {}, self._context)
        return ProgramResult(printed=result.printed, error=result.error)

    def model_scores(self, adapter: str, samples: Sequence[Sample]) -> list[float]:
        if self._model_scores is None:
            raise UserError("A reward model cannot score here.", "Choose a reward that is checked by a rule.")
        return self._model_scores(adapter, samples)

    def grade_logprobs(
        self, recipe: str, prompts: Sequence[Sequence[Message]], continuations: Sequence[str]
    ) -> list[list[float]]:
        if self._grade_logprobs is None:
            raise UserError("A judge cannot grade here.", "Choose a reward that is checked by a rule.")
        return self._grade_logprobs(recipe, prompts, continuations)

    def close(self) -> None:
        self._sandbox.close()
        self._close()


SEQUENCES = 8
FEWEST_TOKENS, USUAL_TOKENS = 512, 4096
MARGIN = 1.25
"""The context has room for so much more than the longest prompt so far."""
PREFIX_BYTES = 64 << 20


@dataclass(frozen=True)
class _Loaded:
    path: str
    engine: Engine
    writer: PromptWriter


class EngineJudges:
    """Asks judges, by the names of their recipes. A model is loaded with the first question to it, in place of
    another's, and again with a longer context where prompts need one; ``close`` frees it. Thread-safe."""

    def __init__(
        self, judges: Mapping[str, JudgeUse], context: RequestContext | None = None, *, threads: int = 0
    ) -> None:
        self._judges, self._threads = judges, threads
        self._context = context or RequestContext()
        self._lock = threading.Lock()
        self._renderer = TemplateRenderer()
        self._loaded: _Loaded | None = None

    def grade_logprobs(
        self, recipe: str, prompts: Sequence[Sequence[Message]], continuations: Sequence[str]
    ) -> list[list[float]]:
        """As ``RewardContext.grade_logprobs``. Raises UserError for a judge that is not known, and a prompt that is
        longer than its model can read; errors.Cancelled."""
        judge = self._judges.get(recipe)
        if judge is None:
            raise UserError(f"There is no judge {recipe!r} in this training.", "Save its recipe first.")
        with self._lock:
            return self._ask(judge, prompts, continuations) if prompts else []

    def _ask(
        self, judge: JudgeUse, prompts: Sequence[Sequence[Message]], continuations: Sequence[str]
    ) -> list[list[float]]:
        loaded = self._open(judge, FEWEST_TOKENS)
        options = TemplateOptions(thinking=judge.thinking)
        before = (Message("system", judge.instructions),) if judge.instructions else ()
        written = [loaded.writer.write((*before, *prompt), options=options).tokens for prompt in prompts]
        key = make_key(judge.adapters)
        loaded = self._open(judge, max(map(len, written)) + len(continuations) + virtual_tokens(key))
        model = loaded.engine.model
        ends = [loaded.writer.continuation(one) for one in continuations]
        jobs = [
            Scoring(
                tokens,
                ends,
                self._context,
                together=min(SIDE_BY_SIDE, model.sequences - 1) if model.shares else 1,
                context_tokens=model.context_tokens - virtual_tokens(key),
                key=key,
            )
            for tokens in written
        ]
        found: list[list[float]] = []
        for part in (jobs[:1], jobs[1:]):  # the first leaves the beginning that all of them share
            loaded.engine.submit_all(part)
            for job in part:
                scores = msgspec.convert(result_of_job(job, self._context), Scores)
                found.append([one.logprob for one in scores.values])
        return found

    def _open(self, judge: JudgeUse, tokens: int) -> _Loaded:
        """The judge's model, with a context of at least ``tokens``."""
        loaded = self._loaded
        if loaded is not None and loaded.path == judge.path and loaded.engine.model.context_tokens >= tokens:
            return loaded
        details = inspect_model(judge.path)
        most = details.model.context_tokens or max(tokens, USUAL_TOKENS)
        if tokens > most:
            raise UserError(
                f"What the judge {judge.name} is asked has {tokens:,} tokens; {Path(judge.path).name} reads at most "
                f"{most:,}.",
                "Choose a judge with a longer context, shorter prompts, or a shorter rubric.",
            )
        self._unload()
        self._renderer.start()
        call = Load(
            path=judge.path,
            context_tokens=min(most, max(int(MARGIN * tokens), min(USUAL_TOKENS, SEQUENCES * tokens))),
            threads=self._threads,
            sequences=SEQUENCES,
            prefix_cache_bytes=PREFIX_BYTES,
        )
        loading = load_model(call, details, RequestContext())
        while True:
            try:
                next(loading)
            except StopIteration as done:
                engine = Engine(done.value)
                break
        writer = writer_for(engine.model, self._renderer)
        self._loaded = _Loaded(judge.path, engine, writer)
        return self._loaded

    def _unload(self) -> None:
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            loaded.engine.close()

    def close(self) -> None:
        with self._lock:
            self._unload()
            self._renderer.close()
