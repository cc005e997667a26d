"""Leases of models: who shares one, who waits, and that each backend has a queue of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from tests.fakes import MODEL, FakeModelBackend
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, drain, finish, read_result
from workbench.backends.backend import Loading, ModelUse
from workbench.backends.llama_cpp import LlamaCppBackend
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.base.settings import EngineSettings
from workbench.engine.inference_calls import Generated, Load, LoadedModel, LoraUse, Unload
from workbench.records.capabilities import Capabilities
from workbench.records.messages import Message
from workbench.records.models import ModelRecord
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.subjects.answering.resolver import HomeServices

OTHER = msgspec.structs.replace(MODEL, name="Other", path="/models/other.gguf")


LONGEST = 100_000


class FakeHost:
    """The inference worker in process: ``loads`` keeps the paths, an answer repeats the question, a context of more
    than ``LONGEST`` tokens is refused."""

    def __init__(self, on_state: Callable[[Any], None]) -> None:
        self.state, self.pid = "ready", 1
        self.loads: list[str] = []
        self.unloads = self.stops = 0
        self.busy = False

    def stop_if_idle(self, idle_s: float) -> bool:
        self.stops += not self.busy
        return not self.busy

    def stream(self, call: Any, context: RequestContext | None = None, *, pid: int = 0) -> Iterator[Event]:
        if isinstance(call, Load):
            self.loads.append(call.path)
            if call.context_tokens > LONGEST:
                raise UserError("The context is too long.")
            yield finish(
                LoadedModel(
                    path=call.path,
                    architecture="llama",
                    context_tokens=call.context_tokens or 2048,
                    trained_context_tokens=2048,
                    vocabulary=100,
                    parameters=1,
                    gpu_layers=0,
                    threads=1,
                    device="CPU",
                    engine="fake 1",
                    has_template=True,
                )
            )
        elif isinstance(call, Unload):
            self.unloads += 1
            yield finish(None)
        else:
            yield events.TextDelta(text=call.messages[-1].content)
            yield finish(Generated(text=call.messages[-1].content))

    def call(self, call: Any) -> Any:
        *_, last = self.stream(call)
        assert isinstance(last, events.Finished)
        return read_result(call, last.result)


@pytest.fixture
def backend() -> LlamaCppBackend:
    return LlamaCppBackend(FakeHost, lambda: None, EngineSettings)  # type: ignore[arg-type]


def loads(backend: LlamaCppBackend) -> list[str]:
    return backend.host.loads  # type: ignore[attr-defined,no-any-return]


def test_leases_of_one_model_share_it_and_another_model_waits(backend: LlamaCppBackend) -> None:
    with contextlib.ExitStack() as first:
        for _ in range(2):
            drain(first.enter_context(backend.lease(MODEL, ModelUse(), RequestContext())))
        assert loads(backend) == [MODEL.path]
        context = RequestContext()
        with backend.lease(OTHER, ModelUse(), context) as loading:
            assert next(loading) == events.Progress(stage="waiting for another answer")
            context.cancel()
            with pytest.raises(errors.Cancelled):
                next(loading)
    with backend.lease(OTHER, ModelUse(), RequestContext()) as loading:
        assert drain(loading).context_tokens == 2048
    assert loads(backend) == [MODEL.path, OTHER.path]


def test_a_context_that_was_refused_is_not_asked_for_again(backend: LlamaCppBackend) -> None:
    huge = ModelUse(context_tokens=LONGEST + 1)
    with backend.lease(MODEL, huge, RequestContext()) as loading, pytest.raises(UserError, match="too long"):
        drain(loading)
    with backend.lease(MODEL, ModelUse(), RequestContext()) as loading:
        assert drain(loading).context_tokens == 2048


def test_a_lease_that_is_left_while_it_loads_is_given_back(backend: LlamaCppBackend) -> None:
    with backend.lease(MODEL, ModelUse(), RequestContext()) as loading:
        assert next(loading) == events.Progress(stage="loading the model", total=1)
    with backend.lease(OTHER, ModelUse(), RequestContext()) as loading:
        seen: list[Event] = []
        drain(loading, seen.append)
        assert [e.stage for e in seen if isinstance(e, events.Progress)] == ["loading the model"]
    backend.unload()
    assert backend.loaded is None


def test_a_model_that_is_leased_alone_is_loaded_afresh_and_not_shared(backend: LlamaCppBackend) -> None:
    with backend.lease(MODEL, ModelUse(), RequestContext()) as loading:
        drain(loading)
    with backend.lease(MODEL, ModelUse(), RequestContext(), alone=True) as loading:
        drain(loading)
        assert loads(backend) == [MODEL.path] * 2
        with backend.lease(MODEL, ModelUse(), RequestContext()) as waiting:
            assert next(waiting) == events.Progress(stage="waiting for another answer")


def test_what_is_in_use_is_known_and_not_unloaded(backend: LlamaCppBackend) -> None:
    use = ModelUse(adapters=(LoraUse(path="/adapters/calm.gguf"),))
    with backend.lease(MODEL, use, RequestContext()) as loading:
        assert not backend.uses_adapter("/adapters/calm.gguf")
        drain(loading)
        assert backend.uses_adapter("/adapters/calm.gguf")
        with pytest.raises(UserError, match="in use"):
            backend.unload()
    assert not backend.uses_adapter("/adapters/calm.gguf")


def test_an_unloaded_model_takes_its_process_along_unless_that_works_for_somebody(backend: LlamaCppBackend) -> None:
    host: Any = backend.host
    for busy in (True, False):
        with backend.lease(MODEL, ModelUse(), RequestContext()) as loading:
            drain(loading)
        host.busy = busy
        backend.unload()
        assert backend.loaded is None
        assert (host.unloads, host.stops) == (1, not busy)


class FakeRemote:
    """A second backend, whose models are lent to anybody at any time."""

    def capabilities(self, model: ModelRecord) -> Capabilities:
        return Capabilities(streams=True)

    def build(self, context: RequestContext) -> str:
        return "remote 1"

    @contextlib.contextmanager
    def lease(self, model: ModelRecord, use: ModelUse, context: RequestContext) -> Iterator[Loading]:
        def loading() -> Loading:
            yield from ()
            return FakeModelBackend(["From afar."], capabilities=self.capabilities(model))

        yield loading()


def home_services(local: LlamaCppBackend) -> HomeServices:
    """Recipes name a model and, before a slash, its backend."""

    class Resolver:
        def resolve(self, recipe: Recipe) -> Resolved:
            backend, _, name = recipe.model.name.partition("/")
            model = {"Fake": MODEL, "Other": OTHER}[name]
            return Resolved(recipe=recipe, model=model, use=ModelUse(), backend=backend)

        resolve_as_made = collections = all_collections = reward_model = None

    unused: Any = None

    class Checksums:
        def known(self, files: tuple[str, ...]) -> str:
            return ""

    resolver: Any = Resolver()
    checksums: Any = Checksums()
    return HomeServices(
        resolver,
        unused,
        {"llama.cpp": local, "remote": FakeRemote()},
        unused,
        unused,
        checksums,
        unused,
        unused,
        unused,
        unused,
        unused,
        unused,
    )


def asked(model: str) -> AnswerRequest:
    return AnswerRequest(recipe=Recipe(model=ModelPart(name=model)), conversation=(Message("user", "Hello?"),))


def test_a_remote_answer_does_not_queue_behind_a_local_one_nor_a_local_one_behind_it(backend: LlamaCppBackend) -> None:
    services, context = home_services(backend), RequestContext()
    local = answer(asked("llama.cpp/Fake"), services, context)
    assert isinstance(next(e for e in local if isinstance(e, events.TextDelta)), events.TextDelta)
    second = answer(asked("llama.cpp/Other"), services, context)
    assert next(second) == events.Progress(stage="waiting for another answer")
    remote = answer(asked("remote/Other"), services, context)
    assert any(isinstance(event, events.TextDelta) for event in remote), "it waits for the local one"
    assert isinstance(list(local)[-1], events.Finished)
    assert isinstance(list(second)[-1], events.Finished), "the remote answer has not ended yet"
    *_, last = remote
    assert isinstance(last, events.Finished)
    assert last.result["answer"] == "From afar."


def test_each_backend_is_asked_for_what_it_is_able_to_do(backend: LlamaCppBackend) -> None:
    recipe = Recipe(
        model=ModelPart(name="remote/Fake"), decoding=msgspec.structs.replace(Recipe().decoding, format="json")
    )
    request = msgspec.structs.replace(asked("remote/Fake"), recipe=recipe)
    (last,) = answer(request, home_services(backend), RequestContext())
    assert isinstance(last, events.Failed)
    assert last.message == "Fake cannot answer as JSON by a schema."


def test_background_work_of_one_model_lets_people_with_another_one_go_first(backend: LlamaCppBackend) -> None:
    """An evaluation overlaps its answers, so that its model is never free: a chat with another one would wait for its
    end."""
    background, context = ModelUse(background=True), RequestContext()
    first, person, second = (
        backend.lease(MODEL, background, context),
        backend.lease(OTHER, ModelUse(), context),
        backend.lease(MODEL, background, context),
    )
    loading = first.__enter__()
    drain(loading)
    answered, arrived = threading.Event(), threading.Event()

    def ask() -> None:
        with person as waiting:
            assert isinstance(next(waiting), events.Progress)  # it has to wait
            arrived.set()
            drain(waiting)
            answered.set()

    def go_on() -> None:
        with second as waiting:
            drain(waiting)

    asking = threading.Thread(target=ask)
    asking.start()
    assert arrived.wait(10)
    while not backend._people:  # it stands in the queue
        threading.Event().wait(0.001)
    going_on = threading.Thread(target=go_on)
    going_on.start()  # the next answer of the evaluation, while the first one is computed
    first.__exit__(None, None, None)
    assert answered.wait(10)
    asking.join(10)
    going_on.join(10)
    assert loads(backend) == [MODEL.path, OTHER.path, MODEL.path]
