"""Ratings, edits and rated siblings of chats as judgements."""

from __future__ import annotations

import msgspec

from workbench.records.answers import DocumentTask, StoredMessage
from workbench.records.messages import Message, Passage
from workbench.records.recipes import ModelPart, PromptingPart, Recipe
from workbench.subjects.judgements.from_chats import is_of_chat, judgements_of_chats, message_of
from workbench.subjects.judgements.prompts import drawn, questions_of_chats

RECIPE = Recipe(model=ModelPart(name="smol"), prompting=PromptingPart(instructions="Be short."))


def asked(id: str, text: str, parent: str | None = None, **fields: object) -> StoredMessage:
    return StoredMessage(id=id, chat="c1", parent=parent, role="user", text=text, **fields)  # type: ignore[arg-type]


def said(id: str, text: str, parent: str, **fields: object) -> StoredMessage:
    values = {"recipe": RECIPE, "created": 5.0, **fields}
    return StoredMessage(id=id, chat="c1", parent=parent, role="assistant", text=text, **values)  # type: ignore[arg-type]


def test_a_rating_is_a_judgement_of_one_answer_in_its_conversation() -> None:
    [found] = judgements_of_chats(
        [
            asked("q1", "High?"), said("a1", "Forty metres.", "q1"),
            asked("q2", "And long?", "a1"), said("a2", "Ninety.", "q2", rating=-1),
        ]
    )  # fmt: skip
    assert found.prompt == (
        Message("system", "Be short."), Message("user", "High?"), Message("assistant", "Forty metres."),
        Message("user", "And long?"),
    )  # fmt: skip
    assert (found.a.text, found.b, found.verdict, found.source) == ("Ninety.", None, "poor", "chat")
    assert (found.a.name, found.a.message, found.chat, found.changed) == ("smol", "a2", "c1", 5.0)
    assert is_of_chat(found.id)
    assert message_of(found.id) == "a2"


def test_an_edit_is_preferred_to_what_the_model_said() -> None:
    messages = [asked("q1", "High?"), said("a1", "Forty metres.", "q1", original="Very.", rating=-1)]
    edit, rating = judgements_of_chats(messages)
    [(better, worse)] = edit.pairs()
    assert (better.text, worse.text) == ("Forty metres.", "Very.")
    assert (rating.a.text, rating.verdict) == ("Very.", "poor")  # the rating was of the model's text
    again = msgspec.structs.replace(messages[1], text="Fifty metres.")
    assert next(iter(judgements_of_chats([messages[0], again]))).id != edit.id
    liked = msgspec.structs.replace(messages[1], rating=1)
    assert [one.id.partition(":")[0] for one in judgements_of_chats([messages[0], liked])] == ["edit"]


def test_siblings_of_which_one_is_good_and_another_bad_are_a_pair() -> None:
    found = list(
        judgements_of_chats(
            [
                asked("q1", "High?"),
                said("a1", "No idea.", "q1", rating=-1),
                said("a2", "Forty.", "q1", rating=1),
                said("a3", "Fifty.", "q1"),
            ]
        )
    )
    [pair] = [one for one in found if one.is_pair]
    assert pair.preferred is not None
    assert pair.other is not None
    assert (pair.preferred.text, pair.other.text) == ("Forty.", "No idea.")
    assert len(found) == 3


def test_what_is_no_answer_is_no_judgement() -> None:
    passage = Passage(
        collection="c", document="d", document_hash="h", path="/p", title="p", start=0, end=1, text="x", n=1
    )
    task = DocumentTask(document="d", task="summary")
    found = judgements_of_chats(
        [
            asked("q1", "High?"),
            said("a1", "Half an ans", "q1", rating=1, state="stopped"),
            said("a2", "Not in your documents.", "q1", rating=1, declined=True),
            said("a3", " ", "q1", rating=-1),
            said("a4", "A summary.", "q1", rating=1, document=task),
            said("a5", "Forty metres [1].", "q1", rating=1, passages=(passage,)),
        ]
    )
    assert [one.a.text for one in found] == ["Forty metres."]  # without the number of a passage that is not shown


def test_questions_of_chats_are_prompts_with_the_turns_above_them() -> None:
    messages = [
        asked("q1", "High?"), said("a1", "Forty.", "q1"), said("a0", "Half", "q1", state="failed"),
        asked("q2", "And long?", "a1"), asked("q3", "Then?", "a0"), asked("q4", "high?"), asked("q5", "High?"),
    ]  # fmt: skip
    found = drawn(questions_of_chats(messages), 0, 0)
    assert [[one.content for one in prompt] for prompt in found] == [
        ["High?"], ["High?", "Forty.", "And long?"], ["high?"],
    ]  # fmt: skip


def test_prompts_are_drawn_whatever_their_order() -> None:
    prompts = [(Message("user", f"{n}?"),) for n in range(50)]
    some = drawn(prompts, 10, seed=1)
    assert len(some) == 10
    assert set(drawn(prompts[::-1], 10, seed=1)) == set(some)
    assert set(drawn(prompts, 10, seed=2)) != set(some)
