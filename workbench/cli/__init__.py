"""The terminal: every command of the program without its window. Talks to the core through ``workbench.api.client``.

With ``--json`` the standard output carries one event per line and ends with the terminal event; text for people goes to
the standard error. Exit status: 0 finished, 1 failed, 2 usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import io
import os
import pkgutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, TextIO

import workbench
from workbench.api import client
from workbench.api.client import Front
from workbench.api.events import Failed
from workbench.api.protocol import failure_of
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.base.paths import HOME_VARIABLE, Home, find_home
from workbench.cli.arguments import Commands
from workbench.cli.names import complete_names
from workbench.cli.output import JsonOutput, Output, TextOutput
from workbench.cli.session import CallFailed, Events, Session, Stopped

FIRST = ("models", "docs", "ask", "chat", "chats")
"""The modules whose commands come first in the help."""

FINISHED, FAILED, USAGE, INCOMPLETE, CANCELLED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None, connect: Callable[[Home], Front] | None = None) -> int:
    """Run one command and return its exit status. ``connect`` reaches the core of a home folder."""
    _open_closed_streams()
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as left:  # argparse has printed the error or the help
        return left.code if isinstance(left.code, int) else USAGE
    except BrokenPipeError:
        _discard(sys.stdout)
        return FINISHED
    if arguments.do is None:
        arguments.parser.print_help()
        return FINISHED
    _prepare(sys.stdout, arguments.json)
    _prepare(sys.stderr, False)
    if arguments.renamed:
        former, name = arguments.renamed
        print(
            f"`{former}` is called `{name}` now. The former name will be removed in the next release.", file=sys.stderr
        )
    output = JsonOutput(sys.stdout, sys.stderr) if arguments.json else TextOutput(sys.stdout, sys.stderr)
    try:
        session = Session(find_home(arguments.home), connect or client.Client)
    except UserError as error:
        output.failed(Failed(message=error.message, hint=error.hint, reason="user"))
        return FAILED
    before = _listen(session)
    try:
        return run(session, arguments, output)
    except KeyboardInterrupt:
        return CANCELLED
    finally:
        _stop_listening(before)
        session.close()


@functools.cache
def make_parser() -> argparse.ArgumentParser:
    # accepted before and after the command; only the one after it may override
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_common(common)
    parser = argparse.ArgumentParser(
        prog="workbench",
        description="Adapt an open language model to your own documents, on your own machine.",
        epilog="Exit status: 0 finished, 1 failed, 2 wrong usage, 3 finished with an incomplete answer, 130 cancelled.",
        allow_abbrev=False,
    )
    _add_common(parser)
    parser.set_defaults(renamed=None)
    parser.add_argument("--version", action="version", version=f"workbench {workbench.__version__}")
    commands = Commands(parser, common)
    for group in command_groups():
        group.add_commands(commands)
    return parser


def command_groups() -> list[Any]:
    """The modules of this package that add commands, in the order of the help."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    groups = {module.__name__.rpartition(".")[2]: module for module in modules if hasattr(module, "add_commands")}
    return [groups[name] for name in (*FIRST, *(name for name in groups if name not in FIRST))]


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", metavar="DIR", help=f"the data folder (default: ${HOME_VARIABLE} or the system's)")
    parser.add_argument("--json", action="store_true", help="one event per line on the standard output")


def run(session: Session, arguments: argparse.Namespace, output: Output) -> int:
    """Follow a command to its end and print its result. Returns the exit status."""
    shown = False
    on_event = arguments.on_event() if isinstance(arguments.on_event, type) else arguments.on_event
    try:
        events = _steps(session, arguments)
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                shown = True
                output.finished(end.value, arguments.show)
                return INCOMPLETE if session.incomplete else FINISHED
            output.event(event, on_event)
    except SystemExit as left:  # a combination of arguments that only the command itself can check
        return left.code if isinstance(left.code, int) else USAGE
    except BrokenPipeError:  # the reader of our output, such as ``head``, has closed it
        _discard(sys.stdout)
        return FINISHED if shown else CANCELLED
    except Stopped as stopped:
        output.cancelled(stopped.result)
        return CANCELLED
    except (errors.Cancelled, KeyboardInterrupt):
        output.cancelled(None)
        return CANCELLED
    except CallFailed as error:
        output.failed(error.event)
        return FAILED
    except Exception as error:  # noqa: BLE001 - any failure becomes the terminal event
        failure = failure_of(error, traceback.format_exc())
        output.failed(failure if isinstance(failure, Failed) else Failed(message=str(error)))
        return FAILED


def _steps(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    yield from complete_names(session, arguments)
    return (yield from arguments.do(session, arguments))


def _listen(session: Session) -> object:
    """Let Ctrl+C reach the session. Returns what to put back."""
    if threading.current_thread() is not threading.main_thread():
        return None

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        session.interrupt()

    return signal.signal(signal.SIGINT, on_interrupt)


def _stop_listening(before: object) -> None:
    if before is not None:
        signal.signal(signal.SIGINT, before)  # type: ignore[arg-type]


def _prepare(stream: TextIO, json: bool) -> None:
    """JSON is UTF-8 whatever the terminal is; a character that a terminal cannot show must not fail."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8" if json else None, errors="replace")


def _open_closed_streams() -> None:
    """Where the program was started without its standard streams, what is written there goes nowhere. Else Python has
    None in their place, and the next file that is opened gets their number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False, encoding="utf-8"))


def _discard(stream: TextIO) -> None:
    """Discard the buffer of a closed pipe, or Python complains at its exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass
