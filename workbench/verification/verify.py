"""Verification: compares the served model with the trained one. Only adapters that pass stay available.

The same prompts go through the trained model in torch, through the float32 merge in llama.cpp, and through what is
served in llama.cpp. Torch against float32 shows whether names, order of rows and offsets are right; float32 against
what is served shows what its number format costs; and the trained answers are counted in each (docs/finetuning.md has
the measurements that the limits come from).

The verdict of a verification from its counts, with the reasons in words.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil

from workbench.base import errors
from workbench.base.catalogue import Shown
from workbench.base.durability import kept_beside
from workbench.base.errors import UserError
from workbench.base.training_environment import given_folder, missing_packages
from workbench.engine.threads import ThreadCount
from workbench.gguf.adapter_deltas import read_changes
from workbench.gguf.base_model import read_base
from workbench.gguf.merging import write_merged
from workbench.gguf.reader import read_gguf, read_pieces
from workbench.records.training import Agreement, Scores, VerificationReport
from workbench.records.training.verdicts import agreement_words, divergence_words, share, shares_apart, verdict_words
from workbench.training.gguf_export import kind_of
from workbench.training.protocol import BaseModel, Served
from workbench.training.verifying import LARGEST_FLOAT32, block_tokens
from workbench.verification.comparison import BASE, EXACT, PLAIN, REFERENCE, SERVED, TRAINED, Comparison
from workbench.verification.engine_model import EngineModel, Weights
from workbench.verification.probe_prompts import GENERAL, LONGEST_TOKENS, Prompt, read_prompts
from workbench.verification.reward_model import verify_reward_model
from workbench.verification.torch_model import TorchModel, evaluating, is_exact, rebuild

Report = Callable[[str, int, int], None]


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
    most_tokens: int = 0,
    packed: bool = False,
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
    ``most_tokens`` are compared (0: as many as the model's size allows). ``packed``: torch holds the base packed, as
    the training did.

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
    parameters = sum(piece.parameters for piece in read_pieces(path))
    prompts = read_prompts(questions, parameters, most_tokens) if questions is not None and questions.is_file() else []
    notes: list[Shown] = []
    if scores is not None and scores.exact_match is not None:
        notes.append(f"The training itself found {scores.exact_match:.0%} of {scores.answers} answers exact.")
    if plain != path:
        notes.append(f"It was trained on the folder {plain.name}; it is served on, and was verified with, {path.name}.")
    with contextlib.ExitStack() as stack:
        models = _Models(stack, path, plain, trained, served, prompts, threads or count.now(), packed)
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
        packed: bool,
    ) -> None:
        self._stack = stack
        self._base, self._trained, self._served = base, trained, served
        self._plain = plain  # what torch is given: the same, or the folder that was trained on
        self._threads = threads
        self._packed = packed
        self._longest = max((len(prompt.tokens) for prompt in prompts), default=LONGEST_TOKENS)
        self._engines: list[EngineModel] = []
        self.prompts = prompts
        self.comparison = Comparison()

    def open(self, scale: float, model: Any, notes: list[Shown], report: Report | None) -> _Models:
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
        self, scale: float, model: Any, vocabulary: int, merged: bool, notes: list[Shown], report: Report | None
    ) -> None:
        if not self._trained.is_dir():
            notes.append("torch cannot load a GGUF adapter, so it was compared in llama.cpp only.")
            return
        if scale != 1 and (merged and kind_of(self._trained) != "lora"):
            notes.append("torch was left out, since it does not compute this method at another strength.")
            return
        if model is None and missing_packages(given_folder(), ("torch", "transformers", "peft")):
            notes.append("The packages of training are not installed, so it was compared in llama.cpp only.")
            return
        if model is None or scale != 1 or not is_exact(model):
            loading = (lambda done, total: report("loading", done, total)) if report else None
            model = rebuild(self._plain, self._trained, scale, loading, packed=self._packed)
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

    def _room(self, notes: list[Shown]) -> bool:
        needed = 4 * sum(piece.parameters for piece in read_pieces(self._base))
        free = shutil.disk_usage(Path(self._served.path).parent).free
        memory = psutil.virtual_memory().available
        if needed > LARGEST_FLOAT32:
            notes.append(f"No float32 merge was made, which would take {needed / 1e9:,.1f} GB.")
        elif needed > memory:
            notes.append(f"No float32 merge was made: {memory / 1e9:,.1f} GB of memory are free.")
        elif 2 * needed > free:
            notes.append(f"No float32 merge was made: the disk has {free / 1e9:,.1f} GB free.")
        else:
            return True
        return False


CONVERTED = 0.99
"""Of all positions, at how many torch and the float32 merge must agree."""

PACKED = {"F32": 0.99, "F16": 0.99, "BF16": 0.98, "Q8_": 0.95, "Q6_": 0.9, "Q5_": 0.85, "Q4_": 0.75, "IQ4": 0.75}
"""At how many the float32 merge and what is served must, by the format of what changed."""

COARSE = 0.5
"""The same for formats below four bits."""

ADAPTER_MARGIN = 0.15
"""How much less an adapter, or virtual tokens, over a packed base may agree with float32 than the base alone does.

llama.cpp rounds what it multiplies packed weights with to 8 bits, 32 numbers at a time, and what was trained lets some
stand out: an adapter that answers 64 of 64 trained facts agrees at 0.91 of all positions, the base at 0.97; rows in a
wrong order at 0.56. That the adapter is computed rightly is seen against the float32 merge, which is allowed nothing.
"""

PACKED_MARGIN = 0.05
"""How much less a merged model may agree with torch than with a float32 merge, where the other weights are packed:
llama.cpp rounds what it multiplies these with, and torch does not."""

NEAR = 0.02
"""Nats: where the distributions are as near as this on average, the likeliest tokens that differ were about equally
likely. llama.cpp rounds the activations that it multiplies packed weights with, so that the smallest change turns such
positions over: the base itself is 0.006 away from float32 (SmolLM2 Q4_1), a Q8_0 merge that answers 64 of 64 trained
facts 0.014 with 0.89 of the tokens the same; a 4-bit merge that lost the training is 3.4 to 4.1 away."""

KEPT = 0.95
"""The share of what the trained model says right that must still be right."""

GAINED = 0.5
"""The share of the trained tokens that the training added to what the base says right which must still be there: where
a training adds little, all of it can be lost within ``KEPT``. Twice the root of the positions at which rounding turned
the likeliest token over may be missing besides."""

FEWEST = 8
"""With fewer answers that are trained whole, single tokens are counted instead; with fewer of those, nothing is."""


def judge(
    found: Comparison,
    served: Served,
    trained: Path,
    base: Path,
    metric: str,
    notes: tuple[str, ...],
    seconds: float,
    *,
    apart: bool = False,
) -> VerificationReport:
    """The verdict. ``apart``: torch was given other weights than llama.cpp, those of the folder that was trained on,
    where ``base`` is the GGUF file that is served; the two are to agree as far as the bases do.

    Raises UserError when the files that were compared cannot be read any more.
    """
    reasons: list[Shown] = []
    agreements: list[Agreement] = []
    own = found.pairs.get((PLAIN, BASE))
    kind, needed = _needed(served, trained, base, own.top1 if own else 1.0)
    for (first, second), pair in found.pairs.items():
        converted = max(COARSE, min(CONVERTED, own.top1 - ADAPTER_MARGIN)) if apart and own else CONVERTED
        limit = {SERVED: needed, EXACT: converted}.get(second, 0.0)
        if (first, second) == (BASE, SERVED):  # which are to differ
            limit = 0.0
            notes += ("Only the base model was there to compare it with, from which it is expected to differ.",)
        elif (first, second) == (TRAINED, SERVED) and served.kind == "merged" and _is_packed(base):
            limit = max(COARSE, limit - PACKED_MARGIN)
        near = NEAR if limit and second == SERVED else 0.0
        agreement = pair.agreement(limit)
        passed = agreement.passed or agreement.kl <= near
        agreement = msgspec.structs.replace(agreement, near=near, passed=passed)
        agreement = msgspec.structs.replace(agreement, why=agreement_words(agreement))
        agreements.append(agreement)
        if not agreement.passed:
            reasons.append(_disagreement(agreement, second, kind, own.top1 if apart and own else None))
    metric, right = _counts(found, metric)
    trained_share = served_share = base_share = None
    counted, at_least = 0, None
    if right:
        said = TRAINED if TRAINED in right else EXACT if EXACT in right else None
        count, counted = right[SERVED]
        served_share, base_share = count / counted, right[BASE][0] / counted
        if said is not None:
            expected = right[said][0]
            trained_share = expected / counted
            allowance = 1 if counted >= FEWEST and expected > 1 else 0
            at_least = max(0, math.ceil(KEPT * expected - allowance - 1e-9))
            if count < at_least:
                reasons.append(_lost(metric, count, expected, counted, kind))
            elif lost := _lost_gain(found, said, kind):
                reasons.append(lost)
            if expected < FEWEST:
                notes += ("The trained model has too few correct answers to detect a loss.",)
    verification = VerificationReport(
        passed=not reasons,
        agreements=tuple(agreements),
        metric=metric if right else "",
        trained=trained_share,
        served=served_share,
        base=base_share,
        counted=counted,
        needed=at_least,
        reasons=tuple(reasons),
        notes=notes,
        seconds=seconds,
    )
    return msgspec.structs.replace(verification, verdict=verdict_words(verification))


def _lost_gain(found: Comparison, said: str, kind: str) -> str:
    """Why what the training added to the base is lost, "" where it is not."""
    trained, served, base = (found.counts[name].count("token_accuracy")[0] for name in (said, SERVED, BASE))
    total = found.counts[SERVED].count("token_accuracy")[1]
    turned = total * (1 - min(pair.top1 for (_, second), pair in found.pairs.items() if second == SERVED))
    at_least = base + GAINED * (trained - base) - 2 * math.sqrt(turned)
    if trained <= base or served >= at_least:
        return ""
    return (
        f"The training is lost: of {total:,} trained tokens the base model predicts {base:,} and the trained "
        f"model {trained:,}; {_served_as(kind)} {served:,} are correct, and {math.ceil(at_least):,} are needed to "
        f"keep half of the gain.{_finer(kind)}"
    )


def _is_packed(base: Path) -> bool:
    return any(t.type not in ("F32", "F16", "BF16") for piece in read_pieces(base) for t in piece.tensors)


def _counts(found: Comparison, metric: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """The correct answers of each model; tokens where the trained model has too few correct answers."""
    best = found.counts.get(TRAINED) or found.counts.get(EXACT) or found.counts[SERVED]
    if metric != "exact_match" or best.count("exact_match")[0] < FEWEST:
        metric = "token_accuracy"
    counts = {name: one.count(metric) for name, one in found.counts.items() if name != REFERENCE}
    return metric, counts if counts[SERVED][1] else {}


def _needed(served: Served, trained: Path, base: Path, own: float) -> tuple[str, float]:
    """In which format what was trained is served, and how far that must agree with float32."""
    if served.kind != "merged":
        return "an adapter", max(COARSE, min(PACKED["F16"], own - ADAPTER_MARGIN))
    touched = set(read_changes(trained, read_base(base)).targets())
    kinds = {t.type for t in read_gguf(Path(served.path)).tensors if t.name in touched and len(t.shape) > 1}
    limits = {kind: PACKED.get(kind[:3], COARSE) for kind in kinds or {"F32"}}
    worst = min(limits, key=lambda kind: limits[kind])
    return worst, limits[worst]


def _disagreement(found: Agreement, second: str, kind: str, bases: float | None = None) -> str:
    """``bases``: how far the folder that was trained on and the GGUF model agree, where they are two."""
    same, needed = shares_apart(found.top1, found.needed)
    at = f"at {same} of {found.positions:,} positions the most likely token is the same, and {needed} are needed"
    if second == EXACT and bases is not None:
        return (
            f"On the GGUF model the adapter does not behave as trained on the folder: {at}. Without the adapter "
            f"the two agree at {share(bases)}; a low share means that they are different models."
        )
    if second == EXACT:
        return (
            f"llama.cpp does not compute the trained model: {at}. The converted weights are in a wrong order or place."
        )
    how = "With the adapter on the quantised base" if kind == "an adapter" else f"Merged as {kind}"
    return f"{how} the model does not answer as in float32: {at}; {divergence_words(found.kl, found.near)}."


def _lost(metric: str, count: int, expected: int, total: int, kind: str) -> str:
    what = "answers" if metric == "exact_match" else "trained tokens"
    return (
        f"The training is lost: of {total:,} {what} the trained model says {expected:,} right, {_served_as(kind)} "
        f"it says {count:,}.{_finer(kind)}"
    )


def _served_as(kind: str) -> str:
    return "as an adapter" if kind == "an adapter" else f"as {kind}"


def _finer(kind: str) -> str:
    coarse = kind != "an adapter" and PACKED.get(kind[:3], COARSE) < PACKED["Q8_"]
    return " Merge as Q8_0 or F16." if coarse else ""
