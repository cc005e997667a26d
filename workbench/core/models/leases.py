"""The inference worker as the core sees it: which model is loaded, who uses it, and a LanguageModel over it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec

from workbench.api.calls import Device, ModelRecord
from workbench.api.events import Cancelled, Event, Finished, Progress
from workbench.api.protocol import RequestContext
from workbench.engine.protocol import (
    CountTokens,
    Generate,
    Generated,
    Inspect,
    ListDevices,
    Load,
    LoadedModel,
    LoraUse,
    MeasureSpeed,
    Score,
    Scored,
    Speed,
    Unload,
)
from workbench.errors import UserError, WorkerDied
from workbench.records.messages import ChosenToken, Message
from workbench.records.recipes import DecodingPart
from workbench.settings import EngineSettings
from workbench.workers.host import State, WorkerHost

Report = Callable[[Event], None]
POLL_S = 0.1
LOADING = "loading the model"


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """How a leased model is used: with which adapters and which draft model, and whether others go before."""

    adapters: tuple[LoraUse, ...] = ()
    draft_path: str = ""
    background: bool = False


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
        self._uses: list[Use] = []
        self._loading = False
        self._alone = False
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
        *,
        use: Use = Use(),  # noqa: B008 - a frozen value
        alone: bool = False,
    ) -> Iterator[WorkerModel]:
        """Use a model, loading it first when it is not the loaded one; it stays loaded within the block.

        ``context_tokens`` 0 takes the setting. ``report`` is told of the loading. ``use`` says how it is used.
        ``alone`` loads it afresh and lets nobody else use it meanwhile. Raises UserError, WorkerDied or
        errors.Cancelled.
        """
        wanted = Load(
            path=model.path,
            context_tokens=context_tokens or settings.context_tokens,
            gpu_layers=settings.gpu_layers,
            threads=settings.threads,
            flash_attention=settings.flash_attention,
            kv_type=settings.kv_type,
            split_mode=settings.split_mode,
            tensor_split=settings.gpu_shares,
            main_gpu=settings.main_gpu,
            deterministic=settings.deterministic,
            prefix_cache_bytes=settings.prefix_cache_mb << 20,
        )

        def load() -> tuple[LoadedModel, int]:
            return self._load(wanted, model.name, context, report)

        wanted = self._take_turn(wanted, context, report, alone)
        with self._free:
            self._uses.append(use)
        try:
            loaded, _ = load()
            yield WorkerModel(self.host, loaded, load, context, use)
        finally:
            with self._free:
                self._uses.remove(use)
                self._users -= 1
                self._alone = self._alone and not alone
                self._free.notify_all()

    def uses_adapter(self, path: str) -> bool:
        """Whether something is being made with an adapter's file now."""
        with self._free:
            return any(adapter.path == path for use in self._uses for adapter in use.adapters)

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

    def _take_turn(self, wanted: Load, context: RequestContext, report: Report, alone: bool) -> Load:
        """Become a user of ``wanted``, once nobody uses another model. Returns what is, or is to be, loaded for it."""

        def must_wait() -> bool:
            return self._alone or (self._users > 0 and (alone or not self._serves(wanted)))

        with self._free:
            if must_wait():
                report(Progress(stage="waiting for another answer"))
            while must_wait():
                context.raise_if_cancelled()
                self._free.wait(POLL_S)
            if alone or self._wanted is None or not self._serves(wanted):
                self._forget()
                self._wanted = wanted
            self._users += 1
            self._alone = alone
            return self._wanted

    def _serves(self, wanted: Load) -> bool:
        """Whether what is loaded is what is wanted: also when its context is the wanted one without having been asked
        for, as it stands in the recipe of an answer that was made with it."""
        if self._wanted is None or self._wanted == wanted:
            return self._wanted is not None
        loaded = self._loaded.context_tokens if self._loaded is not None else 0
        same = msgspec.structs.replace(wanted, context_tokens=self._wanted.context_tokens) == self._wanted
        return same and loaded == wanted.context_tokens

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
            report(Progress(stage=LOADING, total=1))
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

    ``load`` makes sure that it is (still) loaded: the worker may have died between two calls. ``generations`` counts
    those that were begun; ``generated`` is the last one that ended.
    """

    def __init__(
        self,
        host: WorkerHost,
        loaded: LoadedModel,
        load: Callable[[], tuple[LoadedModel, int]],
        context: RequestContext,
        use: Use,
    ) -> None:
        self._host = host
        self._load = load
        self._context = context
        self._use = use
        self.loaded = loaded
        self.generations = 0
        self.generated: Generated | None = None

    @property
    def context_tokens(self) -> int:
        return self.loaded.context_tokens

    @property
    def parameters(self) -> int:
        return self.loaded.parameters

    def generate(
        self, messages: Sequence[Message], decoding: DecodingPart, assistant_start: str = ""
    ) -> Iterator[Event]:
        return self._generate(Generate(messages=tuple(messages), decoding=decoding, assistant_start=assistant_start))

    def go_on(self, prompt: Sequence[int], answer: Sequence[int], decoding: DecodingPart) -> Iterator[Event]:
        return self._generate(Generate(prompt=tuple(prompt), answer=tuple(answer), decoding=decoding))

    def inspect(
        self, prompt: Sequence[int], answer: Sequence[int], alternatives: int, last: int
    ) -> tuple[ChosenToken, ...]:
        """As ``workbench.engine.protocol.Inspect``."""
        call = Inspect(
            prompt=tuple(prompt),
            answer=tuple(answer),
            alternatives=alternatives,
            last=last,
            adapters=self._use.adapters,
        )
        _, pid = self._load()
        return self._host.call(call, context=self._context, pid=pid)

    def measure_speed(self, call: MeasureSpeed, report: Report) -> Speed:
        """As ``workbench.engine.protocol.MeasureSpeed``."""
        _, pid = self._load()
        return self._host.call(call, report, self._context, pid=pid)

    def _generate(self, call: Generate) -> Iterator[Event]:
        used = msgspec.structs.replace(
            call, adapters=self._use.adapters, background=self._use.background, draft_path=self._use.draft_path
        )
        _, pid = self._load()
        self.generations += 1
        for event in self._host.stream(used, self._context, pid=pid):
            if isinstance(event, (Finished, Cancelled)) and event.result is not None:  # a stopped one tells as well
                self.generated = msgspec.convert(event.result, Generated)
            yield event

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        _, pid = self._load()
        counts = self._host.call(CountTokens(texts=tuple(texts)), context=self._context, pid=pid)
        return list(counts)

    def score(self, messages: Sequence[Message], continuations: Sequence[str]) -> list[Scored]:
        call = Score(
            messages=tuple(messages),
            continuations=tuple(continuations),
            adapters=self._use.adapters,
            background=self._use.background,
        )
        _, pid = self._load()
        scored = self._host.call(call, context=self._context, pid=pid)
        return list(scored)
