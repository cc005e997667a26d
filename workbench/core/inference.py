"""The inference worker as the core sees it: which model is loaded, who uses it, and a LanguageModel over it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec

from workbench.calls import Device, ModelRecord
from workbench.engine.protocol import (
    CountTokens,
    Generate,
    Generated,
    ListDevices,
    Load,
    LoadedModel,
    Score,
    Scored,
    Unload,
)
from workbench.errors import UserError, WorkerDied
from workbench.events import Cancelled, Event, Finished, Progress
from workbench.messages import Message, Usage
from workbench.protocol import RequestContext
from workbench.recipes import DecodingPart
from workbench.settings import EngineSettings
from workbench.workers.host import State, WorkerHost

Report = Callable[[Event], None]
POLL_S = 0.1


class Inference:
    """One model at a time, used by any number of answers at once; another one waits until they are done."""

    def __init__(self, make_host: Callable[[Callable[[State], None]], WorkerHost], changed: Callable[[], None]) -> None:
        self._changed = changed
        self._free = threading.Condition()  # guards what follows
        self._wanted: Load | None = None  # what is loaded, or was when the worker died under its users
        self._loaded: LoadedModel | None = None
        self._name = ""
        self._pid = 0
        self._users = 0
        self._loading = False
        self._deaths = 0
        self.host = make_host(self._on_state)

    @property
    def loaded(self) -> tuple[str, LoadedModel] | None:
        """The loaded model's name in the catalogue and how it was loaded."""
        with self._free:
            return (self._name, self._loaded) if self._loaded is not None else None

    @contextlib.contextmanager
    def lease(
        self,
        model: ModelRecord,
        settings: EngineSettings,
        context_tokens: int,
        context: RequestContext,
        report: Report,
    ) -> Iterator[WorkerModel]:
        """Use a model, loading it first when it is not the loaded one; it stays loaded within the block.

        ``context_tokens`` 0 takes the setting. ``report`` is told of the loading. Raises UserError, WorkerDied or
        errors.Cancelled.
        """
        wanted = Load(
            path=model.path,
            context_tokens=context_tokens or settings.context_tokens,
            gpu_layers=settings.gpu_layers,
            threads=settings.threads,
            flash_attention=settings.flash_attention,
            kv_type=settings.kv_type,
        )

        def load() -> tuple[LoadedModel, int]:
            return self._load(wanted, model.name, context, report)

        self._take_turn(wanted, context, report)
        try:
            loaded, _ = load()
            yield WorkerModel(self.host, loaded, load, context)
        finally:
            with self._free:
                self._users -= 1
                self._free.notify_all()

    def unload(self) -> None:
        """Free the model's memory. Raises UserError while it is in use."""
        with self._free:
            if self._users or self._loading:
                raise UserError("The model is being used.", "Stop the answer first.")
            self._forget()
            self._loading = True  # whoever wants a model meanwhile waits until this one is gone
        try:
            if self.host.state == "ready":
                self.host.call(Unload())
        finally:
            with self._free:
                self._loading = False
                self._free.notify_all()
        self._changed()

    def list_devices(self) -> tuple[Device, ...]:
        """What the worker's build can compute on; empty when it cannot be started."""
        try:
            return self.host.call(ListDevices())
        except WorkerDied:
            return ()

    def _take_turn(self, wanted: Load, context: RequestContext, report: Report) -> None:
        """Become a user of ``wanted``, once nobody uses another model."""
        with self._free:
            if self._users and self._wanted != wanted:
                report(Progress(stage="waiting for another answer"))
            while self._users and self._wanted != wanted:
                context.raise_if_cancelled()
                self._free.wait(POLL_S)
            if self._wanted != wanted:
                self._forget()
                self._wanted = wanted
            self._users += 1

    def _load(self, wanted: Load, name: str, context: RequestContext, report: Report) -> tuple[LoadedModel, int]:
        """Have the model that the caller has a turn for loaded, by the caller or by another user; again when the
        worker has died since. Returns it with the process that holds it."""
        with self._free:
            while self._loading:
                context.raise_if_cancelled()
                self._free.wait(POLL_S)
            if self._loaded is not None:
                self._name = name
                return self._loaded, self._pid
            self._loading = True
            deaths = self._deaths
        try:
            report(Progress(stage="loading the model", total=1))
            loaded = self.host.call(wanted, report, context)
            pid = self.host.pid
            with self._free:
                if self._deaths != deaths:  # since its answer
                    raise self.host.death or WorkerDied("inference", None)
                self._loaded, self._name, self._pid = loaded, name, pid
        finally:
            with self._free:
                self._loading = False
                self._free.notify_all()
        self._changed()
        return loaded, pid

    def _forget(self) -> None:
        self._wanted = self._loaded = None
        self._name, self._pid = "", 0

    def _on_state(self, state: State) -> None:
        if state in ("dead", "stopped"):
            with self._free:
                self._deaths += 1
                self._loaded, self._name, self._pid = None, "", 0
                self._free.notify_all()
        self._changed()


class WorkerModel:
    """The loaded model of the inference worker, as the techniques see it (``LanguageModel``).

    ``load`` makes sure that it is (still) loaded: the worker may have died between two calls.
    """

    def __init__(
        self,
        host: WorkerHost,
        loaded: LoadedModel,
        load: Callable[[], tuple[LoadedModel, int]],
        context: RequestContext,
    ) -> None:
        self._host = host
        self._load = load
        self._context = context
        self.loaded = loaded
        self.usage: Usage | None = None  # of the last generation that ended

    @property
    def context_tokens(self) -> int:
        return self.loaded.context_tokens

    @property
    def parameters(self) -> int:
        return self.loaded.parameters

    def generate(
        self, messages: Sequence[Message], decoding: DecodingPart, assistant_start: str = ""
    ) -> Iterator[Event]:
        call = Generate(messages=tuple(messages), decoding=decoding, assistant_start=assistant_start)
        _, pid = self._load()
        return self._noting_usage(self._host.stream(call, self._context, pid=pid))

    def _noting_usage(self, stream: Iterator[Event]) -> Iterator[Event]:
        """The stream; ``usage`` is set at its end, also when whoever follows it has left because of a cancel."""
        try:
            yield from self._noted(stream)
        finally:
            if self._context.cancelled:  # the worker says within a token what it cost, or is ended
                for _ in self._noted(stream):
                    pass

    def _noted(self, stream: Iterator[Event]) -> Iterator[Event]:
        for event in stream:
            if isinstance(event, (Finished, Cancelled)) and event.result is not None:  # a stopped one tells as well
                self.usage = msgspec.convert(event.result, Generated).usage
            yield event

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        _, pid = self._load()
        counts = self._host.call(CountTokens(texts=tuple(texts)), context=self._context, pid=pid)
        return list(counts)

    def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        call = Score(messages=tuple(messages), continuations=tuple(continuations))
        _, pid = self._load()
        scored = self._host.call(call, context=self._context, pid=pid)
        return list(scored)
