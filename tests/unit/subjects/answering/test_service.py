"""The answering service on fakes: what is looked up, checked and leased, and how an answer ends."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, document_text, passage
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError, WorkerDied
from workbench.engine.inference_calls import Generated, GeneratedSequence, Scores
from workbench.records.answers import AskResult, DocumentTask
from workbench.records.capabilities import LOCAL, Capabilities, require
from workbench.records.messages import Message, Usage
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.records.trace import TokenIds
from workbench.subjects.answering.answer import answer, check
from workbench.subjects.answering.preview import score
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.composition import Prefix

QUESTION = (Message("user", "How long does the warranty run?"),)
ASKED = AnswerRequest(recipe=Recipe(), conversation=QUESTION)


def result_of(last: events.Event) -> AskResult:
    assert isinstance(last, events.Finished)
    return msgspec.convert(last.result, AskResult)


def tokens_of(result: AskResult) -> TokenIds | None:
    assert result.trace is not None
    return result.trace.tokens


def generated(text: str, **more: Any) -> Generated:
    return Generated(text=text, prompt=(1, 2), sequences=(GeneratedSequence(text=text, tokens=(3, 4)),), **more)


def test_an_answer_tells_its_resolved_recipe_its_cost_and_its_tokens() -> None:
    services = FakeServices(FakeModelBackend([generated("36 months.", usage=Usage(new_tokens=2))]))
    loading, *_, last = answer(ASKED, services, RequestContext())
    assert isinstance(loading, events.Progress)
    result = result_of(last)
    model = result.recipe.model
    assert (model.context_tokens, model.engine, model.sha256) == (2048, "fake 1", "f00d")
    assert result.recipe.decoding.seed == 7
    assert (result.usage.new_tokens, result.context_tokens) == (2, 2048)
    assert tokens_of(result) == TokenIds(prompt=(1, 2), sequences=((3, 4),))


def test_the_cost_of_all_generations_is_told_and_no_tokens_of_several() -> None:
    text = "\n\n".join(f"Part {n} costs {n}0 euros. " + "It is made of steel. " * 8 for n in range(1, 4))
    usage = Usage(prompt_tokens=10, new_tokens=4, first_token_s=0.5, tokens_per_s=2.0)
    replies = [generated(f"Teil {n}.", usage=usage) for n in range(1, 4)]
    services = FakeServices(
        FakeModelBackend(replies, context_tokens=160), FakeRetriever(documents=[document_text(text)])
    )
    task = DocumentTask(document="pump.txt", task="translate", language="German")
    *_, last = answer(AnswerRequest(recipe=Recipe(), task=task), services, RequestContext())
    result = result_of(last)
    assert result.usage == Usage(prompt_tokens=30, new_tokens=12, first_token_s=0.5, tokens_per_s=2.0)
    assert tokens_of(result) is None
    assert result.trace is not None
    assert [(s.title, s.output, s.usage) for s in result.trace.steps] == [
        (f"Section {n} of 3", f"Teil {n}.", usage) for n in range(1, 4)
    ]


@pytest.mark.parametrize("reply", [UserError("The model is gone."), WorkerDied("inference", -9), ValueError("a bug")])
def test_a_failure_is_the_one_terminal_event_and_gives_the_lease_back(reply: Exception) -> None:
    services = FakeServices(FakeModelBackend([reply]), FakeRetriever([passage("The warranty runs for 36 months.")]))
    asked = msgspec.structs.replace(ASKED, recipe=Recipe(retrieval=RetrievalPart(mode="own-words")))
    made = list(answer(asked, services, RequestContext()))
    assert [type(e) for e in made if isinstance(e, events.TERMINAL)] == [events.Failed] == [type(made[-1])]
    assert services.leased == 0


def test_the_lease_is_given_back_before_the_end_is_told_and_when_nobody_listens() -> None:
    services = FakeServices(FakeModelBackend(["36 months.", "36 months."]))
    for event in answer(ASKED, services, RequestContext()):
        assert services.leased == (not isinstance(event, (events.Progress, events.Finished)))
    left = answer(ASKED, services, RequestContext())
    next(e for e in left if isinstance(e, events.TextDelta))
    assert services.leased == 1
    left.close()  # type: ignore[attr-defined]
    assert services.leased == 0


def test_background_requests_say_so_to_the_backend() -> None:
    services = FakeServices(FakeModelBackend(["One.", "Two."]))
    for background in (False, True):
        list(answer(ASKED, services, RequestContext(), background=background))
    assert services.leases == [False, True]


def test_what_was_resolved_before_is_not_looked_up_again() -> None:
    services = FakeServices(FakeModelBackend(["Yes."]))
    resolved = services.resolve(ASKED.recipe)
    services.resolve = None  # type: ignore[assignment,method-assign]
    *_, last = answer(ASKED, services, RequestContext(), resolved=resolved)
    assert result_of(last).answer == "Yes."


def test_a_recipe_that_cannot_be_resolved_ends_the_answer() -> None:
    class Homeless(FakeServices):
        def resolve(self, recipe: Recipe) -> Any:
            raise UserError("There is no model 'x'.", "Choose one.")

    (last,) = answer(ASKED, Homeless(FakeModelBackend()), RequestContext())
    assert last == events.Failed(message="There is no model 'x'.", hint="Choose one.")


@pytest.mark.parametrize("conversation", [(), (Message("user", "  "),), (Message("assistant", "Hello."),)])
def test_a_question_is_needed(conversation: tuple[Message, ...]) -> None:
    services = FakeServices(FakeModelBackend())
    with pytest.raises(UserError, match="question is empty"):
        check(AnswerRequest(recipe=Recipe(), conversation=conversation), services.resolve(Recipe()), services)


NEEDS = {
    "schemas": (Recipe(decoding=DecodingPart(format="json")), "cannot answer as JSON"),
    "grammars": (Recipe(decoding=DecodingPart(format="regex", grammar="a")), "cannot constrain the format"),
    "searches": (Recipe(decoding=DecodingPart(strategy="beam")), "neither beam search"),
    "max_sequences": (Recipe(decoding=DecodingPart(n=3, temperature=1.0)), "gives at most 1 of the 3 answers"),
    "adapters": (Recipe(model=ModelPart(adapters=(AdapterUse(name="calm"),))), "cannot use adapters"),
    "context_known": (
        Recipe(retrieval=RetrievalPart(mode="own-words", collection="papers")),
        "no known context length",
    ),
}


@pytest.mark.parametrize("name", [*NEEDS, "continues_from_tokens"])
def test_what_a_request_needs_is_checked_before_the_model_is_leased(name: str) -> None:
    recipe, message = NEEDS.get(name, (Recipe(), "cannot continue an answer"))
    prefix = Prefix(prompt=(1,), answer=(), question="?") if name == "continues_from_tokens" else None
    request = AnswerRequest(recipe=recipe, conversation=QUESTION, prefix=prefix)
    has = msgspec.structs.replace(LOCAL, **{name: 1 if name == "max_sequences" else False})
    services = FakeServices(FakeModelBackend(["x"], capabilities=has))
    (last,) = answer(request, services, RequestContext())
    assert isinstance(last, events.Failed)
    assert message in last.message
    assert last.hint
    assert services.leases == []
    whole = FakeServices(FakeModelBackend(["x"]))
    assert isinstance(list(answer(request, whole, RequestContext()))[-1], events.Finished)


@pytest.mark.parametrize("name", Capabilities.__struct_fields__)
def test_every_missing_capability_is_named_in_a_sentence_with_what_to_do(name: str) -> None:
    needs = Capabilities(**{name: 4 if name == "max_sequences" else True})
    with pytest.raises(UserError) as raised:
        require(needs, Capabilities(), "Mini")
    assert raised.value.message.startswith("Mini ")
    assert raised.value.message.endswith(".")
    assert raised.value.hint.endswith(".")
    assert "{" not in raised.value.message + raised.value.hint
    require(needs, needs, "Mini")


def test_needs_are_joined() -> None:
    joined = Capabilities(grammars=True, max_sequences=2) | Capabilities(tools=True, max_sequences=5)
    assert joined == Capabilities(grammars=True, tools=True, max_sequences=5)


@pytest.mark.parametrize(
    ("decoding", "named"),
    [
        (DecodingPart(strategy="beam", n=6), "6 answers"),
        (DecodingPart(strategy="contrastive", format="json"), "does not support answer formats"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_before_the_model_is_loaded(
    decoding: DecodingPart, named: str
) -> None:
    services = FakeServices(FakeModelBackend())
    request = msgspec.structs.replace(ASKED, recipe=Recipe(decoding=decoding))
    (last,) = answer(request, services, RequestContext())
    assert isinstance(last, events.Failed)
    assert named in last.message
    assert services.leases == []


def test_continuations_are_scored_after_the_prompt_of_the_recipe_and_nothing_is_generated() -> None:
    model = FakeModelBackend(scores=[[-1.0, -3.0]])
    services = FakeServices(model)
    recipe = Recipe(prompting=PromptingPart(instructions="Be brief."))
    request = AnswerRequest(recipe=recipe, conversation=QUESTION)
    *_, last = score(request, ("A", "B"), services, RequestContext())
    assert isinstance(last, events.Finished)
    assert [one.logprob for one in msgspec.convert(last.result, Scores).values] == [-1.0, -3.0]
    [(messages, continuations)] = model.scored
    assert ([m.role for m in messages], continuations) == (["system", "user"], ("A", "B"))
    assert (model.requests, services.leases, services.leased) == ([], [True], 0)


def test_scoring_says_what_the_model_lacks_and_that_nothing_would_be_generated() -> None:
    without = FakeModelBackend(capabilities=Capabilities(streams=True))
    with pytest.raises(UserError, match="probabilities"):
        list(score(ASKED, ("A",), FakeServices(without), RequestContext()))
    declining = FakeServices(FakeModelBackend(), FakeRetriever([passage("The pump is red.")]))
    recipe = Recipe(retrieval=RetrievalPart(collection="papers"))
    with pytest.raises(UserError, match="Nothing is generated"):
        list(score(AnswerRequest(recipe=recipe, conversation=QUESTION), ("A",), declining, RequestContext()))
