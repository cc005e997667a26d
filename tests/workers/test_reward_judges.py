"""Judges within a training grade as the inference worker does, over prompts of any length that their model reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.short_model import write_short
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.engine.inference_calls import Load, Score
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.rewards.models import DIGITS, RUBRIC, JudgeGrade, grading_prompt, judge_grade
from workbench.rewards.reward import Sample
from workbench.training.protocol import JudgeUse
from workbench.workers.training_rewards import FEWEST_TOKENS, EngineJudges, LocalRewardContext

INSTRUCTIONS = "You grade answers strictly."
QUESTION = (Message("user", "What is rain?"),)
ANSWERS = ("Water that falls from clouds.", "No.", "rain rain rain")


@pytest.fixture(scope="module")
def base(smollm_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_short(smollm_path, tmp_path_factory.mktemp("judge") / "short.gguf")


@pytest.fixture
def judges(base: Path) -> Iterator[EngineJudges]:
    made = EngineJudges({"strict": JudgeUse(name="strict", path=str(base), instructions=INSTRUCTIONS)}, threads=1)
    yield made
    made.close()


def test_grades_are_those_of_the_inference_worker(base: Path, judges: EngineJudges) -> None:
    samples = [Sample(prompt=QUESTION, answer=one) for one in ANSWERS]
    found = judges.grade_logprobs("strict", [grading_prompt(one, RUBRIC) for one in samples], DIGITS)
    host = WorkerHost("inference")
    try:
        host.call(Load(path=str(base), context_tokens=1024, threads=1))
        for sample, logprobs in zip(samples, found, strict=True):
            messages = (Message("system", INSTRUCTIONS), *grading_prompt(sample, RUBRIC))
            scored = host.call(Score(messages=messages, continuations=DIGITS))
            assert logprobs == pytest.approx([one.logprob for one in scored.values], abs=0.05)
    finally:
        host.stop()
    grades = judge_grade(samples, JudgeGrade(recipe="strict"), LocalRewardContext(grade_logprobs=judges.grade_logprobs))
    assert all(grade.value is not None and 0 <= grade.value <= 1 for grade in grades)
    assert len({grade.value for grade in grades}) == len(ANSWERS)


def test_the_context_grows_with_the_prompts_and_ends_where_the_model_does(judges: EngineJudges) -> None:
    long = grading_prompt(Sample(prompt=QUESTION, answer="rain " * 5 * FEWEST_TOKENS), RUBRIC)
    short = grading_prompt(Sample(prompt=QUESTION, answer="rain"), RUBRIC)
    before = judges.grade_logprobs("strict", [short], DIGITS)[0]
    assert len(judges.grade_logprobs("strict", [long], DIGITS)[0]) == len(DIGITS)
    assert judges.grade_logprobs("strict", [short], DIGITS)[0] == pytest.approx(before, abs=0.05)
    too_long = grading_prompt(Sample(prompt=QUESTION, answer="rain " * 8_300), RUBRIC)
    with pytest.raises(UserError, match="reads at most 8,192"):
        judges.grade_logprobs("strict", [too_long], DIGITS)


def test_an_unknown_judge_is_refused_and_a_stopped_one_ends(base: Path, judges: EngineJudges) -> None:
    with pytest.raises(UserError, match="no judge 'kind'"):
        judges.grade_logprobs("kind", [QUESTION], DIGITS)
    context = RequestContext()
    stopped = EngineJudges({"": JudgeUse(name="short", path=str(base))}, context, threads=1)
    context.cancel()
    try:
        with pytest.raises(Cancelled):
            stopped.grade_logprobs("", [QUESTION], DIGITS)
    finally:
        stopped.close()
