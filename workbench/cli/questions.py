"""``workbench questions``: question sets: import, list, show and remove them, and those that are shipped."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, add_repeated
from workbench.cli.call_arguments import add_call, add_removal, call_of
from workbench.cli.output import Number, TextOutput, listing, one_line, when
from workbench.cli.runs import follow
from workbench.cli.session import Events, Session
from workbench.methods import METHODS
from workbench.records.evaluation import QuestionRow, QuestionSet, without_answer
from workbench.subjects.evaluation.calls import (
    AddSampleSet,
    CreateQuestionSet,
    EditQuestion,
    ListQuestions,
    ListQuestionSets,
    ListSampleSets,
    QuestionsFromDocuments,
    RemoveQuestionSet,
    SampleSetList,
    SuggestScorers,
)

_LONGEST = 70
_PAGE = 1_000


def add_commands(commands: Commands) -> None:
    group = commands.group("questions", "make and change question sets, which evaluations ask")
    importing = add_call(
        group, "import", "make a question set from a file, a folder, chats or a data set", CreateQuestionSet, show_set,
        do=create, names={"data": "data set"}, path="PATH", with_context="--without-context",
        without=("benchmark", "examples", "shots"), tune_share="--tune SHARE",
    )  # fmt: skip
    importing.add_argument("--chats", action="store_true", help="answers that were rated as good, edited or chosen")
    importing.add_argument("--data", metavar="SET", default="", help="the examples of a data set of the home folder")
    add_repeated(importing, "--column", "ROLE=COLUMN", "the column of question, expected, context or choices")
    add_call(
        group, "from-documents", "make a question set from the documents of a collection", QuestionsFromDocuments,
        show_set, do=make_from_documents, names=COLLECTIONS, collection="COLLECTION", tune_share="--tune SHARE",
    )  # fmt: skip
    sampling = group.command("samples", "list the sets that are shipped, or add one", samples, show_samples)
    sampling.add_argument("name", metavar="NAME", nargs="?", default="", help="the set to add")
    add_call(group, "list", "list the question sets, the latest first", ListQuestionSets, show_list)
    add_call(
        group, "show", "show questions of a set", ListQuestions, show_page, names=SETS, question_set="SET",
        first="--first I", limit="--limit N 20",
    )  # fmt: skip
    suiting = "list the scorers that suit a set, the main one first"
    add_call(group, "scorers", suiting, SuggestScorers, show_scorers, names=SETS, question_set="SET")
    changing = "change a question, or remove it; its side of the split stays"
    editing = group.command("edit", changing, edit, show_set, "SET", "NUMBER", names=NAMES)
    editing.add_argument("--question", metavar="TEXT", default="", help="another question")
    add_repeated(editing, "--expected", "TEXT", "an accepted answer; once for each")
    editing.add_argument("--no-answer", action="store_true", help="the documents do not answer it: declining is right")
    editing.add_argument("--remove", action="store_true", help="remove it from the set")
    add_removal(group, "delete a question set; evaluations keep their questions", RemoveQuestionSet, "SET")


NAMES, SETS = {"set": "question set"}, {"question_set": "question set"}
COLLECTIONS = {"collection": "collection"}


def create(session: Session, arguments: argparse.Namespace) -> Events[QuestionSet]:
    if sum((bool(arguments.path), arguments.chats, bool(arguments.data))) != 1:
        arguments.parser.error("give a PATH, --chats or --data SET")
    columns = dict(one.partition("=")[::2] for one in arguments.column)
    source = "chats" if arguments.chats else "data" if arguments.data else "file"
    given = {"path": arguments.data} if arguments.data else {}
    call = call_of(CreateQuestionSet, arguments, source=source, columns=columns, **given)
    return (yield from session.call(call))


def make_from_documents(session: Session, arguments: argparse.Namespace) -> Events[QuestionSet]:
    run = yield from session.call(call_of(QuestionsFromDocuments, arguments))
    return msgspec.convert((yield from follow(session, run.id, stop_on_interrupt=True)), QuestionSet)


def samples(session: Session, arguments: argparse.Namespace) -> Events[SampleSetList | QuestionSet]:
    if arguments.name:
        return (yield from session.call(AddSampleSet(name=arguments.name)))
    return (yield from session.call(ListSampleSets()))


def edit(session: Session, arguments: argparse.Namespace) -> Events[QuestionSet]:
    changes = (arguments.remove, arguments.question, arguments.expected, arguments.no_answer)
    if not arguments.number.isdigit() or not any(changes) or (arguments.expected and arguments.no_answer):
        arguments.parser.error("give the NUMBER of a question, and --question, --expected, --no-answer or --remove")
    number, question = int(arguments.number), None
    if not arguments.remove:
        found = yield from _find(session, arguments.set, number)
        question = found.with_text(arguments.question or found.text)
        if arguments.expected:
            question = msgspec.structs.replace(question, expected=tuple(arguments.expected), answerable=True)
        if arguments.no_answer:
            question = without_answer(question)
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


def show_set(result: dict[str, Any], output: TextOutput) -> None:
    others = result["questions"] - result["tune"]
    output.line(
        f"{result['name']}: {counted(result['questions'], 'question')}, {result['tune']:,} to tune on, "
        f"{others:,} to measure with"
    )
    for note in result["notes"]:
        output.line(f"  {note}")


def show_samples(result: dict[str, Any], output: TextOutput) -> None:
    if "samples" not in result:
        show_set(result, output)
        return
    for one in result["samples"]:
        documents = f" It is answered from the collection {one['collection']}." if one["collection"] else ""
        output.line(f"{one['name']}: {one['title']}, {one['questions']:,} questions. {one['sentence']}{documents}")


show_list = listing(
    "sets",
    "There are no question sets yet. `workbench questions import FILE` makes one.",
    {
        "NAME": "name",
        "QUESTIONS": Number("questions"),
        "TUNE": Number("tune"),
        "MADE": when("created"),
        "FROM": lambda one: one["origin"] or one["unreadable"],
    },
)


def show_scorers(result: list[dict[str, Any]], output: TextOutput) -> None:
    for use in result:
        method = METHODS.find(use["name"], "scorer")
        options = ",".join(f"{name}={value}" for name, value in use["options"].items())
        output.line(f"{':'.join(filter(None, (method.name, options)))}  {method.title}. {method.summary}")


def show_page(result: dict[str, Any], output: TextOutput) -> None:
    rows = []
    for one in result["questions"]:
        question = one["question"]
        text = one_line(question["messages"][-1]["content"])[:_LONGEST]
        gold = msgspec.convert(question, QuestionRow).gold
        rows.append((one["number"], one["split"], text, one_line(gold)))
    output.table(("NO", "SPLIT", "QUESTION", "EXPECTED"), rows, numbers=("NO",))
    output.line(f"{len(rows):,} of {counted(result['total'], 'question')}")
