"""``workbench serve``: the local API for other programs, as long as the command runs."""

from __future__ import annotations

import argparse
import time
from collections import deque
from typing import Any

import msgspec

from workbench import calls
from workbench.api.client import LOST
from workbench.api.events import Artifact, Event, Log
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, at_least, one_sentence
from workbench.cli.call_arguments import add_call
from workbench.cli.output import TextOutput
from workbench.cli.session import CallFailed, Events, Session, Stopped

MOST_STARTS, WITHIN_S = 4, 120.0
"""A core that ends so often within this time will end again."""

EXAMPLE = """curl {address}/v1/chat/completions \\
  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]}}'"""
"""A request, to be copied."""


def add_commands(commands: Commands) -> None:
    help = "serve your recipes and models to other programs on this machine, through an API like OpenAI's"
    parser = commands.command("serve", help, serve, show_end, on_event=_on_event)
    parser.add_argument(
        "--port", metavar="N", type=at_least(1024, 65_535), default=0, help="the port (default: that of the settings)"
    )
    group = commands.group("api", "the local API: whether it is served, and its key")
    add_call(group, "state", "show where it is served, and the key", calls.GetApiState, show_state)
    renewed = one_sentence(lambda result: f"The key is now {result['key']}; programs with the old one are refused.")
    add_call(group, "renew-key", "make another key", calls.RenewApiKey, renewed)


def serve(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    """Serve until Ctrl+C, which is how this ends well. When the core dies, another one serves on."""
    state: dict[str, Any] = {}
    began: deque[float] = deque(maxlen=MOST_STARTS)
    while True:
        began.append(time.monotonic())
        try:
            offered = yield from session.call(calls.ListServedModels())
            for event in session.call(calls.ServeApi(port=arguments.port)):
                if isinstance(event, Artifact) and event.kind == "api":
                    models = [one.id for one in offered.models if one.kind != "embedder"]
                    state = {**event.result, "models": models, "again": len(began) > 1}
                    event = msgspec.structs.replace(event, result=state)
                yield event
        except Stopped:
            return state
        except CallFailed as failed:
            if failed.event.reason != "worker" or failed.event.hint != LOST.hint:
                raise
            if len(began) == MOST_STARTS and began[-1] - began[0] < WITHIN_S:
                raise UserError(
                    f"The API is served no more: the core ended {MOST_STARTS} times within {WITHIN_S:.0f} seconds.",
                    f"The reason is in {session.home.logs}.",
                ) from failed
            yield Log(level="warning", text="The core ended unexpectedly. Another one is started and serves on.")
            continue
        return state


def _on_event(event: Event, output: TextOutput) -> None:
    if isinstance(event, Artifact) and event.kind == "api":
        if event.result["again"]:
            output.line(f"The API is served again at {event.result['address']}/v1.")
            return
        show_state(event.result, output)
        models = event.result["models"]
        output.pairs([("models", ", ".join(models) or "none: add one with `workbench models starter`")])
        output.line()
        output.line(EXAMPLE.format(**event.result, model=models[0] if models else "MODEL"))
        output.line()
        output.line("Ctrl+C ends it.")


def show_end(result: dict[str, Any], output: TextOutput) -> None:
    output.line("The API is served no more.")


def show_state(result: dict[str, Any], output: TextOutput) -> None:
    if not result["running"]:
        output.line(result["problem"] or "The API is off. `workbench serve` serves it.")
    output.pairs(
        [
            ("address", f"{result['address']}/v1" if result["address"] else ""),
            ("key", result["key"]),
            ("answered", result["answered"] if result["running"] else ""),
            ("refused", result["refused"] if result["running"] else ""),
        ]
    )
