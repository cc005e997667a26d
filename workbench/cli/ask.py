"""``workbench ask``: a question, many questions, or a task on one whole document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.api.calls import Ask, AskResult, BranchPoint, DeleteChat, DocumentTask, GetChat
from workbench.api.events import Artifact, Event, Log, Progress
from workbench.cli.arguments import Commands, field_lines, method_lines, read_items, read_text, split_adapter
from workbench.cli.docs import find_document, place
from workbench.cli.models import only_model
from workbench.cli.output import TextOutput, one_line
from workbench.cli.session import Events, Session
from workbench.cli.tokens import show_steps, table_of, with_tokens
from workbench.errors import UserError
from workbench.fields import fields_of
from workbench.records.recipes import (
    OPTIONS,
    PARTS,
    DecodingPart,
    ModelPart,
    Recipe,
    RetrievalPart,
    follows_beams,
    ignored_fields,
    load_recipe,
    with_value,
)
from workbench.techniques.registry import METHODS

_ENDS = {
    "eos": "the model",
    "stop": "a stop string",
    "length": "its length",
    "grammar": "its form",
    "cancelled": "being stopped",
}

_TASK_FLAGS = {"language": "--language", "columns": "--column, once per column"}
"""The flags that give a document task its settings."""

START = "start"
"""The value of --after for another first question of a chat. No message has such an id."""


def add_commands(commands: Commands) -> None:
    parser = commands.command(
        "ask",
        "ask a question, with or without documents",
        ask,
        show_answer,
        told=show_one_of_many,
        epilog=values_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("question", metavar="QUESTION", nargs="?", help="- reads it from the standard input")
    parser.add_argument("--model", metavar="M", help="may be left out when there is only one chat model")
    parser.add_argument("--collection", metavar="C", help="answer from these documents")
    parser.add_argument(
        "--technique",
        metavar="T",
        choices=[method.name for method in METHODS.of("technique")],
        help="the prompting technique; --set technique.FIELD=VALUE changes its settings",
    )
    parser.add_argument("--recipe", metavar="FILE", help="a recipe file; the options change parts of it")
    parser.add_argument(
        "--set", metavar="PART.FIELD=VALUE", action="append", default=[], dest="assignments", help="see below"
    )
    parser.add_argument(
        "--adapter",
        metavar="A[:SCALE]",
        action="append",
        default=[],
        dest="adapters",
        help="use an adapter with the model",
    )
    parser.add_argument("--schema", metavar="FILE", help="answer with JSON that matches this JSON schema")
    parser.add_argument(
        "--tokens", metavar="N", type=int, help="show the tokens of each answer, each with N alternatives"
    )
    parser.add_argument(
        "--trace", action="store_true", help="show the steps; with --json, the token ids and beams of each as well"
    )
    parser.add_argument("--chat", metavar="ID", help="continue this chat, with its recipe unless another is given")
    parser.add_argument(
        "--after", metavar="MESSAGE", help="in --chat: branch off after this answer; start: another first question"
    )
    parser.add_argument("--again", metavar="MESSAGE", help="in --chat: answer again, beside this answer")
    parser.add_argument(
        "--branch",
        metavar="PLACE:TOKEN",
        type=_place,
        help="with --again: as that answer up to PLACE, then token id TOKEN",
    )
    parser.add_argument(
        "--sequence", metavar="I", type=int, default=0, help="with --branch: of several answers the one number I"
    )
    parser.add_argument("--questions", metavar="FILE", help="many questions: JSON lines with id and text")
    parser.add_argument("--keep-chats", action="store_true", help="keep the chats of --questions")
    document = parser.add_argument_group("one whole document")
    document.add_argument("--document", metavar="D", help="its path in the collection, the end of it, or its id")
    document.add_argument("--task", choices=[task.name for task in METHODS.of("task")])
    document.add_argument("--language", metavar="L", default="", help="the target language of a translation")
    document.add_argument(
        "--column", metavar="NAME", action="append", default=[], dest="columns", help="a column of the table"
    )


def ask(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    _check(arguments)
    recipe = yield from _recipe(session, arguments)
    yield from _idle(arguments.assignments, recipe)
    if arguments.questions is not None:
        return (yield from _ask_many(session, arguments, recipe))
    question = sys.stdin.read().strip() if arguments.question == "-" else arguments.question or ""
    if not question.strip() and arguments.document is None and arguments.again is None:
        raise UserError("The question is empty.")
    task = None
    if arguments.document is not None:
        assert recipe.retrieval is not None  # _recipe has checked it
        document = yield from find_document(session, recipe.retrieval.collection, arguments.document)
        task = DocumentTask(
            document=document.path, task=arguments.task, language=arguments.language, columns=tuple(arguments.columns)
        )
    call = Ask(
        question=question,
        recipe=recipe,
        chat=arguments.chat,
        parent=None if arguments.after == START else arguments.after,
        root=arguments.after == START,
        regenerate=arguments.again,
        document=task,
        branch=BranchPoint(position=arguments.branch[0], token=arguments.branch[1], sequence=arguments.sequence)
        if arguments.branch is not None
        else None,
    )
    result = yield from session.call(call)
    plain = plain_answer(result, whole_trace=arguments.trace and arguments.json)
    if arguments.tokens is not None:
        yield from with_tokens(session, result, plain, arguments.tokens)
    return plain if arguments.trace or arguments.json else {**plain, "trace": None}


def plain_answer(result: AskResult, *, whole_trace: bool = False) -> dict[str, Any]:
    """An answer in the documented shape. Unless ``whole_trace``, its steps have no token ids and beams."""
    plain: dict[str, Any] = msgspec.to_builtins(result)
    if plain["trace"] is not None and not whole_trace:
        for step in plain["trace"].get("steps", ()):
            step.pop("tokens", None)
            step.pop("beams", None)
    return plain


def values_help() -> str:
    """Every technique and every field that --set takes, with its help, range and default."""
    lines = [
        "values of --technique, with their settings:",
        *method_lines(METHODS.of("technique"), OPTIONS),
        "",
        "values of decoding.strategy:",
        *method_lines(METHODS.of("decoding")),
        "",
        "values of --set (decoding.grammar=@FILE reads a file; \\n separates the entries of a list, commas separate",
        "the steps of decoding.order):",
    ]
    return "\n".join([*lines, *field_lines(PARTS)])


def _check(arguments: argparse.Namespace) -> None:
    question, questions = arguments.question is not None, arguments.questions is not None
    document, again = arguments.document is not None, arguments.again is not None
    if not (question or questions or document or again) or (questions and (question or document or again)):
        arguments.parser.error("give a QUESTION, or --questions FILE, or --document with --task")
    if (again or arguments.after is not None) and arguments.chat is None:
        arguments.parser.error("--after and --again need --chat")
    if again and (question or document or arguments.after is not None):
        arguments.parser.error("--again takes the question that the answer belongs to")
    if arguments.branch is not None and not again:
        arguments.parser.error("--branch needs --again, which names the answer")
    if arguments.tokens is not None and arguments.tokens < 0:
        arguments.parser.error("--tokens takes a number of alternatives, 0 or more")
    if questions and arguments.chat is not None:
        arguments.parser.error("--questions makes its own chats: leave --chat out")
    if (arguments.document is None) != (arguments.task is None):
        arguments.parser.error("--document and --task go together")
    for setting in METHODS.find(arguments.task, "task").fields if arguments.task is not None else ():
        if not getattr(arguments, setting.name):
            arguments.parser.error(f"--task {arguments.task} needs {_TASK_FLAGS[setting.name]}")


def _recipe(session: Session, arguments: argparse.Namespace) -> Events[Recipe]:
    recipe = Recipe()
    if arguments.recipe is not None:
        recipe = load_recipe(Path(arguments.recipe))
    elif arguments.chat is not None:
        chat = yield from session.call(GetChat(chat=arguments.chat))
        if chat.chat.unreadable:
            raise UserError(chat.chat.unreadable, "Give a recipe with --recipe FILE; the chat keeps its recipe.")
        recipe = chat.chat.recipe or recipe
    if arguments.model:
        recipe = msgspec.structs.replace(recipe, model=ModelPart(name=arguments.model))
    if arguments.collection:
        retrieval = msgspec.structs.replace(recipe.retrieval or RetrievalPart(), collection=arguments.collection)
        recipe = msgspec.structs.replace(recipe, retrieval=retrieval)
    if arguments.technique and arguments.technique != recipe.prompting.technique:
        prompting = msgspec.structs.replace(recipe.prompting, technique=arguments.technique, options={})
        recipe = msgspec.structs.replace(recipe, prompting=prompting)
    if arguments.adapters:
        adapters = tuple(split_adapter(text) for text in arguments.adapters)
        recipe = msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, adapters=adapters))
    if arguments.schema is not None:
        decoding = msgspec.structs.replace(recipe.decoding, format="json_schema", grammar=read_text(arguments.schema))
        recipe = msgspec.structs.replace(recipe, decoding=decoding)
    for assignment in arguments.assignments:
        recipe = with_value(recipe, _from_file(assignment), METHODS)
    if arguments.json and _searches_with_beams(arguments.assignments, recipe):
        recipe = with_value(recipe, f"decoding.n={recipe.decoding.num_beams}", METHODS)
    if arguments.document is not None and (recipe.retrieval is None or not recipe.retrieval.collection):
        raise UserError("The document needs its collection.", "Give --collection as well.")
    if not recipe.model.name:
        name = yield from only_model(session)
        recipe = msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, name=name))
    return recipe


def _searches_with_beams(assignments: Sequence[str], recipe: Recipe) -> bool:
    """Whether the options ask for a beam search without a number of answers: programs get all of them."""
    said = _said(assignments)
    by_beams = follows_beams(recipe.decoding, METHODS.find(recipe.decoding.strategy, "decoding"))
    asked = "decoding.strategy" in said and by_beams
    return asked and recipe.decoding.n == 1 and "decoding.n" not in said


def _idle(assignments: Sequence[str], recipe: Recipe) -> Iterator[Event]:
    """Warn about options that belong to another strategy. The answer itself reports other ignored values."""
    groups = {field.name: field.group for field in fields_of(DecodingPart)}
    owners = {group: row for row in METHODS.of("decoding") if "searches" in row.traits for group in row.groups}
    strategy = METHODS.find(recipe.decoding.strategy, "decoding")
    for name in ignored_fields(recipe.decoding, strategy):
        owner = owners.get(groups[name])
        if f"decoding.{name}" in _said(assignments) and owner is not None:
            text = (
                f"decoding.{name} has no effect: it is a setting of {owner.name}, and the strategy is {strategy.name}."
            )
            yield Log(text=text, level="notice")


def _said(assignments: Sequence[str]) -> set[str]:
    """The options as part.field."""
    return {assignment.partition("=")[0].strip() for assignment in assignments}


def _from_file(assignment: str) -> str:
    """``decoding.grammar=@FILE`` with the file's text in place of its name."""
    target, _, value = assignment.partition("=")
    if target.strip() == "decoding.grammar" and value.startswith("@"):
        return f"{target}={read_text(value[1:])}"
    return assignment


def _place(text: str) -> tuple[int, int]:
    place, _, token = text.partition(":")
    try:
        return int(place), int(token)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not PLACE:TOKEN, two numbers as in `chats tokens`, such as 4:260"
        ) from error


def _ask_many(session: Session, arguments: argparse.Namespace, recipe: Recipe) -> Events[dict[str, Any]]:
    """Ask each question in a chat of its own.

    A failure of the first one ends all, since the others would fail too; a later failure does not.
    """
    items = read_items(arguments.questions)
    failed = 0
    for done, item in enumerate(items):
        yield Progress(stage="answering", done=done, total=len(items), unit="questions")
        try:
            answer = yield from _without_text(session, Ask(question=item.text, recipe=recipe))
        except UserError as error:
            if done == 0:
                raise
            failed += 1
            yield Artifact(kind="answer", id=item.id, result={"error": error.message, "hint": error.hint})
            continue
        plain = plain_answer(answer)
        if arguments.tokens is not None:
            yield from with_tokens(session, answer, plain, arguments.tokens)
        if not arguments.keep_chats:
            yield from session.call(DeleteChat(chat=answer.chat))
            del plain["chat"], plain["message"]
        yield Artifact(kind="answer", id=item.id, result=plain)
    return {"count": len(items), "failed": failed}


def _without_text(session: Session, call: Ask) -> Events[AskResult]:
    """The answer; of the events before it only those for a person."""
    events = session.call(call)
    while True:
        try:
            event: Event = next(events)
        except StopIteration as end:
            result: AskResult = end.value
            return result
        if isinstance(event, Log):
            yield event


def show_one_of_many(event: Event, output: TextOutput) -> None:
    if not isinstance(event, Artifact) or event.kind != "answer":
        return
    result = event.result
    sequences = result.get("sequences", ())
    if len(sequences) > 1:
        for number, one in enumerate(sequences):
            output.line(f"{event.id}  [{number}] {one_line(one['text'])}")
    else:
        output.line(f"{event.id}  {one_line(result.get('answer') or result.get('error', ''))}")
    _show_tokens(sequences, output)


def show_answer(result: dict[str, Any], output: TextOutput) -> None:
    if "count" in result:
        return  # each answer was shown when it came
    sequences = result["sequences"]
    if len(sequences) > 1:
        output.replace_streamed("\n\n".join(_numbered(number, one) for number, one in enumerate(sequences)))
    else:
        output.replace_streamed(result["answer"].strip())
    cited = {c["n"]: c for c in result["citations"]}
    if cited:
        output.line()
    for n, citation in sorted(cited.items()):
        output.line(f"[{n}] {place(citation)}")
    _show_tokens(sequences, output)
    if result["trace"] is not None:
        output.line()
        show_steps(result["trace"], output)


def _show_tokens(sequences: Sequence[dict[str, Any]], output: TextOutput) -> None:
    for number, one in enumerate(sequences):
        if not isinstance(one["tokens"], int) and one["tokens"]:
            output.line()
            if len(sequences) > 1:
                output.line(_heading(number, one))
            table_of(one["tokens"], one["next"], 0, output)


def _numbered(number: int, sequence: dict[str, Any]) -> str:
    return f"{_heading(number, sequence)}\n{sequence['text'].strip()}"


def _heading(number: int, sequence: dict[str, Any]) -> str:
    score = f", score {sequence['score']:.3f}" if sequence["score"] is not None else ""
    return f"answer {number}{score}, ended by {_ENDS[sequence['finish']]}"
