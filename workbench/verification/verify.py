"""Verification: compares the served model with the trained one. Only adapters that pass stay available.

The same prompts go through the trained model in torch, through the float32 merge in llama.cpp, and through what is
served in llama.cpp. Torch against float32 shows whether names, order of rows and offsets are right; float32 against
what is served shows what its number format costs; and the trained answers are counted in each (docs/finetuning.md has
the measurements that the limits come from).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.base import errors
from workbench.base.durability import kept_beside
from workbench.base.errors import UserError
from workbench.engine.threads import ThreadCount
from workbench.gguf.merging import write_merged
from workbench.gguf.reader import read_pieces
from workbench.records.training import Scores, VerificationReport
from workbench.training.gguf_export import kind_of
from workbench.training.protocol import BaseModel, Served
from workbench.verification.comparison import Comparison
from workbench.verification.engine_model import EngineModel, Weights, block_tokens
from workbench.verification.probe_prompts import GENERAL, LONGEST_TOKENS, Prompt, read_prompts
from workbench.verification.reward_model import verify_reward_model
from workbench.verification.torch_model import TorchModel, evaluating, is_exact, rebuild
from workbench.verification.verdict import judge

Report = Callable[[str, int, int], None]

LARGEST_FLOAT32 = 4 << 30
"""No float32 merge beyond so many bytes."""


def verify_trained(
    trained: Path,
    base: BaseModel | Path,
    served: Served,
    questions: Path | None,
    *,
    over: Path | None = None,
    metric: str = "exact_match",
    scale: float = 1.0,
    scores: Scores | None = None,
    model: Any = None,
    threads: int = 0,
    report: Report | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> VerificationReport:
    """Compare what is served with what was trained; see the module.

    ``trained`` is a PEFT folder, what a training left, or a GGUF LoRA, which torch cannot be asked about. ``questions``
    is a file of ``prompts.read_prompts``; without one general texts are compared and nothing is counted. ``model`` is
    the trained model where it is at hand; it is used if it computes in float32, and left as it was. ``scale`` is the
    strength that was merged with; ``scores`` are what the training counted itself, for a note. ``metric``
    "exact_match": an answer counts when each of its tokens is the likeliest after those before it, which is what greedy
    decoding writes; "token_accuracy": each token counts. ``threads`` 0 takes the cores that others leave.

    A base that is a folder of safetensors cannot be asked in llama.cpp: ``over`` is the GGUF model with which its
    adapter is served. The trained model in torch is compared with the adapter over that, and held to agree as far as
    the two bases do. Without one nothing is compared, and a note says so.

    Takes the weights in float32 in torch, and what llama.cpp maps of its files. ``report`` is told a stage and how far
    it is. Raises UserError when something cannot be loaded, errors.Cancelled between two prompts when ``cancelled``.
    """
    began = time.monotonic()
    path = base if isinstance(base, Path) else Path(base.path)
    plain = path
    if path.is_dir():
        if over is None:
            why = (
                f"Not verified: {path.name} is a folder of safetensors, which llama.cpp cannot run, and no GGUF "
                "model here fits its adapter."
            )
            return VerificationReport(passed=True, notes=(why,), verdict=why)
        path = over
    if served.kind == "reward":
        return verify_reward_model(
            trained,
            path,
            served,
            questions or trained,
            model=model,
            threads=threads or os.cpu_count() or 1,
            report=report,
            cancelled=cancelled or (lambda: False),
        )
    count = ThreadCount(threads or os.cpu_count() or 1)
    prompts = read_prompts(questions) if questions is not None and questions.is_file() else []
    notes: list[str] = []
    if scores is not None and scores.exact_match is not None:
        notes.append(f"The training itself found {scores.exact_match:.0%} of {scores.answers} answers exact.")
    if plain != path:
        notes.append(f"It was trained on the folder {plain.name}; it is served on, and was verified with, {path.name}.")
    with contextlib.ExitStack() as stack:
        models = _Models(stack, path, plain, trained, served, prompts, threads or count.now())
        found = models.open(scale, model, notes, report)
        for number, prompt in enumerate(found.prompts):
            if cancelled is not None and cancelled():
                raise errors.Cancelled
            if report:
                report("checking", number, len(found.prompts))
            if not threads:
                found.set_threads(count.now())
            found.comparison.compare(prompt)
        if report:
            report("checking", len(found.prompts), len(found.prompts))
    if not found.prompts:
        raise UserError(f"There are no prompts to compare with {served.path}.", "Train with examples.")
    seconds = time.monotonic() - began
    return judge(found.comparison, served, trained, path, metric, tuple(notes), seconds, apart=plain != path)


class _Models:
    """The compared models, opened one after the other and closed with ``stack``."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        base: Path,
        plain: Path,
        trained: Path,
        served: Served,
        prompts: list[Prompt],
        threads: int,
    ) -> None:
        self._stack = stack
        self._base, self._trained, self._served = base, trained, served
        self._plain = plain  # what torch is given: the same, or the folder that was trained on
        self._threads = threads
        self._longest = max((len(prompt.tokens) for prompt in prompts), default=LONGEST_TOKENS)
        self._engines: list[EngineModel] = []
        self.prompts = prompts
        self.comparison = Comparison()

    def open(self, scale: float, model: Any, notes: list[str], report: Report | None) -> _Models:
        merged = self._served.kind == "merged"
        virtual = self._served.kind in ("soft-prompt", "prefix")
        adapter = None if merged else Path(self._served.path)
        weights = self._stack.enter_context(Weights(Path(self._served.path) if merged else self._base))
        answering = self._engine(weights, adapter)
        if not self.prompts:
            texts = (answering.tokens_of(text) for text in GENERAL)
            self.prompts = [Prompt(tokens, (False,) * len(tokens)) for tokens in texts if tokens]
            notes.append("There were no examples: general texts were compared, and no answers were counted.")
        compare = self.comparison
        compare.served = answering.logits
        if merged:
            weights = self._stack.enter_context(Weights(self._base))
        compare.base = self._engine(weights).logits
        kept = None if virtual else self._trained
        if self._room(notes):
            whole = self._merged("whole", kept, scale, unpacked=True, report=report)
            compare.exact = self._engine(whole, adapter if virtual else None).logits
            if merged and any(t.type not in ("F32", "F16", "BF16") for p in read_pieces(self._base) for t in p.tensors):
                part = self._merged("part", kept, scale, unpacked=False, report=report)
                compare.reference = self._engine(part).logits
            else:
                compare.reference = compare.exact
        self._open_torch(scale, model, answering.vocabulary, merged, notes, report)
        return self

    def _open_torch(
        self, scale: float, model: Any, vocabulary: int, merged: bool, notes: list[str], report: Report | None
    ) -> None:
        if not self._trained.is_dir():
            notes.append("torch cannot load a GGUF adapter, so it was compared in llama.cpp only.")
            return
        if scale != 1 and (merged and kind_of(self._trained) != "lora"):
            notes.append("torch was left out, since it does not compute this method at another strength.")
            return
        if model is None or scale != 1 or not is_exact(model):
            loading = (lambda done, total: report("loading", done, total)) if report else None
            model = rebuild(self._plain, self._trained, scale, loading)
        self._stack.enter_context(evaluating(model))
        torch_model = TorchModel(model, block_tokens(vocabulary))
        self.comparison.trained = torch_model.logits
        if not merged:
            self.comparison.plain = lambda tokens: torch_model.logits(tokens, adapted=False)

    def _engine(self, weights: Weights, adapter: Path | None = None) -> EngineModel:
        model = self._stack.enter_context(EngineModel(weights, self._longest, adapter, threads=self._threads))
        self._engines.append(model)
        return model

    def set_threads(self, threads: int) -> None:
        """Others want the processor as well: llama.cpp is slow on cores that are busy."""
        for model in self._engines:
            model.set_threads(threads)

    def _merged(
        self, what: str, adapter: Path | None, scale: float, *, unpacked: bool, report: Report | None
    ) -> Weights:
        out = Path(self._served.path)
        path = self._stack.enter_context(kept_beside(out, what))
        progress = (lambda done, total: report("merging", done, total)) if report else None
        write_merged(self._base, adapter, path, out, "F32", scale, unpacked=unpacked, progress=progress)
        return self._stack.enter_context(Weights(path))

    def _room(self, notes: list[str]) -> bool:
        needed = 4 * sum(piece.parameters for piece in read_pieces(self._base))
        free = shutil.disk_usage(Path(self._served.path).parent).free
        if needed > LARGEST_FLOAT32:
            notes.append(f"No float32 merge was made, which would take {needed / 1e9:,.1f} GB.")
        elif 2 * needed > free:
            notes.append(f"No float32 merge was made: the disk has {free / 1e9:,.1f} GB free.")
        else:
            return True
        return False
