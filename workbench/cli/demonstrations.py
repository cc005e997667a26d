"""``workbench demonstrations``: programs with tools that were saved as examples for similar questions."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.cli.arguments import Commands
from workbench.cli.call_arguments import add_call
from workbench.cli.output import TextOutput, moment, one_line
from workbench.records.demonstrations import Demonstration
from workbench.subjects.prompts.calls import (
    DemonstrationList,
    ListDemonstrations,
    RemoveDemonstration,
    SaveDemonstration,
)

_LONGEST = 60


def add_commands(commands: Commands) -> None:
    group = commands.group("demonstrations", "keep programs with tools (ART) as examples for similar questions")
    add_call(group, "save", "save the program of an answer, as it was corrected", SaveDemonstration, show_one)
    add_call(group, "list", "list the demonstrations", ListDemonstrations, show_list)
    add_call(group, "remove", "remove a demonstration", RemoveDemonstration, show_list, demonstration="ID")


def show_one(result: dict[str, Any], output: TextOutput) -> None:
    made = msgspec.convert(result, Demonstration)
    output.line(f"Saved as the demonstration {made.id}. Similar questions are shown it:")
    output.line()
    output.line(made.question)
    output.line(made.program())


def show_list(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, DemonstrationList)
    if found.unreadable:
        raise UserError(found.unreadable)
    if not found.demonstrations:
        output.line("There are no demonstrations. `workbench demonstrations save MESSAGE` saves one.")
        return
    rows = [
        (
            one.id,
            moment(one.created),
            len(one.steps),
            one_line(one.question)[:_LONGEST],
            one_line(one.answer)[:_LONGEST],
        )
        for one in found.demonstrations
    ]
    output.table(("ID", "SAVED", "STEPS", "QUESTION", "ANSWER"), rows, numbers=("STEPS",))
