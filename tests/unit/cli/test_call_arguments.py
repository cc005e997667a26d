"""Arguments that are made of the fields of a call."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from workbench.api.protocol import Call
from workbench.base.fields import about
from workbench.cli.call_arguments import add_fields, call_of


class Sent(Call[None], frozen=True, kw_only=True, tag="test.sent"):
    name: str
    many: Annotated[tuple[str, ...], "what is sent"]
    size: Annotated[int, "how many; 0: all"] = 0
    share: Annotated[float, "how much"] = 0.5
    form: Annotated[Literal["csv", "html"], "the form"] = "html"
    with_text: Annotated[bool, "leave out the text"] = True
    quick: Annotated[bool, "at once"] = False
    tags: Annotated[tuple[str, ...], "a tag"] = ()
    path: Annotated[str, "where to"] = ""
    limit: Annotated[float | None, "at most so much"] = None
    part: Annotated[str, "which part"] = ""
    hidden: dict[str, str] = {}


SPELLED = {"many": "--thing T", "with_text": "--without-text", "tags": "--tag T", "part": "PART"}


def parser_of(without: tuple[str, ...] = (), **spelled: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="send", exit_on_error=False)
    add_fields(parser, Sent, without, **(spelled or SPELLED))
    return parser


def read(*argv: str, **given: Any) -> Sent:
    return call_of(Sent, parser_of().parse_args(argv), **given)


def test_without_options_a_call_has_its_own_defaults() -> None:
    assert read("x", "--thing", "a") == Sent(name="x", many=("a",))


def test_each_kind_of_field_is_read_as_its_type_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typed = "x body --thing a --thing b --size 3 --share 0.25 --form csv --without-text --quick --tag t --tag u"
    sent = read(*typed.split(), "--path", "out.csv", "--limit", "1.5")
    assert sent == Sent(
        name="x", part="body", many=("a", "b"), size=3, share=0.25, form="csv", with_text=False, quick=True,
        tags=("t", "u"), path=str(tmp_path / "out.csv"), limit=1.5,
    )  # fmt: skip


class Which(msgspec.Struct, frozen=True, kw_only=True):
    sides: Annotated[tuple[Literal["", "left", "right"], ...], "a side"] = ()
    edited: Annotated[bool | None, "only edited ones"] = None
    share: Annotated[float, about(ge=0, le=1), "how much"] = 0.5
    limit: Annotated[int, about(ge=1), "at most N"] = 100


def test_a_part_of_a_call_is_read_in_a_group_with_its_choices_and_a_default_of_its_own() -> None:
    parser = argparse.ArgumentParser(prog="send", exit_on_error=False)
    add_fields(parser.add_argument_group("which"), Which, sides="--side", limit="--limit N 20")
    assert call_of(Which, parser.parse_args([])) == Which(limit=20)
    typed = "--side left --side right --edited --share 1 --limit 1"
    read = call_of(Which, parser.parse_args(typed.split()))
    assert read == Which(sides=("left", "right"), edited=True, share=1.0, limit=1)
    assert "--limit N at most N [20]" in " ".join(parser.format_help().split())
    for wrong in (("--side", ""), ("--side", "up"), ("--share", "1.01"), ("--share", "nan"), ("--limit", "0")):
        with pytest.raises((argparse.ArgumentError, SystemExit)):
            parser.parse_args(wrong)


def test_positional_lists_take_the_rest() -> None:
    parser = parser_of(("part",), many="THING")
    assert call_of(Sent, parser.parse_args(["x", "a", "b"])).many == ("a", "b")


@pytest.mark.parametrize("wrong", [("--size", "-1"), ("--size", "x"), ("--form", "pdf"), ("--share", "x")])
def test_what_is_no_value_of_the_type_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parser_of().parse_args(["x", "--thing", "a", *wrong])


def test_a_required_list_has_to_be_given() -> None:
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parser_of().parse_args(["x"])


def test_the_help_is_that_of_the_field_with_its_default() -> None:
    help = " ".join(parser_of().format_help().split())
    assert "--size N how many; 0: all" in help
    assert "--share X how much [0.5]" in help
    assert "--form {csv,html} the form [html]" in help
    assert "--without-text leave out the text" in help
    assert "--limit X at most so much" in help
    assert "hidden" not in help


def test_what_the_command_computes_is_given_and_left_out_fields_keep_their_defaults() -> None:
    parser = parser_of(("many", "size"), share="--portion P")
    sent = call_of(Sent, parser.parse_args(["x", "--portion", "1"]), many=("z",), hidden={"a": "b"})
    assert sent == Sent(name="x", many=("z",), share=1.0, hidden={"a": "b"})


def test_a_field_that_there_is_not_is_a_fault_of_the_command() -> None:
    with pytest.raises(TypeError, match="no fields colour"):
        parser_of(colour="--colour C")
