"""``workbench serve`` outlives the core that serves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from tests.unit.cli.conftest import FakeFront, Ran
from workbench.api.client import LOST
from workbench.api.events import Artifact, Cancelled, Event, Failed
from workbench.cli import serve
from workbench.subjects.endpoints.calls import AddEndpoint
from workbench.subjects.serving.calls import (
    AddApiClient,
    ApiClient,
    ApiClientCode,
    ApiClientList,
    ApiState,
    GetApiState,
    ListApiClients,
    ListServedModels,
    RemoveApiClient,
    ServeApi,
    ServedModel,
    ServedModels,
)


def served(front: FakeFront, ends: list[Event]) -> None:
    front.answer(ListServedModels, ServedModels(models=()))

    state = msgspec.to_builtins(ApiState(running=True, address="http://127.0.0.1:4711", key="wb-x"))

    def script(call: Any, cancelled: threading.Event) -> Iterator[Event]:
        yield Artifact(kind="api", id="4711", result=state)
        yield ends.pop(0)

    front.scripts[ServeApi] = script


def test_another_core_serves_on_when_one_dies(front: FakeFront, run: Callable[..., Ran]) -> None:
    served(front, [LOST, LOST, Cancelled()])
    ran = run("serve")
    assert ran.status == 0
    assert sum(isinstance(call, ServeApi) for call in front.calls) == 3
    assert ran.err.count("Another one is started and serves on.") == 2
    assert ran.out.count("served again at http://127.0.0.1:4711/v1") == 2
    assert ran.out.count("Ctrl+C ends it.") == 1


def test_a_core_that_dies_again_and_again_is_not_started_for_ever(front: FakeFront, run: Callable[..., Ran]) -> None:
    served(front, [LOST] * 20)
    ran = run("serve")
    assert ran.status == 1
    assert sum(isinstance(call, ServeApi) for call in front.calls) == serve.MOST_STARTS
    assert "served no more: the core ended 4 times" in ran.err


def test_what_else_fails_ends_it(front: FakeFront, run: Callable[..., Ran]) -> None:
    served(front, [Failed(message="The model process crashed.", hint="inference", reason="worker")])
    ran = run("serve")
    assert ran.status == 1
    assert "crashed" in ran.err


def test_the_variables_of_a_client_are_printed_for_a_shell(front: FakeFront, run: Callable[..., Ran]) -> None:
    front.answer(GetApiState, ApiState(running=True, address="http://127.0.0.1:4711", key="wb-x"))
    models = (ServedModel(id="my notes", kind="recipe"), ServedModel(id="MiniLM", kind="embedder"))
    front.answer(ListServedModels, ServedModels(models=models))
    assert run("run-with", "claude-code").out.splitlines() == [
        "export ANTHROPIC_BASE_URL=http://127.0.0.1:4711", "export ANTHROPIC_AUTH_TOKEN=wb-x",
        "export ANTHROPIC_MODEL='my notes'", "export ANTHROPIC_SMALL_FAST_MODEL='my notes'",
    ]  # fmt: skip
    assert "no model 'MiniLM' to serve" in run("run-with", "openai", "--model", "MiniLM").err
    assert run("run-with", "telnet").status == 2
    front.answer(GetApiState, ApiState(running=False))
    assert "`workbench serve` serves it" in run("run-with", "openai").err


def test_a_client_gets_its_code_and_is_listed_and_removed(front: FakeFront, run: Callable[..., Ran]) -> None:
    client = ApiClient(name="Anna's laptop", created=1_790_000_000.0)
    front.answer(AddApiClient, ApiClientCode(client=client, code="workbench1:QUJD"))
    front.answer(ListApiClients, ApiClientList(clients=(client,)))
    front.answer(RemoveApiClient, ApiClientList(clients=()))
    shown = run("api", "clients", "add", "Anna's laptop", "--per-minute", "5").out
    assert "workbench1:QUJD" in shown.splitlines()
    assert front.asked(AddApiClient) == [AddApiClient(name="Anna's laptop", per_minute=5)]
    assert "Anna's laptop" in run("api", "clients", "list").out
    assert "Anna's laptop was deleted." in run("api", "clients", "remove", "Anna's laptop").out


def test_a_code_is_asked_for_and_never_an_argument(
    front: FakeFront, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_ENDPOINT_CODE", "workbench1:QUJD")
    front.end(AddEndpoint, Failed(message="The code is not complete.", reason="user"))
    assert "not complete" in run("models", "endpoint", "add", "--code", "manuals").err
    assert front.asked(AddEndpoint) == [AddEndpoint(address="workbench1:QUJD", model="manuals")]
    assert run("models", "endpoint", "add", "https://api.example.com/v1").status == 2
