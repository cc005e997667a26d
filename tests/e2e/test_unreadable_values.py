"""What is stored and cannot be read is a row that says so: never taken for something else, and never overwritten."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.e2e.training_core import call, config, opened
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.recipes import AdapterUse, ModelPart, Recipe
from workbench.subjects.adapters.calls import ExportAdapter, ListAdapters, MergeAdapter, RemoveAdapter, RenameAdapter
from workbench.subjects.chats.calls import (
    Ask,
    BranchPoint,
    Chat,
    ChatRecord,
    ExportChat,
    GetChat,
    InspectAnswer,
    ListChats,
    SelectSequence,
)
from workbench.subjects.datasets.calls import BuildData, ListDataSets
from workbench.subjects.machine.calls import ChangeSettings, GetSettings
from workbench.subjects.models.calls import ListModels, SetDefaultModel
from workbench.subjects.runs.calls import FollowRun, ListRuns, RemoveRun, ResumeRun, RunRecord
from workbench.subjects.trainings.calls import ExportRun, PlanTraining

HOME = Path(__file__).parents[1] / "fixtures" / "home_0_1_0"

TRUNCATED = ("truncated", "damaged")
FUTURE = ("future", "newer version")
RANGE = ("range", "temperature")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(shutil.copytree(HOME, tmp_path / "home"))


@pytest.fixture
def workbench(home: Home) -> Iterator[Workbench]:
    workbench = opened(home)
    yield workbench
    workbench.close()


def sql(home: Home, statement: str, *parameters: str) -> list[Any]:
    connection = apsw.Connection(str(home.database))
    try:
        return list(connection.execute(statement, parameters))
    finally:
        connection.close()


def damaged(stored: str, how: str) -> str:
    """A stored recipe or training config that was cut off, is of the next format, or has a value out of its range."""
    changes = {"future": ('"schema":1', '"schema":9'), "range": ('"temperature":0.0', '"temperature":99.0')}
    return stored[: len(stored) // 2] if how == "truncated" else stored.replace(*changes[how], 1)


def damage(home: Home, table: str, column: str, how: str, where: str, *parameters: str) -> str:
    """Damage one stored value; returns what is stored then."""
    [(stored,)] = sql(home, f"select {column} from {table} where {where}", *parameters)
    spoilt = damaged(stored, how)
    assert spoilt != stored
    sql(home, f"update {table} set {column} = ? where {where}", spoilt, *parameters)
    return spoilt


def chat_of(workbench: Workbench, title: str) -> Chat:
    [found] = [chat for chat in call(workbench, ListChats()).chats if chat.title == title]
    chat = call(workbench, GetChat(chat=found.id))
    assert isinstance(chat, Chat)
    return chat


# -- chats ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "said"), [TRUNCATED, FUTURE, RANGE])
def test_a_chat_whose_recipe_cannot_be_read_is_listed_opens_and_says_why(home: Home, how: str, said: str) -> None:
    stored = damage(home, "chats", "recipe", how, "title = ?", "Three of them")
    workbench = opened(home)
    try:
        chats: dict[str, ChatRecord] = {chat.title: chat for chat in call(workbench, ListChats()).chats}
        assert len(chats) == 9
        assert [title for title, chat in chats.items() if chat.unreadable] == ["Three of them"]
        chat = chat_of(workbench, "Three of them")
        assert (chat.chat.recipe, said in chat.chat.unreadable) == (None, True)
        assert chat.messages[-1].recipe is not None
        result = call(workbench, Ask(question="Again", recipe=Recipe(model=ModelPart(name="Base")), chat=chat.chat.id))
        assert chat_of(workbench, "Three of them").chat.head == result.message
    finally:
        workbench.close()
    assert sql(home, "select recipe from chats where title = ?", "Three of them") == [(stored,)]


@pytest.mark.parametrize(("how", "said"), [TRUNCATED, FUTURE, RANGE])
def test_an_answer_whose_recipe_cannot_be_read_is_shown_and_not_used(home: Home, how: str, said: str) -> None:
    stored = damage(home, "messages", "recipe", how, "sequences like ? and kept = 2", "%Three%")
    workbench = opened(home)
    try:
        answer = chat_of(workbench, "Three of them").messages[-1]
        assert (answer.text, answer.recipe) == ("(2) You said Three of them ", None)
        assert said in answer.unreadable
        assert answer.notices == (answer.unreadable,)
        assert answer.unreadable in call(workbench, ExportChat(chat=answer.chat))
        for request in (
            InspectAnswer(message=answer.id),
            SelectSequence(message=answer.id, sequence=1),
            Ask(regenerate=answer.id, branch=BranchPoint(position=1, token=65)),
        ):
            with pytest.raises(UserError, match=said):
                call(workbench, request)
    finally:
        workbench.close()
    assert sql(home, "select recipe from messages where kept = 2") == [(stored,)]


def test_an_answer_that_cannot_be_read_whole_is_no_example(home: Home) -> None:
    damage(home, "messages", "recipe", "future", "original is not null")
    workbench = opened(home)
    try:
        run = call(workbench, BuildData(name="Mine", source="chats"))
        assert call(workbench, FollowRun(run=run.id))["examples"] == 1
        assert "Tell me of bridges" in (home.datasets / "Mine.jsonl").read_text()
    finally:
        workbench.close()


def test_tokens_that_cannot_be_read_are_said_not_to_be(home: Home) -> None:
    sql(home, "update messages set trace = x'00' where text like 'You said Searched%'")
    workbench = opened(home)
    try:
        answer = chat_of(workbench, "Searched by beams").messages[-1]
        with pytest.raises(UserError, match="cannot be read: it is damaged"):
            call(workbench, InspectAnswer(message=answer.id))
    finally:
        workbench.close()


def test_citations_that_cannot_be_read_leave_the_answer_readable(home: Home) -> None:
    sql(home, "update messages set citations = '[{\"n\": \"one\"}]' where citations like '%arches%'")
    workbench = opened(home)
    try:
        answer = chat_of(workbench, "How many arches has the bridge in Prague?").messages[-1]
        assert (answer.text, answer.citations) == ("The bridge in Prague has 16 arches [1]. ", ())
        assert "citations" in answer.unreadable
    finally:
        workbench.close()


# -- adapters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "said"), [TRUNCATED, FUTURE, RANGE])
def test_a_failed_adapter_whose_card_cannot_be_read_is_not_one_that_can_be_used(
    home: Home, tmp_path: Path, how: str, said: str
) -> None:
    card = home.adapters / "lost" / "card.json"
    stored = card.read_text()
    changes = {"future": ('"schema": 1', '"schema": 9'), "range": ('"rank": 0', '"rank": -1')}
    spoilt = stored[:500] if how == "truncated" else stored.replace(*changes[how])
    assert spoilt != stored
    card.write_text(spoilt)
    said = said.replace("temperature", "config.weights.rank")
    workbench = opened(home)
    try:
        adapters = {one.name: one for one in call(workbench, ListAdapters()).adapters}
        assert len(adapters) == 7
        lost = adapters["lost"]
        assert (lost.state, lost.kind, lost.can_merge) == ("unreadable", "unknown", False)
        assert said in lost.note
        used = Recipe(model=ModelPart(name="Base", adapters=(AdapterUse(name="lost"),)))
        for request in (
            Ask(question="Well?", recipe=used),
            MergeAdapter(adapter="lost"),
            ExportAdapter(adapter="lost", path=str(tmp_path / "out")),
        ):
            with pytest.raises(UserError, match=said):
                call(workbench, request)
        assert call(workbench, RenameAdapter(adapter="lost", name="found-again")).state == "unreadable"
        assert (home.adapters / "found-again" / "card.json").read_text() == spoilt
        left = call(workbench, RemoveAdapter(adapter="found-again")).adapters
        assert "found-again" not in {one.name for one in left}
    finally:
        workbench.close()


def test_a_training_whose_adapter_cannot_be_read_does_not_go_on(home: Home) -> None:
    card = home.adapters / "unchecked" / "card.json"
    card.write_text(card.read_text().replace('"kind": "lora"', '"kind": "hologram"'))
    workbench = opened(home)
    try:
        run = next(run for run in call(workbench, ListRuns()).runs if run.title == "Unchecked")
        call(workbench, ResumeRun(run=run.id))
        with pytest.raises(UserError, match="kind"):
            call(workbench, FollowRun(run=run.id))
        assert len(call(workbench, ListAdapters()).adapters) == 7
    finally:
        workbench.close()


# -- runs -----------------------------------------------------------------------------------------


def run_of(workbench: Workbench, title: str) -> RunRecord:
    [found] = [run for run in call(workbench, ListRuns()).runs if run.title == title]
    assert isinstance(found, RunRecord)
    return found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"schema":1', '"schema":9', "newer version"),
        ('"rank":0', '"rank":-1', "weights.rank"),
        ('"epochs"', '"ages"', "optimiser.ages"),
        ('"weights":{', '"weights":', "damaged"),
    ],
)
def test_a_run_whose_config_cannot_be_read_is_listed_and_replayed_and_does_not_go_on(
    home: Home, tmp_path: Path, old: str, new: str, said: str
) -> None:
    for title in ("Slow", "Facts"):
        [(stored,)] = sql(home, "select config from runs where title = ?", title)
        assert old in stored
        sql(home, "update runs set config = ? where title = ?", stored.replace(old, new), title)
    workbench = opened(home)
    try:
        assert len(call(workbench, ListRuns()).runs) == 14
        slow = run_of(workbench, "Slow")
        assert (slow.state, slow.resumable) == ("cancelled", False)
        assert said in slow.unreadable
        assert slow.message == slow.unreadable
        steps = [e for e in workbench.handle(FollowRun(run=slow.id)) if isinstance(e, events.Metric)]
        assert [event.step for event in steps if event.name == "loss"] == [1, 2]
        for request in (ResumeRun(run=slow.id), ExportRun(run=slow.id, path=str(tmp_path / "out"))):
            with pytest.raises(UserError, match=said):
                call(workbench, request)
        assert call(workbench, PlanTraining(config=config("Answers"))).seconds == 10.0  # of the run Lost
        call(workbench, RemoveRun(run=slow.id))
        assert len(call(workbench, ListRuns()).runs) == 13
    finally:
        workbench.close()
    [(stored,)] = sql(home, "select config from runs where title = 'Facts'")
    assert new in stored


@pytest.mark.parametrize(("old", "new"), [('"objective":"sft"', '"objective":"dream"'), ('"lora"', '"dream"')])
def test_a_run_of_a_method_that_is_not_known_says_so_and_is_not_offered_to_be_resumed(
    home: Home, old: str, new: str
) -> None:
    [(stored,)] = sql(home, "select config from runs where title = 'Slow'")
    sql(home, "update runs set config = ? where title = 'Slow'", stored.replace(old, new, 1))
    workbench = opened(home)
    try:
        slow = run_of(workbench, "Slow")
        assert not slow.resumable
        assert "dream" in slow.message
        with pytest.raises(UserError, match="dream"):
            call(workbench, ResumeRun(run=slow.id))
    finally:
        workbench.close()


def test_one_finished_training_that_cannot_be_read_does_not_keep_others_from_being_planned(home: Home) -> None:
    sql(home, "update runs set result = '{\"adapter\": 7}' where kind = 'train' and state = 'finished'")
    workbench = opened(home)
    try:
        assert call(workbench, PlanTraining(config=config("Answers"))).seconds is None
        facts = run_of(workbench, "Facts")
        assert (facts.state, "result" in facts.unreadable) == ("finished", True)
        assert isinstance(list(workbench.handle(FollowRun(run=facts.id)))[-1], events.Finished)
    finally:
        workbench.close()


def test_a_run_of_a_kind_that_is_not_known_is_a_row_that_says_so(home: Home) -> None:
    sql(home, "update runs set kind = 'translate', state = 'interrupted' where title = 'Papers'")
    workbench = opened(home)
    try:
        run = run_of(workbench, "Papers")
        assert (run.kind, run.state, run.resumable) == ("translate", "interrupted", False)
        assert "'translate'" in run.unreadable
        with pytest.raises(UserError, match="translate"):
            call(workbench, ResumeRun(run=run.id))
    finally:
        workbench.close()


def test_what_a_run_is_queued_with_and_comes_to_has_a_number(home: Home) -> None:
    workbench = opened(home)
    try:
        run = call(workbench, BuildData(name="Mine", source="chats"))
        made = call(workbench, FollowRun(run=run.id))
        run = run_of(workbench, "Data set Mine")
        assert run.config == {
            "name": "Mine",
            "source": "chats",
            "chats": [],
            "collection": "",
            "model": "",
            "questions": 2,
            "limit": 0,
        }
        assert run.result == made
    finally:
        workbench.close()
    [(config, result)] = sql(home, "select config, result from runs where title = 'Data set Mine'")
    assert config.startswith('{"format":1,')
    assert result.startswith('{"format":1,')


# -- sets and settings ----------------------------------------------------------------------------


@pytest.mark.parametrize(("card", "said"), [('{"name":', "damaged"), ('{"format": 2}', "newer version")])
def test_a_set_whose_card_cannot_be_read_is_listed_and_says_why(home: Home, card: str, said: str) -> None:
    (home.datasets / "Answers.json").write_text(card)
    workbench = opened(home)
    try:
        answers, texts = sorted(call(workbench, ListDataSets()).sets, key=lambda one: one.name)
        assert (answers.examples, answers.origin, texts.unreadable) == (2, "", "")
        assert said in answers.unreadable
    finally:
        workbench.close()
    assert (home.datasets / "Answers.json").read_text() == card


@pytest.mark.parametrize(("column", "stored"), [("files", '["a.gguf'), ("files", "[1]"), ("kind", "painter")])
def test_a_model_whose_row_cannot_be_read_is_listed_and_says_why(home: Home, column: str, stored: str) -> None:
    [(name,)] = sql(home, "select name from models where kind = 'chat' limit 1")
    sql(home, f"update models set {column} = ? where name = ?", stored, name)
    workbench = opened(home)
    try:
        bad, *others = sorted(call(workbench, ListModels()).models, key=lambda model: not model.unreadable)
        assert (bad.name, bad.missing, [other.unreadable for other in others]) == (name, True, [""] * len(others))
        with pytest.raises(UserError, match="cannot be read"):
            call(workbench, SetDefaultModel(name=name))
        assert sql(home, f"select {column} from models where name = ?", name) == [(stored,)]
    finally:
        workbench.close()


def test_a_setting_that_cannot_be_read_does_not_keep_the_home_from_opening(home: Home) -> None:
    home.settings.write_text("[engine]\nthreads = 9000\n[general]\ntheme = 'dark'\n")
    workbench = opened(home)
    try:
        settings = call(workbench, GetSettings())
        assert (settings.engine.threads, settings.general.theme) == (0, "dark")
        assert ["engine.threads" in problem for problem in settings.problems] == [True]
        changed = call(workbench, ChangeSettings(values={"general": {"theme": "light"}}))
        assert (changed.general.theme, changed.problems) == ("light", settings.problems)
        assert "9000" in home.settings.read_text()
        assert call(workbench, ChangeSettings(values={"engine": {"threads": 4}})).problems == ()
    finally:
        workbench.close()
