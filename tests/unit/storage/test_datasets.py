"""The home's sets: complete or absent, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.base.errors import UserError
from workbench.subjects.datasets.store import DatasetStore


@pytest.fixture
def sets(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path / "datasets")


def test_a_set_appears_complete(sets: DatasetStore, tmp_path: Path) -> None:
    with sets.written("a", "a test") as writer:
        writer.add({"text": "one"})
        assert sets.list_sets() == ()
        writer.add({"text": "two"})
    [found] = sets.list_sets()
    assert (found.name, found.examples, found.origin) == ("a", 2, "a test")
    assert Path(found.path).read_text() == '{"text":"one"}\n{"text":"two"}\n'
    assert found.bytes == len(Path(found.path).read_bytes())
    with Path(found.path).open("a") as file:
        file.write('{"text": "three"}\n')
    assert sets.get("a").examples == 3


def test_nothing_is_left_of_one_that_failed_or_is_empty(sets: DatasetStore, tmp_path: Path) -> None:
    with pytest.raises(TypeError), sets.written("a", "") as writer:
        writer.add({"text": object()})
    with sets.written("b", ""):
        pass
    assert list((tmp_path / "datasets").iterdir()) == []


def test_a_file_that_somebody_put_there_is_a_set(sets: DatasetStore, tmp_path: Path) -> None:
    sets.check_room()
    (tmp_path / "datasets" / "mine.jsonl").write_text('{"text": "x"}\n\n')
    assert sets.get("mine").examples == 1


@pytest.mark.parametrize(
    "name",
    ["", "  ", "../a", "a/b", ".a", "a:b", "x" * 81, "x" * 300, "集" * 80, "a\0b", "a\x1b[2J", "NUL"],
)
def test_what_is_no_name_is_refused(sets: DatasetStore, name: str) -> None:
    with pytest.raises(UserError):
        sets.check_name(name)
    assert sets.find(name) is None


def test_a_name_is_given_once_in_whatever_case(sets: DatasetStore) -> None:
    with sets.written("Facts", "") as writer:
        writer.add({"text": "one"})
    with pytest.raises(UserError, match="already"):
        sets.check_name(" facts ")
    assert sets.check_name(" More   facts ") == "More facts"
    sets.remove("Facts")
    assert sets.check_name("facts") == "facts"
    with pytest.raises(UserError, match="no set"):
        sets.remove("Facts")


def test_of_two_that_are_written_under_one_name_the_first_stays(sets: DatasetStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="already"), sets.written("facts", "second") as second:  # noqa: PT012
        second.add({"text": "two"})
        with sets.written("Facts", "first") as first:
            first.add({"text": "one"})
    [found] = sets.list_sets()
    assert (found.name, found.origin) == ("Facts", "first")
    assert Path(found.path).read_text() == '{"text":"one"}\n'
    assert sorted(path.name for path in (tmp_path / "datasets").iterdir()) == ["Facts.json", "Facts.jsonl"]
