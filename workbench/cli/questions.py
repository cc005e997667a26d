"""``workbench questions``: question sets: import, list, show and remove them."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.cli.arguments import REMOVED, Commands, absolute, at_least, one_call
from workbench.cli.output import TextOutput, moment, one_line
from workbench.cli.session import Events, Session
from workbench.methods import METHODS
from workbench.records.evaluation import QuestionRow, QuestionSet
from workbench.subjects.evaluation.calls import (
    CreateQuestionSet,
    EditQuestion,
    ListQuestions,
    ListQuestionSets,
    QuestionPage,
    RemoveQuestionSet,
    SuggestScorers,
)

_LONGEST = 70
_PAGE = 1_000


def share(text: str) -> float:
    """An argparse type: a share from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return number


def add_commands(commands: Commands) -> None:
    group = commands.group("questions", "question sets, for evaluations")
    importing = group.command(
        "import",
        "make a question set from a file, a folder, chats or a data set",
        create,
        show_set,
        names={"data": "data set"},
    )
    importing.add_argument(
        "path", metavar="PATH", nargs="?", default="", help="JSON Lines, JSON, CSV, Parquet, or a Hugging Face folder"
    )
    importing.add_argument("--chats", action="store_true", help="answers that were rated as good, edited or chosen")
    importing.add_argument("--data", metavar="SET", default="", help="the examples of a data set of the home folder")
    importing.add_argument("--name", metavar="NAME", default="", help="the set's name (default: the file's)")
    importing.add_argument(
        "--column",
        metavar="ROLE=COLUMN",
        action="append",
        default=[],
        help="the column of question, expected, context or choices",
    )
    importing.add_argument(
        "--without-context", action="store_true", help="leave out contexts: the recipe's documents hold them"
    )
    importing.add_argument("--limit", metavar="N", type=at_least(0), default=0, help="maximum number of questions")
    importing.add_argument(
        "--tune", metavar="SHARE", type=share, default=0.5, help="share of questions for tuning [%(default)s]"
    )
    importing.add_argument("--seed", metavar="N", type=at_least(0), default=0, help="draws which ones [%(default)s]")
    listing = one_call(lambda a: ListQuestionSets())
    group.command("list", "list the question sets, the latest first", listing, show_list)
    showing = group.command("show", "show questions of a set", show_questions, show_page, "SET", names=NAMES)
    showing.add_argument("--part", choices=("all", "tune", "held-out"), default="all")
    showing.add_argument("--first", metavar="I", type=at_least(0), default=0, help="begin with number I, from 0")
    showing.add_argument("--limit", metavar="N", type=at_least(1), default=20, help="number of questions [%(default)s]")
    suiting = one_call(lambda a: SuggestScorers(question_set=a.set))
    suited = "list the scorers that suit a set, the main one first"
    group.command("scorers", suited, suiting, show_scorers, "SET", names=NAMES)
    changing = "change a question, or remove it; its side of the split stays"
    editing = group.command("edit", changing, edit, show_set, "SET", "NUMBER", names=NAMES)
    editing.add_argument("--question", metavar="TEXT", default="", help="another question")
    accepted = "an accepted answer; once for each"
    editing.add_argument("--expected", metavar="TEXT", action="append", default=[], help=accepted)
    editing.add_argument("--remove", action="store_true", help="remove it from the set")
    group.command("remove", "delete a question set; evaluations keep their questions", remove, REMOVED, "SET")


NAMES = {"set": "question set"}


def create(session: Session, arguments: argparse.Namespace) -> Events[QuestionSet]:
    if sum((bool(arguments.path), arguments.chats, bool(arguments.data))) != 1:
        arguments.parser.error("give a PATH, --chats or --data SET")
    columns = dict(one.partition("=")[::2] for one in arguments.column)
    call = CreateQuestionSet(
        source="chats" if arguments.chats else "data" if arguments.data else "file",
        path=arguments.data or (absolute(arguments.path) if arguments.path else ""),
        name=arguments.name,
        columns=columns,
        with_context=not arguments.without_context,
        limit=arguments.limit,
        tune_share=arguments.tune,
        seed=arguments.seed,
    )
    return (yield from session.call(call))


def show_questions(session: Session, arguments: argparse.Namespace) -> Events[QuestionPage]:
    call = ListQuestions(question_set=arguments.set, part=arguments.part, first=arguments.first, limit=arguments.limit)
    return (yield from session.call(call))


def edit(session: Session, arguments: argparse.Namespace) -> Events[QuestionSet]:
    if not arguments.number.isdigit() or not (arguments.remove or arguments.question or arguments.expected):
        arguments.parser.error("give the NUMBER of a question, and --question, --expected or --remove")
    number, question = int(arguments.number), None
    if not arguments.remove:
        found = yield from _find(session, arguments.set, number)
        question = found.with_text(arguments.question or found.text)
        if arguments.expected:
            question = msgspec.structs.replace(question, expected=tuple(arguments.expected))
    return (yield from session.call(EditQuestion(question_set=arguments.set, number=number, question=question)))


def _find(session: Session, name: str, number: int) -> Events[QuestionRow]:
    """Questions before it may have been removed, so that its place is not its number."""
    first = 0
    while True:
        page = yield from session.call(ListQuestions(question_set=name, first=first, limit=_PAGE))
        for one in page.questions:
            if one.number == number:
                return one.question
        first += _PAGE
        if first >= min(page.total, number):
            raise UserError(f"{name} has no question {number:,}.", "`questions show` lists its questions.")


def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    left = yield from session.call(RemoveQuestionSet(question_set=arguments.set))
    return {"removed": arguments.set, "sets": left.sets}


def show_set(result: dict[str, Any], output: TextOutput) -> None:
    others = result["questions"] - result["tune"]
    output.line(
        f"{result['name']}: {result['questions']:,} questions, {result['tune']:,} to tune on, "
        f"{others:,} to measure with"
    )
    for note in result["notes"]:
        output.line(f"  {note}")


def show_list(result: dict[str, Any], output: TextOutput) -> None:
    if not result["sets"]:
        output.line("There are no question sets yet. `workbench questions import FILE` makes one.")
        return
    rows = [
        (
            one["name"],
            f"{one['questions']:,}",
            f"{one['tune']:,}",
            moment(one["created"]),
            one["origin"] or one["unreadable"],
        )
        for one in result["sets"]
    ]
    output.table(("NAME", "QUESTIONS", "TUNE", "MADE", "FROM"), rows, numbers=("QUESTIONS", "TUNE"))


def show_scorers(result: list[dict[str, Any]], output: TextOutput) -> None:
    for use in result:
        method = METHODS.find(use["name"], "scorer")
        options = ",".join(f"{name}={value}" for name, value in use["options"].items())
        output.line(f"{':'.join(filter(None, (method.name, options)))}  {method.title}. {method.summary}")


def show_page(result: dict[str, Any], output: TextOutput) -> None:
    rows = []
    for one in result["questions"]:
        question = one["question"]
        text, expected = one_line(question["messages"][-1]["content"]), " | ".join(question.get("expected", ()))
        rows.append((one["number"], one["split"], text[:_LONGEST], one_line(expected)))
    output.table(("NO", "SPLIT", "QUESTION", "EXPECTED"), rows, numbers=("NO",))
    output.line(f"{len(rows):,} of {result['total']:,} questions")
