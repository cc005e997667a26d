"""What of a branch of a chat a model is shown."""

from __future__ import annotations

import pytest

from workbench.api.calls import StoredMessage
from workbench.core.answers.service import turns_of


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
    ],
)
def test_answers_without_text_are_left_out_with_their_questions(branch: str, shown: str) -> None:
    def message(text: str) -> StoredMessage:
        role, _, said = text.partition(":")
        return StoredMessage(
            id=text, chat="c", parent=None, role="user" if role == "u" else "assistant", text=said or " "
        )

    turns = turns_of([message(text) for text in branch.split()])
    assert " ".join(f"{turn.role[0]}:{turn.content}" for turn in turns) == shown
