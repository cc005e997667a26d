"""Examples from chats and documents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import document_text, passage
from tests.unit.engine.test_prompt import CHATML, InProcess
from tests.unit.training.data.test_tokenization import TrainingTokenizer
from workbench.records.answers import DocumentTask, StoredMessage
from workbench.records.messages import Message
from workbench.records.recipes import PromptingPart, Recipe
from workbench.training.data.chats import examples_from_chats
from workbench.training.data.documents import SHORTEST_TAIL, examples_from_documents, pack
from workbench.training.data.tokenization import ExampleWriter

KIND = Recipe(prompting=PromptingPart(instructions="Be kind."))


def stored(id_: str, parent: str | None, text: str, **fields: Any) -> StoredMessage:
    role = "user" if id_.startswith("q") else "assistant"
    return StoredMessage(**{"id": id_, "chat": "c", "parent": parent, "role": role, "text": text, **fields})


CHAT = [
    stored("q1", None, "Hello?"),
    stored("a1", "q1", "Hi.", recipe=KIND),
    stored("a1b", "q1", "Go away.", recipe=KIND),
    stored("q2", "a1", "And?"),
    stored("a2", "q2", "So.", recipe=KIND),
]


def shown(examples: Any) -> list[tuple[str, str, list[str]]]:
    return [(e.source.message, e.source.note, [f"{m.role}: {m.content}" for m in e.messages]) for e in examples]


def test_a_rated_answer_stands_in_its_own_branch() -> None:
    assert shown(examples_from_chats(CHAT, ratings={"a2": 1, "a1b": -1})) == [
        ("a2", "rated", ["system: Be kind.", "user: Hello?", "assistant: Hi.", "user: And?", "assistant: So."])
    ]
    assert shown(examples_from_chats(CHAT)) == []


def test_an_edited_answer_says_what_the_person_wrote_here_and_further_down() -> None:
    found = shown(examples_from_chats(CHAT, ratings={"a2": 1, "a1": -1}, edits={"a1": "Good day."}))
    assert found == [
        ("a1", "edited", ["system: Be kind.", "user: Hello?", "assistant: Good day."]),
        ("a2", "rated", ["system: Be kind.", "user: Hello?", "assistant: Good day.", "user: And?", "assistant: So."]),
    ]


def test_a_chosen_one_of_several_counts_unless_told_otherwise() -> None:
    chat = [CHAT[0], stored("a1", "q1", "Hi.", selected_sequence=2), stored("a9", "q1", "Hi!", selected_sequence=0)]
    assert [m for m, _, _ in shown(examples_from_chats(chat))] == ["a1"]
    assert shown(examples_from_chats(chat, with_chosen=False)) == []
    assert shown(examples_from_chats(chat, ratings={"a1": -1})) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "failed"}, {"state": "stopped"}, {"declined": True}, {"finish": "loop"}, {"text": " "},
        {"parent": "gone"},
        {"document": DocumentTask(task="summarise", document="d")},
    ],
)  # fmt: skip
def test_unfit_answers_are_left_out(fields: dict[str, Any]) -> None:
    answer = stored("a1", "q1", "Hi.") if "text" not in fields else stored("a1", "q1", "")
    values = {name: getattr(answer, name) for name in answer.__struct_fields__} | fields
    assert shown(examples_from_chats([CHAT[0], StoredMessage(**values)], ratings={"a1": 1})) == []


def test_an_answer_from_documents_loses_its_numbers() -> None:
    answer = stored("a1", "q1", "It is 4 [1][2]. See [3](x) and a[0].", passages=(passage("4", n=1), passage("2", n=2)))
    example = next(examples_from_chats([CHAT[0], answer], ratings={"a1": 1}))
    assert example.messages[-1] == Message("assistant", "It is 4. See [3](x) and a[0].")
    plain = next(examples_from_chats([CHAT[0], stored("a1", "q1", "a[0] [1]")], ratings={"a1": 1}))
    assert plain.messages[-1].content == "a[0] [1]"


def test_documents_are_packed_without_padding_and_without_loss() -> None:
    texts = ["First. " * 9, " ", "Second one. " * 20, "Third."]
    documents = [document_text(text, f"{n}.txt") for n, text in enumerate(texts)]
    examples = list(examples_from_documents(documents))
    assert [e.source.document for e in examples] == ["0.txt", "2.txt", "3.txt"]
    writer = ExampleWriter(CHATML, TrainingTokenizer(adds_bos=True), InProcess())
    written = [writer.write(e) for e in examples]
    windows = list(pack(written, 50))
    assert [len(w.tokens) for w in windows[:-1]] == [50] * (len(windows) - 1)
    assert SHORTEST_TAIL <= len(windows[-1].tokens) <= 50
    assert [t for w in windows for t in w.tokens] == [t for one in written for t in one.tokens]
    assert [t for w in windows for t in w.trained] == [t for one in written for t in one.trained]
    for window in windows:
        begins = [place for place, token in enumerate(window.tokens) if token == TrainingTokenizer.bos]
        assert list(window.starts) == sorted({0, *begins})
        assert len(window.sources) == len(window.starts)


def test_a_tail_that_is_too_short_is_dropped() -> None:
    writer = ExampleWriter(CHATML, TrainingTokenizer(), InProcess())
    written = writer.write(next(examples_from_documents([document_text("a" * 52)])))
    assert [len(w.tokens) for w in pack([written], 50)] == [50]
