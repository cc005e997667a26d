"""The results that the tools of an agent have computed, and whether a text states it.

A tool's result is the answer, and not the model's retelling of it: a small model calls the calculator rightly and then
writes another number. A calculation whose numbers stand neither in the question nor in what was found proves nothing,
so its result replaces no answer; it is said instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from workbench.base.catalogue import Shown
from workbench.records.agents import ToolCall
from workbench.records.messages import Message
from workbench.techniques.agents.steps import read_arguments
from workbench.techniques.tools.arithmetic import show
from workbench.techniques.tools.figures import NUMBER, is_shown_as, numbers_in
from workbench.techniques.tools.methods import CALCULATOR, COMPUTING, PYTHON, READER, TABLES
from workbench.techniques.tools.results import CELLS, NOT_SAID
from workbench.techniques.tools.tool import ToolOutput
from workbench.text.metrics import contains_answer
from workbench.text.normalisation.readings import reading_of
from workbench.text.normalisation.words import numbers_of

LONGEST_VALUE = 60
"""Characters: a longer result is a text, and no value."""
LONGEST_QUOTED = 120
GIVEN = "The tool's result is the answer. The model had written something else: “{text}”."
STRANGE = "The calculation {expression} uses {numbers}, which stands neither in the question nor in an earlier result."
UNUSED = "No calculation uses these numbers of the question: {numbers}."
ELSEWHERE = "The calculation {expression} uses none of the numbers of the question."

_BARE = re.compile(r"\s*-?\d+(?:\.\d+)?\s*")
_NO_FIGURE = re.compile(r"\[\d+\]|^\s*\d+[.)]\s", re.MULTILINE)
"""Citations and the numbers of lists."""

Result = tuple[ToolCall, ToolOutput]


@dataclass(frozen=True)
class Computed:
    """A ``value`` that a tool has computed, as it wrote it. ``expression`` is what a calculator was asked, "" of other
    tools; ``remark`` says which of its numbers come from nowhere, "" where none does."""

    value: str
    expression: str = ""
    remark: Shown = ""

    @property
    def shown(self) -> str:
        return f"{self.expression} = {self.value}" if self.expression else self.value

    def is_stated(self, text: str) -> bool:
        """Whether a text states the value, be it rounded or as a percentage."""
        value = _number(self.value)
        if value is None:
            return contains_answer(text, self.value)
        plain = _plain(text)
        return any(
            is_shown_as(abs(value), one.group().lstrip("-"))
            or (plain[one.end() :].lstrip().startswith("%") and is_shown_as(abs(value) * 100, one.group().lstrip("-")))
            for one in NUMBER.finditer(plain)
        ) or any(abs(value) == abs(Fraction(one)) for one in _figures(plain))


def computed(results: Sequence[Result], asked: str) -> list[Computed]:
    """The values that tools have computed for what was ``asked``, in their order."""
    made: list[Computed] = []
    for place, (call, output) in enumerate(results):
        value = _value(call.tool, output.text.strip().splitlines()) if not output.failed else ""
        if value:
            made.append(Computed(value, expression_of(call), remark_on(call, asked, results[:place])))
    return made


def _value(tool: str, lines: Sequence[str]) -> str:
    """The value in what a tool gave, "" where it is none: of a program a number, and of a table its only cell."""
    last = lines[-1].strip() if lines else ""
    none = (
        tool not in COMPUTING
        or len(last) > LONGEST_VALUE
        or (tool == PYTHON and not NUMBER.fullmatch(last))
        or (tool == TABLES and (len(lines) != 2 or CELLS in last))
        or (tool == READER and last == NOT_SAID)
    )
    return "" if none else last


def expression_of(call: ToolCall) -> str:
    """The expression that a calculator was asked; "" of other calls."""
    written = str(call.arguments.get("expression", "")) if call.tool == CALCULATOR else ""
    return written.partition("=")[0].strip()


def remark_on(call: ToolCall, asked: str, earlier: Sequence[Result]) -> Shown:
    """The fault in the numbers of a calculation: they stand neither in what was ``asked`` nor in ``earlier``
    results, or none of them does although the question has some. "" for none, and for other calls."""
    expression = expression_of(call)
    used = numbers_in(expression)
    if not used:
        return ""
    known = numbers_in(asked)
    found = set().union(*(numbers_in(output.text) for _, output in earlier))
    if known and not (used & (known | found)) and not any(_follows(one, known | found) for one in used):
        return ELSEWHERE.format(expression=expression)
    strange = sorted(one for one in used - known - found if not _follows(one, known | found))
    return STRANGE.format(expression=expression, numbers=", ".join(map(show, strange))) if strange else ""


def unused(question: str, results: Sequence[Result]) -> str:
    """Which numbers of a question no calculation uses, as a sentence; "" for none, and where nothing was calculated."""
    expressions = [expression_of(call) for call, output in results if not output.failed]
    used = set().union(*map(numbers_in, expressions))
    known = used | {share for one in used for share in _percentages(one)}
    left = sorted(numbers_in(question) - known) if any(expressions) else []
    return UNUSED.format(numbers=", ".join(map(show, left))) if left else ""


def results_in(history: Sequence[Message]) -> list[Result]:
    """The calls with their results since the last message of the user."""
    last = max((place for place, one in enumerate(history) if one.role == "user"), default=-1)
    calls = [part for message in history[last + 1 :] for part in message.tool_calls]
    outputs = [message.tool_result for message in history[last + 1 :] if message.tool_result is not None]
    return [
        (
            ToolCall(tool=call.name, arguments=read_arguments(call.arguments)),
            ToolOutput(text=output.text, failed=output.failed),
        )
        for call, output in zip(calls, outputs, strict=False)
    ]


def stating(text: str, results: Sequence[Result], asked: str) -> str:
    """The text, so that it states what the tools have computed: as it is where it does; with the result behind it where
    it has no number of its own; otherwise the result alone."""
    made = computed(results, asked)
    if not made or made[-1].remark:
        return text
    plain = _plain(text)
    known = set().union(numbers_in(asked), *(numbers_in(output.text) for _, output in results))
    known |= set().union(*(numbers_in(one.expression) for one in made))
    own = [any(is_shown_as(one, shown.lstrip("-")) for one in known) for shown in _figures(plain)]
    if any(one.is_stated(plain) for one in made) and (not own or own[-1]):
        return text
    if all(own) and text.strip():
        return f"{text.rstrip()} ({made[-1].shown})"
    return made[-1].shown


def in_form(text: str, results: Sequence[Result], asked: str) -> str:
    """As ``stating``, of an answer in a form: only a bare number can be replaced, by a bare number."""
    made = computed(results, asked)
    fits = made and not made[-1].remark and _BARE.fullmatch(text) and _BARE.fullmatch(made[-1].value)
    return made[-1].value if fits and not made[-1].is_stated(text) else text


def quoted(text: str) -> str:
    """The text that the model had written, in a line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTED else f"{line[: LONGEST_QUOTED - 1].rstrip()}…"


def _plain(text: str) -> str:
    return _NO_FIGURE.sub(" ", text)


def _figures(text: str) -> tuple[str, ...]:
    """The numbers of a text, in the notation of its language."""
    return numbers_of(text, reading_of(text)._replace(dates="", code=False))


def _number(text: str) -> Fraction | None:
    return Fraction(text.replace(",", "")) if NUMBER.fullmatch(text) else None


def _follows(one: Fraction, known: set[Fraction]) -> bool:
    """Whether a number is a known percentage, or what is left or there after it: 0.15, 0.85 and 1.15 of 15; 100 goes
    with any."""
    return one == 100 or any(other in known for other in _percentages(one))


def _percentages(one: Fraction) -> Iterator[Fraction]:
    yield one * 100
    yield abs(one - 1) * 100
