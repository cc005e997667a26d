"""The protocol of an agent never stands in its answer, however the text is cut into pieces."""

from __future__ import annotations

import pytest

from workbench.techniques.agents.protocol import ProtocolFilter

TOOLS = ("read_file", "calculator")


def filtered(text: str, size: int) -> tuple[str, bool]:
    edited = ProtocolFilter(TOOLS)
    pieces = [edited.feed(text[place : place + size]) for place in range(0, len(text), size)]
    return "".join([*pieces, edited.end()]), edited.removed


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Action Input: file name of the report\nIt is 12.", "It is 12."),
        (" Final Answer: 12", "12"),
        ("**Final Answer:** It is 12.\n", "It is 12.\n"),
        ("Answer: It is 12.", "It is 12."),
        ("Thought: I know it.\nAction: final_answer\nAnswer: It is 12.", "It is 12."),
        ("It is 12.\nObservation: 12", "It is 12.\n"),
        ("It is 12. Action Input: 3 + 4", "It is 12.\n"),
        ("It is 12.\n(as often as needed)\nThat is all.", "It is 12.\nThat is all."),
        ("So we add them. Final Answer: 12", "So we add them.\n12"),
        ('{"name": "final_answer", "arguments": {"answer": "It is 12."}}', "It is 12."),
        ('{"name": "calculator", "arguments": {"expression": "3 + 4"}}', ""),
        ('{"name": "web", "arguments": {"query": "3 + 4"}}', ""),
        ('```json\n{"tool": "calculator", "expr', ""),
        ('<tool_call>\n{"name": "read_file"}\n</tool_call>\nIt is 12.', "It is 12."),
        ("Action: read_file\nAction Input: ", ""),
    ],
)
def test_protocol_is_taken_out(text: str, shown: str, size: int) -> None:
    assert filtered(text, size) == (shown, True)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "text",
    [
        "It is 12. The Action is over, and the Final game too.\n\nThe end. ",
        "Recommended:\nAction: replace the seal.\nReason: it leaks.",
        "Question: who?\nAnswer: nobody.",
        "{x} stands for a set, {1, 2, 3} is one with three members.",
        "`code` and <b>text</b> stay as they are, also at the beginning.",
        "(as often as needed, or once a week)\nClean it.",
        "a\n\n  b\n",
        '{"name": "Ann", "age": 3}',
        '```json\n{"name": "Ann", "age": 3}\n```\nThat is she.',
        '{"action": "replace the seal", "by": "Friday',
        "Report\n\n## Observation: The liquid turned blue.\n## Conclusion: It is an acid.",
        "- Observation: it fell.\n1. Observation: it rose.",
        "The meaning of Observation: a thing that was seen.",
        "12",
        "",
    ],
)
def test_other_text_stays_as_it_is(text: str, size: int) -> None:
    assert filtered(text, size) == (text, False)


def test_labels_that_the_question_speaks_of_are_the_answers_own() -> None:
    text = "Observation: The liquid turned blue.\nThought: It is an acid. Observation: It smells.\nAction Input: 3\n"
    edited = ProtocolFilter(TOOLS, "Write a report with an observation, and one thought on it.")
    assert edited.feed(text) + edited.end() == text.removesuffix("Action Input: 3\n")


def test_text_without_a_label_streams_at_once() -> None:
    edited = ProtocolFilter(TOOLS)
    assert edited.feed("The pump") == "The pump"
    assert edited.feed(" weighs 12 kg.") == " weighs 12 kg."
