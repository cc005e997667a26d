"""Projects: what a folder's new chats begin with, stored with its folder and inherited by new chats only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.projects import PROJECT, ChatProject, inherited
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.storage.database import Database, open_home
from workbench.subjects.chats.folders import LONGEST_INSTRUCTIONS
from workbench.subjects.chats.store import Branch, ChatStore

USUAL = Recipe(model=ModelPart(name="SmolLM"), retrieval=RetrievalPart(collection="Papers"))
CAREFUL = Recipe(
    name="careful", decoding=DecodingPart(temperature=0.1), prompting=PromptingPart(instructions="Cite the clause.")
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_home(Home(tmp_path / "home"))
    yield database
    database.close()


@pytest.fixture
def chats(database: Database) -> ChatStore:
    return ChatStore(database)


def test_a_folder_keeps_what_its_chats_begin_with(chats: ChatStore) -> None:
    chats.folders.create("Tenants")
    assert chats.folders.get("tenants").project == ChatProject()
    project = ChatProject(recipe=CAREFUL, collections=("Leases", "Letters"), instructions="Be brief.")
    assert chats.folders.change("Tenants", project).project == project
    chats.folders.rename("Tenants", "People")
    assert chats.folders.get("People").project == project
    assert chats.folders.change("People", ChatProject()).project == ChatProject()


def test_a_new_chat_is_put_into_its_folder_and_stays_when_the_folder_goes(chats: ChatStore) -> None:
    chats.folders.create("Tenants")
    question, _ = chats.store_question("Q", USUAL, USUAL, after=Branch(), title="Q", folder="tenants")
    assert chats.get_record(question.chat).folder == "Tenants"
    chats.folders.change("Tenants", ChatProject(instructions="Be brief."))
    assert chats.get_record(question.chat).recipe == USUAL, "a chat that is there keeps its recipe"
    chats.folders.remove("Tenants")
    assert chats.get_record(question.chat).folder == ""


def test_what_cannot_be_stored_is_refused_and_stores_nothing(chats: ChatStore) -> None:
    with pytest.raises(UserError, match="no project 'Nowhere'"):
        chats.store_question("Q", USUAL, USUAL, after=Branch(), title="Q", folder="Nowhere")
    assert chats.list_chats() == ()
    chats.folders.create("Tenants")
    with pytest.raises(UserError, match="at most"):
        chats.folders.change("Tenants", ChatProject(instructions="x" * (LONGEST_INSTRUCTIONS + 1)))


def test_a_project_of_a_newer_program_is_told_and_stays(chats: ChatStore, database: Database) -> None:
    chats.folders.create("Tenants")
    newer = '{"format": 99, "instructions": "x"}'
    database.execute("update chat_folders set project = ?", (newer,))
    assert "newer" in chats.folders.get("Tenants").unreadable
    assert database.row("select project from chat_folders") == (newer,)


def test_the_recipe_in_a_project_has_its_own_format() -> None:
    stored = PROJECT.plain(ChatProject(recipe=CAREFUL))
    assert stored["format"] == 1
    assert stored["recipe"]["schema"] > 1


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        (ChatProject(), USUAL),
        (ChatProject(recipe=CAREFUL), ("SmolLM", "", 0.1, "Cite the clause.")),
        (ChatProject(collections=("A", "B")), ("SmolLM", "A", None, "")),
        (ChatProject(instructions=" Be brief. "), ("SmolLM", "Papers", None, "Be brief.")),
        (
            ChatProject(recipe=CAREFUL, instructions="Be brief.", collections=("A",)),
            ("SmolLM", "A", 0.1, "Cite the clause.\n\nBe brief."),
        ),
    ],
)
def test_a_new_chat_inherits(project: ChatProject, expected: Recipe | tuple[str, str, float | None, str]) -> None:
    made = inherited(project, USUAL)
    if isinstance(expected, Recipe):
        assert made == expected
        return
    model, collection, temperature, instructions = expected
    assert made.model.name == model
    assert (made.retrieval.collection if made.retrieval is not None else "") == collection
    assert temperature is None or made.decoding.temperature == temperature
    assert made.prompting.instructions == instructions
    if project.collections and made.retrieval is not None:
        assert made.retrieval.more == project.collections[1:]
