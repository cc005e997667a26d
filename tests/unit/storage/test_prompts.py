"""The prompt library on the disk: versions are added, never changed, and what cannot be read is a row that says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest

from workbench.base.errors import UserError
from workbench.records.prompts import SharedPrompt, SharedVersion, content_hash
from workbench.records.recipes import PromptingPart
from workbench.storage.database import SCHEMA, Database, open_database
from workbench.subjects.prompts.store import PromptStore


def text(words: str) -> PromptingPart:
    return PromptingPart(instructions=words)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(tmp_path / "home.sqlite", SCHEMA)


@pytest.fixture
def store(database: Database) -> PromptStore:
    return PromptStore(database)


def test_a_home_without_the_library_gets_it_and_keeps_its_chats(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for file in SCHEMA.glob("*.sql"):
        if file.name < "0012":
            shutil.copy(file, before)
    old = open_database(tmp_path / "old.sqlite", before)
    old.execute("insert into chats (id, title, created, updated) values ('c', 'Kept', 1, 1)")
    old.close()
    database = open_database(tmp_path / "old.sqlite", SCHEMA)
    assert PromptStore(database).list_prompts() == ()
    assert PromptStore(database).save("First", "prompt", text("x"))[1]
    assert database.row("select title from chats") == ("Kept",)


def test_saving_adds_versions_and_the_same_content_none(store: PromptStore) -> None:
    first, added = store.save(" My  letter ", "prompt", text("one"), "begun", ("office",))
    assert (first.name, first.head.number, first.head.note, first.tags, added) == (
        "My letter", 1, "begun", ("office",), True,
    )  # fmt: skip
    same, added = store.save("my letter", "prompt", text("one"), "again", ("mail",))
    assert (same.id, same.head, same.tags, added) == (first.id, first.head, ("mail",), False)
    second, added = store.save("My letter", "prompt", text("two"))
    assert (second.head.number, second.tags, added) == (2, ("mail",), True)
    third, _ = store.save("My letter", "prompt", text("one"))
    versions = store.versions(third)
    assert [(one.number, one.content.instructions) for one in versions] == [(3, "one"), (2, "two"), (1, "one")]
    assert versions[0].hash == versions[2].hash == content_hash(text("one"), "prompt")


def test_a_stored_version_cannot_be_changed(store: PromptStore, database: Database) -> None:
    store.save("Letter", "prompt", text("one"))
    with pytest.raises(apsw.ConstraintError, match="never change"):
        database.execute("update prompt_versions set content = '{}'")
    assert store.get("Letter").head.content == text("one")


def test_a_name_is_of_one_kind(store: PromptStore) -> None:
    store.save("Letter", "prompt", text("one"))
    with pytest.raises(UserError, match="name of a prompt"):
        store.save("letter", "reasoning", PromptingPart())


def test_an_entry_gets_another_name_that_is_free(store: PromptStore) -> None:
    letter, _ = store.save("Letter", "prompt", PromptingPart(instructions="Be brief."))
    store.save("Note", "prompt", PromptingPart(instructions="Be short."))
    with pytest.raises(UserError, match="already an entry 'Note'"):
        store.rename(letter, " note ")
    with pytest.raises(UserError, match="not a valid name"):
        store.rename(letter, "a@b")
    renamed = store.rename(letter, "letter")
    assert (renamed.id, renamed.name, renamed.head) == (letter.id, "letter", letter.head)


def test_entries_are_listed_by_name_and_removed_with_their_versions(store: PromptStore, database: Database) -> None:
    for name in ("b", "A", "c"):
        store.save(name, "prompt", text(name))
    assert [one.name for one in store.list_prompts()] == ["A", "b", "c"]
    store.trash(store.get("b").id, "entry")
    with pytest.raises(UserError, match="The library holds A, c"):
        store.get("b")
    assert database.row("select count(*) from prompt_versions") == (3,), "they can be restored"
    store.delete_trashed("entry")
    assert database.row("select count(*) from prompt_versions") == (2,)


def test_shared_entries_are_added_all_or_none_and_overwrite_nothing(store: PromptStore) -> None:
    store.save("Letter", "prompt", text("mine"))
    versions = tuple(SharedVersion(content=text(words), hash="", created=5.0) for words in ("one", "two"))
    shared = SharedPrompt(name="letter", kind="prompt", versions=versions, tags=("x",))
    first, second = store.add_shared([shared, shared])
    assert [(one.name, one.head.number, one.head.content) for one in (first, second)] == [
        ("letter 2", 2, text("two")), ("letter 3", 2, text("two")),
    ]  # fmt: skip
    assert [one.created for one in store.versions(first)] == [5.0, 5.0]
    assert store.get("Letter").head.content == text("mine")
    with pytest.raises(UserError):
        store.add_shared([shared, SharedPrompt(name="a@b", kind="prompt", versions=versions)])
    assert len(store.list_prompts()) == 3


@pytest.mark.parametrize(
    ("stored", "said"), [('{"instr', "damaged"), ('{"format": 9}', "newer version"), ('{"tone": 1}', "tone")]
)
def test_a_version_that_cannot_be_read_says_why(store: PromptStore, database: Database, stored: str, said: str) -> None:
    store.save("Letter", "prompt", text("one"))
    found, _ = store.save("Letter", "prompt", text("two"))
    database.execute("drop trigger prompt_versions_never_change")
    database.execute("update prompt_versions set content = ? where number = 2", (stored,))
    database.execute("insert into prompts (id, name, kind, created, tags) values ('t', 'Tags', 'prompt', 1, '[1]')")
    database.execute("insert into prompt_versions select 't', number, hash, created, note, content from prompt_versions"
                     " where number = 1")  # fmt: skip
    letter, tags = store.list_prompts()
    assert said in letter.unreadable
    assert "tags of a prompt" in tags.unreadable
    bad, good = store.versions(found)
    assert (said in bad.unreadable, bad.hash, good.content) == (True, found.head.hash, text("one"))
    again, added = store.save("Letter", "prompt", text("one"))
    assert (again.head.number, again.unreadable, added) == (3, "", True)
