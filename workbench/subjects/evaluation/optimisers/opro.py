"""Instruction search: a model writes new instructions after those that were tried, with their scores.

Yang et al. 2023, "Large Language Models as Optimizers" (arXiv:2309.03409). Each step's instructions answer the same
first questions, so that their scores compare; in the end all race on all of them by successive halving.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from workbench.base.fields import about
from workbench.records.evaluation import NumberedQuestion
from workbench.records.recipes import literal, unescaped
from workbench.subjects.evaluation.optimisers.search import (
    SearchContext,
    SearchOptions,
    Trial,
    Trials,
    affordable,
    parted,
    race,
    rounds,
)

LONGEST = 1_000
"""Characters of an instruction."""
SHOWN = 20
"""The best instructions so far that the writer sees."""
EXEMPLARS = 3
_NONE = "(no instruction)"
_WRITTEN = re.compile(r"<INS>(.*?)(?:</?INS>|\Z)", re.DOTALL | re.IGNORECASE)
_QUOTES = "\"'“”`"


class Options(SearchOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often the writer is asked."""

    steps: Annotated[int, about("Steps", ge=1, le=100), "New instructions follow from the scores this many times."] = 4
    candidates: Annotated[
        int, about("Instructions per step", ge=1, le=32), "Each step writes this number of instructions."
    ] = 4


def search(context: SearchContext, options: Options, trials: Trials) -> None:
    share = min(EXEMPLARS, len(context.questions) // 4) / max(1, len(context.questions))
    shown, compared = parted(context.questions, share, context.seed)
    count = options.steps * options.candidates
    trials.questions = compared[: affordable(count, len(compared), options.max_answers)]
    first = rounds(count, len(trials.questions))[0]
    trials.score(trials.base, len(trials.questions))
    tried: list[Trial] = []
    for step in range(options.steps):
        prompt = meta_prompt(trials.base, tried, trials.questions[:first], shown)
        for place in range(options.candidates):
            text = instruction_in(context.write(prompt, context.seed + step * options.candidates + place))
            if not text:
                continue
            prompting = msgspec.structs.replace(context.base.prompting, instructions=literal(text))
            recipe = msgspec.structs.replace(context.base, prompting=prompting)
            trial = trials.add(f"Instruction {len(tried) + 1}", recipe)
            if trial is not trials.base and trial not in tried:
                tried.append(trial)
                trials.score(trial, first)
    race(trials, tried)


def meta_prompt(base: Trial, tried: list[Trial], asked: list[NumberedQuestion], shown: list[NumberedQuestion]) -> str:
    """What the writer reads: instructions with their scores on the questions ``asked``, the best last, and examples."""
    numbers = [one.number for one in asked]
    scored = [
        (sum(trial.scores.get(number, 0.0) for number in numbers) / max(1, len(numbers)), trial)
        for trial in (base, *tried)
    ]
    best = sorted(scored, key=lambda pair: pair[0])[-SHOWN:]
    lines = ["Instructions for answering questions, each with its score from 0 to 100. Higher is better.", ""]
    for score, trial in best:
        lines += [
            f"<INS>{unescaped(trial.recipe.prompting.instructions).strip() or _NONE}</INS>",
            f"Score: {100 * score:.0f}",
            "",
        ]
    if shown:
        lines += ["Examples of the questions and their right answers:", ""]
        for one in shown:
            lines += [f"Question: {one.question.conversation()[-1].content}", f"Answer: {one.question.answer}", ""]
    lines += [
        "Write one new instruction that differs from all of these and gets a higher score. It must not mention these "
        "questions. Write it between <INS> and </INS>, and nothing else."
    ]
    return "\n".join(lines)


def instruction_in(written: str) -> str:
    """The instruction in a writer's text: what stands between its marks, else its first paragraph; "" for none."""
    found = _WRITTEN.search(written)
    text = found[1] if found is not None else written.strip().partition("\n\n")[0]
    text = text.strip().strip(_QUOTES).strip()
    return "" if text == _NONE or len(text) > LONGEST else text
