"""The task library: kinds of questions with the tools that they take and solved examples (``resources/tasks``).

Paranjape et al. 2023, "ART: Automatic multi-step reasoning and tool-use for large language models" (arXiv:2303.09014).
The library, its form and its texts are this project's own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from functools import cache

import msgspec

from workbench.base.errors import UserError
from workbench.base.paths import RESOURCES
from workbench.records.demonstrations import THINK, Demonstration
from workbench.techniques.prompting.tools import CALCULATOR, calculate, query_table, read_table
from workbench.techniques.services import Similarities

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
    scores = iter(_compare(question, texts, similarities))
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


def _compare(question: str, texts: Sequence[str], similarities: Similarities) -> Sequence[float]:
    """Cosines, or where there is no embedding model the share of common words."""
    try:
        return similarities([question], texts)[0]
    except UserError:
        wanted = set(question.casefold().split())
        return [len(wanted & set(text.casefold().split())) / max(1, len(wanted)) for text in texts]
