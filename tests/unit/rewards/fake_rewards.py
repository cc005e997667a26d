"""A reward context whose programs run in this process, whose reward model counts words and whose judge likes length."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

from workbench.records.messages import Message
from workbench.rewards.reward import ProgramResult, Sample
from workbench.techniques.decoding.formats import find_problem


class FakeRewardContext:
    def find_problem(self, format: str, grammar: str, text: str) -> str:
        return find_problem(format, grammar, text)

    def run_program(self, code: str) -> ProgramResult:
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(code, {})
        except Exception as error:  # noqa: BLE001 - as the sandbox does
            return ProgramResult(printed=printed.getvalue(), error=str(error))
        return ProgramResult(printed=printed.getvalue())

    def model_scores(self, adapter: str, samples: Sequence[Sample]) -> list[float]:
        return [float(len(sample.answer.split())) for sample in samples]

    def grade_logprobs(
        self, recipe: str, prompts: Sequence[Sequence[Message]], continuations: Sequence[str]
    ) -> list[list[float]]:
        return [[0.0 if digit == str(min(5, len(prompt[0].content) // 100)) else -50.0 for digit in continuations]
                for prompt in prompts]  # fmt: skip
