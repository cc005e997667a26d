"""The tokens of answers, for people and programs: how probable each one was, and what else could have come."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import msgspec

from workbench.api.calls import AnswerTokens, AskResult, InspectAnswer
from workbench.api.events import Log
from workbench.cli.output import TextOutput
from workbench.cli.session import Events, Session
from workbench.errors import UserError


def with_tokens(session: Session, result: AskResult, plain: dict[str, Any], alternatives: int) -> Events[None]:
    """Put the tokens of each sequence into a plain answer: ``tokens`` instead of their number, and ``next``, what could
    come after the last one. Of an answer that no model made there are none."""
    for number, sequence in enumerate(plain["sequences"]):
        sequence["tokens"], sequence["next"] = [], None
        call = InspectAnswer(message=result.message, sequence=number, alternatives=alternatives)
        try:
            told = yield from session.call(call)
        except UserError as error:
            yield Log(text=str(error), level="notice")
            return
        known = msgspec.to_builtins(told)
        sequence["tokens"], sequence["next"] = known["tokens"], known["next"]


def tokens(session: Session, arguments: argparse.Namespace) -> Events[AnswerTokens]:
    call = InspectAnswer(
        message=arguments.message,
        sequence=arguments.sequence,
        alternatives=arguments.alternatives,
        last=arguments.last,
    )
    return (yield from session.call(call))


def show_tokens(result: dict[str, Any], output: TextOutput) -> None:
    table_of(result["tokens"], result["next"], result["first"], output)


def table_of(tokens: list[dict[str, Any]], after: dict[str, Any] | None, first: int, output: TextOutput) -> None:
    """A line for each token: its place, as ``--branch`` takes it, and its alternatives as id, text and probability."""
    rows = [
        (place, quoted(one["text"]), one["token"], _percent(one["logprob"]), _alternatives(one))
        for place, one in enumerate(tokens, first)
    ]
    if after is not None:
        rows.append((first + len(tokens), "", "", "", _alternatives(after)))
    output.table(("PLACE", "TOKEN", "ID", "P", "ALTERNATIVES"), rows, numbers=("PLACE", "ID", "P"))


def quoted(text: str) -> str:
    """A token's text with its spaces and line ends to be seen."""
    return json.dumps(text, ensure_ascii=False)


def _alternatives(chosen: dict[str, Any]) -> str:
    return "  ".join(f"{a['token']}:{quoted(a['text'])} {_percent(a['logprob'])}" for a in chosen["alternatives"])


def _percent(logprob: float) -> str:
    return f"{math.exp(logprob):.1%}"
