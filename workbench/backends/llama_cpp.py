"""The llama.cpp backend: one model at a time in the inference worker, lent to any number of answers at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from workbench.api.events import Event, Failed, PartEvent, Progress
from workbench.api.protocol import Call, RequestContext, drain, error_of, follow
from workbench.backends.backend import ModelUse
from workbench.base.copying import shared
from workbench.base.errors import UserError, WorkerDied
from workbench.base.settings import EngineSettings
from workbench.engine.inference_calls import (
    AssistantStart,
    CountTokens,
    DescribeBuild,
    DescribeTokenizer,
    Detokenize,
    FindToolFormat,
    Generate,
    GenerateMany,
    Inspect,
    ListDevices,
    Load,
    LoadedModel,
    LoraUse,
    MeasureSpeed,
    Render,
    Rendered,
    RewardText,
    Score,
    ScoreMany,
    ScoreRewards,
    Scores,
    Speed,
    Tokenize,
    TokenizerInfo,
    Unload,
)
from workbench.engine.tool_format import ToolFormat
from workbench.processes.host import State, WorkerHost
from workbench.records.capabilities import Capabilities, capabilities_of_file
from workbench.records.messages import ChosenToken, ImagePart, Message
from workbench.records.models import Device, ModelRecord
from workbench.records.recipes import DecodingPart

R = TypeVar("R")

POLL_S = 0.1
LOADING = "loading the model"
Loaded = tuple[LoadedModel, int]
"""A loaded model and the id of the process that holds it."""


class LlamaCppBackend:
    """Any number of leases of the loaded model at once; a lease of another model waits until they have ended."""

    def __init__(
        self,
        make_host: Callable[[Callable[[State], None]], WorkerHost],
        changed: Callable[[], None],
        settings: Callable[[], EngineSettings],
        image_path: Callable[[ImagePart], str] = lambda part: part.path,
    ) -> None:
        self._changed = changed
        self._settings = settings
        self._image_path = image_path
        self._free = threading.Condition()  # guards what follows
        self._wanted: Load | None = None  # what is loaded, or was when the worker died under its users
        self._loaded: LoadedModel | None = None
        self._name = ""
        self._pid = 0
        self._users = 0
        self._people = 0  # who wait for their turn; background work lets them go first
        self._uses: list[ModelUse] = []
        self._loading = False
        self._alone = False
        self._deaths = 0
        self._build = ""
        self._anyway: set[str] = set()
        self.host = make_host(self._on_state)

    @property
    def loaded(self) -> tuple[str, LoadedModel] | None:
        """The loaded model's name in the catalogue and how it was loaded."""
        with self._free:
            return (self._name, self._loaded) if self._loaded is not None else None

    def capabilities(self, model: ModelRecord) -> Capabilities:
        return capabilities_of_file(model.architecture, sees=bool(model.projector))

    def build(self, context: RequestContext) -> str:
        if not self._build:
            self._build = self.host.call(DescribeBuild(), context=context)
        return self._build

    @contextlib.contextmanager
    def lease(
        self, model: ModelRecord, use: ModelUse, context: RequestContext, *, alone: bool = False
    ) -> Iterator[Generator[Event, None, LlamaCppModel]]:
        """As ``Backend.lease``. ``alone`` loads the model afresh and lets nobody else use it meanwhile."""
        wanted = self.describe_load(model, use.context_tokens)
        has_turn = False

        def loading() -> Generator[Event, None, LlamaCppModel]:
            nonlocal has_turn
            serving = yield from self._take_turn(wanted, use, context, alone)
            has_turn = True
            loaded, _ = yield from self._load(serving, model.name, context)
            load = partial(self._load, serving, model.name, context)
            return LlamaCppModel(self.host, loaded, load, context, use, self._image_path)

        waiting = loading()
        try:
            yield waiting
        finally:
            waiting.close()
            if has_turn:
                with self._free:
                    self._uses.remove(use)
                    self._users -= 1
                    self._alone = self._alone and not alone
                    self._free.notify_all()

    def describe_load(self, model: ModelRecord, context_tokens: int = 0) -> Load:
        """How a model is loaded with the present settings."""
        settings, path = self._settings(), model.path
        with self._free:
            anyway = path in self._anyway
        load = Load(**{**shared(settings, Load), "path": path, "tensor_split": settings.gpu_shares, "anyway": anyway})
        load = msgspec.structs.replace(load, projector=model.projector)
        cache = settings.prefix_cache_mb << 20
        context_tokens = context_tokens or settings.context_tokens
        return msgspec.structs.replace(load, context_tokens=context_tokens, prefix_cache_bytes=cache)

    def allow_anyway(self, path: str) -> None:
        """From now on, until the program ends, load this model although it does not fit into what is free."""
        with self._free:
            self._anyway.add(path)

    def uses_adapter(self, path: str) -> bool:
        """Whether an answer is being computed with an adapter's file now."""
        with self._free:
            return any(adapter.path == path for use in self._uses for adapter in use.adapters)

    def unload(self) -> None:
        """Give back the model's memory, with that of its process where that does nothing else: an emptied one keeps its
        libraries and caches. Raises UserError while the model is in use."""
        with self._free:
            if self._users or self._loading:
                raise UserError("The model is in use.", "Stop the answer first.")
            self._forget()
            self._loading = True  # a lease that comes meanwhile waits until the model is gone
        try:
            if self.host.state == "ready" and not self.host.stop_if_idle(0.0):  # it computes vectors for somebody
                self.host.call(Unload())
        finally:
            with self._free:
                self._loading = False
                self._free.notify_all()
        self._changed()

    def list_devices(self) -> tuple[Device, ...]:
        """The devices of the worker's build; empty when it cannot be started."""
        try:
            return self.host.call(ListDevices())
        except WorkerDied:
            return ()

    def _take_turn(
        self, wanted: Load, use: ModelUse, context: RequestContext, alone: bool
    ) -> Generator[Event, None, Load]:
        """Become a user of ``wanted``, once nobody uses another model. Returns what is, or is to be, loaded for it."""

        def must_wait() -> bool:
            if use.background and self._people:
                return True
            return self._alone or (self._users > 0 and (alone or not self._serves(wanted)))

        with self._free:
            waits = must_wait()
        if waits:
            yield Progress(stage="waiting for another answer")
        with self._free:
            self._people += not use.background
            try:
                while must_wait():
                    context.raise_if_cancelled()
                    self._free.wait(POLL_S)
            finally:
                self._people -= not use.background
            if alone or self._wanted is None or not self._serves(wanted):
                self._forget()
                self._wanted = wanted
            self._users += 1
            self._uses.append(use)
            self._alone = alone
            return self._wanted

    def _serves(self, wanted: Load) -> bool:
        """Whether the loaded model is what is wanted: also when its context has the wanted length without having been
        loaded with it, as in the recipe of an answer that was made with it."""
        if self._wanted is None or self._wanted == wanted:
            return self._wanted is not None
        if self._loaded is None:  # it may have been refused for its length
            return False
        same = msgspec.structs.replace(wanted, context_tokens=self._wanted.context_tokens) == self._wanted
        return same and self._loaded.context_tokens == wanted.context_tokens

    def _load(self, wanted: Load, name: str, context: RequestContext) -> Generator[Event, None, Loaded]:
        """Have the model that the caller has a turn for loaded, by the caller or by another user; again when the
        worker has died since."""
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
            yield Progress(stage=LOADING, total=1)
            loaded = yield from follow(LoadedModel, self.host.stream(wanted, context))
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
                self._build = ""  # the next process may have another engine
                self._free.notify_all()
        self._changed()


class LlamaCppModel:
    """The loaded model of the inference worker (``ModelBackend``).

    ``load`` makes sure that it is (still) loaded: the worker may have died between two calls.
    """

    def __init__(
        self,
        host: WorkerHost,
        loaded: LoadedModel,
        load: Callable[[], Generator[Event, None, Loaded]],
        context: RequestContext,
        use: ModelUse,
        image_path: Callable[[ImagePart], str] = lambda part: part.path,
    ) -> None:
        self.capabilities = capabilities_of_file(loaded.architecture, sees=loaded.sees)
        self._host = host
        self._load = load
        self._context = context
        self._use = use
        self._image_path = image_path
        self.loaded = loaded
        self.engine = loaded.engine
        self.context_tokens = loaded.context_tokens
        self.parameters = loaded.parameters
        self.languages = loaded.languages

    def generate(
        self,
        messages: Sequence[Message],
        decoding: DecodingPart,
        assistant_start: AssistantStart = "",
        tools: Sequence[dict[str, Any]] = (),
    ) -> Iterator[Event]:
        call = Generate(
            messages=tuple(messages), decoding=decoding, assistant_start=assistant_start, tools=tuple(tools)
        )
        return self._generate(call)

    def continue_from(self, prompt: Sequence[int], answer: Sequence[int], decoding: DecodingPart) -> Iterator[Event]:
        return self._generate(Generate(prompt=tuple(prompt), answer=tuple(answer), decoding=decoding))

    def generate_many(self, requests: Sequence[Generate], context: RequestContext) -> Iterator[tuple[int, Event]]:
        call = GenerateMany(requests=tuple(map(self._used, requests)))
        forget = self._context.when_cancelled(context.cancel)
        try:
            loading = self._load()
            while True:
                try:
                    event = next(loading)
                except StopIteration as loaded:
                    _, pid = loaded.value
                    break
                yield 0, event
            for event in self._host.stream(call, context, pid=pid, parts=len(requests)):
                if isinstance(event, PartEvent):
                    yield event.part, event.of
                elif isinstance(event, Failed):
                    raise error_of(event)
        finally:
            forget()

    def render(self, request: Generate) -> Rendered:
        rendered: Rendered = self._call(Render(request=self._used(request)))
        return rendered

    def tool_format(self) -> ToolFormat:
        found: ToolFormat = self._call(FindToolFormat())
        return found

    def score_many(self, requests: Sequence[Score], context: RequestContext) -> list[Scores]:
        use = self._use
        shared = {"adapters": use.adapters, "background": use.background, "thinking": use.thinking}
        call = ScoreMany(
            requests=tuple(
                msgspec.structs.replace(one, messages=self._with_images(one.messages), **shared) for one in requests
            )
        )
        forget = self._context.when_cancelled(context.cancel)
        try:
            scores: tuple[Scores, ...] = self._call(call, context=context)
            return list(scores)
        finally:
            forget()

    def score_rewards(self, adapter: LoraUse, texts: Sequence[RewardText], context: RequestContext) -> list[float]:
        call = ScoreRewards(adapter=adapter, texts=tuple(texts), background=self._use.background)
        forget = self._context.when_cancelled(context.cancel)
        try:
            scores: tuple[float, ...] = self._call(call, context=context)
            return list(scores)
        finally:
            forget()

    def _generate(self, call: Generate) -> Iterator[Event]:
        _, pid = yield from self._load()
        yield from self._host.stream(self._used(call), self._context, pid=pid)

    def _used(self, call: Generate) -> Generate:
        """The call with the adapters and the rest of how the model is used."""
        use = self._use
        return msgspec.structs.replace(
            call,
            messages=self._with_images(call.messages),
            adapters=use.adapters,
            background=use.background,
            draft_path=use.draft_path,
            thinking=use.thinking,
            whole=use.whole,
        )

    def _with_images(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages with the files of their images."""
        return tuple(
            Message.of_parts(
                message.role,
                [
                    msgspec.structs.replace(part, path=self._image_path(part)) if isinstance(part, ImagePart) else part
                    for part in message.parts
                ],
            )
            if message.images
            else message
            for message in messages
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        counts = self._call(CountTokens(texts=tuple(texts)))
        return list(counts)

    def tokenize(self, texts: Sequence[str], *, special: bool, begin: bool) -> list[tuple[int, ...]]:
        tokens: tuple[tuple[int, ...], ...] = self._call(Tokenize(texts=tuple(texts), special=special, begin=begin))
        return list(tokens)

    def detokenize(self, sequences: Sequence[Sequence[int]]) -> list[str]:
        texts: tuple[str, ...] = self._call(Detokenize(sequences=tuple(tuple(one) for one in sequences)))
        return list(texts)

    def describe_tokenizer(self) -> TokenizerInfo:
        return self._call(DescribeTokenizer())

    def inspect(
        self, prompt: Sequence[int], answer: Sequence[int], alternatives: int, last: int
    ) -> tuple[ChosenToken, ...]:
        call = Inspect(
            prompt=tuple(prompt),
            answer=tuple(answer),
            alternatives=alternatives,
            last=last,
            adapters=self._use.adapters,
            background=self._use.background,
        )
        return self._call(call)

    def measure_speed(self, call: MeasureSpeed, report: Callable[[Event], None]) -> Speed:
        """As ``workbench.engine.inference_calls.MeasureSpeed``."""
        return self._call(call, report)

    def _call(
        self, call: Call[R], report: Callable[[Event], None] | None = None, context: RequestContext | None = None
    ) -> R:
        _, pid = drain(self._load())
        return self._host.call(call, report, context or self._context, pid=pid)
