"""``workbench models endpoint``: models that another program or service computes."""

from __future__ import annotations

import argparse
import getpass
import os
from typing import Any

from workbench import calls
from workbench.base.counting import counted
from workbench.cli.arguments import Commands, one_call
from workbench.cli.call_arguments import add_call, call_of
from workbench.cli.output import Number, TextOutput, listing, moment
from workbench.cli.session import Events, Session

KEY_VARIABLE, CODE_VARIABLE = "WORKBENCH_ENDPOINT_KEY", "WORKBENCH_ENDPOINT_CODE"
NAMES = {"name": "model"}


def add_commands(group: Commands) -> None:
    endpoints = group.group("endpoint", "add models that another program or service computes (OpenAI-compatible)")
    add_call(endpoints, "list", "list the endpoints", calls.ListEndpoints, show_all)
    adding = add_call(
        endpoints, "add", "probe an endpoint and add its model to the catalogue", calls.AddEndpoint, show_one, do=add,
        without=("address", "model"), price_in="--price-in N", price_out="--price-out N", budget="--budget N",
        terms="--terms URL",
    )  # fmt: skip
    help = f"ask for the key, which goes into the keyring of the system; without a terminal it is ${KEY_VARIABLE}"
    adding.add_argument("--key", action="store_true", help=help)
    help = f"ask for the code of another machine in place of URL and key; without a terminal it is ${CODE_VARIABLE}"
    adding.add_argument("--code", action="store_true", help=help)
    adding.add_argument("address", metavar="URL", nargs="?", default="", help="such as https://api.example.com/v1")
    help = "the name by which it knows the model; of another machine the first one that it serves"
    adding.add_argument("model", metavar="MODEL", nargs="?", default="", help=help)
    probing = "test again which features it supports"
    add_call(endpoints, "probe", probing, calls.ProbeEndpoint, show_one, names=NAMES)
    keying = endpoints.command("key", "replace the key of an endpoint", change_key, show_one, "NAME", names=NAMES)
    keying.add_argument("--forget", action="store_true", help="forget the key")
    add_call(
        endpoints, "edit", "change the name, the prices, the terms, the notes, or whether it sees images",
        calls.ChangeEndpoint, show_one, names=NAMES, new_name="--name NEW",
        price_in="--price-in N", price_out="--price-out N", terms="--terms URL", notes="--notes TEXT",
        images="--images SEES",
    )  # fmt: skip
    pricing = endpoints.command("budget", "change what may be spent in all", change_budget, show_one, names=NAMES)
    pricing.add_argument("name", metavar="NAME")
    pricing.add_argument("budget", metavar="N", type=float, help="in the currency of the prices; 0: no limit")
    for word, allowed in (("allow", True), ("refuse", False)):
        help = f"{word} that passages of a collection are sent to its host"
        deciding = one_call(lambda a, allowed=allowed: call_of(calls.AllowSending, a, allowed=allowed))  # type: ignore[misc]
        add_call(endpoints, word, help, calls.AllowSending, show_one, do=deciding, names=NAMES, without=("allowed",))


def add(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    key = _ask_key() if arguments.key else ""
    address, model = arguments.address, arguments.model
    if arguments.code:  # what is given beside a code is the model
        address, model = os.environ.get(CODE_VARIABLE) or getpass.getpass("Code: "), model or address
    elif not (address and model):
        arguments.parser.error("give URL and MODEL, or --code")
    return (yield from session.call(call_of(calls.AddEndpoint, arguments, key=key, address=address, model=model)))


def change_key(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    key = "" if arguments.forget else _ask_key()
    return (yield from session.call(calls.ChangeEndpoint(name=arguments.name, key=key)))


def change_budget(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    return (yield from session.call(calls.ChangeEndpoint(name=arguments.name, budget=arguments.budget)))


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
            ("images", _describe_images(endpoint)),
            ("probed", moment(endpoint["probed"])),
            (
                "used",
                f"{counted(use['requests'], 'request')}, {use['prompt_tokens']:,} + {use['new_tokens']:,} tokens",
            ),
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


def _describe_images(endpoint: dict[str, Any]) -> str:
    if endpoint["sees"] is None:
        if endpoint["vision"] is None:
            return "are not sent to it: whether it takes them was not tried (`workbench models endpoint probe`)"
        return "are sent to it" if endpoint["vision"] else "are not sent to it: it does not take them"
    return "are sent to it, as you said" if endpoint["sees"] else "are not sent to it, as you said"


def _describe_budget(budget: float, spent: float) -> str:
    return f"{budget:g}; {max(0.0, budget - spent):.4f} is left" if budget else ""


def _describe_price(endpoint: dict[str, Any]) -> str:
    if not endpoint["price_in"] and not endpoint["price_out"]:
        return ""
    return f"{endpoint['price_in']:g} per million prompt tokens, {endpoint['price_out']:g} per million generated ones"


show_all = listing(
    "endpoints",
    "There are no endpoints. `workbench models endpoint add URL MODEL` adds one.",
    {
        "NAME": lambda one: one["model"]["name"],
        "ADDRESS": lambda one: one["model"]["endpoint"]["address"],
        "REQUESTS": Number(lambda one: one["use"]["requests"], str),
        "COST": Number(lambda one: one["use"]["cost"], "{:.4f}".format),
        "BUDGET": Number(
            lambda one: one["model"]["endpoint"]["budget"], lambda budget: f"{budget:g}" if budget else "none"
        ),
    },
)
