"""What a person does with the answers of a chat in the terminal: rate, correct, pin, watch, stop, judge."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.cli.conftest import FakeFront, Ran
from workbench.api.protocol import finish
from workbench.records.answers import AskResult, StoredMessage
from workbench.records.judgements import Judgement
from workbench.records.messages import Candidate
from workbench.records.recipes import ModelPart, PromptingPart, Recipe
from workbench.subjects.chats.calls import (
    Chat,
    ChatList,
    ChatRecord,
    EditAnswer,
    FollowAnswer,
    GetChat,
    ListChats,
    PinChat,
    RateAnswer,
    StopAnswer,
)
from workbench.subjects.judgements.calls import AddJudgements, ChangeJudgement

Run = Callable[..., Ran]
CHAT = ChatRecord(id="c", title="Tower", created=1.0, updated=1.0, head="m2")
PLAIN = Recipe(model=ModelPart(name="Smol"), prompting=PromptingPart(instructions="Be brief."))
OTHER = Recipe(model=ModelPart(name="Large"), prompting=PromptingPart(instructions="Be brief."))


def message(id: str, parent: str | None, text: str, **more: Any) -> StoredMessage:
    return StoredMessage(
        id=id, chat="c", parent=parent, role="user" if id.startswith("q") else "assistant", text=text, **more
    )


MESSAGES = (
    message("q1", None, "Hello?"),
    message("m1", "q1", "Hello."),
    message("q2", "m1", "When?"),
    message("m2", "q2", "In 1911.", recipe=PLAIN, rating=1, original="In 1811."),
    message("m3", "q2", "I do not know.", recipe=OTHER, state="stopped"),
    message("m4", "q1", "Hi.", state="streaming"),
)


@pytest.fixture
def asked(front: FakeFront) -> FakeFront:
    front.answer(GetChat, Chat(chat=CHAT, messages=MESSAGES))
    front.scripts[AddJudgements] = lambda call, _: iter((finish(call.judgements),))
    return front


def test_a_chat_is_pinned_and_unpinned_and_its_list_says_so(run: Run, front: FakeFront) -> None:
    front.answer(PinChat, CHAT)
    front.answer(ListChats, ChatList(chats=(CHAT, ChatRecord(id="d", title="Pump", created=1, updated=1, pinned=True))))
    assert run("chats", "pin", "c").out == "c  Tower\n"
    run("chats", "unpin", "c")
    assert front.asked(PinChat) == [PinChat(chat="c"), PinChat(chat="c", pinned=False)]
    assert "Pump (pinned)" in run("chats", "list").out


def test_an_answer_is_rated(run: Run, front: FakeFront) -> None:
    for word, rating, said in (("good", 1, "Rated as good."), ("bad", -1, "Rated as bad."), ("none", 0, "Not rated.")):
        front.answer(RateAnswer, message("m1", "q1", "Hello.", rating=rating))
        assert run("chats", "rate", "m1", word).out == f"{said}\n"
        assert front.asked(RateAnswer)[-1].rating == rating
    assert run("chats", "rate", "m1", "excellent").status == 2


def test_an_answer_is_corrected_and_the_correction_taken_back(
    run: Run, front: FakeFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    front.answer(EditAnswer, message("m1", "q1", "In 1912.", original="In 1911."))
    assert run("chats", "edit", "m1", "In 1912.").out == "In 1912.\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("In\n1912.\n"))
    run("chats", "edit", "m1", "-")
    front.answer(EditAnswer, message("m1", "q1", "In 1911."))
    assert run("chats", "edit", "m1", "--undo").out == "In 1911.\n(the text of the model)\n"
    assert [call.text for call in front.asked(EditAnswer)] == ["In 1912.", "In\n1912.", ""]
    for wrong in ((), ("",), ("In 1912.", "--undo")):
        assert run("chats", "edit", "m1", *wrong).status == 2
    assert len(front.asked(EditAnswer)) == 3


def test_the_messages_of_a_chat_say_what_was_done_with_them(run: Run, asked: FakeFront) -> None:
    shown = run("chats", "show", "c").out
    assert "In 1911.\n(corrected by you)\n(rated as good)" in shown
    assert "I do not know." not in shown
    every = run("chats", "show", "c", "--all").out
    assert "message m3, of another branch\nI do not know.\n(stopped)" in every
    assert "message m2\n" in every
    assert "(being generated; `workbench chats follow m4` watches it)" in every


def test_an_answer_is_watched_and_stopped(run: Run, front: FakeFront) -> None:
    sequence = Candidate(text="In 1911.", finish="length", tokens=3)
    result = AskResult(answer="In 1911.", chat="c", message="m2", recipe=Recipe(), sequences=(sequence,))
    front.answer(FollowAnswer, result)
    front.answer(StopAnswer, None)
    assert run("chats", "follow", "m2").out.startswith("In 1911.")
    assert run("chats", "follow", "m2", "--json").result["answer"] == "In 1911."
    assert run("chats", "stop", "m2").out == "The answer is no longer being generated.\n"
    assert front.asked(StopAnswer) == [StopAnswer(message="m2")]


def test_two_answers_to_one_question_are_judged(run: Run, asked: FakeFront) -> None:
    out = run("preferences", "add", "c", "m3", "m2", "b", "--comment", "It knows.", "--edited", "In 1912.").out
    assert "verdict      second better" in out
    [[made]] = [call.judgements for call in asked.asked(AddJudgements)]
    assert [one.content for one in made.prompt] == ["Be brief.", "Hello?", "Hello.", "When?"]
    assert [(one.name, one.text, one.original, one.message) for one in made.answers] == [
        ("Large", "I do not know.", None, "m3"),
        ("Smol", "In 1912.", "In 1811.", "m2"),
    ]
    assert (made.chat, made.comment, made.source, made.shown, made.judge) == ("c", "It knows.", "compare", "", "person")
    for pair in (("m1", "m2"), ("m2", "m2"), ("m2", "q2"), ("m2", "x")):
        assert run("preferences", "add", "c", *pair, "a").status == 1
    assert len(asked.asked(AddJudgements)) == 1


def test_a_judgement_is_corrected(run: Run, front: FakeFront) -> None:
    front.answer(ChangeJudgement, Judgement(id="j", verdict="good", comment="Right."))
    assert "comment      Right." in run("preferences", "change", "j", "--comment", "Right.").out
    run("preferences", "change", "j", "--verdict", "b", "--edits", "b", "--edited", "In 1911.")
    assert front.asked(ChangeJudgement) == [
        ChangeJudgement(judgement="j", comment="Right."),
        ChangeJudgement(judgement="j", verdict="b", edits="b", edited="In 1911."),
    ]
    assert run("preferences", "change", "j").status == 2
