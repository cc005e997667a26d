"""Judges that are measured before they judge: scripted ones, and the starter, on HH-RLHF's human judgements.

    python benchmarks/judges.py

The pairs (single questions whose answers have at most 620 characters) are stored as a person's judgements, in shuffled
order. The starter judges them as a recipe through the program's own run; scripted judges (perfect, always the first,
random, the shorter answer) through the same measurement. ``accepted`` says whether the program would let them label.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from harness import DATA, Core, arguments, read_lines, report
from reward_model import sample_of

from workbench import calls
from workbench.api import events
from workbench.records.judgements import JudgedAnswer, Judgement
from workbench.records.recipes import Recipe
from workbench.subjects.judgements.judging.agreement import measure
from workbench.subjects.judgements.judging.comparing import Opinion

LONGEST = 620
Script = Callable[[str, str, bool], float]
"""The log-odds of the answer shown first, from both answers and whether the first is the one that people preferred."""


def judgements_of(path: Path, most: int) -> list[Judgement]:
    numbers = random.Random(0)
    found = []
    for row in read_lines(path):
        chosen, rejected = sample_of(row["chosen"]), sample_of(row["rejected"])
        texts = (chosen.answer, rejected.answer)
        single = len(chosen.prompt) == 1 and chosen.prompt == rejected.prompt
        if not single or max(map(len, texts)) > LONGEST or not all(texts) or texts[0] == texts[1]:
            continue
        first = numbers.random() < 0.5
        a, b = texts if first else texts[::-1]
        verdict: Literal["a", "b"] = "a" if first else "b"
        answers = JudgedAnswer(text=a), JudgedAnswer(text=b)
        found.append(Judgement(prompt=chosen.prompt, a=answers[0], b=answers[1], shown="ab", verdict=verdict))
    return found[:most]


def scripted(judgements: list[Judgement], script: Script) -> dict[str, Any]:
    opinions, choices = [], []
    for one in judgements:
        assert one.b is not None
        right: Literal["a", "b"] = "a" if one.verdict == "a" else "b"
        straight = script(one.a.text, one.b.text, right == "a")
        swapped = script(one.b.text, one.a.text, right == "b")
        opinions.append(Opinion(shown_first=straight, shown_second=-swapped))
        choices.append(right)
    report = measure(opinions, choices)
    return {"accepted": report.accepted, "summary": report.summary, "reasons": report.reasons}


def main() -> None:
    given = arguments(__doc__, "json", data=DATA / "hh-rlhf", pairs=70).parse_args()
    judgements = judgements_of(given.data / "test.jsonl", given.pairs)
    numbers = random.Random(0)
    found: dict[str, Any] = {
        "pairs": len(judgements),
        "perfect": scripted(judgements, lambda a, b, right: 2.0 if right else -2.0),
        "always the first": scripted(judgements, lambda a, b, right: 1.0),
        "always the first, after 20 pairs": scripted(judgements[:20], lambda a, b, right: 1.0),
        "random": scripted(judgements, lambda a, b, right: numbers.gauss(0, 1)),
        "the shorter answer": scripted(judgements, lambda a, b, right: float(len(b) - len(a))),
    }
    with Core() as core:
        core.call(calls.AddJudgements(judgements=tuple(judgements)))
        began = time.perf_counter()

        def watch(event: events.Event) -> None:
            if isinstance(event, events.Artifact) and event.kind == "judge":
                found["starter"] = {**event.result, "seconds": round(time.perf_counter() - began, 1)}

        core.follow(core.call(calls.JudgePairs(recipe=Recipe(name="starter"), limit=len(judgements))), watch)
    report(msgspec.to_builtins(found), given.json)


if __name__ == "__main__":
    main()
