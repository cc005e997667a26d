"""Preferences from the formats of TRL, HH-RLHF and UltraFeedback; what is no pair is refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.training.data.columns import ColumnMapping
from workbench.training.data.examples import Example, Source
from workbench.training.data.formats import recognise, to_example
from workbench.training.data.preferences import read_dialogue
from workbench.training.data.preparation import split_examples
from workbench.training.data.rows import Row


def row(values: dict[str, Any]) -> Row:
    return Row(values, Source(path="set.jsonl", line=1, row=1))


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


ASKED = "\n\nHuman: A?\n\nAssistant: x"
HELLO = (Message("user", "Hello?"), Message("assistant", "Good."))


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": "Hello?", "chosen": "Good.", "rejected": "Bad."},
        {"prompt": [user("Hello?")], "chosen": [assistant("Good.")], "rejected": [assistant("Bad.")]},
        {"chosen": [user("Hello?"), assistant("Good.")], "rejected": [user("Hello?"), assistant("Bad.")]},
        {"chosen": "\n\nHuman: Hello?\n\nAssistant: Good.", "rejected": "\n\nHuman: Hello?\n\nAssistant: Bad."},
        {"prompt": "\n\nHuman: Hello?\n\nAssistant:", "chosen": " Good.", "rejected": " Bad."},
        {
            "prompt": "Hello?",
            "chosen": [user("Hello?"), assistant("Good.")],
            "rejected": [user("Hello?"), assistant("Bad.")],
            "score_chosen": 8.0,
            "score_rejected": 3.0,
        },
        {
            "conversations": [{"from": "human", "value": "x"}],
            "prompt": [{"from": "human", "value": "Hello?"}],
            "chosen": {"from": "gpt", "value": "Good."},
            "rejected": {"from": "gpt", "value": "Bad."},
        },
    ],
)
def test_pairs_are_read_from_each_format(values: dict[str, Any]) -> None:
    shape = recognise([row(values)])
    assert shape.name == "preference_pairs"
    assert shape.mapping is not None
    example = to_example(row(values), shape.mapping)
    assert [(m.role, m.content.strip()) for m in example.messages] == [(m.role, m.content) for m in HELLO]
    assert example.rejected is not None
    assert example.rejected.content.strip() == "Bad."


def test_judged_answers_are_read() -> None:
    rows = [row({"prompt": "Hello?", "completion": "Good.", "label": good}) for good in (True, False)]
    shape = recognise(rows)
    assert (shape.name, shape.mapping) == (
        "judged_answers", ColumnMapping(prompt=("prompt",), completion="completion", label="label"),
    )  # fmt: skip
    assert shape.mapping is not None
    assert [to_example(one, shape.mapping).desirable for one in rows] == [True, False]
    words = [row({"prompt": "Hello?", "completion": "Good.", "label": word}) for word in ("news", "sport")]
    assert recognise(words).name == "prompt_completion"


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        ("Good.", "Good. ", "the same"),
        ("Good.", "", "is empty"),
        ("\n\nHuman: A?\n\nAssistant: x", "\n\nHuman: B?\n\nAssistant: y", "different prompts"),
        (f"{ASKED}\n\nHuman: Bye", f"{ASKED}\n\nHuman: So", "not an assistant's"),
        ("Good.", "Bad.", "no question"),
        (None, "Bad.", "'chosen' is empty"),
    ],
)  # fmt: skip
def test_what_is_no_pair_is_refused(chosen: Any, rejected: Any, reason: str) -> None:
    mapping = ColumnMapping(chosen="chosen", rejected="rejected")
    with pytest.raises(UserError, match=reason):
        to_example(row({"chosen": chosen, "rejected": rejected}), mapping)


def test_a_dialogue_is_cut_at_the_names_of_its_speakers_only() -> None:
    read = read_dialogue("\n\nHuman: Who said\nHuman: hi?\n\nAssistant: You.\n\nAssistant: Twice.\n\nHuman: Ok")
    assert read == [
        Message("user", "Who said\nHuman: hi?"),
        Message("assistant", "You.\n\nTwice."),
        Message("user", "Ok"),
    ]
    assert read_dialogue("Human: no blank line before") is None


def test_the_answers_to_one_prompt_are_on_one_side() -> None:
    examples = [
        Example(messages=(Message("user", f"Question {n // 3}"), Message("assistant", f"{n}")), rejected=HELLO[1])
        for n in range(300)
    ]
    train, evaluation = split_examples(examples, 0.3)
    asked = [{one.messages[0].content for one in side} for side in (train, evaluation)]
    assert not asked[0] & asked[1]
    assert evaluation
