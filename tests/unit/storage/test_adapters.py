"""The folder of adapters: complete or absent, names, cards."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.records.training import AdapterRecord
from workbench.subjects.adapters.store import ADAPTER_FILE, CARD_FILE, AdapterStore, link_or_copy


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return AdapterStore(tmp_path / "adapters")


def record(name: str, created: float = 1.0, run: str = "") -> AdapterRecord:
    return AdapterRecord(name=name, kind="lora", file=ADAPTER_FILE, created=created, run=run)


def filled(folder: Path) -> None:
    (folder / ADAPTER_FILE).write_bytes(b"weights")


def test_an_adapter_appears_complete_and_is_found_again(store: AdapterStore) -> None:
    assert store.list_cards() == ()
    seen: list[tuple[AdapterRecord, ...]] = []

    def fill(folder: Path) -> None:
        filled(folder)
        seen.append(store.list_cards())

    first = store.publish(record("a", 1.0, "r1"), fill)
    second = store.publish(record("a", 2.0, "r2"), fill)
    assert seen == [(), (first,)]
    assert (first.name, second.name) == ("a", "a-2")
    assert Path(first.file).read_bytes() == b"weights"
    assert store.list_cards() == (second, first)
    assert store.of_run("r1") == first
    assert store.of_run("r3") is None


def test_nothing_half_made_is_left(store: AdapterStore) -> None:
    def fails(folder: Path) -> None:
        filled(folder)
        raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        store.publish(record("a"), fails)
    assert list(store.folder.iterdir()) == []
    (store.folder / ".unfinished-1-2").mkdir()
    (store.folder / ".unfinished-1-3").write_text("x")
    store.remove_unfinished()
    assert list(store.folder.iterdir()) == []


def test_a_card_moves_with_its_home(store: AdapterStore, tmp_path: Path) -> None:
    store.publish(record("a"), filled)
    store.folder.rename(tmp_path / "moved")
    [card] = AdapterStore(tmp_path / "moved").list_cards()
    assert Path(card.file) == tmp_path / "moved" / "a" / ADAPTER_FILE


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (b"{", "damaged"),
        (b'{"format": 9, "name": "a", "kind": "lora", "run": "r1"}', "newer version"),
        (b'{"name": "a", "kind": "hologram", "run": "r1"}', "kind"),
        (b'{"name": "a", "kind": "lora", "run": "r1", "config": {"schema": 99}}', "newer version"),
    ],
)
def test_a_card_that_cannot_be_read_says_so_and_stays(store: AdapterStore, card: bytes, said: str) -> None:
    made = store.publish(msgspec.structs.replace(record("a", run="r1"), state="failed", can_merge=True), filled)
    store.publish(record("b"), filled)
    (store.folder_of("a") / CARD_FILE).write_bytes(card)
    found = store.find("a")
    assert found is not None
    assert (found.name, found.kind, found.state, found.origin) == ("a", "unknown", "unreadable", "unknown")
    assert (found.usable, found.can_merge, found.file) == (False, False, made.file)
    assert said in found.note
    assert {one.name for one in store.list_cards()} == {"a", "b"}
    assert store.of_run("r1") == (found if b"run" in card else None)
    with pytest.raises(UserError, match=said):
        store.put(made)
    store.rename("a", "c")
    assert (store.folder_of("c") / CARD_FILE).read_bytes() == card
    store.remove("c")
    assert [one.name for one in store.list_cards()] == ["b"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a\\b"])
def test_names_do_not_lead_out_of_the_folder(store: AdapterStore, name: str) -> None:
    with pytest.raises(UserError):
        store.find(name)


def test_names_change_also_of_a_file_without_a_card(store: AdapterStore) -> None:
    store.publish(record("a"), filled)
    (store.folder / "loose.gguf").write_bytes(b"x")
    with pytest.raises(UserError, match="already"):
        store.rename("a", "LOOSE")
    store.rename("a", "A")
    assert [card.name for card in store.list_cards()] == ["A"]
    store.rename("loose", "free")
    store.remove("A")
    assert [entry.name for entry in store.folder.iterdir()] == ["free.gguf"]
    store.remove("free")
    with pytest.raises(UserError, match="no adapter"):
        store.remove("free")


def test_what_a_training_left_is_kept_once(store: AdapterStore, tmp_path: Path) -> None:
    store.publish(record("a"), filled)
    for text in ("first", "second"):
        trained = tmp_path / "trained"
        trained.mkdir()
        (trained / "x").write_text(text)
        store.keep_trained("a", trained)
        if trained.exists():
            (trained / "x").unlink()
            trained.rmdir()
    kept = store.trained("a")
    assert kept is not None
    assert (kept / "x").read_text() == "first"


def test_a_linked_file_stays_when_its_first_name_goes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    link_or_copy(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a").unlink()
    assert (tmp_path / "b").read_text() == "x"
