"""Arguments of commands that are fields of a call: name, type, range, default and help are those of its type.

A field without a default is a positional argument; another one is an option when it has help. What is typed otherwise
than the field is called, a command spells: ``chat="ID"`` (the word in the usage), ``limit="--first N"`` (the option),
``limit="--first N 20"`` (with a default of its own).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from workbench.api.protocol import Call
from workbench.base.fields import Field, fields_of
from workbench.cli.arguments import Commands, Run, absolute, at_least, one_sentence
from workbench.cli.output import EventMessage, Show
from workbench.cli.run_lines import RunLines
from workbench.cli.session import Events, Session

C = TypeVar("C", bound=msgspec.Struct)

PATHS = ("path", "examples")
"""Fields that name a file or a folder: the core runs in another folder, so that it gets the path from the root."""
REMOVED = one_sentence(lambda result: f"{result['removed']} was deleted.")
_WORDS = {"int": "N", "float": "X"}
_NUMBERS: dict[str, type[int] | type[float]] = {"int": int, "float": float}


def add_call(
    group: Commands,
    word: str,
    help: str,
    call: type[Call[Any]],
    show: Show,
    /,
    *,
    do: Run | None = None,
    on_event: EventMessage | type[RunLines] | None = None,
    names: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    **spelled: str,
) -> argparse.ArgumentParser:
    """A command that makes a call of its arguments, whose result is its own; or that ``do`` does otherwise."""

    def make(session: Session, arguments: argparse.Namespace) -> Events[Any]:
        return (yield from session.call(call_of(call, arguments)))

    parser = group.command(word, help, do or make, show, on_event=on_event, names=names)
    add_fields(parser, call, without, **spelled)
    return parser


def add_removal(group: Commands, help: str, call: type[Call[Any]], word: str) -> None:
    """The command ``remove``, which takes a whole name; its result is that name, and what is left."""

    (field,) = call.__struct_fields__

    def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
        left = yield from session.call(call_of(call, arguments))
        return {"removed": getattr(arguments, field), **msgspec.structs.asdict(left)}

    add_fields(group.command("remove", help, remove, REMOVED), call, **{field: word})


def add_fields(
    parser: argparse._ActionsContainer, call: type[msgspec.Struct], without: Sequence[str] = (), **spelled: str
) -> None:
    """Let a command take the fields of ``call``, or of a part of one; ``call_of`` reads them."""
    described = {field.name: field for field in fields_of(call)}
    taken = []
    for info in msgspec.structs.fields(call):
        if info.name not in without and (info.required or info.name in described):
            _add(parser, info.name, described.get(info.name), info.required, spelled.pop(info.name, ""))
            taken.append(info.name)
    if spelled:
        raise TypeError(f"{call.__name__} has no fields {', '.join(spelled)} that a command can take")
    parser.set_defaults(fields=(*(parser.get_default("fields") or ()), *taken))


def call_of(call: type[C], arguments: argparse.Namespace, **given: Any) -> C:
    """The call that the arguments mean; fields that are no arguments are ``given``."""
    values: dict[str, Any] = {}
    for name in call.__struct_fields__:
        if name in arguments.fields and name not in given:
            value = getattr(arguments, name)
            if name in PATHS and value:
                value = absolute(value)
            values[name] = tuple(value) if isinstance(value, list) else value
    return call(**values, **given)


def _add(parser: argparse._ActionsContainer, name: str, field: Field | None, required: bool, spelled: str) -> None:
    option, word, default = [*spelled.split(), "", ""][:3] if spelled.startswith("-") else ("", spelled, "")
    if field is not None and default:
        field = msgspec.structs.replace(field, default=type(field.default)(default))
    options: dict[str, Any] = {}
    kind = field.kind if field is not None else "str"
    if field is not None and kind in ("int", "float"):
        most = math.inf if field.maximum is None else field.maximum
        limited = kind == "int" or field.maximum is not None
        options["type"] = at_least(field.minimum or 0, most, _NUMBERS[kind]) if limited else float
    elif field is not None and field.choices:
        options["choices"] = [choice for choice in field.choices if choice]
    if kind != "bool" and ("choices" not in options or word):
        options["metavar"] = word or _WORDS.get(kind, name.upper())
    help = field.typed_help if field is not None else None
    if option or not (required or spelled):
        flag = option or f"--{name.replace('_', '-')}"
        if kind == "bool":
            assert field is not None
            options |= {"action": "store_false" if field.default else "store_true", "default": field.default}
        elif kind == "list":
            options |= {"action": "append", "default": None if required else [], "required": required}
        else:
            assert field is not None
            options |= {"default": field.default, "required": required}
            help = f"{help}{_default(field)}"
        parser.add_argument(flag, dest=name, help=help, **options)
    elif kind == "list":
        parser.add_argument(name, nargs="+" if required else "*", help=help, **options)
    elif required:
        parser.add_argument(name, help=help, **options)
    else:
        assert field is not None
        parser.add_argument(name, nargs="?", default=field.default, help=help, **options)


def _default(field: Field) -> str:
    """The default as the help shows it, unless the help itself says what is done without the option."""
    said = field.default in ("", None) or any(words in field.typed_help for words in ("default", "0: ", "from 0"))
    return "" if said else f" [{field.default:g}]" if field.kind == "float" else f" [{field.default}]"
