"""An evaluation in a core process that is killed: nothing is lost, and nothing made twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from workbench.api import events
from workbench.api.client import Client
from workbench.api.ownership import read_owner
from workbench.base.errors import WorkerDied
from workbench.base.paths import Home
from workbench.records.evaluation import EvaluationResult, GridPage, ScorerUse
from workbench.records.optimisation import OptimisationResult
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe
from workbench.subjects.evaluation.calls import (
    AddScorers,
    CreateQuestionSet,
    Evaluate,
    GetCell,
    GetEvaluation,
    ListEvaluations,
    ListGrid,
    Optimise,
)
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ImportModel, RegisterStarter
from workbench.subjects.runs.calls import FollowRun, ResumeRun, RunRecord

SHORT = DecodingPart(temperature=0.0, max_tokens=8)
RECIPES = (
    Recipe(name="Plain", model=ModelPart(name="Short"), decoding=SHORT),
    Recipe(
        name="Brief",
        model=ModelPart(name="Short"),
        prompting=PromptingPart(instructions="Answer with one word."),
        decoding=SHORT,
    ),
)
CAPITALS = {"France": "Paris", "Italy": "Rome", "Japan": "Tokyo", "Spain": "Madrid", "Norway": "Oslo", "Peru": "Lima"}


@pytest.fixture
def sets(tmp_path: Path) -> str:
    path = tmp_path / "capitals.jsonl"
    rows = [{"question": f"What is the capital of {one}?", "answer": city} for one, city in CAPITALS.items()]
    path.write_text("\n".join(map(json.dumps, rows)))
    return str(path)


@contextlib.contextmanager
def opened(home: Home) -> Iterator[Client]:
    client = Client(home, idle_s=0.5)
    try:
        yield client
    finally:
        client.close()
        owner = read_owner(home)
        if owner is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(owner.pid).wait(30)


def begun(client: Client, sets: str, model: Path) -> RunRecord:
    # which questions are computed together differs from run to run, and with it the last bits of every probability
    client.call(ChangeSettings(values={"engine": {"deterministic": True}}))
    client.call(RegisterStarter())
    client.call(ImportModel(path=str(model), name="Short"))
    client.call(CreateQuestionSet(path=sets))
    return client.call(Evaluate(question_set="capitals", recipes=RECIPES, seed=3))


def ended(client: Client, run: RunRecord) -> EvaluationResult:
    return msgspec.convert(client.call(FollowRun(run=run.id)), EvaluationResult)


def grid(client: Client, evaluation: str) -> GridPage:
    return client.call(ListGrid(evaluation=evaluation))


@pytest.mark.timeout(600)
@pytest.mark.skipif(os.name == "nt", reason="kills the core with SIGKILL")
def test_a_killed_core_loses_no_answer_and_makes_none_twice(
    tmp_path: Path, sets: str, smollm_file: Path, minilm_path: Path
) -> None:
    home, count = Home(tmp_path / "home"), len(RECIPES) * len(CAPITALS)
    with contextlib.suppress(WorkerDied, OSError), opened(home) as client:
        run = begun(client, sets, smollm_file)
        for event in client.stream(FollowRun(run=run.id)):
            if isinstance(event, events.Progress) and event.stage == "answering" and event.done >= count // 2:
                owner = read_owner(home)
                assert owner is not None
                os.kill(owner.pid, signal.SIGKILL)
                break
    with opened(home) as client:
        [evaluation] = client.call(ListEvaluations()).evaluations
        kept = client.call(GetEvaluation(evaluation=evaluation.id)).answered
        assert count // 2 <= kept < count
        before = [
            client.call(GetCell(evaluation=evaluation.id, number=number, column=column)).answer
            for number in range(1, len(CAPITALS) + 1)
            for column in range(len(RECIPES))
        ]
        result = ended(client, client.call(ResumeRun(run=run.id)))
        assert result.answered == count - kept
        after = [
            client.call(GetCell(evaluation=evaluation.id, number=number, column=column)).answer
            for number in range(1, len(CAPITALS) + 1)
            for column in range(len(RECIPES))
        ]
        assert all(then in (None, now) for then, now in zip(before, after, strict=True))  # times included
        report = client.call(GetEvaluation(evaluation=evaluation.id))
        resumed = grid(client, evaluation.id)
        more = ended(client, client.call(AddScorers(evaluation=evaluation.id, scorers=(ScorerUse(name="rouge-l"),))))
        assert (more.answered, more.scored) == (0, count)
        similar = (ScorerUse(name="embedding-similarity"),)
        assert ended(client, client.call(AddScorers(evaluation=evaluation.id, scorers=similar))).scored == count
    with opened(Home(tmp_path / "other")) as client:
        whole = ended(client, begun(client, sets, smollm_file))
        assert whole.answered == count
        assert grid(client, whole.evaluation) == resumed
        assert client.call(GetEvaluation(evaluation=whole.evaluation)).results == report.results


MORE = {
    "Egypt": "Cairo",
    "Cuba": "Havana",
    "Greece": "Athens",
    "Poland": "Warsaw",
    "Kenya": "Nairobi",
    "Iran": "Tehran",
}


@pytest.mark.timeout(600)
@pytest.mark.skipif(os.name == "nt", reason="kills the core with SIGKILL")
@pytest.mark.nightly
def test_a_killed_search_for_a_prompt_goes_on(tmp_path: Path, smollm_path: Path) -> None:
    path, home = tmp_path / "capitals.jsonl", Home(tmp_path / "home")
    rows = [{"question": f"The capital of {one} is", "answer": city} for one, city in {**CAPITALS, **MORE}.items()]
    path.write_text("\n".join(map(json.dumps, rows)))
    options = {"examples": 2, "candidates": 2, "max_answers": 60}
    with contextlib.suppress(WorkerDied, OSError), opened(home) as client:
        client.call(RegisterStarter())
        client.call(CreateQuestionSet(path=str(path), tune_share=0.75))
        recipe = msgspec.structs.replace(RECIPES[0], model=ModelPart())
        search = Optimise(question_set="capitals", recipe=recipe, method="bootstrap", options=options)
        run = client.call(search)
        for event in client.stream(FollowRun(run=run.id)):
            if isinstance(event, events.Progress) and event.stage == "searching" and event.done >= 7:
                owner = read_owner(home)
                assert owner is not None
                os.kill(owner.pid, signal.SIGKILL)
                break
    with opened(home) as client:
        client.call(ResumeRun(run=run.id))
        result = msgspec.convert(client.call(FollowRun(run=run.id)), OptimisationResult)
        assert 0 < result.answered <= result.asked - 7
        assert result.asked <= 60
        report = client.call(GetEvaluation(evaluation=result.evaluation))
        assert report.answered == report.cells == result.asked
        again = msgspec.convert(client.call(FollowRun(run=client.call(search).id)), OptimisationResult)
        assert (again.answered, again.before, again.candidates) == (0, result.before, result.candidates)
        assert again.after == result.after
