"""Rollouts by llama.cpp in the training worker: what is optimised is what is served.

The policy is written as a GGUF LoRA whenever its weights have changed and switched on over the same model file, in
contexts of its own. All answers of a call are given to the engine at once, in their order and with an empty cache, so
that its batches are the same when a killed step is sampled again. The engine computes with the file's quantised weights
and other kernels, so its log-probabilities differ from torch's; ``policy_losses.importance_weights`` corrects for it.

llama.cpp multiplies most quantised formats row by row, so that several answers at once cost as much each as one does.
Unpacked to 16 bits the same weights are multiplied by all rows at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import queue
import shutil
import warnings
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.durability import check_room
from workbench.base.errors import Cancelled
from workbench.engine.inference_calls import Load, LoraUse
from workbench.engine.keys import Key, make_key
from workbench.engine.library import multiplied_type
from workbench.engine.loading import Model, inspect_model, load_model
from workbench.engine.loop import Engine
from workbench.engine.quantization import quantize
from workbench.engine.sampling_job import SampledAnswer, SamplingJob
from workbench.gguf.lora import adapter_to_gguf
from workbench.training.experience.rollouts import Ask, Sampled, draw
from workbench.training.experience.sizes import CONTEXT_SLACK, MOST_SEQUENCES, engine_cells, unpacked_bytes
from workbench.training.model_shape import read_shape

_Ended = events.Event | BaseException
LOOK_S = 0.1


class EngineRollouts:
    """Samples by ``base``, a GGUF model, with the LoRA of ``model``, which it writes to ``folder``: what is there of a
    process that was killed is deleted. ``unpacked``: by a copy of the model with its weights in 16 bits, which is in
    the folder while it is loaded. ``longest_prompt`` is in tokens, ``threads`` 0 adapts to the load of the machine."""

    def __init__(
        self,
        model: Any,
        base: Path,
        folder: Path,
        *,
        longest_prompt: int,
        new_tokens: int,
        threads: int = 0,
        unpacked: bool = False,
    ) -> None:
        """Raises UserError where llama.cpp cannot load the model or there is no room for the copy, OSError where the
        folder cannot be made."""
        self.name = "unpacked" if unpacked else "engine"
        self._model, self._base, self._folder = model, base, folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._written = 0
        self._key: Key = ()
        self._state = b""
        self._undo = contextlib.ExitStack()
        self._undo.callback(shutil.rmtree, self._folder, ignore_errors=True)
        try:
            self._engine = Engine(
                self._load(self._unpack(threads) if unpacked else base, longest_prompt, new_tokens, threads)
            )
        except BaseException:
            self._undo.close()
            raise
        self._undo.callback(self._engine.close)
        if unpacked:
            with contextlib.suppress(OSError):  # Windows keeps what is mapped: there it goes with the folder
                self._copy.unlink()

    @property
    def _copy(self) -> Path:
        return self._folder / "base.gguf"

    def _unpack(self, threads: int) -> Path:
        check_room(self._copy, unpacked_bytes(read_shape(self._base)))
        quantize(self._base, self._copy, multiplied_type(), threads)
        return self._copy

    def _load(self, path: Path, longest_prompt: int, new_tokens: int, threads: int) -> Model:
        cells = engine_cells(longest_prompt, new_tokens)
        details = inspect_model(str(path))
        trained = details.model.context_tokens or cells
        call = Load(
            path=str(path),
            context_tokens=min(max(cells, longest_prompt + new_tokens + CONTEXT_SLACK), max(trained, 256)),
            threads=threads,
            sequences=MOST_SEQUENCES,
            prefix_cache_bytes=0,
        )
        loading = load_model(call, details, RequestContext())
        while True:
            try:
                next(loading)
            except StopIteration as loaded:
                model: Model = loaded.value
                return model

    def refresh(self) -> None:
        """Write the policy as an adapter, if its weights are others than when it was last written."""
        state = _digest(self._model)
        if state == self._state:
            return
        folder = self._folder / "policy"
        shutil.rmtree(folder, ignore_errors=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model.save_pretrained(folder, save_embedding_layers=False)
        self._written += 1
        out = self._folder / f"policy-{self._written}.gguf"
        adapter_to_gguf(folder, self._base, out, "policy")
        self._key = make_key([LoraUse(path=str(out))])
        for old in self._folder.glob("policy-*.gguf"):
            if old != out:
                old.unlink(missing_ok=True)
        self._state = state

    def sample(
        self, asks: Sequence[Ask], new_tokens: int, temperature: float, check: Callable[[], None]
    ) -> list[Sampled]:
        # else the batches would depend on what was sampled before, and old policies would stay in memory
        self._engine.forget()
        context = RequestContext()
        width = min(self._engine.model.sequences, MOST_SEQUENCES) if self._engine.model.shares else 1
        ended: queue.SimpleQueue[tuple[int, _Ended]] = queue.SimpleQueue()
        jobs: list[SamplingJob] = []
        places: list[list[int]] = []
        for prompt, group in groupby(range(len(asks)), key=lambda place: asks[place].prompt):
            together = list(group)
            for start in range(0, len(together), width):
                part = together[start : start + width]
                seeds = [asks[place].seed for place in part]
                ends = self._engine.model.vocabulary.ends_generation
                job = SamplingJob(prompt, seeds, new_tokens, temperature, draw, ends, context, key=self._key)
                job.send_to(_numbered(ended, len(jobs)))
                jobs.append(job)
                places.append(part)
        self._engine.submit_all(jobs)
        found: dict[int, Sampled] = {}
        left = len(jobs)
        stopped: BaseException | None = None
        failed: BaseException | None = None
        while left:
            if stopped is None:
                try:
                    check()
                except BaseException as error:  # noqa: BLE001 - the jobs have to end first
                    stopped = error
                    context.cancel()
            try:
                number, event = ended.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            if isinstance(event, events.Finished):
                answers = msgspec.convert(event.result, list[SampledAnswer])
                for place, one in zip(places[number], answers, strict=True):
                    found[place] = Sampled(tuple(one.tokens), tuple(one.logprobs), one.finished)
            elif isinstance(event, BaseException):
                failed = failed or event
            elif not isinstance(event, events.Failed | events.Cancelled):
                continue
            left -= 1
        if stopped is not None:
            raise stopped
        if failed is not None:
            raise failed
        if len(found) < len(asks):
            raise Cancelled
        return [found[place] for place in range(len(asks))]

    def close(self) -> None:
        self._undo.close()


def _digest(model: Any) -> bytes:
    """Of the trained weights. Their version counters do not tell: fused optimisers leave them as they are."""
    digest = hashlib.blake2b(digest_size=16)
    for parameter in model.parameters():
        if parameter.requires_grad:
            digest.update(parameter.detach().cpu().contiguous().numpy().tobytes())
    return digest.digest()


def _numbered(into: queue.SimpleQueue[tuple[int, _Ended]], number: int) -> Callable[[_Ended], None]:
    return lambda event: into.put((number, event))
