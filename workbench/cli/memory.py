"""``workbench memory``: what agents are told in every chat that reads the memory."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, one_sentence
from workbench.cli.call_arguments import add_call
from workbench.cli.output import listing, moment, one_line
from workbench.cli.session import Events, Session
from workbench.records.agents import Fact
from workbench.subjects.agents.calls import AddFact, EditFact, ForgetFact, ListFacts

_DIGITS = 8
"""Of an id that are shown; the beginning of an id names its fact."""


def add_commands(commands: Commands) -> None:
    group = commands.group("memory", "list and change what agents remember in every chat that reads the memory")
    add_call(group, "list", "list what is remembered", ListFacts, show_list, search="--search WORDS")
    add_call(group, "add", "remember a text, as yours", AddFact, SAID)
    group.command("edit", "replace the text of a fact, which is yours from then on", edit, SAID, "FACT", "TEXT")
    group.command("forget", "forget a fact for good", forget, FORGOTTEN, "FACT")


SAID = one_sentence(lambda result: f"{result['id'][:_DIGITS]}  {one_line(result['text'])}")
FORGOTTEN = one_sentence(lambda result: f"Forgotten: {one_line(result['text'])}")


def edit(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    fact = yield from _find(session, arguments.fact)
    return (yield from session.call(EditFact(fact=fact.id, text=arguments.text)))


def forget(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    fact = yield from _find(session, arguments.fact, whole=True)
    return (yield from session.call(ForgetFact(fact=fact.id)))


def _find(session: Session, named: str, *, whole: bool = False) -> Events[Fact]:
    """The fact whose id is, or begins with, ``named``. Raises UserError when there is none, or several."""
    known = (yield from session.call(ListFacts())).facts
    least = _DIGITS if whole else 1
    found = [fact for fact in known if fact.id == named] or [
        fact for fact in known if len(named) >= least and fact.id.startswith(named)
    ]
    if len(found) != 1:
        many = f"{len(found)} facts have ids that begin with {named!r}." if found else f"There is no fact {named!r}."
        raise UserError(many, f"{session.command('memory list')} shows the ids.")
    return found[0]


show_list = listing(
    "facts",
    "Nothing is remembered. `workbench memory add TEXT` remembers a sentence.",
    {
        "FACT": lambda one: one["id"][:_DIGITS],
        "CHANGED": lambda one: moment(one["changed"] or one["created"]),
        "FROM": "source",
        "TEXT": "text",
    },
)
