"""Labelling queues of a core, with fake workers: filled, stopped, resumed, judged across a restart."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from tests.e2e.training_core import call, opened, until
from tests.fixtures.make_home import make_home
from workbench.api import events
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.judgements import JudgedAnswer, Judgement, JudgementFilter, LabellingQueue
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe
from workbench.subjects.chats.calls import Ask, RateAnswer
from workbench.subjects.documents.calls import AddDocuments, CreateCollection
from workbench.subjects.judgements.calls import (
    AddJudgements,
    ChangeJudgement,
    GetNextPair,
    ListJudgements,
    ListQueues,
    MakeCandidates,
    MakePreferenceSet,
    RemoveQueue,
    UndoJudgement,
)
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import FollowRun, GetRun, ResumeRun, StopRun

FIXTURE = Path(__file__).parents[1] / "fixtures" / "home_0_1_0"
DRAWN = Recipe(name="Drawn", decoding=DecodingPart(temperature=1.0))


def lines(folder: Path, count: int) -> str:
    path = folder / "prompts.txt"
    path.write_text("\n".join(f"number {n}" for n in range(count)))
    return str(path)


def test_a_queue_survives_a_restart_and_a_verdict_is_taken_back_after_it(trainer: Workbench, tmp_path: Path) -> None:
    asked = MakeCandidates(name="Taste", recipes=(DRAWN,), prompts="file", path=lines(tmp_path, 5), limit=4)
    queue = msgspec.convert(call(trainer, FollowRun(run=call(trainer, asked).id)), LabellingQueue)
    assert (queue.waiting, queue.judged, queue.prompts, queue.origin) == (4, 0, 4, "prompts.txt")
    first = call(trainer, GetNextPair(queue="Taste")).pair
    judged = call(trainer, ChangeJudgement(judgement=first.id, verdict="a"))
    assert judged.a.recipe is not None
    assert judged.a.recipe.decoding.seed >= 0  # resolved
    assert judged.a.tokens
    second = call(trainer, GetNextPair(queue="Taste")).pair
    home = trainer.home
    trainer.close()

    again = opened(home)
    try:
        shown = call(again, GetNextPair(queue="Taste"))
        assert (shown.pair, shown.queue.waiting, shown.queue.judged) == (second, 3, 1)
        assert call(again, UndoJudgement(queue=shown.queue.id)).ids == (first.id,)
        assert call(again, GetNextPair(queue="Taste")).pair == first
    finally:
        again.close()


def test_a_corrected_verdict_is_the_persons(trainer: Workbench) -> None:
    given = Judgement(
        prompt=(Message("user", "How high?"),), a=JudgedAnswer(text="Low."), b=JudgedAnswer(text="High."),
        verdict="a", judge="model", judge_name="strict", confidence=0.9, source="judge",
    )  # fmt: skip
    [stored] = call(trainer, AddJudgements(judgements=(given,)))
    noted = call(trainer, ChangeJudgement(judgement=stored.id, comment="Look again."))
    assert (noted.judge, noted.judge_name, noted.confidence) == ("model", "strict", 0.9)
    corrected = call(trainer, ChangeJudgement(judgement=stored.id, verdict="b"))
    assert (corrected.judge, corrected.judge_name, corrected.confidence) == ("person", "", None)


def test_a_stopped_run_resumes_with_the_next_prompt(trainer: Workbench, tmp_path: Path) -> None:
    path = lines(tmp_path, 300)
    run = call(trainer, MakeCandidates(name="Taste", recipes=(DRAWN,), prompts="file", path=path, limit=0))
    until(trainer, run.id, lambda event: isinstance(event, events.Progress) and event.done >= 4)
    with pytest.raises(UserError, match="being generated"):
        call(trainer, RemoveQueue(queue="Taste"))
    call(trainer, StopRun(run=run.id))
    until(trainer, run.id, lambda event: isinstance(event, events.TERMINAL))
    there = call(trainer, ListQueues()).queues[0].waiting
    assert 4 <= there < 300
    first = call(trainer, GetNextPair(queue="Taste")).pair
    call(trainer, ChangeJudgement(judgement=first.id, verdict="tie"))
    (tmp_path / "prompts.txt").write_text("\n".join(f"number {n}" for n in range(there + 1)))
    call(trainer, ResumeRun(run=run.id))
    call(trainer, FollowRun(run=run.id))
    [queue] = call(trainer, ListQueues()).queues
    assert (queue.waiting, queue.judged) == (there, 1)  # one more, and the judged one is not asked again
    assert call(trainer, GetRun(run=run.id)).state == "finished"


@pytest.mark.parametrize("second", ["Base", "Second"])
def test_two_recipes_answer_each_prompt_with_one_model_or_two(trainer: Workbench, second: str, tmp_path: Path) -> None:
    if second != "Base":
        shutil.copy(tmp_path / "base.gguf", tmp_path / "second.gguf")
        call(trainer, ImportModel(path=str(tmp_path / "second.gguf"), name=second))
    helped = Recipe(name="Helped", model=ModelPart(name=second), prompting=PromptingPart(instructions="Say 3."))
    plain = Recipe(name="Plain", model=ModelPart(name="Base"))
    asked = MakeCandidates(name="Taste", recipes=(plain, helped), prompts="file", path=lines(tmp_path, 10))
    queue = msgspec.convert(call(trainer, FollowRun(run=call(trainer, asked).id)), LabellingQueue)
    assert (queue.waiting, queue.columns) == (10, ("Plain", "Helped"))
    pairs = call(trainer, ListJudgements(which=JudgementFilter(verdicts=("",)))).judgements
    assert {pair.shown for pair in pairs} == {"ab", "ba"}
    for pair in pairs:
        assert pair.b is not None
        assert (pair.a.name, pair.b.name) == ("Plain", "Helped")
        assert "sesame" not in pair.a.text
        assert pair.b.text == f"{pair.a.text} sesame"
        assert [message.role for message in pair.prompt] == ["user"]  # the other recipe was not told to say 3
        assert pair.b.recipe is not None
        assert pair.b.recipe.model.name == second


def test_recipes_that_answer_alike_leave_nothing_to_judge(trainer: Workbench, tmp_path: Path) -> None:
    polite = Recipe(name="Polite", prompting=PromptingPart(instructions="Be polite."))
    greedy = Recipe(name="Greedy", decoding=DecodingPart(temperature=0.0))
    asked = MakeCandidates(name="Taste", recipes=(polite, greedy), prompts="file", path=lines(tmp_path, 5))
    with pytest.raises(UserError, match="Both answers are the same"):
        call(trainer, FollowRun(run=call(trainer, asked).id))
    with pytest.raises(UserError, match="same answer twice"):
        call(trainer, MakeCandidates(name="Once", recipes=(greedy,), prompts="file", path=lines(tmp_path, 5)))
    unknown = Recipe(model=ModelPart(name="nowhere"))
    with pytest.raises(UserError, match="no model"):
        call(trainer, MakeCandidates(name="Once", recipes=(unknown,), prompts="file", path=lines(tmp_path, 5)))
    assert [queue.name for queue in call(trainer, ListQueues()).queues] == ["Taste"]


def test_judgements_of_a_blind_comparison_are_not_trained_on(trainer: Workbench, tmp_path: Path) -> None:
    asked = MakeCandidates(
        name="Was it worth it?", recipes=(DRAWN,), prompts="file", path=lines(tmp_path, 3), purpose="verdict"
    )
    call(trainer, FollowRun(run=call(trainer, asked).id))
    pair = call(trainer, GetNextPair(queue="Was it worth it?")).pair
    call(trainer, ChangeJudgement(judgement=pair.id, verdict="a"))
    assert call(trainer, ListJudgements()).judgements[0].source == "verdict"
    with pytest.raises(UserError, match="nothing is learnt from it"):
        call(trainer, MakePreferenceSet(name="taste"))


def test_rated_answers_of_chats_are_trained_with_the_tokens_that_were_sampled(trainer: Workbench) -> None:
    good, poor = (call(trainer, Ask(question=question, recipe=DRAWN)) for question in ("High?", "Deep?"))
    call(trainer, RateAnswer(message=good.message, rating=1))
    call(trainer, RateAnswer(message=poor.message, rating=-1))
    made = call(trainer, MakePreferenceSet(name="rated", kind="rated"))
    rows = [json.loads(line) for line in Path(made.path).read_text().splitlines()]
    assert [(row["prompt"][-1]["content"], row["label"]) for row in rows] == [("High?", True), ("Deep?", False)]
    # every character is a token of the small worker
    assert ["".join(map(chr, row["completion_tokens"])) for row in rows] == [good.answer, poor.answer]


def test_prompts_are_asked_about_passages_of_documents(trainer: Workbench, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for place in ("Prague", "Vienna"):
        (folder / f"{place}.txt").write_text(f"The bridge of {place} was built in 1874 by Ida Holm.")
    collection = call(trainer, CreateCollection(name="papers"))
    call(trainer, FollowRun(run=call(trainer, AddDocuments(collection=collection.id, paths=(str(folder),))).id))
    asked = MakeCandidates(name="Taste", recipes=(DRAWN,), prompts="documents", path="papers")
    call(trainer, FollowRun(run=call(trainer, asked).id))
    pair = call(trainer, GetNextPair(queue="Taste")).pair
    assert "was built in 1874" in pair.prompt[-1].content  # the passage, then the question about it
    assert pair.prompt[-1].content.endswith("?")


@pytest.mark.parametrize("source", ["released", "now"])
def test_ratings_and_edits_of_an_old_home_count_at_once(source: str, tmp_path: Path) -> None:
    if source == "now":
        home = make_home(tmp_path / "written")
    else:
        home = Home(shutil.copytree(FIXTURE, tmp_path / "home"))
    before = os.listdir(home.root)
    workbench = opened(home)
    try:
        found = call(workbench, ListJudgements(which=JudgementFilter(sources=("chat",)))).judgements
        said = {(one.question, one.verdict, one.edited) for one in found}
        assert said == {
            ("Tell me of bridges", "good", False),
            ("And of towers?", "a", True),
            ("Three of them", "poor", False),
        }
    finally:
        workbench.close()
    assert set(before) <= set(os.listdir(home.root))
