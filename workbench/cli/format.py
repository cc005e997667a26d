"""``workbench format``: answer formats."""

from __future__ import annotations

import argparse
from typing import Any, get_args, get_type_hints

from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, read_text
from workbench.cli.output import TextOutput
from workbench.cli.session import Events, Session
from workbench.records.answers import FormatCheck
from workbench.subjects.chats.calls import CheckFormat


def add_commands(commands: Commands) -> None:
    group = commands.group("format", "check answer formats: JSON schemas, regular expressions, choices and grammars")
    checking = group.command("check", "check a schema, expression or grammar, and a text against it", check, show_check)
    checking.add_argument("file", metavar="FILE", help="the schema, expression, choices or grammar")
    forms = [form for form in get_args(get_type_hints(CheckFormat)["format"]) if form not in ("text", "json")]
    checking.add_argument("--form", choices=forms, default="json_schema", help="the kind of FILE [json_schema]")
    checking.add_argument("--text", metavar="FILE", help="a text to check against it")


def check(session: Session, arguments: argparse.Namespace) -> Events[FormatCheck]:
    call = CheckFormat(
        format=arguments.form,
        grammar=read_text(arguments.file),
        text=read_text(arguments.text) if arguments.text is not None else None,
    )
    found = yield from session.call(call)
    if found.problem:
        line = f", line {found.line}" if found.line is not None else ""
        raise UserError(f"{arguments.file}{line}: {found.problem}")
    if found.text_problem:
        raise UserError(f"{arguments.text}: {found.text_problem}")
    return found


def show_check(result: dict[str, Any], output: TextOutput) -> None:
    output.line("Valid.")
