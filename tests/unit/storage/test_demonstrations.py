"""The file of a person's task library."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.records.demonstrations import MOST_DEMONSTRATIONS, Demonstration, DemonstrationStep
from workbench.subjects.prompts.store import DemonstrationStore

STEP = DemonstrationStep(tool="calculator", input="3 + 5", result="8")
FIRST = Demonstration(id="a", created=1.0, question="3 and 5?", steps=(STEP,), answer="8", message="m1")


def test_demonstrations_are_added_replaced_and_removed(tmp_path: Path) -> None:
    store = DemonstrationStore(tmp_path / "demonstrations.json")
    assert store.list_all() == ()
    store.add(FIRST)
    other = msgspec.structs.replace(FIRST, id="b", message="m2")
    assert store.add(other) == (FIRST, other)
    corrected = msgspec.structs.replace(FIRST, id="c", answer="9")  # of the same answer
    assert store.add(corrected) == (other, corrected)
    assert DemonstrationStore(tmp_path / "demonstrations.json").list_all() == (other, corrected)
    assert store.remove("b") == (corrected,)
    with pytest.raises(UserError, match="no demonstration 'b'"):
        store.remove("b")


def test_there_are_only_so_many(tmp_path: Path) -> None:
    store = DemonstrationStore(tmp_path / "demonstrations.json")
    many = tuple(msgspec.structs.replace(FIRST, id=str(n), message=str(n)) for n in range(MOST_DEMONSTRATIONS))
    store._save(many)
    with pytest.raises(UserError, match="holds 200 demonstrations"):
        store.add(FIRST)


@pytest.mark.parametrize("text", ['{"format": 99}', "not json", '{"format": 1, "demonstrations": [{"id": "a"}]}'])
def test_a_file_that_cannot_be_read_is_said_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "demonstrations.json"
    path.write_text(text)
    store = DemonstrationStore(path)
    for use in (store.list_all, lambda: store.add(FIRST), lambda: store.remove("a")):
        with pytest.raises(UserError, match="task library of this home"):
            use()
    assert path.read_text() == text
