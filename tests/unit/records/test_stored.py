"""Stored values: formats, upgrades, and what cannot be read."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from workbench.base.errors import UserError
from workbench.base.stored import Stored, Unreadable
from workbench.records.endpoints import ENDPOINT, Endpoint


class Inner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Has its own number among its fields; format 2 calls ``long`` ``length``."""

    schema: int = 2
    length: Annotated[int, msgspec.Meta(le=9)] = 1


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    """Format 2 has a list of names, format 3 calls it ``names``."""

    names: tuple[str, ...] = ()
    inner: Inner | None = None


def _longer(plain: dict[str, Any]) -> dict[str, Any]:
    return {"length": plain["long"]}


INNER = Stored("inside", Inner, upgrades={1: _longer}, key="schema")
OUTER = Stored(
    "outside",
    Outer,
    upgrades={
        1: lambda plain: {**plain, "name": [plain["name"]]},
        2: lambda plain: {"names": plain["name"], "inner": plain.get("inner")},
    },
    parts={"inner": INNER},
)
PACKED = Stored("packed", Outer, upgrades={1: lambda plain: {"names": plain}}, packed=True)


def unreadable(value: object) -> Unreadable:
    assert isinstance(value, Unreadable)
    return value


def test_what_is_written_is_read_again_and_has_its_number() -> None:
    value = Outer(names=("a", "b"), inner=Inner(length=3))
    assert OUTER.plain(value) == {"format": 3, "names": ("a", "b"), "inner": {"schema": 2, "length": 3}}
    for raw in (OUTER.encode(value), OUTER.encode(value).decode(), OUTER.plain(value)):
        assert OUTER.decode(raw) == value
    assert PACKED.decode(PACKED.encode(value)) == value


def test_the_number_in_a_value_is_that_of_its_format_whatever_the_value_says() -> None:
    assert INNER.plain(Inner(schema=1, length=3))["schema"] == 2
    assert INNER.decode({"schema": 1, "long": 3}) == Inner(schema=2, length=3)


@pytest.mark.parametrize(
    "old",
    [
        {"name": "a", "inner": {"long": 3}},
        {"format": 1, "name": "a", "inner": {"schema": 1, "long": 3}},
        {"format": 2, "name": ["a"], "inner": {"schema": 2, "length": 3}},
        {"format": 3, "names": ["a"], "inner": {"schema": 1, "long": 3}},
    ],
)
def test_every_older_format_is_read(old: dict[str, Any]) -> None:
    assert OUTER.decode(old) == Outer(names=("a",), inner=Inner(length=3))


def test_each_member_of_a_list_of_parts_has_a_format_of_its_own() -> None:
    class Row(msgspec.Struct, frozen=True):
        inners: tuple[Inner, ...]

    row = Stored("row", Row, parts={"inners": INNER})
    assert row.decode({"inners": [{"long": 3}, {"schema": 2, "length": 4}]}) == Row((Inner(length=3), Inner(length=4)))
    assert [inner["schema"] for inner in row.plain(Row((Inner(length=3),)))["inners"]] == [2]
    assert "newer version" in unreadable(row.decode({"inners": [{"schema": 3}]})).reason


def test_what_was_no_object_can_become_one() -> None:
    assert PACKED.decode(zlib.compress(msgspec.msgpack.encode(["a", "b"]))) == Outer(names=("a", "b"))
    plain = Stored("list", tuple[int, ...])
    assert plain.encode((1, 2)) == b"[1,2]"
    assert plain.decode(b"[1,2]") == (1, 2)


@pytest.mark.parametrize("newer", [{"format": 4, "names": []}, {"format": 3, "inner": {"schema": 3}}])
def test_a_newer_format_is_said_to_be_one(newer: dict[str, Any]) -> None:
    found = unreadable(OUTER.decode(newer))
    assert "newer version" in found.reason
    assert "Update" in found.hint
    assert found.raw == newer


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"format": 3, "na', "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"7", "damaged"),
        (b'{"format": "3", "names": []}', "damaged"),
        (b'{"format": true}', "damaged"),
        (b'{"format": 0}', "damaged"),
        (b'{"format": 1}', "damaged"),
        (b'{"format": 3, "names": [1]}', "names[0]: expected `str`"),
        (b'{"format": 3, "inner": {"schema": 2, "length": 10}}', "inner.length: expected `int` <= 9"),
        (b'{"format": 3, "inner": {"schema": 2, "width": 1}}', "the field inner.width is not known"),
    ],
)
def test_what_cannot_be_read_says_why(raw: bytes, said: str) -> None:
    found = unreadable(OUTER.decode(raw))
    assert found.reason.startswith("The outside cannot be read: ")
    assert said.casefold() in found.reason.casefold()
    with pytest.raises(UserError) as raised:
        OUTER.get(raw)
    assert raised.value.message == found.reason


@pytest.mark.parametrize("raw", [b"", b"x", PACKED.encode(Outer(names=("a",)))[:-3]])
def test_a_torn_packed_value_is_unreadable(raw: bytes) -> None:
    assert "damaged" in unreadable(PACKED.decode(raw)).reason


def test_files_are_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    assert OUTER.load(path) is None
    OUTER.save(path, Outer(names=("a",)))
    assert OUTER.load(path) == Outer(names=("a",))
    assert b"\n" in path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["value.json"]
    assert "cannot be read" in unreadable(OUTER.load(tmp_path)).reason


def test_the_upgrades_of_a_value_leave_no_gap() -> None:
    with pytest.raises(ValueError, match="numbered"):
        Stored("x", Outer, upgrades={2: dict})


def test_an_endpoint_of_before_images_was_not_tried_with_one() -> None:
    before = {"address": "https://api.example.com/v1", "model": "big", "streams": True, "probed": 1.0}
    read = ENDPOINT.decode(ENDPOINT.encode(Endpoint(**before)).replace(b',"vision":null', b""))
    assert isinstance(read, Endpoint)
    assert read.vision is None
    assert not read.sees_images
    assert msgspec.structs.replace(read, vision=True).sees_images
    assert msgspec.structs.replace(read, sees=True).sees_images
