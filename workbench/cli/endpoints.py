"""``workbench models endpoint``: models that another program or service computes."""

from __future__ import annotations

import argparse
import getpass
import os
from typing import Any

from workbench import calls
from workbench.cli.arguments import Commands, one_call
from workbench.cli.output import TextOutput, moment
from workbench.cli.session import Events, Session

KEY_VARIABLE = "WORKBENCH_ENDPOINT_KEY"
NAMES = {"name": "model"}


def add_commands(group: Commands) -> None:
    endpoints = group.group("endpoint", "models that another program or service computes (OpenAI-compatible)")
    endpoints.command("list", "list the endpoints", one_call(lambda a: calls.ListEndpoints()), show_all)
    adding = endpoints.command("add", "probe an endpoint and add its model to the catalogue", add, show_one)
    adding.add_argument("address", metavar="URL", help="the base address, such as https://api.example.com/v1")
    adding.add_argument("model", metavar="MODEL", help="the name by which it knows the model")
    adding.add_argument("--name", default="", help="its name in the catalogue (default: chosen)")
    help = f"ask for the key, which goes into the keyring of the system; without a terminal it is ${KEY_VARIABLE}"
    adding.add_argument("--key", action="store_true", help=help)
    adding.add_argument("--price-in", metavar="N", type=float, default=0.0, help="price per million prompt tokens")
    adding.add_argument("--price-out", metavar="N", type=float, default=0.0, help="price per million generated tokens")
    adding.add_argument("--budget", metavar="N", type=float, default=0.0, help="what may be spent in all [no limit]")
    adding.add_argument("--terms", metavar="URL", default="", help="the address of its terms, stored with the model")
    probing = one_call(lambda a: calls.ProbeEndpoint(name=a.name))
    endpoints.command("probe", "test again which features it supports", probing, show_one, "NAME", names=NAMES)
    keying = endpoints.command("key", "replace the key of an endpoint", change_key, show_one, "NAME", names=NAMES)
    keying.add_argument("--forget", action="store_true", help="forget the key")
    editing = endpoints.command(
        "edit", "change the name, the prices, the terms or the notes", edit, show_one, names=NAMES
    )
    editing.add_argument("name", metavar="NAME")
    editing.add_argument("--name", dest="new_name", metavar="NEW", help="its new name in the catalogue")
    editing.add_argument("--model", help="the name by which the service knows the model; it is probed")
    editing.add_argument("--price-in", metavar="N", type=float, help="price per million prompt tokens")
    editing.add_argument("--price-out", metavar="N", type=float, help="price per million generated tokens")
    editing.add_argument("--terms", metavar="URL", help="the address of its terms")
    editing.add_argument("--notes", metavar="TEXT", help="what else is to be remembered")
    pricing = endpoints.command("budget", "change what may be spent in all", change_budget, show_one, names=NAMES)
    pricing.add_argument("name", metavar="NAME")
    pricing.add_argument("budget", metavar="N", type=float, help="in the currency of the prices; 0: no limit")
    for word, allowed in (("allow", True), ("refuse", False)):
        deciding = one_call(
            lambda a, allowed=allowed: calls.AllowSending(name=a.name, collection=a.collection, allowed=allowed)  # type: ignore[misc]
        )
        help = f"{word} that passages of a collection are sent to its host"
        command = endpoints.command(word, help, deciding, show_one, names=NAMES)
        command.add_argument("name", metavar="NAME")
        help = 'its name; "" is for attached files, "*agent" for what agents have read, "*unknown" for unknown origins'
        command.add_argument("collection", metavar="COLLECTION", help=help)


def add(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    call = calls.AddEndpoint(
        address=arguments.address,
        model=arguments.model,
        name=arguments.name,
        key=_ask_key() if arguments.key else "",
        price_in=arguments.price_in,
        price_out=arguments.price_out,
        budget=arguments.budget,
        terms=arguments.terms,
    )
    return (yield from session.call(call))


def change_key(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    key = "" if arguments.forget else _ask_key()
    return (yield from session.call(calls.ChangeEndpoint(name=arguments.name, key=key)))


def change_budget(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    return (yield from session.call(calls.ChangeEndpoint(name=arguments.name, budget=arguments.budget)))


def edit(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    names = ("new_name", "model", "price_in", "price_out", "terms", "notes")
    call = calls.ChangeEndpoint(name=arguments.name, **{name: getattr(arguments, name) for name in names})
    return (yield from session.call(call))


def _ask_key() -> str:
    """From the person, never from an argument, which other programs could read."""
    return os.environ.get(KEY_VARIABLE) or getpass.getpass("Key: ")


def show_one(result: dict[str, Any], output: TextOutput) -> None:
    model, use = result["model"], result["use"]
    endpoint = model["endpoint"]
    key = "none"
    if use["has_key"]:
        key = "in the keyring of the system" if use["key_kept"] else "for this session: the system has no keyring"
    output.pairs(
        [
            ("name", model["name"]),
            ("address", endpoint["address"]),
            ("model", endpoint["model"]),
            ("key", key),
            ("context", f"{endpoint['context_tokens']:,} tokens" if endpoint["context_tokens"] else "not known"),
            ("probed", moment(endpoint["probed"])),
            ("used", f"{use['requests']:,} requests, {use['prompt_tokens']:,} + {use['new_tokens']:,} tokens"),
            ("cost", f"{use['cost']:.4f}" if use["cost"] else ""),
            ("budget", _describe_budget(endpoint["budget"], use["cost"])),
            ("price", _describe_price(endpoint)),
            ("terms", endpoint["terms"]),
            ("notes", endpoint["notes"]),
        ]
    )
    for collection, allowed in sorted(use["sending"].items()):
        output.line(f"Passages of {collection} are {'sent to it' if allowed else 'not sent to it: you refused'}.")
    for sentence in result["lacks"]:
        output.line(sentence)


def _describe_budget(budget: float, spent: float) -> str:
    return f"{budget:g}; {max(0.0, budget - spent):.4f} is left" if budget else ""


def _describe_price(endpoint: dict[str, Any]) -> str:
    if not endpoint["price_in"] and not endpoint["price_out"]:
        return ""
    return f"{endpoint['price_in']:g} per million prompt tokens, {endpoint['price_out']:g} per million generated ones"


def show_all(result: dict[str, Any], output: TextOutput) -> None:
    if not result["endpoints"]:
        output.line("There are no endpoints. `workbench models endpoint add URL MODEL` adds one.")
        return
    rows = [
        (
            one["model"]["name"],
            one["model"]["endpoint"]["address"],
            one["use"]["requests"],
            f"{one['use']['cost']:.4f}",
            f"{one['model']['endpoint']['budget']:g}" if one["model"]["endpoint"]["budget"] else "none",
        )
        for one in result["endpoints"]
    ]
    output.table(("NAME", "ADDRESS", "REQUESTS", "COST", "BUDGET"), rows, numbers=("REQUESTS", "COST", "BUDGET"))
