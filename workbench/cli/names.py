"""Names on the command line: a prefix stands for the only name that starts with it.

A scale may follow the name of an adapter (``NAME:SCALE``), a version that of a prompt (``NAME@VERSION``). Commands
that delete take whole names only.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

from workbench.base.errors import UserError
from workbench.cli.session import Events, Session
from workbench.subjects.adapters.calls import ListAdapters
from workbench.subjects.datasets.calls import ListDataSets
from workbench.subjects.documents.calls import ListCollections
from workbench.subjects.evaluation.calls import ListEvaluations, ListQuestionSets
from workbench.subjects.models.calls import ListModels
from workbench.subjects.prompts.calls import ListPrompts

_FOLLOWED = {"adapter": ":", "prompt": "@"}
"""What stands between a name and what follows it."""


def complete_names(session: Session, arguments: argparse.Namespace) -> Events[None]:
    """Replace the beginnings of names among the arguments by the names. Raises UserError where several begin so."""
    known: dict[str, list[str]] = {}
    for argument, kind in (getattr(arguments, "names", None) or {}).items():
        value = getattr(arguments, argument)
        if not value:
            continue
        if kind not in known:
            known[kind] = yield from _list_names(session, kind)
        if isinstance(value, list):
            setattr(arguments, argument, [_complete_use(one, known[kind], kind) for one in value])
        else:
            setattr(arguments, argument, _complete_use(value, known[kind], kind))


def complete(text: str, names: Iterable[str], kind: str) -> str:
    """The only name that begins with ``text``, whatever its case; ``text`` itself where none does, or it is a file."""
    names = list(names)
    if text in names or os.path.exists(text):
        return text
    for begins in (lambda name: name.casefold() == text.casefold(), lambda name: _begins(name, text)):
        found = [name for name in names if begins(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"Several {kind}s begin with {text!r}.", f"Give more of the name: {', '.join(found)}.")
    return text


def _begins(name: str, text: str) -> bool:
    return name.casefold().startswith(text.casefold())


def _complete_use(text: str, names: list[str], kind: str) -> str:
    """As ``complete``, of a name that something may follow."""
    whole = complete(text, names, kind)
    name, sign, rest = text.rpartition(_FOLLOWED.get(kind, "\n"))
    return whole if whole != text or not sign else f"{complete(name, names, kind)}{sign}{rest}"


def _list_names(session: Session, kind: str) -> Events[list[str]]:
    if kind == "model":
        return [model.name for model in (yield from session.call(ListModels())).models]
    if kind == "collection":
        return [one.name for one in (yield from session.call(ListCollections())).collections]
    if kind == "adapter":
        return [one.name for one in (yield from session.call(ListAdapters())).adapters]
    if kind == "evaluation":
        return [one.id for one in (yield from session.call(ListEvaluations())).evaluations]
    if kind == "prompt":
        return [one.name for one in (yield from session.call(ListPrompts())).prompts]
    if kind == "question set":
        return [one.name for one in (yield from session.call(ListQuestionSets())).sets]
    return [one.name for one in (yield from session.call(ListDataSets())).sets]
