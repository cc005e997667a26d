"""From a file to tokens; what cannot be trained on is refused with the reason, without a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.test_prompt import CHATML, InProcess
from tests.unit.training.data.test_tokenization import TrainingTokenizer
from workbench.base.errors import UserError
from workbench.training.data.columns import ColumnMapping
from workbench.training.data.preparation import (
    NOTHING_TO_EVALUATE,
    LoadedSet,
    TrainingSet,
    load_set,
    prepare,
)
from workbench.training.data.tokenization import ExampleWriter


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def prepared(loaded: LoadedSet, max_length: int = 0) -> TrainingSet:
    return prepare(loaded, ExampleWriter(CHATML, TrainingTokenizer(), InProcess(), max_length=max_length))


def rows(count: int) -> list[dict[str, str]]:
    return [{"prompt": f"What is {n}?", "completion": f"It is {n}."} for n in range(count)]


def test_a_file_becomes_two_sides_with_their_statistics(tmp_path: Path) -> None:
    loaded = load_set(write(tmp_path / "set.jsonl", [*rows(200), {"prompt": "x", "completion": ""}]))
    assert loaded.shape.name == "prompt_completion"
    found = prepared(loaded)
    assert len(found.train) + len(found.evaluation) == 200
    assert 5 < len(found.evaluation) < 40
    assert found.train_statistics.rows + found.evaluation_statistics.rows == 201
    assert found.train_statistics.empty + found.evaluation_statistics.empty == 1
    assert found.overlap.examples == 0
    assert found.train[0].source.path.endswith("set.jsonl")
    assert found == prepared(loaded)


def test_a_folder_keeps_its_own_evaluation(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", rows(20))
    write(tmp_path / "test.jsonl", rows(3))
    found = prepared(load_set(tmp_path))
    assert (len(found.train), len(found.evaluation)) == (20, 3)
    assert (found.overlap.examples, found.overlap.questions) == (3, 3)


def test_a_split_whose_answers_are_kept_secret_is_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", rows(20))
    write(tmp_path / "test.jsonl", [{"prompt": "What is it?", "completion": None}] * 30)
    found = prepared(load_set(tmp_path))
    assert (len(found.train) + len(found.evaluation), bool(found.evaluation)) == (20, True)
    assert not found.refused
    assert "test is not used for evaluation: 30 of its 30 rows" in found.notes[0]
    assert "test.jsonl, line 1" in found.notes[0]


def test_a_few_broken_rows_are_told_and_many_refused(tmp_path: Path) -> None:
    good = [
        {"messages": [{"role": "user", "content": f"{n}"}, {"role": "assistant", "content": "b"}]} for n in range(30)
    ]
    bad = {"messages": [{"role": "narrator", "content": "a"}]}
    loaded = load_set(write(tmp_path / "set.jsonl", [*good, bad]))
    assert [(r.source.line, "not a known role" in r.reason) for r in loaded.refused] == [(31, True)]
    assert prepared(loaded).refused == loaded.refused
    with pytest.raises(UserError, match=r"10 of 40 rows are not valid examples, first set\.jsonl, line 31: turn 1"):
        load_set(write(tmp_path / "set.jsonl", [*good, *[bad] * 10]))
    with pytest.raises(
        UserError, match=r"1 of 4 rows is not a valid example: it is set\.jsonl, line 4: .*Correct or remove"
    ):
        load_set(write(tmp_path / "set.jsonl", [*good[:3], bad]))


BAD: dict[str, tuple[list[Any], int, str]] = {
    "no rows": ([], 0, "it is empty"),
    "wrong columns": ([{"a": 1, "b": 2}] * 3, 0, r"No known format.*'a' \(number\)"),
    "one row": (rows(1), 0, "There is one example"),
    "all the same": ([{"prompt": "a", "completion": "b"}] * 5, 0, "All 5 examples are identical"),
    "all empty": ([{"prompt": str(n), "completion": " "} for n in range(5)], 0, "All 5 examples are empty.*line"),
    "all too long": (rows(9), 20, r"All 9 examples are too long.*first 20 tokens.*line \d"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_set_that_nothing_can_come_of_is_refused(case: str, tmp_path: Path) -> None:
    given, longest, told = BAD[case]
    with pytest.raises(UserError, match=told):
        prepared(load_set(write(tmp_path / "set.jsonl", given)), longest)


LONG = {"prompt": "What? " * 200, "completion": "It."}
ASIDE: dict[str, tuple[list[Any], str]] = {
    "too long": (
        [LONG, {**LONG, "completion": "So."}],
        r"All 2 examples to train on are too long.*train\.jsonl, line 1",
    ),
    "one too long": ([LONG], "The only example to train on is too long"),
    "empty": ([{"prompt": str(n), "completion": ""} for n in range(3)], "All 3 examples to train on are empty"),
}


@pytest.mark.parametrize("case", ASIDE)
def test_what_is_set_aside_is_no_help_where_nothing_is_left_to_train_on(case: str, tmp_path: Path) -> None:
    given, told = ASIDE[case]
    write(tmp_path / "train.jsonl", given)
    write(tmp_path / "test.jsonl", rows(9))
    with pytest.raises(UserError, match=told):
        prepared(load_set(tmp_path), 60)


def test_where_nothing_that_is_set_aside_can_be_learnt_it_is_told(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", rows(9))
    write(tmp_path / "test.jsonl", [LONG])
    found = prepared(load_set(tmp_path), 60)
    assert (len(found.train), len(found.evaluation)) == (9, 0)
    assert found.notes == (NOTHING_TO_EVALUATE,)


def test_columns_are_mapped_by_hand(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", [{"frage": str(n), "antwort": "b"} for n in range(4)])
    loaded = load_set(path, ColumnMapping(prompt=("frage",), completion="antwort"))
    assert len(loaded.examples) == 4
    with pytest.raises(UserError, match="no column 'Frage'"):
        load_set(path, ColumnMapping(prompt=("Frage",), completion="antwort"))


def test_a_template_that_refuses_all_is_told(tmp_path: Path) -> None:
    loaded = load_set(write(tmp_path / "set.jsonl", rows(4)))
    refuses = "{{ raise_exception('No') }}"
    with pytest.raises(UserError, match="refuses this conversation: No"):
        prepare(loaded, ExampleWriter(refuses, TrainingTokenizer(), InProcess()))
