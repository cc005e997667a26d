"""Which way of adapting pays: ladders on four question sets, their sentences, estimates against what rungs took.

    python benchmarks/ladder.py --home HOME --only subjects arithmetic
    python benchmarks/ladder.py --home HOME --only draws estimates

``--data`` (default ../shared/data) holds ``mmlu``, ``xquad/en`` and ``offices/dental``. Parts:

    subjects    mmlu questions and their subject, one of twelve
    arithmetic  one-step sums that are made up
    xquad       questions on paragraphs, which are a collection
    dental      questions of a dental office on its documents
    coverage    rungs of known values whose answers are drawn, alike as those of one model are: how often the winner's
                interval holds its value, and how often a plain interval of 95 % of the best rung does
    draws       of the ladders of the home: questions drawn from the held-out ones with replacement, as many as there
                are, 1,000 times; how often the winner's interval holds its value over all of them, and how often a
                plain interval of 95 % of the best rung does
    estimates   of the ladders of the home: what each rung was estimated to take against what it took

``--questions`` are the held-out questions of each ladder, as many are for tuning; ``--rungs`` replaces the proposed
ones.
"""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Any

from harness import DATA, Core, arguments, read_lines, write_lines
from prompting import sums

from workbench.base.errors import UserError
from workbench.records.ladder import LadderReport, RungCost
from workbench.records.recipes import PromptingPart, Recipe
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListCollections
from workbench.subjects.evaluation.calls import CreateQuestionSet, ListQuestionSets
from workbench.subjects.evaluation.statistics import wilson
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder.calls import GetLadder, ListLadders, StartLadder
from workbench.subjects.ladder.store import LadderStore
from workbench.subjects.ladder.verdict import Scored, judge

SETS = ("subjects", "arithmetic", "xquad", "dental")
DRAWS = 1_000
WITHIN = 1.5
SUBJECT = Recipe(prompting=PromptingPart(input="Which subject is this question from?\n\n{{question}}"))


def subjects(data: Path, count: int) -> list[dict[str, Any]]:
    rng, rows = random.Random(3), list[dict[str, Any]]()
    for path in sorted((data / "mmlu" / "test").glob("*.jsonl")):
        questions = sorted((row["question"] for row in read_lines(path)), key=len)[:80]
        rng.shuffle(questions)
        each = math.ceil(2 * count / 12)
        rows += [{"question": one, "answer": path.stem.replace("_", " ")} for one in questions[:each]]
    rng.shuffle(rows)
    return rows


def arithmetic(data: Path, count: int) -> list[dict[str, Any]]:
    return [{"question": question, "answer": str(answer)} for question, answer in sums(2 * count, 5)]


def xquad(data: Path, count: int) -> list[dict[str, Any]]:
    rows = read_lines(data / "xquad" / "en" / "questions.jsonl")
    random.Random(5).shuffle(rows)
    return [{"question": row["question"], "answers": row["answers"]} for row in rows[: 2 * count]]


def dental(data: Path, count: int) -> list[dict[str, Any]]:
    rows = [row for row in read_lines(data / "offices" / "dental" / "questions.jsonl") if row["kind"] != "follow-up"]
    random.Random(5).shuffle(rows)
    return rows[: 2 * count]


ROWS = {"subjects": subjects, "arithmetic": arithmetic, "xquad": xquad, "dental": dental}


def collection(core: Core, name: str, data: Path, folder: Path) -> str:
    """The documents of a set in the home, read once; "" for a set without any."""
    if name not in ("xquad", "dental"):
        return ""
    if name not in {one.name for one in core.call(ListCollections()).collections}:
        documents = data / "offices" / "dental" / "documents"
        if name == "xquad":
            documents = folder / "paragraphs"
            documents.mkdir()
            for row in read_lines(data / "xquad" / "en" / "paragraphs.jsonl"):
                (documents / f"{row['id']}.txt").write_text(row["text"], "utf-8")
        core.call(CreateCollection(name=name))
        core.follow(core.call(AddDocuments(collection=name, paths=(str(documents),))))
    return name


def climb(core: Core, name: str, data: Path, count: int, rungs: tuple[str, ...], minutes: float) -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        documents = collection(core, name, data, folder)
        if name not in {one.name for one in core.call(ListQuestionSets()).sets}:
            path = write_lines(folder / f"{name}.jsonl", ROWS[name](data, count))
            core.call(CreateQuestionSet(path=str(path), name=name))
    recipe = SUBJECT if name == "subjects" else Recipe()
    call = StartLadder(
        question_set=name, recipe=recipe, collection=documents, rungs=rungs, minutes=minutes, questions=count
    )
    done = core.follow(core.call(call))
    show(core.call(GetLadder(ladder=done["ladder"])))


def show(report: LadderReport) -> None:
    print(f"\n{report.ladder.set_name}: {report.ladder.task}, {report.ladder.scorer.name}, {report.spent_s:.0f} s")
    for one in report.rungs:
        if one.score is None:
            print(f"  {one.offer.title:28s} {one.state}: {one.reason}")
            continue
        apart = ""
        if one.difference is not None:
            low, high = 100 * one.difference.low, 100 * one.difference.high
            apart = f"{100 * one.difference.value:+.0f} ({low:.0f} to {high:.0f})"
        print(
            f"  {one.offer.title:28s} {100 * one.score.value:3.0f} % ({100 * one.score.low:.0f} to "
            f"{100 * one.score.high:.0f}) of {one.score.n}  {apart:18s} preparing {one.cost.preparing_s:5.0f} s, "
            f"{one.cost.answer_s:.2f} s an answer, {one.cost.answer_tokens:.0f} tokens  {one.standing}"
            f"{', frontier' if one.frontier else ''}{', LEAK' if one.leak else ''}"
        )
    print(f"  {report.sentence}", flush=True)


def draws(core: Core) -> None:
    """The winner's interval over questions that are drawn from those of each ladder."""
    store = EvaluationStore(core.workbench._base.database)
    held = plain = count = 0
    for ladder in core.call(ListLadders()).ladders:
        report = core.call(GetLadder(ladder=ladder.id))
        evaluation = store.get(ladder.evaluation)
        values = store.values(evaluation.id, evaluation.scorers[0].key)
        measured = [one for one in report.rungs if one.score is not None and one.column is not None]
        if len(measured) < 2:
            continue
        numbers = sorted(set.intersection(*(set(values[one.column or 0]) for one in measured)))
        rng, mine = random.Random(7), 0
        for _ in range(DRAWS):
            drawn = [rng.choice(numbers) for _ in numbers]
            found = judge([_scored(one.offer.name, values[one.column or 0], drawn, one.cost) for one in measured])
            if not found.winner:
                continue
            chosen = next(one for one in measured if one.offer.name == found.winner)
            truth = _mean(values[chosen.column or 0], numbers)
            score = found.rungs[found.winner].score
            mine += score.low <= truth <= score.high
            best = max(measured, key=lambda one: _mean(values[one.column or 0], drawn))
            of_best = values[best.column or 0]
            simple = wilson(round(sum(of_best[number] for number in drawn)), len(drawn))
            plain += simple.low <= _mean(of_best, numbers) <= simple.high
            count += 1
        held += mine
        print(f"draws, {ladder.set_name}: the winner's interval holds its value in {mine} of {DRAWS}")
    if count:
        print(f"draws: {held} of {count}, {held / count:.1%}; a plain interval of the best rung {plain / count:.1%}")


def _scored(name: str, values: Mapping[int, float], drawn: Iterable[int], cost: Any) -> Scored:
    return Scored(name=name, title=name, values={place: values[n] for place, n in enumerate(drawn)}, cost=cost)


def _mean(values: Mapping[int, float], numbers: Iterable[int]) -> float:
    found = [values[number] for number in numbers]
    return math.fsum(found) / len(found)


def coverage(draws: int) -> None:
    """Answers to a question are right together with a correlation of one half, by a threshold of normal draws."""
    normal = NormalDist()
    for count, questions, apart in ((6, 40, 0.1), (12, 60, 0.0), (12, 60, 0.05), (12, 200, 0.05)):
        rng, held, plain = random.Random(4), 0, 0
        true = [min(0.95, 0.6 + apart * (2 * place / count - 1)) for place in range(count)]
        limits = [normal.inv_cdf(value) for value in true]
        for _ in range(draws):
            common = [rng.gauss(0, 1) for _ in range(questions)]
            rungs = [
                Scored(
                    name=str(place),
                    title=str(place),
                    values={
                        number: float(math.sqrt(0.5) * (shared + rng.gauss(0, 1)) < limit)
                        for number, shared in enumerate(common)
                    },
                    cost=RungCost(answer_s=1 + 0.1 * place),
                )
                for place, limit in enumerate(limits)
            ]
            found = judge(rungs)
            score = found.rungs[found.winner].score
            held += score.low <= true[int(found.winner)] <= score.high
            best = max(range(count), key=lambda place: sum(rungs[place].values.values()))
            simple = wilson(round(sum(rungs[best].values.values())), questions)
            plain += simple.low <= true[best] <= simple.high
        print(
            f"coverage, {count} rungs, {questions} questions, {apart:.2f} apart: winner {held / draws:.1%}, plain "
            f"{plain / draws:.1%}",
            flush=True,
        )


def estimates(core: Core) -> None:
    """What each measured rung was estimated to take against what it took."""
    store, within, count = LadderStore(core.workbench._base.database), 0, 0
    for ladder in core.call(ListLadders()).ladders:
        for name, note in store.notes(ladder.id).items():
            took = note.preparing_s + note.answering_s
            if note.state != "measured" or took < 1:
                continue
            expected = note.estimate.preparing_s + note.estimate.answering_s
            ratio = took / expected if expected else math.inf
            count += 1
            within += 1 / WITHIN <= ratio <= WITHIN
            print(f"  {ladder.set_name:12s} {name:22s} estimated {expected:6.0f} s, took {took:6.0f} s, {ratio:.2f}")
    share = wilson(within, count)
    print(f"estimates: {within} of {count} within a factor of {WITHIN} ({share.low:.0%} to {share.high:.0%})")


def main() -> None:
    parser = arguments(
        __doc__, "home", data=DATA, only=(*SETS, "coverage", "draws", "estimates"), questions=40, rungs="", minutes=0.0
    )
    chosen = parser.parse_args()
    if "coverage" in chosen.only:
        coverage(DRAWS)
    if set(chosen.only) == {"coverage"}:
        return
    rungs = tuple(filter(None, chosen.rungs.split(",")))
    with Core(chosen.home) as core:
        for name in chosen.only:
            if name in SETS:
                try:
                    climb(core, name, chosen.data, chosen.questions, rungs, chosen.minutes)
                except UserError as error:
                    print(f"{name}: {error}", flush=True)
        if "draws" in chosen.only:
            draws(core)
        if "estimates" in chosen.only:
            estimates(core)


if __name__ == "__main__":
    main()
