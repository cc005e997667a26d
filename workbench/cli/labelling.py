"""``workbench preferences compare``: pairs of answers are compared one after the other with single keys, blind.

On a terminal one key is one verdict. Otherwise the keys are read from the standard input, white space apart, so that a
script can judge; there the text of an edit is the rest of its line.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from typing import Any, Literal

import msgspec

from workbench.api.events import Artifact, Event, Log
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute, add_repeated
from workbench.cli.call_arguments import add_fields, call_of
from workbench.cli.evaluation import recipe_named
from workbench.cli.output import Number, TextOutput, listing, when
from workbench.cli.runs import tell_costs
from workbench.cli.session import Events, Session
from workbench.records.judgements import Judgement, LabellingQueue, Verdict
from workbench.records.recipes import Recipe
from workbench.subjects.judgements.calls import (
    ChangeJudgement,
    GetNextPair,
    ListQueues,
    MakeCandidates,
    NextPair,
    SkipPair,
    UndoJudgement,
)
from workbench.subjects.runs.calls import GetRun, RunRecord

KEYS = "j first, k second, t tie, b both bad, e edit, u undo, s skip, q leave"
_POLL_S = 0.3


def add_command(group: Commands) -> None:
    labelling = group.command(
        "compare",
        "compare pairs of answers one after the other, without knowing which recipe wrote them",
        label,
        show_end,
        on_event=show_pair,
        epilog=f"Keys: {KEYS}. In a pipe they are read from the standard input; after e comes j or k, and the text.",
    )
    labelling.add_argument("queue", metavar="COMPARISON")
    help = "begin a comparison of this recipe: a file, a saved recipe, a prompt or a model; once or twice"
    add_repeated(labelling, "--recipe", "R", help)
    add_fields(labelling, MakeCandidates, ("name", "recipes"), prompts="--from", path="--path P")
    labelling.add_argument("--held-out", action="store_true", help="take only the questions of the set to measure with")
    group.rename("label", "compare")


def label(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    queues = (yield from session.call(ListQueues())).queues
    known = next((one for one in queues if arguments.queue.casefold() in (one.id, one.name.casefold())), None)
    if arguments.recipe:
        if known is not None:
            raise UserError(
                f"There is already a comparison named {known.name!r}.", "Leave --recipe out to continue with it."
            )
        yield from _start(session, arguments)
    elif known is None:
        names = ", ".join(one.name for one in queues)
        raise UserError(
            f"There is no comparison {arguments.queue!r}.",
            f"The comparisons are {names}. --recipe begins another one." if names else "--recipe begins one.",
        )
    return (yield from _judge(session, arguments.queue, _Keys()))


def _start(session: Session, arguments: argparse.Namespace) -> Events[RunRecord]:
    recipes: list[Recipe] = []
    for text in arguments.recipe:
        recipes.append((yield from recipe_named(session, text)))
    call = call_of(
        MakeCandidates, arguments, name=arguments.queue, recipes=tuple(recipes),
        path=absolute(arguments.path) if arguments.prompts == "file" else arguments.path,
        part="held-out" if arguments.held_out else "all",
    )  # fmt: skip
    yield from tell_costs(session, call)
    return (yield from session.call(call))


def _judge(session: Session, queue: str, keys: _Keys) -> Events[dict[str, Any]]:
    done: Counter[str] = Counter()
    shown = yield from _next(session, queue, keys)
    if keys.interactive:
        yield Log(text=f"{KEYS}.", level="notice")
    seen = ""
    while True:
        pair = shown.pair
        if pair is None and not (done and keys.interactive):
            break
        if pair is not None and pair.id != seen:
            yield Artifact(kind="pair", id=pair.id, result=msgspec.to_builtins(shown))
            seen = pair.id
        key = keys.read("All pairs are compared; u undoes the last choice, q leaves: " if pair is None else "")
        if key in ("", "q"):
            break
        if key == "u":
            shown = yield from _undo(session, shown.queue, done)
            seen = ""
        elif pair is not None and key == "s":
            shown = yield from session.call(SkipPair(judgement=pair.id))
            done["skipped"] += 1
        elif pair is not None and (call := _verdict(pair, key, keys)) is not None:
            judged: Judgement = yield from session.call(call)
            done["judged"] += 1
            yield Artifact(kind="judgement", id=judged.id, result=msgspec.to_builtins(judged))
            shown = yield from _next(session, queue, keys)
        else:
            yield Log(text=f"{key!r} is no key. {KEYS}.", level="notice")
    return {"queue": shown.queue, "judged": done["judged"], "skipped": done["skipped"], "undone": done["undone"]}


def _undo(session: Session, queue: LabellingQueue, done: Counter[str]) -> Events[NextPair]:
    try:
        yield from session.call(UndoJudgement(queue=queue.id))
        done["undone"] += 1
        done["judged"] -= 1
    except UserError as error:
        yield Log(text=error.message, level="notice")
    return (yield from session.call(GetNextPair(queue=queue.id)))


def _next(session: Session, queue: str, keys: _Keys) -> Events[NextPair]:
    """The next pair; waits for one while candidates are being made. Keys that were pressed in between are ignored."""
    waited = False
    while True:
        found = yield from session.call(GetNextPair(queue=queue))
        if found.pair is not None or not found.queue.run:
            if waited:
                keys.discard()
            return found
        run = yield from session.call(GetRun(run=found.queue.run))
        if run.state not in ("queued", "running"):
            if run.state == "failed":
                raise UserError(run.message or "The answers to compare could not be generated.")
            return (yield from session.call(GetNextPair(queue=queue)))
        if not waited:
            yield Log(text="Waiting for the next pair of answers.", level="notice")
            waited = True
        time.sleep(_POLL_S)


def _verdict(pair: Judgement, key: str, keys: _Keys) -> ChangeJudgement | None:
    """The call that a key means; None for a key that means none. The first answer is the one that was shown first."""
    first: Literal["a", "b"] = "b" if pair.shown == "ba" else "a"
    second: Literal["a", "b"] = "a" if first == "b" else "b"
    verdicts: dict[str, Verdict] = {"j": first, "k": second, "t": "tie", "b": "bad"}
    if key in verdicts:
        return ChangeJudgement(judgement=pair.id, verdict=verdicts[key])
    if key != "e":
        return None
    edits = {"j": first, "k": second}.get(keys.read("Edit which, j or k? "))
    text = keys.read_line("What it should have said: ") if edits is not None else ""
    return ChangeJudgement(judgement=pair.id, edits=edits, edited=text) if edits is not None and text.strip() else None


class _Keys:
    """Single keys of a terminal, or the characters of the standard input, white space apart."""

    def __init__(self) -> None:
        self.interactive = sys.stdin.isatty() and sys.stderr.isatty()

    def read(self, question: str = "") -> str:
        """A key in lower case; "" at the end of the input."""
        if not self.interactive:
            while (character := sys.stdin.read(1)) and character.isspace():
                pass
            return character.lower()
        if question:
            sys.stderr.write(question)
            sys.stderr.flush()
        key = _raw_key()
        if question:
            sys.stderr.write(f"{key}\n")
        return "" if key in ("\x03", "\x04") else key.lower()

    def discard(self) -> None:
        """Forget keys that were pressed and not read."""
        if not self.interactive:
            return
        if sys.platform == "win32":
            import msvcrt

            while msvcrt.kbhit():
                msvcrt.getwch()
        else:
            import termios

            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    def read_line(self, question: str) -> str:
        if self.interactive:
            try:
                return input(question)
            except EOFError:
                return ""
        return sys.stdin.readline().strip()


def _raw_key() -> str:
    """One key without Enter; of several that come at once, as of a paste, the first."""
    if sys.platform == "win32":
        import msvcrt

        return str(msvcrt.getwch())
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        return os.read(descriptor, 256).decode("utf-8", "replace")[:1]
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def show_pair(event: Event, output: TextOutput) -> None:
    if not isinstance(event, Artifact):
        return
    if event.kind == "judgement":
        judged = msgspec.convert(event.result, Judgement)
        best = judged.preferred
        edited = ", as you rewrote it" if best is not None and best.original is not None else ""
        what = {"tie": "A tie.", "bad": "Both bad."}.get(judged.verdict, "")
        output.line(what or f"Preferred: {best.name if best is not None else ''}{edited}")
    elif event.kind == "pair":
        shown = msgspec.convert(event.result, NextPair)
        pair = shown.pair
        assert pair is not None
        answers = pair.answers[::-1] if pair.shown == "ba" else pair.answers
        output.line(f"\n— {shown.queue.judged:,} compared, {shown.queue.waiting:,} waiting —")
        for message in pair.prompt:
            output.line(f"{message.role}: {message.content}")
        for key, answer in zip("JK", answers, strict=False):
            output.line(f"\n[{key}] {answer.text}")
        output.line()


def show_end(result: dict[str, Any], output: TextOutput) -> None:
    queue = msgspec.convert(result["queue"], LabellingQueue)
    output.line(f"{result['judged']:,} compared. {queue.name}: {queue.judged:,} compared, {queue.waiting:,} waiting.")


show_queues = listing(
    "queues",
    "There are no comparisons. `workbench preferences compare NAME --recipe R --recipe R` begins one.",
    {
        "NAME": "name",
        "WAITING": Number("waiting"),
        "JUDGED": Number("judged"),
        "BEGUN": when("created"),
        "RECIPES": lambda one: " / ".join(one["columns"]),
        "PROMPTS": lambda one: one["unreadable"] or one["origin"],
    },
)
