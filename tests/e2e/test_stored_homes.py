"""Homes as released programs left them, opened whole by this one: nothing is lost, changed or taken for something else.

``tests/fixtures/make_home.py`` says what they hold. The home that the present code writes has to pass the same tests,
so that a new release's home can be kept beside the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.e2e.training_core import call, config, opened
from tests.fixtures.make_home import make_home
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.answers import StoredMessage
from workbench.records.recipes import AdapterUse, load_recipe
from workbench.records.training import AdapterRecord, TrainResult, load_config
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.chats.calls import Ask, Chat, ExportChat, GetChat, GetTrace, InspectAnswer, ListChats
from workbench.subjects.datasets.calls import ListDataSets
from workbench.subjects.machine.calls import GetSettings
from workbench.subjects.models.calls import ListModels
from workbench.subjects.runs.calls import FollowRun, ListRuns, RunRecord
from workbench.subjects.trainings.calls import PlanTraining
from workbench.techniques.registry import METHODS
from workbench.training.methods.weights_method import method_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
RELEASED = sorted(folder.name for folder in FIXTURES.glob("home_*"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that the present code writes."""
    return make_home(tmp_path_factory.mktemp("written")).root


@pytest.fixture(params=[*RELEASED, "now"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    source = request.getfixturevalue("written") if request.param == "now" else FIXTURES / request.param
    return Home(shutil.copytree(source, tmp_path / "home"))


@pytest.fixture
def workbench(home: Home) -> Iterator[Workbench]:
    workbench = opened(home)
    yield workbench
    workbench.close()


def chat_of(workbench: Workbench, title: str) -> Chat:
    [found] = [chat for chat in call(workbench, ListChats()).chats if chat.title.startswith(title)]
    chat = call(workbench, GetChat(chat=found.id))
    assert isinstance(chat, Chat)
    return chat


def answer_of(workbench: Workbench, title: str) -> StoredMessage:
    return chat_of(workbench, title).messages[-1]


def runs_of(workbench: Workbench) -> dict[str, RunRecord]:
    return {run.title: run for run in call(workbench, ListRuns()).runs}


def adapters_of(workbench: Workbench) -> dict[str, AdapterRecord]:
    return {one.name: one for one in call(workbench, ListAdapters()).adapters}


def test_chats_are_there_with_their_recipes(workbench: Workbench) -> None:
    chats = call(workbench, ListChats()).chats
    assert [chat.title for chat in chats] == [
        "slow until the program ended",
        "crash in the middle of it",
        "slow until it was stopped",
        "Summarise river.txt",
        "How many arches has the bridge in Prague?",
        "With an adapter",
        "Searched by beams",
        "Three of them",
        "Tell me of bridges",
    ]
    for chat in chats:
        recipe = call(workbench, GetChat(chat=chat.id)).chat.recipe
        assert recipe is not None
        assert recipe.model.name == "Base"
    adapted = answer_of(workbench, "With an adapter").recipe
    assert adapted is not None
    assert (adapted.name, adapted.prompting.instructions, adapted.decoding.seed >= 0) == ("adapted", "Be brief.", True)
    assert [(one.name, one.scale, len(one.sha256)) for one in adapted.model.adapters] == [("facts", 0.5, 64)]
    assert [chat.title for chat in call(workbench, ListChats(search="arches")).chats] == [chats[4].title]


def test_branches_ratings_and_edits_are_there(workbench: Workbench) -> None:
    chat = chat_of(workbench, "Tell me of bridges")
    first, answer, second, edited, again, other, _ = chat.messages
    assert [message.parent for message in chat.messages] == [
        None, first.id, answer.id, second.id, second.id, None, other.id,
    ]  # fmt: skip
    assert (chat.chat.head, answer.rating) == (edited.id, 1)
    assert (edited.text, edited.original) == ("Towers stand.", "You said And of towers? ")
    assert again.text == edited.original
    assert answer.usage is not None
    assert answer.usage.new_tokens == len(answer.text)
    said = call(workbench, ExportChat(chat=chat.chat.id))
    assert "Towers stand." in said
    assert "rivers" not in said


def test_answers_of_every_kind_and_ending_are_there(workbench: Workbench) -> None:
    several = answer_of(workbench, "Three of them")
    assert [(len(several.sequences), several.selected_sequence, several.rating)] == [(3, 2, -1)]
    assert several.text == several.sequences[2].text == "(2) You said Three of them "
    assert (several.traced, several.steps) == (True, 1)
    steps = call(workbench, GetTrace(message=several.id)).steps
    assert [(step.kind, step.writes_answer) for step in steps] == [("generation", True)]
    assert steps[0].tokens is not None
    assert len(steps[0].tokens.sequences) == 3
    grounded = answer_of(workbench, "How many arches")
    assert grounded.text == "The bridge in Prague has 16 arches [1]. "
    assert [(one.n, one.text) for one in grounded.citations] == [(1, "The bridge in Prague has 16 arches.")]
    assert {one.title for one in grounded.passages} == {"bridge.txt"}
    assert grounded.recipe is not None
    assert grounded.recipe.retrieval is not None
    assert (grounded.recipe.retrieval.collection, grounded.recipe.retrieval.revision) == ("Papers", 2)
    task, summary = chat_of(workbench, "Summarise").messages
    assert task.document is not None
    assert task.document.task == "summarise"
    assert any("model is small" in notice for notice in summary.notices)
    ended = [answer_of(workbench, title) for title in ("slow until it", "crash", "slow until the")]
    assert [message.state for message in ended] == ["stopped", "failed", "interrupted"]
    assert all("word" in message.text or "You said" in message.text for message in ended)
    assert "unexpectedly" in ended[1].error or "crashed" in ended[1].error


def test_an_old_chat_goes_on_with_what_was_kept_of_it(workbench: Workbench) -> None:
    searched = answer_of(workbench, "Searched by beams")
    tokens = call(workbench, InspectAnswer(message=searched.id))
    assert "".join(chr(one.token) for one in tokens.tokens) == searched.text
    assert [len(step) for step in tokens.beams] == [2] * len(searched.text.split())
    chat = chat_of(workbench, "With an adapter").chat
    assert chat.recipe is not None
    assert chat.recipe.model.adapters == (AdapterUse(name="facts", scale=0.5),)
    assert (
        "adapters=adapter.gguf:0.5"
        in call(workbench, Ask(question="describe", recipe=chat.recipe, chat=chat.id)).answer
    )


def test_adapters_are_there_with_their_cards(workbench: Workbench, home: Home) -> None:
    adapters = adapters_of(workbench)
    assert {name: (one.kind, one.state, one.origin, one.can_merge) for name, one in adapters.items()} == {
        "facts": ("lora", "ready", "trained", True),
        "lost": ("lora", "failed", "trained", True),
        "whole": ("merged", "ready", "trained", False),
        "unchecked": ("lora", "checking", "trained", True),
        "found": ("lora", "ready", "imported", True),
        "loose": ("lora", "ready", "imported", True),
        "base-facts": ("merged", "ready", "merged", False),
    }
    facts = adapters["facts"]
    assert facts.config is not None
    assert (facts.config.weights.method, facts.config.optimiser.max_steps, facts.examples) == ("lora", 4, 3)
    assert facts.scores.after is not None
    assert facts.scores.after.exact_match == 1.0
    assert facts.verification is not None
    assert [one.top1 for one in facts.verification.agreements] == [0.99]
    assert Path(facts.file) == home.adapters / "facts" / "adapter.gguf"
    assert adapters["lost"].note == "It lost what was learnt."
    assert adapters["unchecked"].note
    assert adapters["base-facts"].model == "Base Facts"


def test_runs_are_there_and_are_replayed(workbench: Workbench) -> None:
    runs = [run for run in call(workbench, ListRuns()).runs if run.kind != "task"]  # tasks were no runs before

    def title_of(run: RunRecord) -> str:  # runs were called otherwise before
        return run.title.replace("Write facts", "Export facts").removeprefix("Data ").replace("set ", "Set ")

    assert [(run.kind, title_of(run), run.state, run.resumable) for run in reversed(runs)] == [
        ("ingest", "Papers", "finished", False),
        ("train", "Facts", "finished", False),
        ("train", "Lost", "finished", False),
        ("train", "Whole", "finished", False),
        ("train", "Slow", "cancelled", True),
        ("train", "Removed", "failed", True),
        ("train", "Unchecked", "failed", True),
        ("merge", "Merge facts into Base", "finished", False),
        ("merge", "Merge facts into Base", "failed", False),
        ("quantize", "Base as Q4_0", "finished", False),
        ("export", "Export facts to exported", "finished", False),
        ("data", "Set Answers", "finished", False),
        ("data", "Set Texts", "finished", False),
        ("train", "Interrupted", "interrupted", True),
    ]
    for run in runs:
        seen = list(workbench.handle(FollowRun(run=run.id)))
        terminal = events.Finished if run.state == "finished" else events.TERMINAL
        assert isinstance(seen[-1], terminal), run
    facts = runs_of(workbench)["Facts"]
    seen = list(workbench.handle(FollowRun(run=facts.id)))
    losses = [event.value for event in seen if isinstance(event, events.Metric) and event.name == "loss"]
    assert losses == [1, 1 / 2, 1 / 3, 1 / 4]
    result = msgspec.convert(facts.result, TrainResult)
    assert (result.adapter, result.metrics["tokens_per_second"]) == ("facts", 100.0)
    assert "no file or folder" in runs_of(workbench)["Removed"].message


def test_a_training_can_be_planned_with_what_others_measured(workbench: Workbench) -> None:
    assert call(workbench, PlanTraining(config=config("Answers"))).seconds == 10.0


def test_sets_settings_models_and_files_are_there(workbench: Workbench, home: Home) -> None:
    sets = call(workbench, ListDataSets()).sets
    assert {one.name: (one.examples, one.origin) for one in sets} == {
        "Answers": (2, "answers from chats"),
        "Texts": (2, "text of Papers"),
    }
    settings = call(workbench, GetSettings())
    assert (settings.general.theme, settings.engine.threads) == ("dark", 4)
    models = {model.name: model.kind for model in call(workbench, ListModels()).models}
    assert models == {
        "Base": "chat", "Gone": "chat", "Embedder": "embedder", "Whole": "chat", "Base Facts": "chat", "Small": "chat"
    }  # fmt: skip
    recipe = load_recipe(home.recipes / "precise.toml")
    assert (recipe.name, recipe.decoding.n, recipe.decoding.stop) == ("precise", 2, ("END",))
    assert recipe.retrieval is not None
    assert recipe.retrieval.passages == 4
    training = load_config(home.root / "training.toml")
    assert (training.weights.method, training.weights.rank, training.optimiser.max_steps) == ("dora", 8, 4)


def test_opening_a_home_rewrites_none_of_its_files(home: Home) -> None:
    before = _contents(home)
    opened(home).close()
    assert _contents(home) == before


def _contents(home: Home) -> dict[str, bytes]:
    kept = [f for f in home.root.rglob("*") if f.suffix in (".json", ".toml", ".jsonl", ".gguf")]
    return {str(file.relative_to(home.root)): file.read_bytes() for file in kept}


WITHDRAWN = {"loha": "LoHa", "lokr": "LoKr", "oft": "OFT", "vera": "VeRA", "miss": "MiSS"}


def _name_another_method(home: Home, run: RunRecord, method: str) -> None:
    """Let what is stored of a training say that it was made by another weights method."""
    import apsw

    database = apsw.Connection(str(home.database))
    for (stored,) in database.execute("select config from runs where id = ?", (run.id,)).fetchall():
        changed = msgspec.json.decode(stored)
        changed["weights"] |= {"method": method, "block_size": 16}
        database.execute("update runs set config = ? where id = ?", (msgspec.json.encode(changed).decode(), run.id))
    database.close()
    for card in home.adapters.glob("*/card.json"):
        content = msgspec.json.decode(card.read_bytes())
        if content.get("run") == run.id:
            content["config"]["weights"] |= {"method": method, "block_size": 16}
            card.write_bytes(msgspec.json.encode(content))


@pytest.mark.parametrize("method", WITHDRAWN)
def test_what_a_withdrawn_method_trained_opens_and_says_that_it_is_not_trained_any_more(
    home: Home, method: str
) -> None:
    before = opened(home)
    named = runs_of(before)
    before.close()
    for title in ("Facts", "Slow"):
        _name_another_method(home, named[title], method)
    workbench = opened(home)
    try:
        runs = runs_of(workbench)
        assert runs["Facts"].state == "finished"
        assert not runs["Facts"].unreadable
        assert isinstance(list(workbench.handle(FollowRun(run=runs["Facts"].id)))[-1], events.Finished)
        said = f"{WITHDRAWN[method]} cannot be trained by this version: choose LoRA"
        assert said in runs["Slow"].unreadable
        facts = adapters_of(workbench)["facts"]
        assert facts.config is not None
        assert (facts.config.weights.method, facts.config.weights.block_size, facts.state) == (method, 16, "ready")
        recipe = chat_of(workbench, "With an adapter").chat.recipe
        assert recipe is not None
        assert "adapters=adapter.gguf:0.5" in call(workbench, Ask(question="describe", recipe=recipe)).answer
        with pytest.raises(UserError, match=said):
            method_of(facts.config.weights, METHODS)
    finally:
        workbench.close()
