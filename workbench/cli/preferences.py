"""``workbench preferences``: judgements of answers: import, export, list, label, measure and learn from them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.cli import judging, labelling
from workbench.cli.arguments import Commands, add_repeated, one_call, one_sentence
from workbench.cli.call_arguments import add_call, add_fields, call_of
from workbench.cli.output import TextOutput, moment, one_line
from workbench.cli.session import Events, Session
from workbench.records.answers import StoredMessage
from workbench.records.judgement_reports import (
    SOURCE_TITLES,
    ExampleKind,
    ExportReport,
    ImportReport,
    JudgementStatistics,
    Learnable,
    MeanEstimate,
    ShareEstimate,
)
from workbench.records.judgements import (
    Judgement,
    JudgementFilter,
    PairVerdict,
    Verdict,
    judge_answers,
)
from workbench.subjects.chats.calls import GetChat
from workbench.subjects.judgements.calls import (
    AddJudgements,
    ChangeJudgement,
    ExportJudgements,
    GetJudgement,
    GetJudgementStatistics,
    GetLearnable,
    GetNextPair,
    ImportJudgements,
    ListJudgements,
    ListQueues,
    MakePreferenceSet,
    RemoveJudgements,
    RemoveQueue,
    UndoJudgement,
)

PAIR_VERDICTS = "a: the first is better; b: the second; tie; bad: both are"
VERDICTS: dict[Verdict, str] = {
    "a": "first better", "b": "second better", "tie": "tie", "bad": "both bad", "good": "good", "poor": "bad",
    "": "waits",
}  # fmt: skip


def add_commands(commands: Commands) -> None:
    group = commands.group("preferences", "which of two answers you prefer, and which answers are good")
    importing = add_call(
        group, "import", "add the preferences of a file", ImportJudgements, show_import, do=import_file,
        without=("counts_from",), path="FILE", margin="--margin M",
    )  # fmt: skip
    add_repeated(importing, "--column", "ROLE=COLUMN", "a column by its role: prompt, a, b, verdict, system")
    importing.add_argument("--counts-from", type=int, choices=(0, 1), default=-1, help="the number of the first answer")
    adding = group.command(
        "add", "say which of two answers to one question of a chat is better", add, show_one, "CHAT", "FIRST", "SECOND",
        epilog="`workbench chats show ID --all` shows the messages of a chat, with those of other branches.",
    )  # fmt: skip
    adding.add_argument("verdict", metavar="VERDICT", choices=get_args(PairVerdict), help=PAIR_VERDICTS)
    adding.add_argument("--edited", metavar="TEXT", default="", help="what the better answer should have been")
    adding.add_argument("--comment", metavar="TEXT", default="", help="why")
    changing = add_call(
        group, "change", "compare a waiting pair, or correct a preference", ChangeJudgement, show_one, do=change,
        judgement="ID", edited="--edited TEXT", comment="--comment TEXT",
    )  # fmt: skip
    changing.add_argument(
        "--verdict",
        choices=[one for one in VERDICTS if one],
        help="which answer is better, or whether an answer is good",
    )
    exporting = add_call(
        group, "export", "write preferences to a file (JSON Lines)", ExportJudgements, show_export, do=export,
        path="FILE",
    )  # fmt: skip
    listed = add_call(
        group, "list", "list preferences, the latest first", ListJudgements, show_list, do=list_some,
        first="--first I", limit="--limit N 50",
    )  # fmt: skip
    add_call(group, "show", "show a preference with its answers", GetJudgement, show_one, judgement="ID")
    removing = group.command("remove", "delete preferences, by their ids or a filter", remove, REMOVED)
    removing.add_argument("id", metavar="ID", nargs="*", help="the ids that `preferences list` shows")
    undone = one_sentence(lambda result: f"Undone: {result['title']} ({len(result['ids']):,}).")
    group.command("undo", "undo the last choice, import or deletion", one_call(lambda a: UndoJudgement()), undone)
    measuring = group.command(
        "stats", "show duplicates, contradictions, cycles and biases", statistics, show_statistics
    )
    learning = add_call(
        group, "learnable", "show what can be learnt from preferences", GetLearnable, show_learnable, do=learnable,
        held_out_share="--held-out SHARE",
    )  # fmt: skip
    made = one_sentence(lambda one: f"{one['name']}: {counted(one['examples'], 'example')}, {one['path']}")
    making = add_call(
        group, "data", "make a training set of preferences", MakePreferenceSet, made, do=make_set, without=("kind",),
        skip_conflicts="--keep-conflicts",
    )  # fmt: skip
    help = "pairs of a chosen and a rejected answer, or answers that are good or bad [%(default)s]"
    making.add_argument("--of", dest="rows", choices=get_args(ExampleKind), default="pairs", help=help)
    for parser in (exporting, listed, removing, measuring, learning, making):
        _add_filter(parser)
    labelling.add_command(group)
    judging.add_commands(group)
    add_call(group, "comparisons", "list the comparisons and blind tests", ListQueues, labelling.show_queues)
    group.rename("queues", "comparisons")
    gone = one_sentence(lambda result: f"The comparison was deleted. {len(result['queues']):,} are left.")
    add_call(group, "drop", "delete a comparison; its preferences stay", RemoveQueue, gone)
    commands.rename("prefs", "preferences")


REMOVED = one_sentence(lambda result: f"Deleted: {result['removed']:,}. `workbench preferences undo` restores them.")


def _add_filter(parser: argparse.ArgumentParser) -> None:
    some = parser.add_argument_group("which preferences")
    add_fields(
        some, JudgementFilter, search="--search WORDS", verdicts="--verdict", sources="--source", judges="--judge",
        judge_name="--judge-name NAME", origin="--origin FILE", queue="--queue NAME",
    )  # fmt: skip


def filter_of(session: Session, arguments: argparse.Namespace, ids: Sequence[str] = ()) -> Events[JudgementFilter]:
    queue = arguments.queue
    if queue:
        queue = (yield from session.call(GetNextPair(queue=queue))).queue.id
    return call_of(JudgementFilter, arguments, queue=queue, ids=tuple(ids))


# -- commands ------------------------------------------------------------------------------------------


def import_file(session: Session, arguments: argparse.Namespace) -> Events[ImportReport]:
    columns = dict(one.partition("=")[::2] for one in arguments.column)
    if not all(columns.values()):
        arguments.parser.error("--column takes ROLE=COLUMN, such as --column prompt=question")
    call = call_of(ImportJudgements, arguments, columns=columns, counts_from=arguments.counts_from)
    try:
        return (yield from session.call(call))
    except UserError as error:
        if "counted" in error.hint:
            raise UserError(error.message, "Say --counts-from 0 or --counts-from 1.") from error
        raise


def add(session: Session, arguments: argparse.Namespace) -> Events[Judgement]:
    chat = yield from session.call(GetChat(chat=arguments.chat))
    messages = {message.id: message for message in chat.messages}
    first, second = messages.get(arguments.first), messages.get(arguments.second)
    if first is None or second is None or {first.role, second.role} != {"assistant"}:
        raise UserError(
            "These are not two answers of this chat.", "`workbench chats show ID --all` shows its messages."
        )
    if first.parent != second.parent or first.id == second.id:
        raise UserError("These are not two answers to one question.", "`workbench ask --again` makes another answer.")
    asked: list[StoredMessage] = []
    while (above := messages.get((asked[0] if asked else first).parent or "")) is not None:
        asked.insert(0, above)
    made = judge_answers(
        asked, (first, second), arguments.verdict, chat=chat.chat.id, edited=arguments.edited, comment=arguments.comment
    )
    (stored,) = yield from session.call(AddJudgements(judgements=(made,)))
    return stored


def change(session: Session, arguments: argparse.Namespace) -> Events[Judgement]:
    if (arguments.verdict, arguments.edited, arguments.comment) == (None, None, None):
        arguments.parser.error("give --verdict, --edited or --comment")
    return (yield from session.call(call_of(ChangeJudgement, arguments, verdict=arguments.verdict)))


def export(session: Session, arguments: argparse.Namespace) -> Events[ExportReport]:
    which = yield from filter_of(session, arguments)
    return (yield from session.call(call_of(ExportJudgements, arguments, which=which)))


def list_some(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    which = yield from filter_of(session, arguments)
    return (yield from session.call(call_of(ListJudgements, arguments, which=which)))


def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    which = yield from filter_of(session, arguments, arguments.id)
    count = yield from session.call(RemoveJudgements(which=which))
    return {"removed": count}


def statistics(session: Session, arguments: argparse.Namespace) -> Events[JudgementStatistics]:
    which = yield from filter_of(session, arguments)
    return (yield from session.call(GetJudgementStatistics(which=which)))


def learnable(session: Session, arguments: argparse.Namespace) -> Events[Learnable]:
    which = yield from filter_of(session, arguments)
    return (yield from session.call(call_of(GetLearnable, arguments, which=which)))


def make_set(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    which = yield from filter_of(session, arguments)
    return (yield from session.call(call_of(MakePreferenceSet, arguments, which=which, kind=arguments.rows)))


# -- for people ----------------------------------------------------------------------------------------


def show_import(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, ImportReport)
    twice = f", {found.duplicates:,} were there already" if found.duplicates else ""
    added, rows = counted(found.added, "preference"), counted(found.rows, "row")
    output.line(f"{added} added from {rows}{twice}. Format: {found.form}. {found.why}")
    if found.refused:
        output.line(f"{counted(len(found.refused) + found.more_refused, 'row was', 'rows were')} refused:")
    for line in found.refused:
        output.line(f"  {line}")
    if found.more_refused:
        output.line(f"  and {found.more_refused:,} more")


def show_export(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, ExportReport)
    output.line(f"{counted(found.rows, 'row')} written to {found.path} ({found.form}).")
    for one in found.left_out:
        output.line(f"  {one.count:,} left out: {one.reason}")


def show_list(result: dict[str, Any], output: TextOutput) -> None:
    judgements = msgspec.convert(result["judgements"], list[Judgement])
    if not judgements:
        output.line("There are no such preferences. Rate answers, compare pairs, or import a file.")
        return
    rows = [
        (one.id, VERDICTS[one.verdict], SOURCE_TITLES[one.source], one.judge_name or one.judge, moment(one.changed),
         one.unreadable or one.question)
        for one in judgements
    ]  # fmt: skip
    output.table(("ID", "VERDICT", "FROM", "JUDGE", "WHEN", "PROMPT"), rows)
    if result["total"] > len(rows):
        output.line(f"{len(rows):,} of {result['total']:,}.")


def show_one(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, Judgement)
    for message in found.prompt:
        output.line(f"{message.role}: {message.content}")
    for letter, answer in zip("ab", found.answers, strict=False):
        name = f" ({answer.name})" if answer.name else ""
        output.line(f"\n{letter}{name}{', edited' if answer.original is not None else ''}: {answer.text}")
    output.line()
    output.pairs(
        [
            ("verdict", VERDICTS[found.verdict]),
            ("judge", found.judge_name or found.judge),
            ("computed by", found.judged_by.describe() if found.judged_by is not None else ""),
            ("from", found.origin or SOURCE_TITLES[found.source]),
            ("shown", {"ab": "a first", "ba": "b first", "": ""}[found.shown]),
            ("comment", found.comment),
            ("when", moment(found.changed)),
        ]
    )


def show_statistics(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, JudgementStatistics)
    if not found.judgements:
        output.line("There are no such preferences.")
        return
    verdicts = {VERDICTS[name]: count for name, count in found.verdicts.items()}  # type: ignore[index]
    output.pairs(
        [
            ("preferences", f"{found.judgements:,} about {counted(found.prompts, 'prompt')}"),
            ("verdicts", _counts(verdicts)),
            ("from", _counts({SOURCE_TITLES[name]: n for name, n in found.sources.items()})),  # type: ignore[index]
            ("judged by", _counts(found.judges)),
            ("edited", f"{found.edited:,}" if found.edited else ""),
            ("waiting", f"{found.waiting:,}" if found.waiting else ""),
            ("unreadable", f"{found.unreadable:,}" if found.unreadable else ""),
            ("duplicates", f"{found.duplicates:,}"),
            ("contradictions", f"{len(found.contradictions):,}"),
            ("cycles", f"{len(found.cycles):,}"),
            ("longer preferred", share_text(found.longer_preferred)),
            ("length", _length_text(found.length_difference)),
            ("first preferred", share_text(found.first_preferred)),
        ]
    )  # fmt: skip
    for one in found.columns:
        output.line(f"{one.name}: {one.won:,} won, {one.lost:,} lost, {one.tied:,} tied; {share_text(one.share)}")
    for what, conflicts in (("contradiction", found.contradictions), ("cycle", found.cycles)):
        for conflict in conflicts:
            output.line(f"{what}: {one_line(conflict.prompt)[:80]}")
            for answer in conflict.answers:
                output.line(f"    {one_line(answer)[:100]}")
            output.line(f"    {', '.join(conflict.ids)}")


def _length_text(gap: MeanEstimate) -> str:
    """``the preferred answer is 45 characters shorter (9 to 79)``; "" of fewer than two pairs."""
    if gap.n < 2:
        return ""
    if gap.low <= 0 <= gap.high:
        return f"no difference is shown ({gap.low:+,.0f} to {gap.high:+,.0f} characters)"
    low, high = sorted((abs(gap.low), abs(gap.high)))
    which = "longer" if gap.value > 0 else "shorter"
    return f"the preferred answer is {abs(gap.value):,.0f} characters {which} ({low:,.0f} to {high:,.0f})"


def share_text(share: ShareEstimate) -> str:
    """``62 % of 40 (46 to 75)``; "" of none."""
    if not share.n:
        return ""
    return f"{share.value:.0%} of {share.n:,} ({share.low:.0%} to {share.high:.0%})"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name.lower()}" for name, count in counts.items())


def show_learnable(result: dict[str, Any], output: TextOutput) -> None:
    found = msgspec.convert(result, Learnable)
    sources = f"{counted(found.judgements, 'preference')} about {counted(found.prompts, 'prompt')}"
    rated = counted(found.rated, "rated answer")
    output.line(f"{sources} give {counted(found.pairs, 'pair')} and {rated} ({found.good:,} good).")
    rows = [
        (
            one.objective,
            "advised" if one.advised else "fits" if one.fits else "no",
            f"{one.usable:,}",
            f"{one.held_out:,}",
            f"±{100 * one.half_width:.0f}" if one.held_out else "",
            one.reason,
        )
        for one in found.objectives
    ]
    if rows:
        numbers = ("USABLE", "MEASURED", "POINTS")
        output.table(("OBJECTIVE", "FITS", "USABLE", "MEASURED", "POINTS", "WHY"), rows, numbers=numbers)
    for one in found.left_out:
        output.line(f"{one.count:,} left out: {one.reason}")
    for warning in found.warnings:
        output.line(f"Note: {warning}")
