"""A question's way on fakes: what is searched, shown, streamed and handed back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, passage
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Generated, GeneratedSequence
from workbench.records.answers import AskResult
from workbench.records.documents import Collection, SearchResult
from workbench.records.messages import Message, Passage, Usage
from workbench.records.recipes import DecodingPart, PromptingPart, Recipe, RetrievalPart
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.composition import Prefix

QUESTION = "How long does the warranty of the pump run?"
PUMP = passage("The warranty of the pump runs for 36 months from delivery. Claims must be in writing.")
FRUIT = passage("The pump that ripens bananas has no warranty in Ecuador.", "fruit.txt")
GROUNDED = Recipe(retrieval=RetrievalPart(mode="own-words", collection="papers"))


def ask(
    model: FakeModelBackend,
    retriever: FakeRetriever | None = None,
    recipe: Recipe = GROUNDED,
    conversation: Sequence[Message] = (Message("user", QUESTION),),
) -> tuple[list[events.Event], AskResult]:
    request = AnswerRequest(recipe=recipe, conversation=tuple(conversation))
    _, *made = answer(request, FakeServices(model, retriever), RequestContext())  # the first one tells of the loading
    assert [type(e) for e in made if isinstance(e, events.TERMINAL)] == [events.Finished]
    last = made[-1]
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, AskResult)
    assert result.answer == "".join(e.text for e in made if isinstance(e, events.TextDelta))
    return made, result


def retrieved(made: Sequence[events.Event]) -> events.Retrieved:
    return next(e for e in made if isinstance(e, events.Retrieved))


def test_plain_chat_gets_the_recipes_instructions() -> None:
    model = FakeModelBackend([Generated(text="Hello there.", usage=Usage(new_tokens=3), mean_logprob=-0.5)])
    recipe = Recipe(prompting=PromptingPart(instructions=" Be kind. "), decoding=DecodingPart(max_tokens=7))
    _, result = ask(model, recipe=recipe)
    assert model.requests == [(Message("system", "Be kind."), Message("user", QUESTION))]
    assert [(one.max_tokens, one.seed) for one in model.decodings] == [(7, 7)]
    assert (result.answer, result.usage.new_tokens) == ("Hello there.", 3)
    assert (result.recipe.prompting, result.recipe.decoding.max_tokens) == (recipe.prompting, 7)
    assert [(s.text, s.score, s.finish) for s in result.sequences] == [("Hello there.", -0.5, "eos")]
    assert result.context_tokens == model.context_tokens


@pytest.mark.parametrize(
    ("format", "finish", "said"), [("json", "length", 1), ("json", "grammar", 0), ("text", "length", 0)]
)
def test_a_form_that_is_cut_off_is_told_of(format: str, finish: str, said: int) -> None:
    model = FakeModelBackend([msgspec.convert({"text": '{"a": "b', "finish": finish}, Generated)])
    recipe = Recipe(decoding=msgspec.convert({"format": format}, DecodingPart))
    made, result = ask(model, recipe=recipe)
    notices = [event.text for event in made if isinstance(event, events.Log)]
    assert [text for text in notices if "reached its maximum length" in text] == [*result.notices][:said]
    assert len(result.notices) == said


EMPTY = Collection(id="c", name="papers")


@pytest.mark.parametrize(
    ("collection", "passages", "said"),
    [
        (EMPTY, [], "There are no documents in papers yet. Add some first."),
        (msgspec.structs.replace(EMPTY, failed=2), [], "no file could be read"),
        (msgspec.structs.replace(EMPTY, unfinished=True), [], "Nothing in papers is read yet."),
        (
            msgspec.structs.replace(EMPTY, documents=1, unfinished=True),
            [FRUIT],
            "Not everything in papers is read yet. In the part that is, I could not find the answer",
        ),
        (msgspec.structs.replace(EMPTY, documents=1), [], "I could not find anything about this"),
    ],
)
def test_collection_that_is_empty_or_unfinished_says_so(
    collection: Collection, passages: list[Passage], said: str
) -> None:
    retriever = FakeRetriever(passages, collection=collection)
    _, result = ask(FakeModelBackend(), retriever, conversation=(Message("user", "Which bananas are sold in Peru?"),))
    assert said in result.answer
    assert result.declined
    assert len(retriever.queries) == (1 if collection.documents or collection.unfinished else 0)


def test_answer_from_an_unfinished_collection_has_a_notice() -> None:
    part = FakeRetriever([PUMP], collection=msgspec.structs.replace(EMPTY, documents=1, unfinished=True))
    _, result = ask(FakeModelBackend(["It runs for 36 months [1]."]), part)
    assert result.notices[0] == "Not everything in papers is read yet: the answer is based on a part."
    _, result = ask(FakeModelBackend(["It runs for 36 months [1]."]), FakeRetriever([PUMP]))
    assert result.notices == ()


def test_answer_from_passages_is_cited() -> None:
    retriever = FakeRetriever([FRUIT, PUMP])
    made, result = ask(FakeModelBackend(["It runs for 36 months [4]."]), retriever)
    found = retrieved(made)
    assert [(p.n, p.text) for p in found.passages] == [(1, PUMP.text)]
    assert result.answer == "It runs for 36 months [1]."
    assert [(c.n, c.text, c.document_hash, c.claimed) for c in result.citations] == [
        (1, PUMP.text, "hash of pump.txt", False)
    ]
    assert (result.query, result.passages, result.declined) == (QUESTION, found.passages, False)


def test_a_follow_up_from_documents_is_a_tree_of_steps() -> None:
    earlier = [Message("user", "How long does the pump run?"), Message("assistant", "For 36 months.")]
    _, result = ask(
        FakeModelBackend(["It runs for 36 months."]),
        FakeRetriever([FRUIT, PUMP]),
        conversation=[*earlier, Message("user", "And its warranty?")],
    )
    assert result.trace is not None
    steps = {step.kind: step for step in result.trace.steps}
    assert list(steps) == ["rewrite", "route", "search", "check", "generation"]
    assert (steps["rewrite"].input, steps["rewrite"].output) == ("And its warranty?", result.query)
    assert result.query == "Its warranty (pump run)?"
    assert result.notices == ("Understood as: Its warranty (pump run)?",)
    assert (steps["search"].query, steps["search"].passages) == (result.query, result.passages)
    assert steps["check"].output.startswith("Found: ")
    assert steps["check"].score is not None
    assert (steps["generation"].output, steps["generation"].usage) == ("It runs for 36 months.", result.usage)
    assert {step.state for step in result.trace.steps} == {"done"}


def test_a_declined_question_has_no_generation_in_its_steps() -> None:
    question = [Message("user", "Who painted the Mona Lisa for the pump?")]
    _, result = ask(FakeModelBackend(), FakeRetriever([PUMP, FRUIT]), conversation=question)
    assert result.trace is not None
    assert [step.kind for step in result.trace.steps] == ["route", "search", "check"]
    assert result.trace.steps[2].output.startswith("Not found: ")
    assert result.trace.steps[1].passages == result.passages


@pytest.mark.parametrize("form", ["json", "regex", "choice"])
def test_an_answer_of_a_form_is_not_edited(form: str) -> None:
    written = '{"claims": "must be made in writing", "n": [7]}'
    decoding = msgspec.convert({"format": form, "grammar": "x"}, DecodingPart)
    recipe = msgspec.structs.replace(GROUNDED, decoding=decoding)
    _, result = ask(FakeModelBackend([written]), FakeRetriever([FRUIT, PUMP]), recipe=recipe)
    assert result.answer == written
    assert [c.n for c in result.citations] == [1]


def test_small_model_sees_one_passage_and_a_big_one_several_with_numbers() -> None:
    small, big = FakeModelBackend(["x"]), FakeModelBackend(["x"], parameters=7_000_000_000)
    ask(small, FakeRetriever([PUMP, FRUIT]))
    ask(big, FakeRetriever([PUMP, FRUIT]))
    assert FRUIT.text not in small.requests[0][-1].content
    assert small.requests[0][-1].content.startswith(PUMP.text)
    shown = big.requests[0][-1].content
    assert shown.index(f"[1] pump\n{PUMP.text}") < shown.index(f"[2] fruit\n{FRUIT.text}") < shown.index(QUESTION)


def test_recipe_says_how_many_passages() -> None:
    recipe = Recipe(retrieval=RetrievalPart(mode="own-words", collection="papers", passages=2))
    _, result = ask(FakeModelBackend(["x"]), FakeRetriever([PUMP, FRUIT]), recipe)
    assert [p.n for p in result.passages] == [1, 2]


def test_passage_longer_than_the_budget_is_cut_at_a_sentence() -> None:
    long = passage(" ".join(f"The warranty of the pump number {n} runs long." for n in range(400)))
    model = FakeModelBackend(["x"], context_tokens=512)
    _, result = ask(model, FakeRetriever([long]))
    (shown,) = result.passages
    assert model.count_tokens([shown.text])[0] <= 256
    assert shown.text.endswith("runs long.")
    assert (shown.text, shown.end) == (long.text[: len(shown.text)], long.start + len(shown.text))


def test_what_the_documents_do_not_hold_is_declined_before_a_word_is_generated() -> None:
    model = FakeModelBackend()
    made, result = ask(
        model, FakeRetriever([PUMP, FRUIT]), conversation=[Message("user", "Who painted the Mona Lisa for the pump?")]
    )
    assert result.declined
    assert model.requests == []
    assert "pump; fruit" in result.answer
    found = retrieved(made)
    assert [p.n for p in found.passages] == [1, 2]
    assert result.citations == ()


def test_empty_collection_is_declined() -> None:
    _, result = ask(FakeModelBackend(), FakeRetriever())
    assert result.declined
    assert result.passages == ()


def test_declining_can_be_switched_off() -> None:
    recipe = Recipe(retrieval=RetrievalPart(mode="own-words", collection="papers", decline=False))
    question = [Message("user", "Who painted the pump?")]
    _, result = ask(FakeModelBackend(["Leonardo."]), FakeRetriever([PUMP]), recipe, question)
    assert (result.declined, result.answer) == (False, "Leonardo.")


def test_greeting_is_answered_without_documents() -> None:
    retriever = FakeRetriever([PUMP])
    _, result = ask(FakeModelBackend(["Hello!"]), retriever, conversation=[Message("user", "Good morning!")])
    assert result.answer == "Hello!"
    assert retriever.queries == []


def test_follow_up_is_searched_with_what_it_is_about() -> None:
    conversation = [
        Message("user", QUESTION),
        Message("assistant", "36 months [1]."),
        Message("user", "And how must claims be made?"),
    ]
    retriever = FakeRetriever([PUMP, FRUIT])
    _, result = ask(FakeModelBackend(["In writing."]), retriever, conversation=conversation)
    assert retriever.queries == ["How must claims be made (warranty of the pump run)?"]
    assert "warranty" in result.query
    assert result.answer == "In writing [1]."


def test_a_follow_up_may_be_a_question_of_its_own() -> None:
    conversation = [Message("user", "Which fruit is yellow?"), Message("assistant", "The banana [1].")]
    own = Message("user", "How long does the warranty run?")
    _, result = ask(FakeModelBackend(["36 months."]), FakeRetriever([PUMP, FRUIT]), conversation=[*conversation, own])
    assert result.query == own.content  # its evidence is better than that with what was asked before
    assert result.notices == ()


def test_a_request_about_the_conversation_is_not_completed() -> None:
    conversation = [
        Message("user", QUESTION),
        Message("assistant", "36 months [1]."),
        Message("user", "and in German?"),
    ]
    retriever = FakeRetriever([PUMP, FRUIT])
    _, result = ask(FakeModelBackend(["36 Monate."]), retriever, conversation=conversation)
    assert retriever.queries == []
    assert result.road == "chat"


def test_notices_of_the_engine_are_passed_on_and_kept() -> None:
    class Forgetful(FakeModelBackend):
        def generate(self, *arguments: object, **named: object) -> Iterator[events.Event]:
            for _ in range(2):
                yield events.Log(text="The oldest turn was left out.", level="notice")
            yield from super().generate(*arguments, **named)  # type: ignore[arg-type]

    made, result = ask(Forgetful(["x"]), recipe=Recipe())
    assert result.notices == ("The oldest turn was left out.",)
    assert made.count(events.Log(text="The oldest turn was left out.", level="notice")) == 1


@pytest.mark.parametrize("retriever", [None, FakeRetriever([PUMP])])
def test_cancelled_answer_ends_with_what_there_is(retriever: FakeRetriever | None) -> None:
    context = RequestContext()
    model = FakeModelBackend(["Claims must be in writing. And then more of it."], cancelled=lambda: context.cancelled)
    request = AnswerRequest(recipe=GROUNDED, conversation=(Message("user", QUESTION),))
    made: list[events.Event] = []
    for event in answer(request, FakeServices(model, retriever), context):
        made.append(event)
        if isinstance(event, events.TextDelta):
            context.cancel()
    assert isinstance(made[-1], events.Cancelled)
    assert made[-1].result["answer"] == "".join(e.text for e in made if isinstance(e, events.TextDelta))
    assert made[-1].result["sequences"][0]["finish"] == "cancelled"
    assert made[-1].result["usage"]["new_tokens"] == 1
    assert "more" not in made[-1].result["answer"]


def test_cancel_before_the_first_word_generates_nothing() -> None:
    model, context = FakeModelBackend(), RequestContext()
    context.cancel()
    request = AnswerRequest(recipe=GROUNDED, conversation=(Message("user", QUESTION),))
    *_, last = answer(request, FakeServices(model, FakeRetriever([PUMP])), context)
    assert last == events.Cancelled()
    assert model.requests == []


def test_hits_of_a_search_keep_their_scores() -> None:
    class Scored(FakeRetriever):
        def search(self, query: str, limit: int) -> SearchResult:
            return SearchResult(hits=(msgspec.structs.replace(PUMP, score=0.7, similarity=0.6),))

    made, _ = ask(FakeModelBackend(["x"]), Scored())
    found = retrieved(made)
    shown: Passage = found.passages[0]
    assert (shown.score, shown.similarity) == (0.7, 0.6)


def sequence(text: str, score: float, **more: object) -> GeneratedSequence:
    return GeneratedSequence(text=text, score=score, tokens=tuple(range(len(text.split()))), **more)  # type: ignore[arg-type]


SEVERAL = Generated(
    text="Claims must be in writing.",
    sequences=(sequence("Claims must be in writing.", -0.2), sequence("It runs for 36 months [1] [7].", -0.4)),
)


def test_each_of_several_answers_is_streamed_edited_and_cited_on_its_own() -> None:
    recipe = msgspec.structs.replace(GROUNDED, decoding=DecodingPart(n=2))
    made, result = several(FakeModelBackend([SEVERAL]), recipe)
    assert [s.text for s in result.sequences] == ["Claims must be in writing [1].", "It runs for 36 months [1]."]
    assert [(s.score, s.tokens, s.claimed, s.matched) for s in result.sequences] == [
        (-0.2, 5, (), (1,)),
        (-0.4, 7, (1,), ()),
    ]
    assert (result.answer, [c.claimed for c in result.citations]) == ("Claims must be in writing [1].", [False])
    for number, one in enumerate(result.sequences):
        assert streamed(made, number) == one.text


def test_answers_that_were_ranked_keep_their_own_text() -> None:
    recipe = msgspec.structs.replace(GROUNDED, decoding=DecodingPart(n=2, ranked=True))
    made, result = several(FakeModelBackend([SEVERAL], streamed_as=(1, 0)), recipe)
    assert [s.claimed for s in result.sequences] == [(), (1,)]
    assert streamed(made, 1) == result.answer == "Claims must be in writing [1]."
    assert streamed(made, 0) == result.sequences[1].text


def test_the_text_of_beams_comes_at_the_end_after_their_steps() -> None:
    recipe = msgspec.structs.replace(GROUNDED, decoding=DecodingPart(strategy="beam", n=2))
    made, result = several(FakeModelBackend([SEVERAL]), recipe)
    shown = (events.BeamStep, events.TextDelta, events.Finished)
    assert [type(e) for e in made if isinstance(e, shown)] == [shown[0], shown[1], shown[1], shown[2]]
    assert [streamed(made, n) for n in (0, 1)] == [s.text for s in result.sequences]
    assert result.sequences[1].text == "It runs for 36 months [1]."


def test_an_answer_that_is_gone_on_with_keeps_the_passages_and_searches_nothing() -> None:
    shown = msgspec.structs.replace(PUMP, n=1)
    begun = Prefix(prompt=(1, 2, 3), answer=(4, 5), question=QUESTION, query="pump", passages=(shown,))
    model = FakeModelBackend(["It runs for 36 months."])
    services = FakeServices(model, FakeRetriever([FRUIT]))
    _, *made, last = answer(AnswerRequest(recipe=GROUNDED, prefix=begun), services, RequestContext())
    assert model.continued == [((1, 2, 3), (4, 5))]
    assert next(e for e in made if isinstance(e, events.Retrieved)).passages == (shown,)
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, AskResult)
    assert (result.answer, [c.n for c in result.citations]) == ("It runs for 36 months [1].", [1])
    request = AnswerRequest(recipe=Recipe(), prefix=Prefix(prompt=(1,), answer=(), question="Hm?"))
    *_, last = answer(request, FakeServices(FakeModelBackend(["Yes [1]."])), RequestContext())
    assert isinstance(last, events.Finished)
    assert (last.result["answer"], last.result["citations"]) == ("Yes [1].", ())


def several(model: FakeModelBackend, recipe: Recipe) -> tuple[list[events.Event], AskResult]:
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", QUESTION),))
    _, *made = answer(request, FakeServices(model, FakeRetriever([PUMP])), RequestContext())
    assert isinstance(made[-1], events.Finished)
    return made, msgspec.convert(made[-1].result, AskResult)


def streamed(made: Sequence[events.Event], number: int) -> str:
    return "".join(e.text for e in made if isinstance(e, events.TextDelta) and e.sequence == number)
