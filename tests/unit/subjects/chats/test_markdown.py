from __future__ import annotations

from workbench.records.answers import StoredMessage
from workbench.records.messages import Citation
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.chats.calls import ChatRecord
from workbench.subjects.chats.service import export

CHAT = ChatRecord(id="c", title="The bridge", created=0, updated=0)
CITATION = Citation(
    n=1,
    collection="k",
    document="d",
    document_hash="h",
    path="/papers/bridge.pdf",
    title="Bridges",
    start=0,
    end=9,
    text="It is red.\n\nVery red.",
    page=3,
)


def message(role: str, text: str, **fields: object) -> StoredMessage:
    return StoredMessage(id=text, chat="c", parent=None, role=role, text=text, **fields)  # type: ignore[arg-type]


def test_an_exported_chat_holds_questions_answers_and_sources() -> None:
    recipe = Recipe(model=ModelPart(name="SmolLM"))
    exported = export(
        CHAT,
        [
            message("user", "What colour?"),
            message("assistant", "Red [1].", citations=(CITATION,), recipe=recipe, notices=("A turn was dropped.",)),
        ],
    )
    assert exported.startswith("# The bridge\n\n")
    for part in (
        "## Question\n\nWhat colour?",
        "## Answer\n\nRed [1].",
        "*A turn was dropped.*",
        "### Sources\n\n**[1]** Bridges, page 3 (`/papers/bridge.pdf`)\n\n> It is red.\n>\n> Very red.",
        "*Answered by SmolLM.*",
    ):
        assert part in exported


def test_what_became_of_an_unfinished_answer_is_said() -> None:
    exported = export(
        CHAT,
        [
            message("assistant", "Half", state="stopped"),
            message("assistant", "", state="failed", error="The worker stopped."),
            message("assistant", "Ha", state="interrupted"),
        ],
    )
    assert "This answer was stopped." in exported
    assert "*This answer failed: The worker stopped.*" in exported
    assert "before this answer was finished" in exported
