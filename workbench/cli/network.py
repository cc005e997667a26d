"""``workbench network``: what was sent over the network, and what was refused."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from workbench import calls
from workbench.base.finding import holds
from workbench.cli.arguments import Commands, one_sentence
from workbench.cli.call_arguments import add_call
from workbench.cli.output import Number, byte_size, listing, when
from workbench.cli.session import Events, Session
from workbench.records.hub import Purpose


def add_commands(commands: Commands) -> None:
    group = commands.group("network", "show the log of requests over the network")
    listing = group.command("log", "list the requests, and the connections that were refused", list_requests, show)
    listing.add_argument("--purpose", choices=get_args(Purpose), help="only those of this purpose")
    listing.add_argument("--host", default="", help="only those whose host contains this")
    listing.add_argument("--refused", action="store_true", help="only those that were refused or not answered")
    add_call(group, "export", "write the log as a CSV file", calls.ExportNetworkLog, WRITTEN, path="FILE")
    add_call(group, "clear", "forget the requests so far", calls.ClearNetworkLog, show)


def list_requests(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    log = yield from session.call(calls.ListNetworkRequests())
    return calls.NetworkLog(
        requests=tuple(
            one
            for one in log.requests
            if arguments.purpose in (None, one.purpose)
            and holds(arguments.host, one.host)
            and (not arguments.refused or one.refused or one.failed)
        )
    )


WRITTEN = one_sentence(lambda result: f"The log is written to {result}.")


show = listing(
    "requests",
    "Nothing was sent over the network.",
    {
        "TIME": when("at"),
        "PURPOSE": "purpose",
        "HOST": "host",
        "REQUEST": lambda one: f"{one['method']} {one['path']}".strip(),
        "STATUS": Number("status", str, blank=True),
        "SENT": Number("bytes_out", byte_size),
        "RECEIVED": Number("bytes_in", byte_size),
        "NOT ANSWERED": lambda one: one["refused"] or one["failed"],
    },
)
