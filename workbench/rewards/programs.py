"""The reward of a program: the share of the tests that it passes in the sandbox."""

from __future__ import annotations

import json
import re
from typing import Annotated

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.records.evaluation import Score
from workbench.rewards.reward import RewardContext, Sample, each

EXPECTED = "{expected}"
MOST_TESTS = 50

_BLOCK = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)


class ProgramTests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tests of a program."""

    tests: Annotated[
        tuple[str, ...],
        about("Tests"),
        "Each line is a Python condition, such as double(2) == 4, that holds after the code of the answer has run. "
        "{expected} stands for the accepted answer.",
    ] = (EXPECTED,)


@each
def passed_tests(sample: Sample, options: ProgramTests, context: RewardContext) -> Score:
    """The share of the conditions that hold after the code of the answer has run; 0 for code that fails. The code is
    the first code block of the answer, or all of it."""
    tests = _tests_of(options, sample.expected)
    if not tests:
        return Score(None)
    result = context.run_program(_program(code_of(sample.answer), tests))
    if result.error:
        return Score(0.0, result.error)
    passed = result.printed.rpartition(_MARK)[2].split()
    held = sum(one == "True" for one in passed)
    return Score(held / len(tests), f"{held} of {len(tests)} tests")


def code_of(answer: str) -> str:
    """The first code block of an answer, or all of it where it has none."""
    found = _BLOCK.search(answer)
    return found[1] if found else answer


_MARK = "[results of the tests]"


def _tests_of(options: ProgramTests, expected: tuple[str, ...]) -> list[str]:
    tests = []
    for test in options.tests:
        if test.strip() == EXPECTED:  # the accepted answers are conditions themselves
            tests += [line for text in expected for line in text.splitlines() if line.strip()]
        elif EXPECTED in test:
            tests += [test.replace(EXPECTED, text) for text in expected]
        elif test.strip():
            tests.append(test)
    if len(tests) > MOST_TESTS:
        raise UserError(f"There are {len(tests)} tests; the maximum is {MOST_TESTS}.", "Leave some out.")
    return [test.strip().removeprefix("assert ") for test in tests]


def _program(code: str, tests: list[str]) -> str:
    """The code, then the result of each condition on a line of its own; a condition that raises is not held."""
    lines = [code, f"print({json.dumps(_MARK)})"]
    for test in tests:
        lines += ["try:", f"    print(bool({test}))", "except Exception:", "    print(False)"]
    return "\n".join(lines)
