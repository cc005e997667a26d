"""Which examples a question gets, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, passage
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.records.answers import AskResult, PromptText
from workbench.records.messages import Message
from workbench.records.recipes import Example, PromptingPart, Recipe, RetrievalPart
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.preview import preview
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.prompting.examples import choose

QUESTIONS = (
    "the red pump leaks", "the red pump leaks oil", "the red pump leaks water", "the cat sleeps", "the red door opens",
)  # fmt: skip
ROWS = tuple(Example(number=n, question=text, answer=f"answer {n}") for n, text in enumerate(QUESTIONS, 1))
ASKED = "the red pump leaks now"


def similarities(texts: Sequence[str], others: Sequence[str]) -> Sequence[Sequence[float]]:
    return FakeRetriever().similarities(list(texts), list(others))


def numbers(question: str = ASKED, **fields: Any) -> list[int]:
    part = PromptingPart(examples="pumps", **fields)
    return [row.number for row in choose(part, question, ROWS, similarities)]


def test_similar_ones_are_shown_with_the_nearest_last() -> None:
    assert numbers(example_count=3)[-1] == 1
    assert set(numbers(example_count=3)) == {1, 2, 3}
    assert numbers(example_count=1) == [1]
    assert numbers(example_count=3, example_order="nearest-first")[0] == 1
    assert numbers(example_count=3, example_order="as-listed") == [1, 2, 3]


def test_diverse_ones_differ_from_one_another() -> None:
    chosen = set(numbers(example_count=2, example_choice="diverse"))
    assert 1 in chosen
    assert chosen & {4, 5}
    assert chosen != set(numbers(example_count=2))


def test_all_and_fixed_ones() -> None:
    assert numbers(example_choice="all", example_order="as-listed", example_count=1) == [1, 2, 3, 4, 5]
    assert numbers(example_choice="fixed", example_order="as-listed", example_count=2) == [1, 2]
    assert numbers(example_choice="fixed", example_order="as-listed", example_rows=("4", "2")) == [4, 2]
    assert numbers(example_choice="fixed", example_rows=("4", "1")) == [4, 1]
    with pytest.raises(UserError, match="Question 9"):
        numbers(example_choice="fixed", example_rows=("9",))


@pytest.mark.parametrize("choice", ["all", "fixed", "similar", "diverse"])
def test_a_row_is_never_its_own_example(choice: str) -> None:
    for row in ROWS:
        question = f"  {row.question.upper()} "
        assert row.number not in numbers(question, example_choice=choice, example_count=64)
        assert row.number not in numbers(question, example_choice="fixed", example_rows=(str(row.number),))


def recipe_of(**fields: Any) -> Recipe:
    return Recipe(prompting=PromptingPart(instructions="Be kind.", examples="pumps", example_count=2, **fields))


def services_of(model: FakeModelBackend, retriever: FakeRetriever | None = None) -> FakeServices:
    services = FakeServices(model, retriever)
    services.question_sets["pumps"] = ROWS
    return services


def test_the_model_sees_them_before_the_question_and_the_steps_name_them() -> None:
    model = FakeModelBackend(["Yes."])
    request = AnswerRequest(recipe=recipe_of(input="Q: {{question}}"), conversation=(Message("user", ASKED),))
    *_, last = answer(request, services_of(model), RequestContext())
    assert isinstance(last, events.Finished)
    (seen,) = model.requests
    assert [(one.role, one.content) for one in seen[-3:]] == [
        ("user", "Q: the red pump leaks"), ("assistant", "answer 1"), ("user", f"Q: {ASKED}"),
    ]  # fmt: skip
    assert seen[0] == Message("system", "Be kind.")
    trace = msgspec.convert(last.result, AskResult).trace
    assert trace is not None
    assert (trace.steps[0].kind, trace.steps[0].output.startswith("pumps: ")) == ("examples", True)


def test_passages_stand_after_the_examples() -> None:
    text = "The red pump leaks oil from its seal."
    model = FakeModelBackend(["From its seal."], parameters=7_000_000_000)
    recipe = msgspec.structs.replace(recipe_of(), retrieval=RetrievalPart(collection="papers", decline=False))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", "Where does the red pump leak oil?"),))
    *_, last = answer(request, services_of(model, FakeRetriever([passage(text)])), RequestContext())
    assert isinstance(last, events.Finished), last
    (seen,) = model.requests
    assert [one.role for one in seen] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert text in seen[-1].content


def test_the_exact_prompt_is_shown_without_an_answer() -> None:
    model = FakeModelBackend()
    request = AnswerRequest(recipe=recipe_of(), conversation=(Message("user", ASKED),))
    *_, last = preview(request, services_of(model), RequestContext())
    assert isinstance(last, events.Finished)
    shown = msgspec.convert(last.result, PromptText)
    assert shown.text.startswith("<system>Be kind.\n<user>")
    assert shown.text.endswith(f"answer 1\n<user>{ASKED}")
    assert shown.tokens == len(shown.text.split())
    assert (shown.context_tokens, shown.together, model.requests) == (2048, 1, [])


def test_where_the_model_is_not_asked_the_answer_is_shown() -> None:
    recipe = Recipe(retrieval=RetrievalPart(collection="papers"))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", ASKED),))
    *_, last = preview(request, FakeServices(FakeModelBackend(), FakeRetriever([])), RequestContext())
    assert isinstance(last, events.Finished)
    shown = msgspec.convert(last.result, PromptText)
    assert (shown.text, shown.answer.startswith("I could not find")) == ("", True)
