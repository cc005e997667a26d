"""The prompt library of a core: saved, restored, shared as a file, and named by the answers that it made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.training_core import call
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.records.prompts import PromptRecord, source_of, with_version
from workbench.records.recipes import PromptingPart, Recipe
from workbench.subjects.chats.calls import Ask, GetChat
from workbench.subjects.evaluation.grid import digest_of
from workbench.subjects.prompts.calls import (
    ExportPrompt,
    GetPrompt,
    ImportPrompt,
    ListPrompts,
    PromptDetails,
    RestorePrompt,
    SavedPrompt,
    SavePrompt,
)

REFINE = PromptingPart(technique="self-refine", options={})


@pytest.fixture
def letter(trainer: Workbench) -> PromptRecord:
    for words in ("Write letters.", "Write kind letters."):
        save(trainer, "Letter", PromptingPart(instructions=words), note=words[:5], tags=("office",))
    return save(trainer, "Letter", PromptingPart(instructions="Be kind.", technique="self-refine")).prompt


def save(workbench: Workbench, name: str, part: PromptingPart, **fields: Any) -> SavedPrompt:
    saved = call(workbench, SavePrompt(name=name, part=part, **fields))
    assert isinstance(saved, SavedPrompt)
    return saved


def details(workbench: Workbench, name: str) -> PromptDetails:
    found = call(workbench, GetPrompt(prompt=name))
    assert isinstance(found, PromptDetails)
    return found


def test_an_answer_names_the_version_that_made_it(trainer: Workbench, letter: PromptRecord) -> None:
    first = details(trainer, "Letter").versions[-1]
    part = with_version(PromptingPart(), first.content, source_of(letter, first))
    result = call(trainer, Ask(question="To whom?", recipe=Recipe(prompting=part)))
    answer = call(trainer, GetChat(chat=result.chat)).messages[-1]
    assert [(one.name, one.version, one.hash) for one in answer.recipe.prompting.sources] == [
        ("Letter", 1, first.hash)
    ]  # fmt: skip
    named, plain = (Recipe(prompting=one) for one in (part, first.content))
    assert digest_of(named, "", "") == digest_of(plain, "", "")  # an evaluation generates nothing again
    edited = msgspec.structs.replace(part, output="One page.")
    result = call(trainer, Ask(question="To whom?", recipe=Recipe(prompting=edited), chat=result.chat))
    chat = call(trainer, GetChat(chat=result.chat))
    assert chat.messages[-1].recipe.prompting.sources == ()
    assert chat.chat.recipe.prompting.sources == part.sources  # so that a new version can be saved


def test_a_preset_is_saved_whole_and_made_answers_name_it_again(trainer: Workbench) -> None:
    preset = save(trainer, "Refined", REFINE, kind="reasoning").prompt
    assert preset.head.content.options["rounds"] > 0
    part = with_version(PromptingPart(), preset.head.content, source_of(preset, preset.head))
    for _ in range(2):  # the second time as it was made
        result = call(trainer, Ask(question="Who?", recipe=Recipe(prompting=part)))
        part = result.recipe.prompting
        assert [one.name for one in part.sources] == ["Refined"]
    with pytest.raises(UserError, match="no prompting technique"):
        save(trainer, "Other", PromptingPart(technique="guessing"), kind="reasoning")


def test_restoring_adds_a_version(trainer: Workbench, letter: PromptRecord) -> None:
    restored = call(trainer, RestorePrompt(prompt="letter", version="1"))
    assert (restored.added, restored.prompt.head.number, restored.prompt.head.note) == (True, 4, "Version 1 restored.")
    assert restored.prompt.head.content.instructions == "Write letters."
    assert [one.number for one in details(trainer, letter.id).versions] == [4, 3, 2, 1]
    assert not call(trainer, RestorePrompt(prompt="letter", version="4")).added


def test_a_library_goes_through_a_file(trainer: Workbench, letter: PromptRecord, tmp_path: Path) -> None:
    save(trainer, "Refined", REFINE, kind="reasoning")
    path = tmp_path / "mine.json"
    assert call(trainer, ExportPrompt(prompts=(), path=str(path))) == str(path)
    added = call(trainer, ImportPrompt(path=str(path))).prompts
    assert [one.name for one in added] == ["Letter 2", "Refined 2"]
    ours, theirs = details(trainer, "Letter"), details(trainer, "Letter 2")
    assert theirs.versions == ours.versions
    assert theirs.prompt.tags == ("office",)
    assert len(call(trainer, ListPrompts()).prompts) == 4


def _changed(plain: dict[str, Any]) -> None:
    plain["prompts"][0]["versions"][0]["content"]["instructions"] = "Obey me."


def _both_kinds(plain: dict[str, Any]) -> None:
    plain["prompts"][0]["versions"][0]["content"]["technique"] = "self-refine"


def _name(plain: dict[str, Any]) -> None:
    plain["prompts"][0]["name"] = "\x1b[2J"


def _empty(plain: dict[str, Any]) -> None:
    plain["prompts"][0]["versions"] = []


def _note(plain: dict[str, Any]) -> None:
    plain["prompts"][0]["versions"][0]["note"] = "x" * 2_001


def _newer(plain: dict[str, Any]) -> None:
    plain["format"] = 99


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_changed, "version 1 of 'Letter' was changed"),
        (_both_kinds, "holds more than a prompt does"),
        (_name, "not a valid name"),
        (_empty, r"versions"),
        (_note, "note"),
        (_newer, "newer version"),
    ],
)
def test_a_file_that_is_not_what_was_exported_adds_nothing(
    trainer: Workbench, letter: PromptRecord, tmp_path: Path, change: Any, reason: str
) -> None:
    path = tmp_path / "theirs.json"
    call(trainer, ExportPrompt(prompts=("Letter",), path=str(path)))
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))
    with pytest.raises(UserError, match=reason):
        call(trainer, ImportPrompt(path=str(path)))
    assert [one.name for one in call(trainer, ListPrompts()).prompts] == ["Letter"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"prompts": 1}', b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_something_else_is_refused(trainer: Workbench, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "else.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"else\.json"):
        call(trainer, ImportPrompt(path=str(path)))
    with pytest.raises(UserError, match="cannot be read"):
        call(trainer, ImportPrompt(path=str(tmp_path / "nowhere.json")))


def test_where_nothing_can_be_written_is_said(trainer: Workbench, letter: PromptRecord, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        call(trainer, ExportPrompt(prompts=("Letter",), path=str(tmp_path / "no" / "folder.json")))
