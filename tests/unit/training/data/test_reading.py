"""Files from strangers: read row by row under limits, refused with file, line and reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from workbench.base.errors import UserError
from workbench.training.data.reading import LONGEST_PIECE, find_splits, read_rows
from workbench.training.data.rows import ReadingLimits

PAIRS = [{"prompt": f"What is {n}?", "completion": f"It is {n} – “é”."} for n in range(7)]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def jsonl(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(delimiter: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        lines = [delimiter.join(row.values()) for row in PAIRS]
        return write(folder / "set.csv", "\n".join([delimiter.join(PAIRS[0]), *lines]))

    return make


def as_parquet(folder: Path) -> Path:
    table = pyarrow.Table.from_pylist([{**row, "picture": b"\x89PNG"} for row in PAIRS])
    pyarrow.parquet.write_table(table, folder / "set.parquet", row_group_size=3)
    return folder / "set.parquet"


def as_arrow(folder: Path) -> Path:
    table = pyarrow.Table.from_pylist(PAIRS)
    with pyarrow.OSFile(str(folder / "data.arrow"), "wb") as sink, pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return folder / "data.arrow"


FORMS: dict[str, Callable[[Path], Path]] = {
    "jsonl": lambda folder: write(folder / "set.jsonl", jsonl(PAIRS)),
    "jsonl with a mark, blank lines and no last line end": lambda folder: write(
        folder / "set.jsonl", ("\ufeff" + jsonl(PAIRS).replace("\n", "\r\n\r\n")).rstrip()
    ),
    "json list": lambda folder: write(folder / "set.json", json.dumps(PAIRS, indent=2)),
    "json list on one line": lambda folder: write(folder / "set.json", json.dumps(PAIRS, ensure_ascii=False)),
    "json object": lambda folder: write(folder / "set.json", json.dumps({"version": "1", "data": PAIRS})),
    "json lines named json": lambda folder: write(folder / "set.json", jsonl(PAIRS)),
    "csv": as_csv(","),
    "csv with semicolons": as_csv(";"),
    "csv with tabs": as_csv("\t"),
    "parquet": as_parquet,
    "arrow": as_arrow,
}
IN_PROCESS = ("parquet", "arrow", "no Parquet", "no Arrow")


def marked(names: Iterable[str]) -> list[Any]:
    """Tables are unpacked by a process of their own."""
    return [pytest.param(name, marks=pytest.mark.process if name in IN_PROCESS else ()) for name in names]


@pytest.mark.parametrize("form", marked(FORMS))
def test_every_kind_of_file_gives_the_same_rows(form: str, tmp_path: Path) -> None:
    rows = list(read_rows(FORMS[form](tmp_path)))
    assert [row.values for row in rows] == PAIRS
    assert [row.source.row for row in rows] == list(range(1, 8))


def test_a_long_json_list_is_read_in_blocks(tmp_path: Path) -> None:
    rows = [{"text": f"{n} {'é' * 300}", "n": n} for n in range(3000)]
    path = write(tmp_path / "set.json", json.dumps(rows, ensure_ascii=False, indent=1))
    assert [row.values for row in read_rows(path)] == rows
    line = next(row.source.line for row in read_rows(path) if row.values["n"] == 2000)
    assert '"text": "2000 ' in path.read_text().splitlines()[line]


def test_a_csv_cell_may_hold_lines_and_the_next_row_knows_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "set.csv", 'prompt,completion\n"one, ""two""\nthree",b\nc,d\n')
    first, second = read_rows(path)
    assert first.values == {"prompt": 'one, "two"\nthree', "completion": "b"}
    assert (first.source.line, second.source.line) == (2, 4)


def test_long_plain_text_is_cut_between_paragraphs_and_nothing_is_lost(tmp_path: Path) -> None:
    text = "".join(f"Paragraph {n}. {'word ' * 400}\n\n" for n in range(120))
    rows = list(read_rows(write(tmp_path / "book.txt", text)))
    assert "".join(row.values["text"] for row in rows) == text
    assert len(rows) > 1
    assert all(len(row.values["text"]) <= LONGEST_PIECE for row in rows)
    assert all(row.values["text"].startswith("Paragraph") for row in rows)


BAD: dict[str, tuple[str, str | bytes, str]] = {
    "an empty file": ("set.jsonl", "", "set.jsonl: it is empty"),
    "blank lines only": ("set.jsonl", "\n \n", "holds no examples"),
    "an empty list": ("set.json", "[]", "holds no examples"),
    "a header without rows": ("set.csv", "prompt,completion\n", "holds no examples"),
    "a line of 2 MB": ("set.jsonl", '{"a":"b"}\n{"a":"' + "x" * 2_000_000 + '"}\n', "set.jsonl, line 2: it is longer"),
    "an example of 2 MB in a list": ("set.json", '[{"a":1},\n{"a":"' + "x" * 2_000_000 + '"}]', "line 2: example 2 is"),
    "broken UTF-8": ("set.jsonl", b'{"a":"b"}\n{"a":"\xff"}\n', "set.jsonl, line 2: byte 0xff at place 7 is not UTF-8"),
    "broken UTF-8 in a list": ("set.json", b'[{"a":"b"},\n{"a":"\xff"}]', "set.json, line 2: byte 0xff"),
    "broken UTF-8 in a table": ("set.csv", b"a,b\n1,2\n3,\xe9\n", "set.csv, line 3: byte 0xe9"),
    "UTF-16": ("set.jsonl", '{"a":"b"}'.encode("utf-16"), "line 1: it is UTF-16"),
    "no JSON": ("set.jsonl", '{"a":"b"}\n{"a":\n', "set.jsonl, line 2: it is not JSON: it breaks off."),
    "no JSON at all": (
        "set.jsonl",
        '{"a":"b"}\nthis is no JSON\n',
        "line 2: it is not JSON: 'this is no JSON' at place 1",
    ),
    "an object without comma": (
        "set.json",
        '{"a":[\n{"b":1 "c":2}]}',
        "line 2: it is not JSON: '\"c\":2}]}' at place",
    ),
    "NaN": ("set.jsonl", '{"a":NaN}\n', "line 1: it is not JSON: NaN"),
    "a number as a row": ("set.jsonl", '{"a":"b"}\n7\n', "line 2: an example is an object"),
    "deep nesting": ("set.jsonl", '{"a":' + "[" * 100_000 + "\n", "line 1: "),
    "deep nesting in a list": ("set.json", '[{"a":' + "[" * 100_000, "line 1: "),
    "a list cut off": ("set.json", '[{"a":1},\n{"a":2}', "set.json, line 2: the list is cut off"),
    "a list without comma": ("set.json", '[{"a":1}\n{"a":2}]', "line 2: '{' where a comma"),
    "more behind the list": ("set.json", '[{"a":1}]\n{"a":2}', "line 2: '{' after the end"),
    "a cell too many": ("set.csv", "a,b\n1,2\n3,4,5\n", "set.csv, line 3: it has 3 cells"),
    "a quote left open": ("set.csv", 'a,b\n1,2\n3,"4\n5,6\n', "set.csv, line 3: it is not a table"),
    "two columns of one name": ("set.csv", "a,a\n1,2\n", "two columns are named 'a'"),
    "no Parquet": ("set.parquet", "PAR1 and nothing", "set.parquet: it is not a whole Parquet file"),
    "no Arrow": ("set.arrow", "ARROW1 and nothing", "set.arrow: it is not a whole Arrow file"),
    "a program": ("set.py", "print(1)", "set.py: this file type is not supported"),
    "binary data": ("set.txt", b"a\x00b", "set.txt, line 1: it holds binary data"),
}


@pytest.mark.parametrize("case", marked(BAD))
def test_what_is_wrong_is_told_with_file_and_line(case: str, tmp_path: Path) -> None:
    name, content, told = BAD[case]
    with pytest.raises(UserError) as caught:
        list(read_rows(write(tmp_path / name, content)))
    assert told in caught.value.message


def test_a_document_is_sent_to_a_collection(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        list(read_rows(write(tmp_path / "paper.pdf", "%PDF-1.4")))
    assert caught.value.hint.startswith("Add it to a collection and build a set of examples from that.")


def test_rows_before_a_bad_one_are_read_and_the_number_of_rows_is_limited(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", jsonl(PAIRS))
    rows = read_rows(path, ReadingLimits(most_rows=5))
    assert [next(rows).source.row for _ in range(5)] == [1, 2, 3, 4, 5]
    with pytest.raises(UserError, match="more than 5 rows"):
        next(rows)


@pytest.mark.parametrize("name", ["set.json", "set.jsonl", "set.csv"])
def test_a_row_that_is_a_little_too_long_is_refused_as_well(name: str, tmp_path: Path) -> None:
    rows = [{"text": "x" * size} for size in (10, 80, 150, 10)]
    content = {
        "set.json": "[" + ",\n".join(map(json.dumps, rows)) + "]",
        "set.jsonl": jsonl(rows),
        "set.csv": "text\n" + "".join(row["text"] + "\n" for row in rows),
    }[name]
    read = read_rows(write(tmp_path / name, content), ReadingLimits(longest_row_bytes=120))
    assert [len(next(read).values["text"]) for _ in range(2)] == [10, 80]
    with pytest.raises(UserError, match=rf"{name}, line [34]: .* longer than 120"):
        next(read)


@pytest.mark.parametrize("depth", [300, 900, 1500, 100_000])
def test_what_is_nested_deeply_is_read_or_refused(depth: int, tmp_path: Path) -> None:
    deep = f'{{"text": "a", "more": {"[" * depth}{"]" * depth}}}'
    for name, content in (("set.jsonl", deep), ("set.json", f"[{deep}]"), ("object.json", f'{{"data": [{deep}]}}')):
        path = write(tmp_path / name, content)
        if depth == 300:
            assert [row.values["text"] for row in read_rows(path)] == ["a"]
            continue
        with pytest.raises(UserError, match="nested too deeply"):
            list(read_rows(path))


@pytest.mark.process
def test_what_is_said_in_turns_counts_to_the_length_of_a_row(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": "x" * size}]} for size in (10, 150)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "set.parquet")
    write(tmp_path / "set.json", json.dumps({"data": rows}))
    for name in ("set.parquet", "set.json"):
        read = read_rows(tmp_path / name, ReadingLimits(longest_row_bytes=120))
        assert len(next(read).values["messages"][0]["content"]) == 10
        with pytest.raises(UserError, match=rf"{name}, row 2: it is longer than 120"):
            next(read)


@pytest.mark.process
def test_values_of_all_kinds_come_back_from_parquet_and_arrow(tmp_path: Path) -> None:
    pairs = pyarrow.array([[("k", "v")], [], None], pyarrow.map_(pyarrow.string(), pyarrow.string()))
    table = pyarrow.table(
        {
            "text": ["x", "y", None],
            "messages": [[{"role": "user", "content": "hi"}], [], None],
            "pairs": pairs,
            "list": [["a", "b"], None, []],
            "number": [1, 2, None],
            "category": pyarrow.array(["p", "q", "p"]).dictionary_encode(),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "set.parquet")
    with (
        pyarrow.OSFile(str(tmp_path / "set.arrow"), "wb") as file,
        pyarrow.ipc.new_stream(file, table.schema) as stream,
    ):
        stream.write_table(table)
    for name in ("set.parquet", "set.arrow"):
        rows = [row.values for row in read_rows(tmp_path / name)]
        assert [row.pop("pairs") for row in rows] == [[["k", "v"]], [], None]
        assert rows == table.drop_columns("pairs").to_pylist()


def test_half_a_character_spelt_in_json_becomes_a_replacement(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", '{"a": ["\\ud83d", {"b": "\\ud83d\\ude00"}]}\n')
    assert next(read_rows(path)).values == {"a": ["\ufffd", {"b": "😀"}]}


LAYOUTS = {
    "files beside each other": ("train.jsonl", "validation.jsonl", "test.jsonl"),
    "shards in data": (
        "data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl", "data/dev-00000-of-00001.jsonl",
        "data/test-00000-of-00001.jsonl",
    ),
    "a folder for each split": ("train/data.jsonl", "valid/data.jsonl", "test/data.jsonl"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_splits_are_told_by_names(layout: str, tmp_path: Path) -> None:
    for number, name in enumerate(LAYOUTS[layout]):
        write(tmp_path / name, jsonl([{"text": f"{name} {number}"}]))
    write(tmp_path / "README.md", "# A set")
    write(tmp_path / "dataset_info.json", '{"description": "Small.", "license": "mit", "features": {"text": {}}}')
    found = find_splits(tmp_path)
    assert set(found.splits) == {"train", "validation", "test"}
    assert (found.description, found.licence, found.columns) == ("Small.", "mit", ("text",))
    texts = [row.values["text"] for row in read_rows(tmp_path)]
    assert texts == [f"{name} {n}" for n, name in enumerate(LAYOUTS[layout]) if "train" in name]
    assert "test" in next(read_rows(tmp_path, split="test")).values["text"]


def test_a_folder_without_splits_is_all_for_training(tmp_path: Path) -> None:
    write(tmp_path / "one.jsonl", jsonl(PAIRS))
    assert list(find_splits(tmp_path).splits) == ["train"]
    with pytest.raises(UserError, match="no split test"):
        list(read_rows(tmp_path, split="test"))


def test_a_folder_of_notes_is_read_and_what_tells_about_it_is_not(tmp_path: Path) -> None:
    (tmp_path / "pump.md").write_text("Open the valve.")
    (tmp_path / "README.md").write_text("Notes about the pump.")
    assert [row.values["text"] for row in read_rows(tmp_path)] == ["Open the valve."]


def test_a_script_is_not_run_and_several_sets_are_a_question(tmp_path: Path) -> None:
    write(tmp_path / "scripted" / "scripted.py", f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UserError, match="scripts are not run"):
        find_splits(tmp_path / "scripted")
    assert not (tmp_path / "ran").exists()
    write(tmp_path / "many" / "en" / "train.jsonl", jsonl(PAIRS))
    write(tmp_path / "many" / "de" / "train.jsonl", jsonl(PAIRS))
    with pytest.raises(UserError, match="several sets: de, en"):
        find_splits(tmp_path / "many")
