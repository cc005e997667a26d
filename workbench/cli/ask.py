"""``workbench ask``: a question, many questions, or a task on one whole document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.api.events import Artifact, Event, Log, Progress
from workbench.base.errors import UserError
from workbench.cli.answer_text import answer_text
from workbench.cli.approvals import add_approval_options, decided
from workbench.cli.arguments import Commands, absolute, add_repeated, read_items
from workbench.cli.docs import attach, find_document, place
from workbench.cli.output import TextOutput, one_line
from workbench.cli.recipes import add_recipe_options, read_recipe
from workbench.cli.session import Events, Session, Stopped
from workbench.cli.tokens import show_steps, table_of, with_tokens
from workbench.methods import METHODS
from workbench.records.answers import AskResult, DocumentTask
from workbench.records.messages import ImagePart, Verification
from workbench.records.outcomes import Reason
from workbench.records.recipes import Recipe
from workbench.records.roads import ROADS
from workbench.records.trace import StepAction, StepEdit
from workbench.records.trust import PERHAPS, describe_marks, describe_trust
from workbench.subjects.chats.calls import Ask, BranchPoint, DeleteChat, ShowPrompt
from workbench.subjects.images.calls import AddImage

_ENDS = {
    "eos": "the model",
    "stop": "a stop string",
    "length": "its length",
    "grammar": "its form",
    "loop": "a loop: it repeats itself",
    "cancelled": "being stopped",
}

_TASK_FLAGS = {"language": "--language", "columns": "--column, once per column"}
"""The flags that give a document task its settings."""

START = "start"
"""The value of --after for another first question of a chat. No message has such an id."""


def add_commands(commands: Commands) -> None:
    parser = commands.command(
        "ask", "ask a question, with or without documents", ask, show_answer, on_event=show_one_of_many
    )
    parser.add_argument("question", metavar="QUESTION", nargs="?", help="- reads it from the standard input")
    add_recipe_options(parser)
    add_approval_options(parser)
    add_repeated(parser, "--image", "FILE", "show this image with the question", "images")
    parser.add_argument("--schema", metavar="FILE", help="answer with JSON that matches this JSON schema")
    parser.add_argument("--tokens", metavar="N", type=int, help="show the tokens of each answer, with N alternatives")
    parser.add_argument(
        "--trace", action="store_true", help="show the steps; with --json, the token ids and beams of each as well"
    )
    parser.add_argument("--show-prompt", action="store_true", help="show the exact prompt and its tokens only")
    parser.add_argument("--chat", metavar="ID", help="continue this chat, with its recipe unless another is given")
    parser.add_argument("--temporary", action="store_true", help="write nothing of this to the disk")
    parser.add_argument("--project", metavar="PROJECT", help="begin a chat of this project, with its settings")
    parser.add_argument(
        "--after", metavar="MESSAGE", help="in --chat: branch off after this answer; start: another first question"
    )
    parser.add_argument("--again", metavar="MESSAGE", help="in --chat: answer again, beside this answer")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="with --again: go on with its tree of thoughts",
    )
    changing = parser.add_mutually_exclusive_group()
    for option, does in (
        ("--expand", "think on from this thought"),
        ("--prune", "give up this thought and what follows it"),
        ("--edit-step", "QUESTION is the text of this thought, or the arguments (JSON) of this call"),
        ("--step-result", "QUESTION is the result of this tool call"),
    ):
        changing.add_argument(option, metavar="STEP", help=f"with --again: {does}, and go on (`chats steps --tree`)")
    parser.add_argument(
        "--varied",
        action="store_true",
        help="with --again: draw more freely",
    )
    parser.add_argument(
        "--without-documents",
        action="store_true",
        help="with --again: answer without any search",
    )
    parser.add_argument(
        "--road",
        metavar="R",
        choices=list(ROADS),
        help=f"how this question is answered, instead of automatically: {', '.join(ROADS)}",
    )
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
    add_repeated(document, "--column", "NAME", "a column of the table", "columns")


def ask(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    _check(arguments)
    recipe = yield from read_recipe(session, arguments)
    collection = recipe.retrieval.collection if recipe.retrieval is not None else ""
    if arguments.document is not None and not collection and not arguments.attach:
        raise UserError("The document needs its collection.", "Give --collection as well, or --attach the file.")
    if arguments.questions is not None:
        return (yield from _ask_many(session, arguments, recipe))
    if arguments.attach:
        attached = yield from attach(session, arguments.attach, arguments.chat)
        arguments.chat, collection = attached.chat.id, collection or attached.collection.id
    question = sys.stdin.read().strip() if arguments.question == "-" else arguments.question or ""
    if not question.strip() and arguments.document is None and arguments.again is None:
        raise UserError("The question is empty.")
    if arguments.show_prompt:
        return (yield from session.call(ShowPrompt(question=question, recipe=recipe)))
    task = None
    if arguments.document is not None:
        document = yield from find_document(session, collection, arguments.document)
        task = DocumentTask(
            document=document.path, task=arguments.task, language=arguments.language, columns=tuple(arguments.columns)
        )
    images: list[ImagePart] = []
    for image in arguments.images:
        images.append((yield from session.call(AddImage(path=absolute(image), temporary=arguments.temporary))))
    call = Ask(
        images=tuple(images),
        question="" if _takes_text(arguments) else question,
        recipe=recipe,
        folder="" if arguments.chat else arguments.project or "",
        temporary=arguments.temporary,
        chat=arguments.chat,
        parent=None if arguments.after == START else arguments.after,
        root=arguments.after == START,
        regenerate=arguments.again,
        varied=arguments.varied,
        resume=arguments.resume,
        edit=_edit_of(arguments, question),
        without_documents=arguments.without_documents,
        road=arguments.road,
        document=task,
        branch=BranchPoint(position=arguments.branch[0], token=arguments.branch[1], sequence=arguments.sequence)
        if arguments.branch is not None
        else None,
    )
    result = yield from _noting_run(session, call)
    result = yield from decided(session, result, arguments.yes_to)
    session.incomplete = result.is_cut_off
    plain = plain_answer(result, whole_trace=arguments.trace and arguments.json)
    if arguments.tokens is not None:
        yield from with_tokens(session, result, plain, arguments.tokens)
    if arguments.temporary:
        yield from session.call(DeleteChat(chat=result.chat, forever=True))
    return plain if arguments.trace or arguments.json else {**plain, "trace": None}


def _noting_run(session: Session, call: Ask) -> Events[AskResult]:
    """As ``session.call``; for the answer of a run, a stop says how to continue it."""
    run = ""
    events = session.call(call)
    try:
        while True:
            event: Event = next(events)
            if isinstance(event, Artifact) and event.kind == "run":
                run = event.id
            yield event
    except StopIteration as end:
        result: AskResult = end.value
        return result
    except (Stopped, KeyboardInterrupt):
        if run:
            text = f"The finished sections are kept; {session.command(f'runs resume {run}')} continues with the next."
            yield Log(text=text, level="notice")
        raise


def plain_answer(result: AskResult, *, whole_trace: bool = False) -> dict[str, Any]:
    """An answer in the documented shape. Unless ``whole_trace``, its steps have no token ids and beams."""
    plain: dict[str, Any] = msgspec.to_builtins(result)
    if plain["trace"] is not None and not whole_trace:
        for step in plain["trace"].get("steps", ()):
            step.pop("tokens", None)
            step.pop("beams", None)
    return plain


def _check(arguments: argparse.Namespace) -> None:
    question, questions = arguments.question is not None, arguments.questions is not None
    document, again = arguments.document is not None, arguments.again is not None
    if not (question or questions or document or again) or (questions and (question or document or again)):
        arguments.parser.error("give a QUESTION, or --questions FILE, or --document with --task")
    if (again or arguments.after is not None) and arguments.chat is None:
        arguments.parser.error("--after and --again need --chat")
    if again and (question != _takes_text(arguments) or document or arguments.after is not None):
        arguments.parser.error("--again takes the question that the answer belongs to; --edit-step takes a text")
    for option in ("varied", "resume", "without_documents", "expand", "prune", "edit_step", "step_result"):
        if getattr(arguments, option) and not again:
            arguments.parser.error(f"--{option.replace('_', '-')} needs --again, which names the answer")
    if arguments.branch is not None and not again:
        arguments.parser.error("--branch needs --again, which names the answer")
    if arguments.images and (questions or document or again or arguments.show_prompt):
        arguments.parser.error("--image goes with one QUESTION")
    if arguments.tokens is not None and arguments.tokens < 0:
        arguments.parser.error("--tokens takes a number of alternatives, 0 or more")
    if questions and arguments.chat is not None:
        arguments.parser.error("--questions makes its own chats: leave --chat out")
    if arguments.temporary and (
        arguments.chat is not None or arguments.attach or questions or arguments.project or document
    ):
        arguments.parser.error("--temporary takes one question, without --chat, --attach, --project and --document")
    if arguments.project and (arguments.chat is not None or arguments.attach or questions):
        arguments.parser.error("--project begins one chat: leave --chat, --attach and --questions out")
    if questions and arguments.attach:
        arguments.parser.error("--questions makes its own chats: use --collection instead of --attach")
    if (arguments.document is None) != (arguments.task is None):
        arguments.parser.error("--document and --task go together")
    for setting in METHODS.find(arguments.task, "task").fields if arguments.task is not None else ():
        if not getattr(arguments, setting.name):
            arguments.parser.error(f"--task {arguments.task} needs {_TASK_FLAGS[setting.name]}")


def _takes_text(arguments: argparse.Namespace) -> bool:
    """Whether QUESTION is the text of a step."""
    return arguments.edit_step is not None or arguments.step_result is not None


def _edit_of(arguments: argparse.Namespace, text: str) -> StepEdit | None:
    steps: dict[StepAction, str | None] = {
        "expand": arguments.expand, "prune": arguments.prune, "edit": arguments.edit_step,
        "result": arguments.step_result,
    }  # fmt: skip
    for action, step in steps.items():
        if step is not None:
            return StepEdit(step=step, action=action, text=text if action in ("edit", "result") else "")
    return None


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
            answer = yield from _without_text(session, Ask(question=item.text, recipe=recipe, road=arguments.road))
            answer = yield from decided(session, answer, arguments.yes_to)
        except UserError as error:
            if done == 0:
                raise
            failed += 1
            yield Artifact(kind="answer", id=item.id, result={"error": error.message, "hint": error.hint})
            continue
        plain = plain_answer(answer)
        session.incomplete |= answer.is_cut_off
        if arguments.tokens is not None:
            yield from with_tokens(session, answer, plain, arguments.tokens)
        if not arguments.keep_chats:
            yield from session.call(DeleteChat(chat=answer.chat, forever=True))
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
    if "context_tokens" in result and "text" in result:
        _show_prompt(result, output)
        return
    if "count" in result:
        return  # each answer was shown when it came
    sequences = result["sequences"]
    citations = result["citations"]
    if len(sequences) > 1:
        numbered = [_numbered(number, one) for number, one in enumerate(sequences)]
        output.replace_streamed(answer_text("\n\n".join(numbered), citations, output.columns))
    else:
        output.replace_streamed(answer_text(result["answer"].strip(), citations, output.columns))
    _show_outcome(result, output)
    if result["verification"] is not None:
        _show_verification(result["answer"], msgspec.convert(result["verification"], Verification), output)
    cited = {c["n"]: c for c in citations}
    if cited:
        output.line()
    numbers: dict[str, list[int]] = {}
    for n, citation in sorted(cited.items()):
        numbers.setdefault(place(citation), []).append(n)
    for where, of_place in numbers.items():
        output.line(f"{''.join(f'[{n}]' for n in of_place)} {where}")
    _show_tokens(sequences, output)
    if result["trace"] is not None:
        output.line()
        show_steps(result["trace"], output)


def _show_outcome(result: dict[str, Any], output: TextOutput) -> None:
    """That the answer may not be the right one, and why; the roads that it can be asked by again."""
    reasons = msgspec.convert(result["reasons"], tuple[Reason, ...])
    if result["outcome"] == "perhaps":
        output.line()
        output.line(f"Perhaps: {PERHAPS}")
        for reason in reasons:
            output.line(f"  {one_line(reason.text)}")
    if result["roads"] and result["outcome"] in ("perhaps", "not_found"):
        output.line()
        output.line(f"Other routes: --road {', '.join(result['roads'])}")


def _show_verification(answer: str, checked: Verification, output: TextOutput) -> None:
    """Whether the documents support the answer, and the statements that are marked."""
    words, _ = describe_trust(checked)
    if words:
        output.line()
        output.line(words)
    for line in describe_marks(answer, checked):
        output.line(f"  {one_line(line)}")


def _show_prompt(result: dict[str, Any], output: TextOutput) -> None:
    if result["answer"]:
        output.line(f"The model is not asked. The answer: {result['answer']}")
        return
    output.line(result["text"])
    output.line()
    together = f" The first of {result['together']} that begin together." if result["together"] > 1 else ""
    output.line(f"{result['tokens']:,} tokens of the context of {result['context_tokens']:,}.{together}")


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
