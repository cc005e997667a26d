"""The declaration of commands, and the conversion of arguments to values."""

from __future__ import annotations

import argparse
import math
import os
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from workbench.api.protocol import Call
from workbench.base.errors import UserError
from workbench.base.fields import Field, describe_default, describe_range, fields_of
from workbench.cli.output import EventMessage, Show
from workbench.cli.run_lines import RunLines
from workbench.cli.session import Events, Session
from workbench.records.methods import MethodInfo
from workbench.records.recipes import AdapterUse

Run = Callable[[Session, argparse.Namespace], Events[Any]]


class Commands:
    """A level of commands below a parser; every command takes the common options as well."""

    def __init__(self, parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
        self._common = common
        parser.set_defaults(do=None, parser=parser)  # without a command its help is shown
        self._commands = parser.add_subparsers(metavar="COMMAND")

    def group(self, name: str, help: str) -> Commands:
        return Commands(self._add(name, help), self._common)

    def rename(self, former: str, name: str) -> None:
        """Keep the former name of a command or group for one release: it does the same, is not listed, and names the
        new one (``arguments.renamed``). To be called when the command has all its arguments."""
        added = self._commands.choices[name]
        alias = self._commands.add_parser(former, parents=[added], add_help=False, allow_abbrev=False)
        alias.set_defaults(renamed=(alias.prog, added.prog))

    def command(
        self,
        name: str,
        help: str,
        run: Run,
        show: Show,
        *takes: str,
        on_event: EventMessage | type[RunLines] | None = None,
        names: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> argparse.ArgumentParser:
        """A command: ``run`` does it; for people, ``show`` writes its result and ``on_event``, or an object of it where
        it is a class, the events on the way.
        ``takes`` are the positional arguments that need no help, in capitals; ``names`` says which arguments are the
        names of what (``cli.names``)."""
        parser = self._add(name, help, **rest)
        parser.set_defaults(do=run, show=show, on_event=on_event, parser=parser, names=names or {})
        for argument in takes:
            parser.add_argument(argument.lower(), metavar=argument)
        return parser

    def _add(self, name: str, help: str, **rest: Any) -> argparse.ArgumentParser:
        description = help[0].upper() + help[1:] + "."
        added: argparse.ArgumentParser = self._commands.add_parser(
            name, help=help, parents=[self._common], description=description, allow_abbrev=False, **rest
        )
        return added


def add_repeated(
    parser: argparse._ActionsContainer, option: str, word: str, help: str, into: str | None = None, **rest: Any
) -> None:
    """An option that can be given several times. Its values are a list, empty without it; ``into`` is their name, if
    that is not the option's own."""
    parser.add_argument(option, metavar=word, action="append", default=[], dest=into, help=help, **rest)


class FieldHelp(argparse.Action):
    """``--fields [PART | PART.FIELD]``: prints what --set takes, and ends. ``parts`` are the configuration types by
    part, ``more`` are lines on a part that follow its fields."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        *,
        parts: Mapping[str, type[msgspec.Struct]],
        more: Mapping[str, list[str]],
        **rest: Any,
    ) -> None:
        super().__init__(option_strings, dest, nargs="?", **rest)
        self._parts = parts
        self._more = more

    @classmethod
    def add(
        cls,
        parser: argparse.ArgumentParser,
        parts: Mapping[str, type[msgspec.Struct]],
        more: Mapping[str, list[str]] | None = None,
    ) -> None:
        help = "list the fields that --set takes, or explain those of a part, or one"
        parser.add_argument(
            "--fields", metavar="PART[.FIELD]", action=cls, parts=parts, more=more or {}, default=None, help=help
        )

    def __call__(self, parser: argparse.ArgumentParser, namespace: object, value: Any, option: object = None) -> None:
        lines = self._overview() if value is None else self._explained(parser, value)
        print("\n".join(lines).strip("\n"), flush=True)
        parser.exit(0)

    def _overview(self) -> list[str]:
        lines = ["The fields that --set takes. --fields PART or --fields PART.FIELD explains them.", ""]
        for part, config in self._parts.items():
            for heading, fields in _grouped(part, config):
                names = ", ".join(field.name for field in fields)
                lines += textwrap.wrap(f"{heading}: {names}", 100, initial_indent="  ", subsequent_indent="      ")
        return lines

    def _explained(self, parser: argparse.ArgumentParser, value: str) -> list[str]:
        part, dot, name = value.partition(".")
        if part not in self._parts:
            parser.error(f"there is no part {part!r}; the parts are {', '.join(self._parts)}")
        fields = [field for field in fields_of(self._parts[part]) if not dot or field.name == name]
        if dot and not fields:
            parser.error(f"there is no field {value!r}; --fields {part} lists those of {part}")
        if dot:
            return settings_lines(part, fields)
        return [*field_lines({part: self._parts[part]}), *self._more.get(part, ())]


def one_call(make: Callable[[argparse.Namespace], Call[Any]]) -> Run:
    """A command that makes one call of its arguments; the call's result is its own."""

    def run(session: Session, arguments: argparse.Namespace) -> Events[Any]:
        return (yield from session.call(make(arguments)))

    return run


def one_sentence(describe: Callable[[dict[str, Any]], str]) -> Show:
    """Shows a result as one line."""
    return lambda result, output: output.line(describe(result))


def at_least(least: float, most: float = math.inf, kind: type[int] | type[float] = int) -> Callable[[str], float]:
    """An argparse type: numbers from ``least`` on, or to ``most``; whole ones unless ``kind`` is float."""

    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            whole = "whole number" if kind is int else "number"
            end = f" and at most {most:,}" if most < math.inf else ""
            raise argparse.ArgumentTypeError(f"{text!r} is not a {whole} of at least {least}{end}")
        return number

    return read


def field_lines(parts: Mapping[str, type[msgspec.Struct]]) -> list[str]:
    """Every ``part.field`` that --set takes, with its help, range and default, by part and group."""
    lines = []
    for part, config in parts.items():
        for heading, fields in _grouped(part, config):
            lines += ["", f"  {heading}:", *settings_lines(part, fields)]
    return lines


def _grouped(part: str, config: type[msgspec.Struct]) -> Iterator[tuple[str, list[Field]]]:
    """The fields of a part by group, each group with its heading."""
    fields = fields_of(config)
    for group in dict.fromkeys(field.group for field in fields):
        yield f"{part}, {group}" if group else part, [field for field in fields if field.group == group]


def method_lines(methods: Iterable[MethodInfo], part: str = "") -> list[str]:
    """Methods by their names, each with its summary and cost, and, of a ``part``, the settings that --set takes."""
    lines = []
    for method in methods:
        lines += ["", f"  {method.name}", f"      {method.title}. {method.summary} {method.cost}".rstrip()]
        lines += settings_lines(part, method.fields) if part else []
    return lines


def settings_lines(part: str, fields: Iterable[Field]) -> list[str]:
    """Fields as --set takes them, each with its help, range and default."""
    lines = []
    for field in fields:
        help = f"      {field.typed_help} {describe_range(field)}".rstrip()
        default = describe_default(field)
        lines += [f"  {part}.{field.name}", help + (f" [{default}]" if default else "")]
    return lines


class Item(msgspec.Struct, frozen=True):
    """One line of a file of questions or queries."""

    id: str
    text: str


class _Line(msgspec.Struct):
    text: str
    id: str | int = ""


def read_items(path: str) -> list[Item]:
    """The items of a JSONL file with ``id`` and ``text``; a missing id is the line's number.

    Raises UserError with the file and the line.
    """
    items = []
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    read = msgspec.json.decode(line, type=_Line)
                    items.append(Item(str(read.id) or str(number), read.text))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UserError(
            f"Line {number} of {path} is not valid: {error}.",
            'Each line is a JSON object such as {"id": "1", "text": "..."}.',
        ) from error
    return items


def read_text(path: str) -> str:
    """The text of a named file. Raises UserError when it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error


def write_file(path: str, content: bytes) -> str:
    """Write a requested file; returns its absolute path. Raises UserError when that fails."""
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
    return absolute(path)


def split_adapter(text: str) -> AdapterUse:
    """An adapter and its scale, as ``NAME``, ``FILE`` or either of them with ``:SCALE``. Raises UserError."""
    name, colon, scale = text.rpartition(":")
    try:
        number = float(scale) if colon else 1.0
    except ValueError:  # the colon is part of the name
        colon, number = "", 1.0
    name = name if colon else text
    if os.path.exists(name) and not os.path.isdir(name):
        name = absolute(name)
    try:
        return msgspec.convert({"name": name, "scale": number}, AdapterUse)
    except msgspec.ValidationError as error:
        raise UserError(
            f"{text!r} is not an adapter and its scale: {error}.", "The scale is from -10 to 10."
        ) from error


def absolute(path: str) -> str:
    """The path from the root: the core runs in another folder. Raises UserError for a name that is not text."""
    try:
        full = os.path.abspath(os.path.expanduser(path))
        full.encode()
    except FileNotFoundError as error:
        raise UserError(f"{path} cannot be found: the current folder is gone.", "Name it from the root on.") from error
    except UnicodeEncodeError as error:
        raise UserError(
            f"The name of {full.encode(errors='replace').decode()} is not valid UTF-8.", "Rename it."
        ) from error
    return full
