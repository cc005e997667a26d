"""What is kept of a chat's unfinished tasks, and when it is deleted."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.engine.inference_calls import Generated
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.chats.unfinished import UnfinishedSections


def test_sections_belong_to_a_chat_and_a_model(tmp_path: Path) -> None:
    kept = UnfinishedSections(tmp_path / "sections")
    first, second = Recipe(model=ModelPart(name="a")), Recipe(model=ModelPart(name="b"))
    assert not kept.folder.exists()
    kept.of("chat", first).add("key", Generated(text="done", finish="stop"))
    found = kept.of("chat", first).find("key")
    assert found is not None
    assert found.text == "done"
    assert kept.of("chat", second).find("key") is None
    assert kept.of("other", first).find("key") is None
    kept.complete("chat", second)
    assert kept.of("chat", first).find("key") is not None
    kept.complete("chat", first)
    assert kept.of("chat", first).find("key") is None


def test_old_sections_and_those_of_a_deleted_chat_are_removed(tmp_path: Path) -> None:
    kept = UnfinishedSections(tmp_path)
    for chat in ("old", "new", "deleted"):
        kept.of(chat, Recipe()).add("key", Generated(text=chat, finish="stop"))
    for place in (tmp_path / "old").iterdir():
        os.utime(place, (0, 0))
    kept.remove_old()
    kept.forget("deleted")
    assert [kept.of(chat, Recipe()).find("key") is None for chat in ("old", "new", "deleted")] == [True, False, True]
