"""The inference worker as the core sees it: which model is loaded, who uses it, and a LanguageModel over it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

from workbench.calls import Device, ModelRecord
from workbench.engine.protocol import CountTokens, Generate, ListDevices, Load, LoadedModel, Score, Scored, Unload
from workbench.errors import UserError, WorkerDied
from workbench.events import Event, Progress
from workbench.messages import Message
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
        self._wanted: Load | None = None
        self._loaded: LoadedModel | None = None
        self._name = ""
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
        loaded = self._acquire(wanted, model.name, context, report)
        try:
            yield WorkerModel(self.host, loaded, context)
        finally:
            with self._free:
                self._users -= 1
                self._free.notify_all()

    def unload(self) -> None:
        """Free the model's memory. Raises UserError while it is in use."""
        with self._free:
            if self._users or self._loading:
                raise UserError("The model is being used.", "Stop the answer first.")
            self._wanted = self._loaded = None
            self._name = ""
        if self.host.state == "ready":
            self.host.call(Unload())
        self._changed()

    def list_devices(self) -> tuple[Device, ...]:
        """What the worker's build can compute on; empty when it cannot be started."""
        try:
            return self.host.call(ListDevices())
        except WorkerDied:
            return ()

    def _acquire(self, wanted: Load, name: str, context: RequestContext, report: Report) -> LoadedModel:
        with self._free:
            told = False
            while self._loading or (self._users and self._wanted != wanted):
                if not told:
                    report(Progress(stage="waiting for another answer"))
                    told = True
                context.raise_if_cancelled()
                self._free.wait(POLL_S)
            if self._wanted == wanted and self._loaded is not None:
                self._users += 1
                self._name = name
                return self._loaded
            self._loading = True
            self._wanted = self._loaded = None
            self._name = ""
            deaths = self._deaths
        try:
            report(Progress(stage="loading the model", total=1))
            loaded = self.host.call(wanted, report, context)
        except BaseException:
            with self._free:
                self._loading = False
                self._free.notify_all()
            raise
        with self._free:
            self._loading = False
            self._free.notify_all()
            if self._deaths != deaths:  # between its answer and here
                raise self.host.death or WorkerDied("inference", None)
            self._wanted, self._loaded, self._name = wanted, loaded, name
            self._users += 1
        self._changed()
        return loaded

    def _on_state(self, state: State) -> None:
        if state in ("dead", "stopped"):
            with self._free:
                self._deaths += 1
                self._wanted = self._loaded = None
                self._name = ""
                self._free.notify_all()
        self._changed()


class WorkerModel:
    """The loaded model of the inference worker, as the techniques see it (``LanguageModel``)."""

    def __init__(self, host: WorkerHost, loaded: LoadedModel, context: RequestContext) -> None:
        self._host = host
        self._context = context
        self.loaded = loaded

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
        return self._host.stream(call, self._context)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        counts = self._host.call(CountTokens(texts=tuple(texts)), context=self._context)
        return list(counts)

    def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        call = Score(messages=tuple(messages), continuations=tuple(continuations))
        scored = self._host.call(call, context=self._context)
        return list(scored)
