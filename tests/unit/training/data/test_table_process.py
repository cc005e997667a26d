"""Files of some kilobytes that unpack to gigabytes: a process of their own is refused the memory, and says so."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from workbench.base.errors import UserError
from workbench.training.data.reading import read_rows
from workbench.training.data.rows import ReadingLimits

pytestmark = pytest.mark.process

LIMITS = ReadingLimits(memory_mb=250, batch_seconds=20)


def long_cell(path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"text": ["ok", "x" * 300_000_000]}), path, compression="zstd")


def one_cell_many_times(path: Path) -> None:
    """8 TB out of some kilobytes: the rows point to the one text of a dictionary."""
    indices = pyarrow.array([0] * 1_600_000, pyarrow.int32())
    column = pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(["x" * 5_000_000]))
    pyarrow.parquet.write_table(pyarrow.table({"text": column}), path, compression="zstd")


def many_columns(path: Path) -> None:
    column = pyarrow.array(["x" * 3_000_000])
    pyarrow.parquet.write_table(pyarrow.table({f"c{n}": column for n in range(200)}), path, compression="zstd")


def list_of_nothing(path: Path) -> None:
    """Two thousand million nulls take no byte."""
    offsets = pyarrow.array([0, 2**31 - 1], pyarrow.int32()).buffers()[1]
    nulls = pyarrow.Array.from_buffers(pyarrow.null(), 2**31 - 1, [None])
    column = pyarrow.Array.from_buffers(pyarrow.list_(pyarrow.null()), 1, [None, offsets], children=[nulls])
    with pyarrow.ipc.new_stream(str(path), pyarrow.schema({"text": column.type})) as writer:
        writer.write_batch(pyarrow.record_batch({"text": column}))


def packed_arrow(path: Path) -> None:
    batch = pyarrow.record_batch({"text": ["x" * 1_000_000] * 300})
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_stream(str(path), batch.schema, options=options) as writer:
        writer.write_batch(batch)


def wrong_offsets(path: Path) -> None:
    """Its texts begin and end far outside of what it holds."""
    with pyarrow.ipc.new_stream(str(path), pyarrow.schema({"text": pyarrow.string()})) as writer:
        writer.write_batch(pyarrow.record_batch({"text": ["abc", "def"]}))
    raw = path.read_bytes()
    place = raw.rindex(b"\0\0\0\0\3\0\0\0\6\0\0\0")
    path.write_bytes(raw[:place] + b"\0\0\0\0\0\0\0\x40\xff\xff\xff\x7f" + raw[place + 12 :])


BOMBS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a cell of 300 MB": ("a.parquet", long_cell, "more than 250 MB"),
    "one cell many times": ("a.parquet", one_cell_many_times, "row 1: it is longer than 1,048,576"),
    "many columns of large cells": ("a.parquet", many_columns, "more than 250 MB|longer than 1,048,576"),
    "a list of nothing": ("a.arrow", list_of_nothing, "more than 34,359,738,368 bytes"),
    "a packed Arrow file": ("a.arrow", packed_arrow, "more than 250 MB"),
    "texts outside of the file": ("a.arrow", wrong_offsets, "not a whole Arrow file"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="the kernel keeps no such limit")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_table_that_unpacks_to_gigabytes_is_refused(bomb: str, tmp_path: Path) -> None:
    name, write_bomb, reason = BOMBS[bomb]
    write_bomb(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 2_000_000
    began = time.monotonic()
    with pytest.raises(UserError, match=reason):
        list(read_rows(tmp_path / name, LIMITS))
    assert time.monotonic() - began < 60


def test_rows_that_are_sound_and_too_many_bytes_together_are_refused(tmp_path: Path) -> None:
    texts = ["x" * 1_000_000] * 600
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), tmp_path / "a.parquet")
    assert sum(1 for _ in read_rows(tmp_path / "a.parquet")) == 600
    with pytest.raises(UserError, match="unpacked it has more than 500,000,000 bytes"):
        list(read_rows(tmp_path / "a.parquet", ReadingLimits(largest_unpacked_bytes=500_000_000)))


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"text": ["x" * 1_000_000] * 600}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="take more than 0 s"):
        list(read_rows(tmp_path / "a.parquet", ReadingLimits(batch_seconds=0)))


HIDES_PYARROW = """
import sys
from importlib.machinery import ModuleSpec


class Hidden:
    def find_spec(name, path=None, target=None):
        return ModuleSpec(name, None) if name == "pyarrow" else None


sys.meta_path.insert(0, Hidden)
"""


def test_without_the_packages_of_training_it_is_said_what_the_file_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["ok"]}), path)
    assert [row.values for row in read_rows(path, limits=LIMITS)] == [{"text": "ok"}]
    (tmp_path / "hides").mkdir()
    (tmp_path / "hides" / "sitecustomize.py").write_text(HIDES_PYARROW)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hides"))
    with pytest.raises(UserError, match=r"rows\.parquet, a Parquet file, needs packages .*: pyarrow") as raised:
        list(read_rows(path, limits=LIMITS))
    assert "Set up training" in raised.value.hint
