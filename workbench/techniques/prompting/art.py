"""ART: the question is answered by a program of steps, some of which call tools, after examples of similar tasks.

Paranjape et al. 2023, "ART: Automatic multi-step reasoning and tool-use for large language models" (arXiv:2303.09014).
Generation stops at each tool call; the result is appended as data and the text goes on from there, with all before it
in the cache. The grammar allows one line at a time, so that the program always knows whether it is a step or the
answer: it never reads that from its own text, in which results stand. Where a number is asked for, a tool's result is
the answer: the model decides when to answer, and not the digits.

The task library: kinds of questions with the tools that they take and solved examples (``resources/tasks``).

Paranjape et al. 2023, "ART: Automatic multi-step reasoning and tool-use for large language models" (arXiv:2303.09014).
The library, its form and its texts are this project's own.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Generator, Mapping, Sequence
from functools import cache
from typing import Annotated

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.base.paths import RESOURCES
from workbench.engine.inference_calls import Generated
from workbench.records.demonstrations import THINK, Demonstration
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.records.thoughts import text_to_edit
from workbench.records.trace import EDITED
from workbench.techniques.budget import Budget, Exhausted
from workbench.techniques.context import AnswerContext, Ask
from workbench.techniques.prompting.extraction import (
    NUMBER,
    RESERVE,
    Extracting,
    Extraction,
    answer_of,
    conclude,
    extraction_of,
    too_small,
)
from workbench.techniques.prompting.final_answer import asks_number
from workbench.techniques.prompting.tools import (
    CALCULATOR,
    LINE,
    LONGEST_RESULT,
    Tool,
    calculate,
    describe,
    query_table,
    read_table,
    tools_for,
)
from workbench.techniques.services import Similarities, compare
from workbench.techniques.tools.results import one_line
from workbench.techniques.tools.tool import ToolOutput

_SYSTEM = (
    "Answer the question step by step. Each step is one line: a tool with its input, or think with a short thought. "
    "The result of a tool is given to you after it. When you know the answer, write it after Answer.\n\nTools:\n{tools}"
)
LONGEST_LINE = 96


class Options(Extracting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many steps a program has, how many examples it sees, and the form of the answer."""

    steps: Annotated[int, about("Steps", ge=1, le=16), "The model takes at most this many steps before it answers."] = 6
    tasks: Annotated[
        int,
        about("Similar tasks", ge=1, le=8),
        "The model sees examples of this number of similar tasks from the library.",
    ] = 2
    examples: Annotated[
        int, about("Examples", ge=1, le=12), "The model sees this number of solved examples of similar tasks."
    ] = 4


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the program as the model wrote it: a step with ``tool`` and ``text``, or the answer (``tool`` "")."""

    tool: str
    text: str


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Write the program line by line, run its tools, answer in its last line; the program is the answer's thought."""
    budget = Budget(options, context)
    extraction = extraction_of(options, messages, context.decoding)
    question = messages[-1].content
    tools = tools_for(question, context.retriever)
    chosen = context.step("examples", "Choose similar tasks", question)
    yield chosen.started
    own = context.helpers.demonstrations()
    tasks, examples = nearest(question, tools, context.helpers.similarities, options.tasks, options.examples, own)
    yours = [f"your demonstration {one.id}" for one in examples if isinstance(one, Demonstration)]
    yield chosen.finished(", ".join([*(task.name for task in tasks), *yours]))
    shown = [
        message
        for one in examples
        for message in (Message("user", one.question.strip()), Message("assistant", one.program()))
    ]
    asked = _instructed(messages, describe(tools), shown)
    program = Program(asked, context, budget, earlier_lines(context))
    answer = ""
    called: set[Line] = set()
    results: list[str] = []
    repeats = False
    with too_small():
        try:
            for number in range(1, options.steps + 2):
                last = repeats or number > options.steps
                forms = line_forms(number, tools, extraction, results, first=number == 1, last=last)
                line = yield from program.write(number, forms)
                if line is None:
                    break
                if not line.tool:
                    answer = line.text
                    break
                repeats = line in called  # a small model goes round in circles
                called.add(line)
                if line.tool != THINK:
                    output = yield from program.call(number, tools[line.tool], line.text)
                    results = _with_result(results, output, extraction, context)
                elif results:
                    results = [*results, ""]
        except Exhausted as spent:
            if not program.text:
                raise
            yield from context.note(budget.describe(spent.what))
    if not answer and results and results[-1] and extraction.form == "number":
        return answer_of(results[-1], program.text, program.last)  # cut short: the last result is there all the same
    if answer and extraction.decoding.format in _INLINE[extraction.form]:
        return answer_of(answer, program.text, program.last)
    return (yield from conclude(messages, program.text, extraction, budget, context))


_INLINE: Mapping[str, tuple[str, ...]] = defaultdict(tuple, number=("regex",), choice=("choice",), text=("text",))
"""Forms of an answer that a line of the program can have, with the formats that it can keep to."""


def line_forms(
    number: int,
    tools: Mapping[str, Tool],
    extraction: Extraction,
    results: Sequence[str] = (),
    *,
    first: bool,
    last: bool,
) -> dict[str, str]:
    """The regular expressions of what the next line may be, by its tool; "" is the answer. ``results`` are the numbers
    that the tools have given, "" after them where a thought followed."""
    forms: dict[str, str] = {}
    if not last:
        forms |= {tool.name: rf"Step {number}: {tool.name}: {tool.form}" for tool in tools.values()}
        forms[THINK] = rf"Step {number}: {THINK}: {LINE}"
    if not first:
        forms[""] = f"Answer: {answer_form(extraction, results)}"
    return forms


def answer_form(extraction: Extraction, results: Sequence[str] = ()) -> str:
    """The regular expression of the answer's line. Where a number is asked for and a tool has given one, that is the
    answer, and the model does not write it anew: the last result, or after a thought one of them."""
    given = [re.escape(one) for one in dict.fromkeys(results if results and not results[-1] else results[-1:]) if one]
    stated = given[0] if len(given) == 1 else f"({'|'.join(given)})"
    if given and extraction.form == "number":
        return stated
    if given and extraction.form == "text" and asks_number(extraction.question):
        return rf"([^\n0-9]{{0,80}}[^\n0-9.,−–-])?{stated}([.,]?[^\n0-9.,][^\n0-9]{{0,80}})?"
    if extraction.form == "number":
        return extraction.decoding.grammar if extraction.decoding.format == "regex" else NUMBER
    if extraction.form == "choice":
        return f"({'|'.join(re.escape(choice) for choice in extraction.choices)})"
    return r"[^\n]{1,200}"


def _with_result(
    results: Sequence[str], output: ToolOutput, extraction: Extraction, context: AnswerContext
) -> list[str]:
    """The numbers that the tools have given, with that of this result; none where the result is no number, or none that
    the form of the answer allows: then the model has to say what follows."""
    number = output.text.strip()
    if output.failed or not _NUMBER.fullmatch(number):
        return []
    own = extraction.decoding.grammar if extraction.decoding.format == "regex" else NUMBER
    if extraction.form == "number" and own != NUMBER and not context.helpers.matches(own, number):
        return []  # the recipe wants numbers of another form
    return [*results, number]


_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def earlier_lines(context: AnswerContext) -> list[tuple[str, bool]]:
    """The lines of the program that this answer goes on from, up to the one that a person edited, which is marked."""
    lines: list[tuple[str, bool]] = []
    for step in context.agent.earlier:
        if step.kind == "line" and step.state == "done":
            if context.agent.edit is not None and step.id == context.agent.edit.step:
                return [*lines, (context.agent.edit.text.strip(), True)]
            lines.append((text_to_edit(step), False))
    return lines


class Program:
    """The program so far: its text, and the tokens that it goes on from. ``given`` are its first lines."""

    def __init__(
        self,
        messages: tuple[Message, ...],
        context: AnswerContext,
        budget: Budget,
        given: Sequence[tuple[str, bool]] = (),
    ) -> None:
        self.text = ""
        self.last = Generated(text="")
        self._given = list(given)
        self._messages, self._context, self._budget = messages, context, budget
        self._prompt: tuple[int, ...] = ()
        self._append = ""

    def write(self, number: int, forms: Mapping[str, str]) -> Generator[Event, None, Line | None]:
        """The next line, which the model writes in one of the forms; None when it was cut short. Raises UserError for a
        given line of another form."""
        pattern = "|".join(f"({form})" for form in forms.values())
        if self._given:
            text = yield from self._take(number, pattern)
            return _read(number, text, forms)
        seed = self._context.decoding.seed
        part = DecodingPart(
            temperature=0.0, repetition_penalty=1.0, max_tokens=LONGEST_LINE, seed=seed, format="regex",
            grammar=rf"({pattern})\n",
        )  # fmt: skip
        start = "" if self._prompt else self.text
        ask = Ask(
            messages=self._messages,
            title=f"Write line {number}",
            kind="line",
            decoding=part,
            prompt=self._prompt,
            append=self._append if self._prompt else "",
            assistant_start=start,
        )
        made = yield from self._budget.generate_one(ask, reserve=RESERVE)
        text = made.text.removeprefix(start)
        if made.finish == "cancelled" or not text.endswith("\n"):
            return None
        self.last = made
        self.text += text
        tokens = made.sequences[0].tokens if made.sequences else ()
        self._prompt = (*made.prompt, *tokens) if made.prompt else ()
        self._append = ""
        return _read(number, text.rstrip("\n"), forms)

    def _take(self, number: int, pattern: str) -> Generator[Event, None, str]:
        """The next line that is given."""
        text, edited = self._given.pop(0)
        if not self._context.helpers.matches(pattern, text):
            hint = (
                f"Write Step {number}: with a tool and its input, as in Step {number}: calculator: 3 + 5, or Answer:."
            )
            raise UserError(f"{text!r} cannot be line {number} of this program.", hint)
        step = self._context.step("line", f"Write line {number}")
        yield step.started
        if edited:
            told = self._context.inside(step).step("edit", EDITED["edit"])
            yield told.started
            yield told.finished("edit")
        self.text += f"{text}\n"
        yield step.finished(f"{text}\n")
        return text

    def call(self, number: int, tool: Tool, given: str) -> Generator[Event, None, ToolOutput]:
        """Run a tool; its result becomes the next line, as data."""
        step = self._context.step("tool", tool.name, given)
        yield step.started
        result = tool.run(given)
        if result.passages:
            yield events.Retrieved(query=given, passages=result.passages, step=step.id)
        text = one_line(result.text, LONGEST_RESULT)
        yield step.finished(text, error=text if result.failed else "")
        self._append = f"Result {number}: {text}\n"
        self.text += self._append
        return result


def _read(number: int, said: str, forms: Mapping[str, str]) -> Line | None:
    """The line that a text is."""
    for tool in forms:
        head = f"Step {number}: {tool}: " if tool else "Answer: "
        if said.startswith(head):
            return Line(tool=tool, text=said[len(head) :].strip())
    return None


def _instructed(messages: tuple[Message, ...], tools: str, examples: list[Message]) -> tuple[Message, ...]:
    """The messages with what a program is, after the recipe's own instructions, and with the examples."""
    told = _SYSTEM.format(tools=tools)
    head = [message.content for message in messages if message.role == "system"]
    rest = [message for message in messages if message.role != "system"]
    return (Message("system", "\n\n".join([*head, told])), *examples, *rest)


FOLDER = RESOURCES / "tasks"


class SolvedExample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question with the steps to its answer: tool and input of each. ``results`` are given where they cannot be
    computed."""

    question: str
    steps: tuple[tuple[str, str], ...]
    answer: str
    results: tuple[str, ...] = ()

    def program(self) -> str:
        """The steps, their results and the answer as lines."""
        lines: list[str] = []
        for number, (tool, given) in enumerate(self.steps, 1):
            lines.append(f"Step {number}: {tool}: {given}")
            if tool != THINK:
                lines.append(f"Result {number}: {self._result(number - 1, tool, given)}")
        return "\n".join([*lines, f"Answer: {self.answer}"])

    def _result(self, place: int, tool: str, given: str) -> str:
        if place < len(self.results):
            return self.results[place]
        if tool == CALCULATOR:
            return calculate(given).text
        table = read_table(self.question)
        if table is None:
            raise ValueError(f"no result for {tool}: {given}")
        return query_table(given, table).text


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    description: str
    tools: tuple[str, ...]
    examples: tuple[SolvedExample, ...] = msgspec.field(name="example", default=())


class Library(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tasks: tuple[Task, ...] = msgspec.field(name="task", default=())


@cache
def library() -> tuple[Task, ...]:
    """All tasks, by their files' names. Raises UserError for a file that cannot be read."""
    found: list[Task] = []
    for path in sorted(FOLDER.glob("*.toml")):
        try:
            found += msgspec.convert(tomllib.loads(path.read_text("utf-8")), Library).tasks
        except (OSError, ValueError) as error:
            raise UserError(
                f"The task library {path.name} cannot be read: {error}.", "Install the program again."
            ) from error
    return tuple(found)


def nearest(
    question: str,
    tools: Collection[str],
    similarities: Similarities,
    tasks: int,
    examples: int,
    own: Sequence[Demonstration] = (),
) -> tuple[list[Task], list[SolvedExample | Demonstration]]:
    """The tasks that a question is most like, of those whose tools there are; and of their examples and the person's
    ``own`` demonstrations those that are most like it, the nearest last."""
    own = [one for one in own if one.tools <= {*tools}]
    able = [task for task in library() if set(task.tools) <= {*tools, THINK}]
    texts = [task.description for task in able] + [one.question.strip() for task in able for one in task.examples]
    texts += [one.question for one in own]
    scores = iter(compare(question, texts, similarities))
    fit = {task.name: next(scores) for task in able}
    near = [(next(scores), task, one) for task in able for one in task.examples]
    near_own = [(next(scores), one) for one in own]
    for score, task, _ in near:
        fit[task.name] = max(fit[task.name], score)
    chosen = sorted(able, key=lambda task: -fit[task.name])[:tasks]
    there: list[tuple[float, SolvedExample | Demonstration]] = [*near_own]
    there += [(score, one) for score, task, one in near if task in chosen]
    ranked = sorted(there, key=lambda pair: -pair[0])  # of equals the person's own
    return chosen, [one for _, one in ranked[:examples]][::-1]
