"""The training worker: inspects data, plans, trains, and converts the trained weights into the file that the engine
loads.

One training at a time. torch and llama.cpp are loaded by the calls that need them: looking into data needs no torch.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.events import TERMINAL, Event
from workbench.api.protocol import Call, RequestContext, finish, with_progress
from workbench.base.errors import UserError
from workbench.gguf.names import file_safe
from workbench.processes.serve import Handler, serve
from workbench.techniques import registry
from workbench.training.control import Switch
from workbench.training.objectives.objective import describe_roles, objective_of
from workbench.training.out_of_memory import translate_out_of_memory
from workbench.training.protocol import (
    ConvertTrained,
    ExportTraining,
    FingerprintSet,
    InspectSet,
    MergeTrained,
    Plan,
    Requantize,
    Served,
    SetPaused,
    Trained,
    TrainingCall,
    TrainModel,
    VerifyTrained,
)

_UNITS = {"merging": "bytes", "loading": "bytes", "checking": "prompts"}
"""What the stages of serving and checking are counted in."""

LEAVE_S = 120.0
"""How long a training has to write its checkpoint when the parent has gone."""

REUSED_BYTES = 1 << 30
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt

KERNELS = "16"
"""How many kernels oneDNN keeps, and torch of what goes with them. Each is for one shape, and every pass has another
one: the usual 1,024 took 0.85 GB of memory with bf16 and were hardly used again."""

Emit = Callable[[Event], None]

HANDOVER_S = 5.0
"""How long a training waits for the previous one, which has already reported its end."""


class TrainingService:
    """The handlers of the training worker's calls."""

    def __init__(self) -> None:
        self._training = threading.Lock()  # held by the one training
        self._switch: Switch | None = None

    def handlers(self) -> Mapping[type[Call[Any]], Handler]:
        return {
            InspectSet: self._inspect,
            FingerprintSet: self._fingerprint,
            Plan: self._plan,
            TrainModel: self._train,
            SetPaused: self._set_paused,
            ConvertTrained: self._convert,
            MergeTrained: self._merge,
            VerifyTrained: self._check,
            Requantize: self._requantize,
            ExportTraining: self._export,
        }

    # -- data and plans ------------------------------------------------------------------------------

    def _inspect(self, call: InspectSet, context: RequestContext) -> Iterator[Event]:
        from workbench.training.sets import inspect_set, open_writing, suited

        objective = objective_of(call.config, registry.METHODS)
        check, earlier = context.raise_if_cancelled, call.model.earlier
        with open_writing(call.model) as writing:
            report = inspect_set(
                call.config,
                objective,
                writing,
                previews=call.previews,
                first=call.first,
                earlier=earlier,
                check=check,
            )
        yield finish(msgspec.structs.replace(report, suits=suited(report.path, registry.METHODS)))

    def _fingerprint(self, call: FingerprintSet, context: RequestContext) -> Iterator[Event]:
        from workbench.training.sets import fingerprint_set, open_writing

        objective = objective_of(call.config, registry.METHODS)
        with open_writing(call.model) as writing:
            found, examples = fingerprint_set(call.config, objective, writing, context.raise_if_cancelled)
        if examples != call.examples:
            raise UserError(f"{call.config.data.path} has changed since it was trained on.")
        yield finish(found)

    def _plan(self, call: Plan, context: RequestContext) -> Iterator[Event]:
        from workbench.training.planning import plan
        from workbench.training.sets import inspect_set, open_writing
        from workbench.training.weights.dtype_selection import find_cards

        objective = objective_of(call.config, registry.METHODS)
        with open_writing(call.model) as writing:
            report = inspect_set(call.config, objective, writing, previews=0, check=context.raise_if_cancelled)
        if report.shape == "unknown":
            raise UserError(
                f"{report.path}: the format of the examples is unclear. {report.why}",
                f"Map columns: {describe_roles(objective)}.",
            )
        count = call.config.processes
        cards = find_cards(count)
        on_cards = len(cards) == count  # else all of them compute on the processor (training.launching)
        yield finish(
            plan(
                call.config,
                call.model,
                report,
                registry.METHODS,
                runs=Path(call.runs),
                memory_free_bytes=call.memory_free_bytes,
                other_bytes=call.other_bytes,
                speeds=call.speeds,
                device="cuda" if on_cards else "cpu",
                device_free_bytes=count * min(card.free_bytes for card in cards) if on_cards else 0,
                fast_bf16=cards[0].fast_bf16 if on_cards else None,
                measure=call.measure and not on_cards,
            )
        )

    # -- training ------------------------------------------------------------------------------------

    def _train(self, call: TrainModel, context: RequestContext) -> Iterator[Event]:
        # a client may ask for the next training a moment before this thread has released the lock
        if not self._training.acquire(timeout=HANDOVER_S):
            raise UserError("This worker is training already.", "Start another worker.")
        try:
            self._switch = switch = Switch()
            context.when_cancelled(switch.stop)
            for event in _streamed(lambda emit: self._trained(call, switch, context, emit), switch.stop):
                if isinstance(event, TERMINAL):  # nothing is left to be paused
                    self._switch = None
                yield event
        finally:
            self._switch = None
            self._training.release()

    def _trained(self, call: TrainModel, switch: Switch, context: RequestContext, emit: Emit) -> Trained:
        from workbench.training.run import finished_before, train

        trained, model = finished_before(Path(call.folder)), None
        if trained is None and call.config.processes > 1:
            from workbench.training.process_group import train_together

            trained = train_together(call, switch, emit)
        elif trained is None:
            from workbench.workers.training_rewards import rewards_of_training

            rewards = rewards_of_training(call, context)
            try:
                live = train(call, registry.METHODS, switch, emit, rewards=rewards)
            finally:
                rewards.close()
            assert live is not None
            trained, model = live.trained, live.model if live.computes_float32 else None
            del live
            give_back_memory()
        if call.serve:
            self._serve_and_check(call, trained, model, context, _waiting(emit, switch))
        return trained

    def _serve_and_check(
        self, call: TrainModel, trained: Trained, model: Any, context: RequestContext, emit: Emit
    ) -> None:
        from workbench.training.gguf_export import convert_trained

        context.raise_if_cancelled()
        folder = Path(call.serve)
        folder.mkdir(parents=True, exist_ok=True)
        name = call.serve_name or "model"
        out = folder / (f"{file_safe(name)}.gguf" if trained.kind == "merged" else "adapter.gguf")
        report = _reporting(emit, context)
        served = convert_trained(Path(trained.folder), call.model, out, call.serve_name, report=report)
        emit(events.Artifact(kind="served", id=served.path, result=msgspec.to_builtins(served)))
        if not call.check:
            return
        verification = self._verified(
            trained.folder,
            call,
            served,
            str(Path(trained.folder) / "questions.jsonl"),
            context,
            emit,
            metric=objective_of(call.config, registry.METHODS).verified_by,
            scores=trained.scores.after,
            model=model,
            threads=call.threads,
            most_tokens=call.verified_tokens,
            packed=call.config.weights.base == "packed",
        )
        emit(events.Artifact(kind="verification", id=served.path, result=msgspec.to_builtins(verification)))

    def _set_paused(self, call: SetPaused, context: RequestContext) -> Iterator[Event]:
        switch = self._switch
        if switch is None:
            raise UserError("There is no training to pause.")
        switch.pause(call.paused)
        yield finish(None)

    # -- what is served ------------------------------------------------------------------------------

    def _convert(self, call: ConvertTrained, context: RequestContext) -> Iterator[Event]:
        from workbench.training.gguf_export import convert_trained

        def work(emit: Emit) -> Served:
            report = _reporting(emit, context)
            return convert_trained(Path(call.trained), call.model, Path(call.out), call.name, report=report)

        yield from _streamed(work)

    def _merge(self, call: MergeTrained, context: RequestContext) -> Iterator[Event]:
        from workbench.training.gguf_export import merge_trained

        def work(emit: Emit) -> Served:
            return merge_trained(
                Path(call.adapter),
                call.model,
                Path(call.out),
                call.type,
                call.scale,
                call.quantization,
                call.name,
                report=_reporting(emit, context),
            )

        yield from _streamed(work)

    def _requantize(self, call: Requantize, context: RequestContext) -> Iterator[Event]:
        from workbench.training.gguf_export import requantize

        yield from _streamed(
            lambda emit: requantize(call.model, Path(call.out), call.type, report=_reporting(emit, context))
        )

    def _check(self, call: VerifyTrained, context: RequestContext) -> Iterator[Event]:
        self._switch = switch = Switch()
        context.when_cancelled(switch.stop)
        try:
            yield from _streamed(
                lambda emit: self._verified(
                    call.trained,
                    call,
                    call.served,
                    call.questions,
                    context,
                    _waiting(emit, switch),
                    metric=call.metric,
                    scale=call.scale,
                    scores=call.scores,
                    most_tokens=call.verified_tokens,
                    packed=call.packed,
                ),
                switch.stop,
            )
        finally:
            self._switch = None

    def _verified(
        self,
        trained: str,
        call: TrainModel | VerifyTrained,
        served: Served,
        questions: str,
        context: RequestContext,
        emit: Emit,
        **options: Any,
    ) -> Any:
        from workbench.verification.verify import verify_trained

        return verify_trained(
            Path(trained),
            call.model,
            served,
            Path(questions) if questions else None,
            over=Path(call.over.path) if call.over is not None else None,
            report=_reporting(emit, context),
            cancelled=lambda: context.cancelled,
            **options,
        )

    def _export(self, call: ExportTraining, context: RequestContext) -> Iterator[Event]:
        from workbench.training.export import export_training
        from workbench.training.sets import open_writing, ready_set

        objective = objective_of(call.config, registry.METHODS)
        with open_writing(call.model) as writing:
            data = ready_set(call.config, objective, writing, context.raise_if_cancelled)
        held_out = data.evaluation if data.held_out else ()
        folder = export_training(
            call.config,
            call.model,
            registry.METHODS,
            Path(call.out),
            data.train,
            held_out,
            call.details,
            objective.accepted(),
        )
        yield finish(str(folder))


def _reporting(emit: Emit, context: RequestContext) -> Callable[[str, float, float], None]:
    def report(stage: str, done: float, total: float) -> None:
        context.raise_if_cancelled()
        emit(events.Progress(stage=stage, done=done, total=total, unit=_UNITS.get(stage, "")))

    return report


def _waiting(emit: Emit, switch: Switch) -> Emit:
    """``emit`` that blocks while the training is paused."""

    def tell(event: Event) -> None:
        switch.wait_while_paused()
        emit(event)

    return tell


def _streamed(work: Callable[[Emit], Any], stop: Callable[[], None] = lambda: None) -> Iterator[Event]:
    """The events that ``work`` emits on a thread of its own, then its result; raises what it raises. ``stop`` is called
    when nobody reads on."""

    def translated(emit: Emit) -> Any:
        with translate_out_of_memory():
            return work(emit)

    yield finish((yield from with_progress(translated, stop)))


def keep_few_kernels() -> None:
    """Has to come before torch is imported; those who train together inherit it."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KERNELS)
    os.environ.setdefault("LRU_CACHE_CAPACITY", KERNELS)


def keep_freed_memory() -> None:
    """Let glibc reuse the memory of freed tensors of up to 1 GiB, instead of giving it back to the system, which clears
    each page before it gives it out again: several percent of a training's time."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            library = ctypes.CDLL(None)
            library.mallopt(_MMAP_THRESHOLD, REUSED_BYTES)
            library.mallopt(_TRIM_THRESHOLD, REUSED_BYTES)


def give_back_memory() -> None:
    """To the system, what ``keep_freed_memory`` has kept: a training has ended, and what follows has tensors of other
    sizes."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def main_of_rank() -> None:
    """The part of one of several processes that train together, whose folder is the argument."""
    from workbench.training.process_group import run_share
    from workbench.workers.training_rewards import rewards_of_training

    keep_freed_memory()
    sys.exit(run_share(Path(sys.argv[1]), registry.METHODS, lambda call: rewards_of_training(call, RequestContext())))


def main() -> None:
    """Serve until the parent goes."""
    keep_few_kernels()
    keep_freed_memory()
    serve("training", TrainingCall, TrainingService().handlers(), leave_s=LEAVE_S)
