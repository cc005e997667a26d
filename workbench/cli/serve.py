"""``workbench serve``: the local API for other programs, as long as the command runs."""

from __future__ import annotations

import argparse
import shlex
import time
from collections import deque
from typing import Any

import msgspec

from workbench import calls
from workbench.api.client import LOST
from workbench.api.events import Artifact, Event, Log
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, at_least, one_sentence
from workbench.cli.call_arguments import add_call, add_removal
from workbench.cli.output import Number, TextOutput, moment
from workbench.cli.session import CallFailed, Events, Session, Stopped

MOST_STARTS, WITHIN_S = 4, 120.0
"""A core that ends so often within this time will end again."""

EXAMPLE = """curl {address}/v1/chat/completions \\
  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]}}'"""
"""A request, to be copied."""

OPENAI = {"OPENAI_BASE_URL": "{address}/v1", "OPENAI_API_KEY": "{key}"}
ANTHROPIC = {"ANTHROPIC_BASE_URL": "{address}", "ANTHROPIC_API_KEY": "{key}"}
CLIENTS: dict[str, dict[str, str]] = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "aider": {"OPENAI_API_BASE": "{address}/v1", "OPENAI_API_KEY": "{key}", "AIDER_MODEL": "openai/{model}"},
    "claude-code": {
        "ANTHROPIC_BASE_URL": "{address}",
        "ANTHROPIC_AUTH_TOKEN": "{key}",
        "ANTHROPIC_MODEL": "{model}",
        "ANTHROPIC_SMALL_FAST_MODEL": "{model}",
    },
}
"""The environment variables by which each client is led to this program."""


def add_commands(commands: Commands) -> None:
    help = "serve your recipes and models to other programs on this machine, through an API like OpenAI's"
    parser = commands.command("serve", help, serve, show_end, on_event=_on_event)
    parser.add_argument(
        "--port", metavar="N", type=at_least(1024, 65_535), default=0, help="the port (default: that of the settings)"
    )
    group = commands.group("api", "show whether the local API is served, and its key")
    add_call(group, "state", "show where it is served, and the key", calls.GetApiState, show_state)
    setting = commands.command(
        "run-with",
        "print the environment variables with which another program uses the local API",
        client_variables,
        show_variables,
        epilog='In a shell: eval "$(workbench run-with CLIENT)". The API must be served.',
    )
    setting.add_argument("client", metavar="CLIENT", choices=sorted(CLIENTS), help=", ".join(sorted(CLIENTS)))
    setting.add_argument("--model", metavar="NAME", default="", help="a recipe or model (default: the first served)")
    clients = group.group("clients", "let other machines use the API, each with a key of its own")
    add_call(clients, "list", "list them", calls.ListApiClients, show_clients)
    add_call(
        clients, "add", "print the code for another machine; it is shown this once", calls.AddApiClient, show_code,
        per_minute="--per-minute N", largest_mb="--largest-mb N",
    )  # fmt: skip
    add_removal(clients, "refuse a client from now on", calls.RemoveApiClient, "NAME")
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


def client_variables(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    """The variables of a client by their names. Raises UserError while the API is not served."""
    state = yield from session.call(calls.GetApiState())
    if not state.running:
        raise UserError("The API is off.", "`workbench serve` serves it; so does Settings in the window.")
    offered = yield from session.call(calls.ListServedModels())
    names = [one.id for one in offered.models if one.kind != "embedder" and not one.problem]
    if arguments.model and arguments.model not in names:
        raise UserError(f"There is no model {arguments.model!r} to serve.", f"There are: {', '.join(names) or 'none'}.")
    if not names:
        raise UserError("There is no model to serve.", "`workbench models starter` adds one.")
    values = {"address": state.address, "key": state.key, "model": arguments.model or names[0]}
    return {name: value.format(**values) for name, value in CLIENTS[arguments.client].items()}


def show_variables(result: dict[str, str], output: TextOutput) -> None:
    for name, value in result.items():
        output.line(f"export {name}={shlex.quote(value)}")


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
            ("in the network", ", ".join(result["network_addresses"]) or result["network_problem"]),
        ]
    )


def show_clients(result: dict[str, Any], output: TextOutput) -> None:
    if not result["clients"]:
        output.line("No other machine may use the API. `workbench api clients add NAME` lets one in.")
        return
    rows = [
        (one["name"], moment(one["created"]), Number(one["per_minute"]), f"{one['largest_mb']} MB")
        for one in result["clients"]
    ]
    output.table(("NAME", "SINCE", "REQUESTS A MINUTE", "LARGEST"), rows)


def show_code(result: dict[str, Any], output: TextOutput) -> None:
    name = result["client"]["name"]
    output.line(f"The code for {name}. It is a secret, and it is not shown again:")
    output.line()
    output.line(result["code"])
    output.line()
    output.line("There: Models, Models elsewhere, or `workbench models endpoint add --code`. Here the setting")
    output.line("server.shared must be on: `workbench settings set server.shared true`.")
