"""Endpoints as judges and teachers: their cost is known before, who computed a row is stored with it, and nothing is
paid twice."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_endpoint import FakeEndpoint, serving
from tests.local_front import LocalFront
from tests.workers import fake_embedding, fake_inference
from workbench import calls as c
from workbench.api.protocol import Call
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.evaluation import ScorerUse
from workbench.records.recipes import ModelPart, Recipe

COMMANDS = {
    "inference": [sys.executable, fake_inference.__file__],
    "embedding": [sys.executable, fake_embedding.__file__],
}
TERMS = "https://example.com/terms"
BIG, SMALL = Recipe(model=ModelPart(name="Big")), Recipe(model=ModelPart(name="Small"))
GRADING = c.Evaluate(question_set="asked", recipes=(SMALL,), scorers=(ScorerUse(name="judge-grade", recipe=BIG),))


class Room:
    def __init__(self, workbench: Workbench, service: FakeEndpoint) -> None:
        self.workbench, self.service = workbench, service

    def call(self, asked: Call[Any]) -> Any:
        return LocalFront(self.workbench).call(asked)

    def run(self, asked: Call[Any]) -> Any:
        return self.call(c.FollowRun(run=self.call(asked).id))


@pytest.fixture
def room(tmp_path: Path, smollm_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    service = FakeEndpoint()
    service.alternatives = {"4": -0.2, "5": -2.0, "3": -4.0, "B": -6.0}
    with serving(service):
        workbench = Workbench(Home(tmp_path / "home"), commands=COMMANDS)
        room = Room(workbench, service)
        try:
            room.call(c.ImportModel(path=str(smollm_path), name="Small"))
            adding = c.AddEndpoint(
                address=service.address, model="big", name="Big", price_in=10.0, price_out=20.0, terms=TERMS
            )
            room.call(adding)
            rows = [{"question": f"What is number {n}?", "answer": f"{n}"} for n in range(6)]
            (tmp_path / "asked.jsonl").write_text("\n".join(map(json.dumps, rows)))
            room.call(c.CreateQuestionSet(path=str(tmp_path / "asked.jsonl"), name="asked"))
            service.asked.clear()
            yield room
        finally:
            workbench.close()


def test_a_judge_costs_at_most_what_was_estimated(room: Room) -> None:
    (estimate,) = room.call(c.EstimateCost(of=GRADING)).estimates
    assert room.service.asked == []
    assert (estimate.model, estimate.host, estimate.requests, estimate.left) == ("Big", "127.0.0.1", 6, None)
    assert "Up to 6 requests to 127.0.0.1 (Big) will cost up to about" in estimate.describe()
    room.run(GRADING)
    assert len(room.service.asked) == 6
    (record,) = room.call(c.ListEndpoints()).endpoints
    assert 0 < record.use.cost <= estimate.cost
    assert room.call(c.EstimateCost(of=c.Evaluate(question_set="asked", recipes=(SMALL,)))).estimates == ()


def test_each_score_names_its_judge_and_none_is_paid_twice(room: Room) -> None:
    evaluation = room.run(GRADING)["evaluation"]
    (score,) = room.call(c.GetCell(evaluation=evaluation, number=1, column=0)).scores
    assert score.value == pytest.approx(0.79, abs=0.03)
    for part in ("big at 127.0.0.1", "10 / 20 per million tokens", TERMS):
        assert part in score.note
    room.run(GRADING)
    assert len(room.service.asked) == 6, "scores are taken over"


def test_an_estimate_beyond_the_budget_says_so(room: Room) -> None:
    room.call(c.ChangeEndpoint(name="Big", budget=0.0001))
    (limited,) = room.call(c.EstimateCost(of=GRADING)).estimates
    assert limited.left == pytest.approx(0.0001)
    assert "Only 0.0001 of the budget is left" in limited.describe()


def test_a_budget_stops_a_judge_and_the_rest_is_scored_once_it_is_raised(room: Room) -> None:
    room.call(c.ChangeEndpoint(name="Big", budget=0.002))
    with pytest.raises(UserError, match=r"Big has cost .* of its budget of 0\.0020"):
        room.run(GRADING)
    asked = len(room.service.asked)
    assert asked < 6
    (record,) = room.call(c.ListEndpoints()).endpoints
    assert record.use.cost <= 0.002
    room.call(c.ChangeEndpoint(name="Big", budget=5.0))
    evaluation = room.run(GRADING)["evaluation"]
    assert len(room.service.asked) == 6, "what was scored is not asked again"
    cells = [room.call(c.GetCell(evaluation=evaluation, number=number, column=0)) for number in range(1, 7)]
    assert all(score.value is not None for cell in cells for score in cell.scores)


def test_answers_of_a_teacher_name_it(room: Room) -> None:
    evaluation = room.run(c.Evaluate(question_set="asked", recipes=(BIG,)))["evaluation"]
    made = room.call(c.GetCell(evaluation=evaluation, number=1, column=0)).answer.made_by
    assert (made.provider, made.model, made.price_in, made.price_out, made.terms) == (
        "127.0.0.1", "big", 10.0, 20.0, TERMS,
    )  # fmt: skip
    assert made.at > 0


def test_all_prompts_are_counted_where_there_is_no_limit(room: Room, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("".join(f"What is {number}?\n" for number in range(7)))
    path = str(tmp_path / "prompts.txt")
    for limit, requests in ((0, 7), (3, 3)):
        made = c.MakeCandidates(name="q", recipes=(BIG, SMALL), prompts="file", path=path, limit=limit)
        (estimate,) = room.call(c.EstimateCost(of=made)).estimates
        assert (estimate.model, estimate.requests) == ("Big", requests)


def test_two_answers_of_one_recipe_are_counted_in_one_request(room: Room, tmp_path: Path) -> None:
    path = str(tmp_path / "prompts.txt")

    def estimate(*recipes: Recipe) -> c.CostEstimate:
        made = c.MakeCandidates(name="q", recipes=recipes, prompts="file", path=path, limit=2)
        (found,) = room.call(c.EstimateCost(of=made)).estimates
        return found

    alone, beside = estimate(BIG), estimate(BIG, SMALL)
    assert (alone.requests, beside.requests) == (2, 2)
    assert beside.new_tokens == 2 * BIG.decoding.max_tokens
    assert alone.new_tokens == 2 * beside.new_tokens
