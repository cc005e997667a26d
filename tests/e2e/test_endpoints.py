"""Endpoints as models of a home: added, asked, paid, and what never leaves without consent. A key is nowhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fake_endpoint import KEY, FakeEndpoint, Fault, serving
from tests.local_front import LocalFront
from tests.workers import fake_embedding, fake_inference
from workbench.api.protocol import Call
from workbench.app import Workbench
from workbench.backends.openai_compatible import NAME as REMOTE
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.answers import AskResult
from workbench.records.recipes import (
    AdapterUse,
    AgentPart,
    DecodingPart,
    ModelPart,
    PromptingPart,
    Recipe,
    RetrievalPart,
    save_recipe,
)
from workbench.subjects.chats.calls import Ask, GetChat, ListChats
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.endpoints.calls import AddEndpoint, AllowSending, ChangeEndpoint, ListEndpoints, ProbeEndpoint
from workbench.subjects.endpoints.sending import SendingGate
from workbench.subjects.endpoints.service import Endpoints
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ImportModel, ListModels, LoadModel, RemoveModel
from workbench.subjects.network_log.calls import ExportNetworkLog, ListNetworkRequests
from workbench.subjects.runs.calls import FollowRun
from workbench.subjects.trash.calls import DeleteForGood, ListTrash, RestoreDeleted

COMMANDS = {
    "inference": [sys.executable, fake_inference.__file__],
    "embedding": [sys.executable, fake_embedding.__file__],
}
BIG = Recipe(model=ModelPart(name="Big"))
OTHER_KEY = "sk-another-secret-0815"


@pytest.fixture
def service() -> Iterator[FakeEndpoint]:
    with serving(FakeEndpoint()) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def workbench(home: Home, service: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    workbench = Workbench(home, commands=COMMANDS)
    call(workbench, AddEndpoint(address=service.address, model="big", name="Big", key=KEY))
    service.asked.clear()
    yield workbench
    workbench.close()


def call(workbench: Workbench, asked: Call[Any]) -> Any:
    return LocalFront(workbench).call(asked)


def test_an_endpoint_is_a_model_like_any_other(workbench: Workbench, service: FakeEndpoint) -> None:
    (model,) = call(workbench, ListModels()).models
    assert (model.name, model.format, model.missing) == ("Big", "endpoint", False)
    answer: AskResult = call(workbench, Ask(question="Is it so?", recipe=BIG))
    assert answer.answer == service.reply
    assert answer.recipe.model.engine == "127.0.0.1 big"
    (record,) = call(workbench, ListEndpoints()).endpoints
    assert (record.use.requests, record.use.prompt_tokens, record.use.new_tokens) == (1, 7, 4)
    assert "Cannot use adapters." in record.lacks
    with pytest.raises(UserError, match=r"is computed by 127\.0\.0\.1, not here"):
        call(workbench, LoadModel(name="Big"))


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (Recipe(model=ModelPart(name="Big", adapters=(AdapterUse(name="calm"),))), "Big cannot use adapters"),
        (msgspec.structs.replace(BIG, decoding=DecodingPart(strategy="beam")), "neither beam search"),
        (msgspec.structs.replace(BIG, decoding=DecodingPart(format="regex", grammar="a")), "cannot constrain"),
        (msgspec.structs.replace(BIG, prompting=PromptingPart(technique="tree-of-thoughts")), "Big "),
        (msgspec.structs.replace(BIG, agent=AgentPart(tools=("calculator",))), "Big "),
    ],
    ids=["adapters", "beam", "regex", "technique", "agent"],
)
def test_what_a_recipe_cannot_have_there_is_refused_before_anything_is_sent(
    workbench: Workbench, service: FakeEndpoint, recipe: Recipe, reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        call(workbench, Ask(question="Is it so?", recipe=recipe))
    assert service.asked == []


def test_a_budget_is_never_exceeded(workbench: Workbench, service: FakeEndpoint) -> None:
    call(workbench, ChangeEndpoint(name="Big", price_in=1.0, price_out=1.0, budget=0.0005))
    short = msgspec.structs.replace(BIG, decoding=DecodingPart(max_tokens=400))
    call(workbench, Ask(question="Is it so?", recipe=short))
    call(workbench, ChangeEndpoint(name="Big", budget=0.0004))
    with pytest.raises(UserError, match=r"Big has cost 0\.0000 of its budget of 0\.0004"):
        call(workbench, Ask(question="Is it so?", recipe=short))
    assert len(service.asked) == 1
    backend: Any = workbench._answers._services._backends[REMOTE]
    endpoints: Endpoints = backend._reserve.__self__
    model = endpoints._catalogue.get("Big")
    with (
        endpoints.reserve(model, 0, 200),  # while one request runs, another sees what it may cost
        pytest.raises(UserError, match=r"requests that run may cost 0\.0002"),
        endpoints.reserve(model, 0, 300),
    ):
        pass
    with endpoints.reserve(model, 0, 300):
        pass


def test_passages_go_out_only_with_consent_collection_by_collection(workbench: Workbench) -> None:
    catalogue: Any = workbench._models._catalogue
    model = catalogue.get("Big")
    away = msgspec.structs.replace(model.endpoint, address="https://api.example.com/v1")
    catalogue.put(msgspec.structs.replace(model, name="Away", endpoint=away))
    for name in ("manuals", "letters"):
        call(workbench, CreateCollection(name=name))
    recipe = Recipe(model=ModelPart(name="Away"), retrieval=RetrievalPart(collection="manuals", passages=3))
    with pytest.raises(UserError, match=r"Up to 3 passages of manuals will be sent to api\.example\.com"):
        call(workbench, Ask(question="How long?", recipe=recipe))
    record = call(workbench, AllowSending(name="Away", collection="manuals", allowed=True))
    assert record.use.sending == {"manuals": True}
    with pytest.raises(UserError, match="The network is switched off for answering by a remote model"):
        call(workbench, Ask(question="How long?", recipe=msgspec.structs.replace(recipe, retrieval=None)))
    both = msgspec.structs.replace(recipe, retrieval=RetrievalPart(collection="manuals", more=("letters",)))
    with pytest.raises(UserError, match="passages of letters will be sent"):
        call(workbench, Ask(question="How long?", recipe=both))
    call(workbench, AllowSending(name="Away", collection="letters", allowed=False))
    with pytest.raises(UserError, match=r"You have refused to send passages of letters to api\.example\.com"):
        call(workbench, Ask(question="How long?", recipe=both))


def test_pictures_go_out_only_where_they_were_allowed_too(workbench: Workbench) -> None:
    catalogue: Any = workbench._models._catalogue
    model = catalogue.get("Big")
    blind = msgspec.structs.replace(model.endpoint, address="https://api.example.com/v1", vision=False)
    seeing = msgspec.structs.replace(blind, vision=True)
    catalogue.put(msgspec.structs.replace(model, name="Blind", endpoint=blind))
    catalogue.put(msgspec.structs.replace(model, name="Seeing", endpoint=seeing))
    manuals = call(workbench, CreateCollection(name="manuals"))
    gate: SendingGate = workbench._answers._services._sending

    def sentence(name: str) -> str:
        recipe = Recipe(model=ModelPart(name=name), retrieval=RetrievalPart(collection="manuals"))
        with pytest.raises(UserError) as refused:
            call(workbench, Ask(question="How long?", recipe=recipe))
        return str(refused.value)

    def check(*, within: bool, name: str = "Seeing") -> None:
        gate.check_pictures(catalogue.get(name), manuals.id, within=within)

    def refuses(*, within: bool) -> None:
        which = "in documents" if within else "of whole pages"
        with pytest.raises(UserError, match=rf"pictures {which} of manuals are sent to api\.example\.com"):
            check(within=within)

    assert "pictures of the whole pages that they are on and pictures in their documents" in sentence("Seeing")
    assert "pictures" not in sentence("Blind")
    for how in ("document", "history", "text"):  # they are allowed with these, too
        for name, told in (("Seeing", 1), ("Blind", 0)):
            with pytest.raises(UserError) as asked:
                gate.check(catalogue.get(name), origins=(manuals.id,), how=how)
            assert str(asked.value).count("pictures in their documents") == told
        with pytest.raises(UserError) as unknown:
            gate.check(catalogue.get("Seeing"), origins=None, how=how)
        assert "pictures" not in str(unknown.value)
    call(workbench, AllowSending(name="Blind", collection="manuals", allowed=True))
    refuses(within=False)  # a decision that was made before pictures were sent is on passages alone
    refuses(within=True)
    gate._store.decide(
        f"{manuals.id}#pages", "api.example.com", allowed=True
    )  # as before there were those in documents
    check(within=False)
    refuses(within=True)
    record = call(workbench, AllowSending(name="Seeing", collection="manuals", allowed=True))
    assert record.use.sending == {"manuals": True}
    check(within=False)
    check(within=True)
    call(workbench, AllowSending(name="Blind", collection="manuals", allowed=False))
    call(workbench, AllowSending(name="Blind", collection="manuals", allowed=True))
    refuses(within=False)
    refuses(within=True)
    check(within=True, name="Big")  # on this machine


def test_documents_are_read_by_an_endpoint_on_this_machine_without_asking(
    workbench: Workbench, service: FakeEndpoint, tmp_path: Path, minilm_path: Path
) -> None:
    call(workbench, ImportModel(path=str(minilm_path), name="MiniLM"))
    (tmp_path / "pump.txt").write_text("The warranty of the pump is 36 months.")
    collection = call(workbench, CreateCollection(name="manuals"))
    run = call(workbench, AddDocuments(collection=collection.id, paths=(str(tmp_path / "pump.txt"),)))
    call(workbench, FollowRun(run=run.id))
    retrieval = RetrievalPart(collection="manuals", mode="own-words", decline=False)
    call(workbench, Ask(question="warranty of the pump", recipe=msgspec.structs.replace(BIG, retrieval=retrieval)))
    assert "36 months" in service.asked[-1]["messages"][-1]["content"]


def test_a_key_is_nowhere_in_a_home(workbench: Workbench, service: FakeEndpoint, home: Home,
                                    caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    """After answers, errors that repeat it, a probe, a saved recipe and the program's own log."""
    handler = logging.FileHandler(home.logs / "core.log")
    logging.getLogger().addHandler(handler)
    try:
        with caplog.at_level(logging.DEBUG):
            call(workbench, Ask(question="Is it so?", recipe=BIG))
            service.faults.append(Fault(status=401, body={"error": {"message": f"Incorrect key: {KEY}"}}))
            with pytest.raises(UserError) as refused:
                call(workbench, Ask(question="And now?", recipe=BIG))
            service.faults.append(Fault(cut=1, closes=True))
            with pytest.raises(UserError):
                call(workbench, Ask(question="And now?", recipe=BIG))
            call(workbench, ProbeEndpoint(name="Big"))
            call(workbench, ChangeEndpoint(name="Big", key=OTHER_KEY, new_name="Large", budget=5.0, notes="ours"))
            call(workbench, Ask(question="And now?", recipe=Recipe(model=ModelPart(name="Large"))))
            call(workbench, ExportNetworkLog(path=str(home.root / "requests.csv")))
            call(workbench, ChangeSettings(values={"network": {"endpoints": True}}))
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    save_recipe(home.recipes / "big.toml", BIG)
    assert KEY not in str(refused.value)
    assert KEY not in repr(call(workbench, ListEndpoints()))
    assert KEY not in repr(call(workbench, ListNetworkRequests()))
    workbench.close()
    assert {f"Bearer {KEY}", f"Bearer {OTHER_KEY}"} <= set(service.keys), "they were sent"
    files = [path for path in home.root.rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert {"network.jsonl", "requests.csv"} <= {path.name for path in files}
    for key in (KEY, OTHER_KEY):
        assert [path for path in files if key.encode() in path.read_bytes()] == []
        assert key not in caplog.text
    assert KEY not in caplog.text


def test_a_removed_endpoint_leaves_no_key(workbench: Workbench, service: FakeEndpoint) -> None:
    call(workbench, RemoveModel(name="Big"))
    assert call(workbench, ListEndpoints()).endpoints == ()
    service.keys.clear()
    call(workbench, AddEndpoint(address=service.address, model="big", name="Big"))
    assert set(service.keys) == {""}


def test_an_endpoint_that_is_refused_is_not_added(workbench: Workbench, service: FakeEndpoint) -> None:
    service.faults.append(Fault(status=401))
    with pytest.raises(UserError, match=r"refused the request \(401\)"):
        call(workbench, AddEndpoint(address=service.address, model="big", name="Other", key="wrong"))
    assert [one.name for one in call(workbench, ListModels()).models] == ["Big"]


def test_a_renamed_endpoint_has_its_key_its_use_and_its_decisions(workbench: Workbench, service: FakeEndpoint) -> None:
    call(workbench, Ask(question="Is it so?", recipe=BIG))
    before = call(workbench, ListEndpoints()).endpoints[0].use
    changed = call(workbench, ChangeEndpoint(name="Big", new_name="Large", terms="https://example.com/terms"))
    assert changed.model.name == changed.use.name == "Large"
    assert (changed.use.requests, changed.use.has_key) == (before.requests, True)
    assert [one.name for one in call(workbench, ListModels()).models] == ["Large"]
    service.keys.clear()
    call(workbench, Ask(question="Is it so?", recipe=Recipe(model=ModelPart(name="Large"))))
    assert set(service.keys) == {f"Bearer {KEY}"}
    assert not call(workbench, ChangeEndpoint(name="Large", key="")).use.has_key


def test_a_name_that_cannot_be_and_a_rename_within_a_request_are_refused(workbench: Workbench) -> None:
    for new_name, terms, message in (
        ("  ", None, "The new name is empty"),
        (None, "https://example.com/" + "x" * 500, "more than 500 characters"),
    ):
        with pytest.raises(UserError, match=message):
            call(workbench, ChangeEndpoint(name="Big", new_name=new_name, terms=terms))
    call(workbench, ChangeEndpoint(name="Big", price_out=1.0))
    backend: Any = workbench._answers._services._backends[REMOTE]
    endpoints: Endpoints = backend._reserve.__self__
    rename = ChangeEndpoint(name="Big", new_name="Large")
    with (
        endpoints.reserve(endpoints._catalogue.get("Big"), 0, 300),
        pytest.raises(UserError, match="Big is answering a request"),
    ):
        call(workbench, rename)
    assert call(workbench, rename).model.name == "Large"


@pytest.mark.parametrize(
    ("faults", "message", "text"),
    [
        ([Fault(status=429)] * 4, r"127\.0\.0\.1 refused the request \(429\)", ""),
        ([Fault(status=500)] * 4, r"127\.0\.0\.1 refused the request \(500\)", ""),
        ([Fault(cut=2)], r"127\.0\.0\.1 has cut off its answer", "It is"),
        ([Fault(cut=2, closes=True)], r"127\.0\.0\.1 was lost within the answer", "It is"),
        (
            [Fault(status=307, headers={"Location": "https://elsewhere.example/v1"})],
            "redirects to elsewhere.example",
            "",
        ),
        ([Fault(garbage=True)], "answered with a web page instead of data", ""),
    ],
    ids=["429", "500", "cut", "lost", "redirect", "web page"],
)
def test_each_fault_has_its_message_in_the_chat_and_loses_nothing(
    workbench: Workbench, service: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, faults: list[Fault], message: str,
    text: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("workbench.backends.chat_stream._pause", lambda seconds, context: None)
    service.faults.extend(faults)
    with pytest.raises(UserError, match=message):
        call(workbench, Ask(question="Is it so?", recipe=BIG))
    (chat,) = call(workbench, ListChats()).chats
    question, answer = call(workbench, GetChat(chat=chat.id)).messages
    assert question.text == "Is it so?"
    assert (answer.state, answer.text) == ("failed", text)
    again = call(workbench, Ask(question="", recipe=BIG, regenerate=answer.id))
    assert again.answer == service.reply


def test_usage_that_is_not_reported_is_estimated_in_the_chat(workbench: Workbench, service: FakeEndpoint) -> None:
    service.tells_usage = False
    answer: AskResult = call(workbench, Ask(question="Is it so?", recipe=BIG))
    assert answer.answer == service.reply
    assert answer.usage.new_tokens > 0


def test_an_endpoint_comes_back_from_the_trash_with_its_key_and_use(
    workbench: Workbench, service: FakeEndpoint
) -> None:
    call(workbench, Ask(question="Is it so?", recipe=BIG))
    (before,) = call(workbench, ListEndpoints()).endpoints
    call(workbench, RemoveModel(name="Big"))
    assert call(workbench, ListEndpoints()).endpoints == ()
    call(workbench, AddEndpoint(address=service.address, model="big", name="Big", key=OTHER_KEY))
    (other,) = call(workbench, ListEndpoints()).endpoints
    assert other.use.requests == 0
    [entry] = call(workbench, ListTrash()).entries
    assert (entry.kind, entry.title) == ("endpoint", "Big")
    back = call(workbench, RestoreDeleted(item=entry.id))
    assert back.title != "Big"
    after = next(one for one in call(workbench, ListEndpoints()).endpoints if one.model.name == back.title)
    assert after.use.requests == before.use.requests == 1
    service.asked.clear()
    call(workbench, Ask(question="And now?", recipe=Recipe(model=ModelPart(name=back.title))))
    assert service.keys[-1] == f"Bearer {KEY}", "each endpoint has its own key"
    call(workbench, RemoveModel(name=back.title))
    call(workbench, DeleteForGood(item=back.title))
    assert [one.model.name for one in call(workbench, ListEndpoints()).endpoints] == ["Big"]
    assert call(workbench, ListTrash()).entries == ()
