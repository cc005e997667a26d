"""What of a branch of a chat a model is shown."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.records.answers import DocumentTask, StoredMessage
from workbench.records.messages import Citation, Passage, ToolCallPart
from workbench.records.recipes import AgentPart, Recipe, RetrievalPart
from workbench.subjects.chats.requests import conversation_of, untrusted_in


@pytest.mark.parametrize(
    ("branch", "shown"),
    [
        ("", ""),
        ("u:Hi", "u:Hi"),
        ("u:Hi a:Hello u:Why", "u:Hi a:Hello u:Why"),
        ("u:Lost a: u:Why", "u:Why"),
        ("u:Lost u:Too a: u:Why", "u:Why"),
        ("a:Welcome u:Hi", "a:Welcome u:Hi"),
        ("u:One u:Two a:Both u:Why", "u:One u:Two a:Both u:Why"),
        ("u:One a:First a:Second u:Why", "u:One a:First a:Second u:Why"),
        ("a: u:Why", "u:Why"),
        ("u:Sum c:add t:3 a:Three u:Why", "u:Sum a: t:3 a:Three u:Why"),
        ("u:Hi a:Ho u:Sum c:add t:3 a: u:Why", "u:Hi a:Ho u:Why"),
    ],
)
def test_answers_without_text_are_left_out_with_their_questions(branch: str, shown: str) -> None:
    def message(text: str) -> StoredMessage:
        kind, _, said = text.partition(":")
        role = {"u": "user", "t": "tool"}.get(kind, "assistant")
        if kind == "c":
            return StoredMessage(id=text, chat="c", parent=None, role=role, text="", parts=(ToolCallPart(said),))
        return StoredMessage(id=text, chat="c", parent=None, role=role, text=said or " ")

    turns = conversation_of([message(text) for text in branch.split()])
    assert " ".join(f"{turn.role[0]}:{turn.content}" for turn in turns) == shown


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("“It lasts 36 months.” [1]", "It lasts 36 months."),
        (
            "“It lasts 36 months.” [1]\n“From delivery.” [2] Ask us [1, 9].",
            "It lasts 36 months.\nFrom delivery. Ask us [1, 9].",
        ),
        ("It lasts 36 months [1]. Then it ends.[2]", "It lasts 36 months. Then it ends."),
        ("保修期为36个月。[1]", "保修期为36个月。"),
        ("Take `rows[1]`, and [3] of them [1].", "Take `rows[1]`, and [3] of them."),
    ],
)
def test_citations_are_not_shown_to_a_model_again(answer: str, shown: str) -> None:
    cited = tuple(
        Citation(n=n, collection="", document="d", document_hash="", path="p", title="t", start=0, end=1, text="x")
        for n in (1, 2)
    )
    stored = StoredMessage(id="a", chat="c", parent=None, role="assistant", text=answer, citations=cited)
    (turn,) = conversation_of([stored])
    assert turn.content == shown


AGENT, GROUNDED = Recipe(agent=AgentPart()), Recipe(retrieval=RetrievalPart(collection="c"))
FOUND = Passage(collection="c", document="d", document_hash="h", path="/a", title="A", start=0, end=1, text="x")


@pytest.mark.parametrize(
    ("fields", "tainted"),
    [
        ({"recipe": Recipe()}, False),
        ({"recipe": AGENT}, False),
        ({"recipe": AGENT, "tainted": True}, True),
        ({"recipe": AGENT, "state": "interrupted"}, True),  # what it had read is not known
        ({"recipe": GROUNDED}, False),  # a greeting, for which nothing was searched
        ({"recipe": GROUNDED, "passages": (FOUND,)}, True),
        ({"recipe": GROUNDED, "state": "failed"}, True),
        ({"role": "tool"}, True),
        ({"unreadable": "too new"}, True),
        ({"recipe": Recipe(), "parent": "task"}, True),
    ],
)
def test_texts_made_from_those_of_strangers_are_known_in_a_conversation(fields: dict[str, Any], tainted: bool) -> None:
    task = StoredMessage(
        id="task", chat="c", parent=None, role="user", text="Sum it up.", document=DocumentTask(document="d", task="t")
    )
    fields = {"role": "assistant", "parent": None, **fields}
    message = StoredMessage(id="1", chat="c", text="Said.", **fields)
    assert untrusted_in([task, message]) == (("Said.",) if tainted else ())
