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
    estimates   of the ladders of the home: what each rung was estimated to take against what it took, before the start
                and once a tenth of its training or of its held-out answers was done
    first       the first ladder of a home, on the sample set ``--sample`` with the proposed rungs: its minutes, also
                those of processor time
    processor   of ``--rungs`` on the sample set ``--sample``: processor time of an answer in the measurement before the
                start against that in the ladder, which does not depend on what else runs
    each        a ladder for each of ``--rungs`` alone on the sample set ``--sample``, right after it was estimated
                without the others

``--questions`` are the held-out questions of each ladder, as many are for tuning; ``--rungs`` replaces the proposed
ones.
"""

from __future__ import annotations

import contextlib
import math
import random
import resource
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Any
from unittest.mock import patch

import psutil
from harness import DATA, Core, arguments, read_lines, write_lines
from prompting import sums

from workbench.api import events
from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.records.ladder import AS_IT_IS, LadderReport, RungCost
from workbench.records.recipes import PromptingPart, Recipe
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListCollections
from workbench.subjects.evaluation.calls import AddSampleSet, CreateQuestionSet, ListQuestionSets, ListSampleSets
from workbench.subjects.evaluation.statistics import wilson
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder import planning
from workbench.subjects.ladder.calls import GetLadder, ListLadders, PlanLadder, StartLadder
from workbench.subjects.ladder.probing import ASKED
from workbench.subjects.ladder.rungs import RUNGS
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
    """What each measured rung was estimated to take, before its ladder began, against what it took. Ladders of more
    than one rung besides the recipe as it is run so long that other programs come and go."""
    database, within, count = core.workbench._base.database, 0, 0
    later = later_within = 0
    for ladder in core.call(ListLadders()).ladders:
        raced = EvaluationStore(database).get(ladder.race).questions if ladder.race else 0
        for name, note in LadderStore(database).notes(ladder.id).items():
            before = note.estimate
            took, expected = note.answering_s, before.answering_s
            if name != "combined":  # whose parts were prepared before
                took, expected = took + note.preparing_s, expected + before.preparing_s
            if note.raced:  # as many as it was asked, of those that were planned
                took, expected = took + note.racing_s, expected + before.racing_s * note.raced / raced
            if note.state != "measured" or took < 1:
                continue
            ratio = took / expected if expected else math.inf
            count += 1
            within += 1 / WITHIN <= ratio <= WITHIN
            print(f"  {ladder.set_name:20s} {name:18s} estimated {expected:6.0f} s, took {took:6.0f} s, {ratio:.2f}")
            for part in ("preparing_s", "answering_s"):
                if told := getattr(note.tenth, part):
                    ratio = getattr(note, part) / told
                    later += 1
                    later_within += 1 / WITHIN <= ratio <= WITHIN
                    print(f"    {part:12s} after a tenth {told:6.0f} s, {ratio:.2f}")
    for when, good, of in (("before", within, count), ("after a tenth", later_within, later)):
        if of:
            share = wilson(good, of)
            print(f"{when}: {good} of {of} within a factor of {WITHIN} ({share.low:.0%} to {share.high:.0%})")


def first(core: Core, name: str) -> None:
    """Processor time is that of the core and of all its workers."""
    found = core.call(AddSampleSet(name=name))
    collection = next(one.collection for one in core.call(ListSampleSets()).samples if one.name == name)
    began, before = time.monotonic(), processor_s()
    plan = core.call(PlanLadder(question_set=found.id, collection=collection, measure=True))
    planned, of_plan = time.monotonic() - began, processor_s() - before
    call = StartLadder(question_set=found.id, collection=collection)
    report = core.call(GetLadder(ladder=core.follow(core.call(call))["ladder"]))
    show(report)
    took, computed = (time.monotonic() - began) / 60, (processor_s() - before) / 60
    proposed = sum(one.estimate.seconds for one in plan.rungs if one.proposed)
    print(
        f"first: {took:.1f} minutes, {computed:.1f} of processor time; planned in {planned:.0f} s "
        f"({of_plan:.0f}), which estimated {proposed / 60:.1f} minutes"
    )


def processor(core: Core, name: str, questions: int, rungs: tuple[str, ...]) -> None:
    """The time of a stage is that until the next one is told. What the rungs need is loaded before, by the plan of
    another set."""
    chosen = tuple(rung for rung in RUNGS if rung.name in {AS_IT_IS, *rungs})
    found = core.call(AddSampleSet(name=name))
    measured, answered = dict[str, float](), dict[str, float]()
    other = core.call(AddSampleSet(name="sums" if name != "sums" else "departments"))
    with patch.object(planning, "RUNGS", chosen), patch.object(planning, "MEASURING_S", math.inf):
        core.call(PlanLadder(question_set=other.id, measure=True))
        core.call(PlanLadder(question_set=found.id, measure=True), _Clock(measured))
    run = core.call(StartLadder(question_set=found.id, questions=questions, rungs=rungs))
    done = core.follow(run, _Clock(answered))
    notes, within, count = LadderStore(core.workbench._base.database).notes(done["ladder"]), 0, 0
    for rung in chosen:
        note, before = notes[rung.name], measured.get(f"measuring {rung.title}")
        made = note.raced + (questions if note.state == "measured" else 0)
        took = answered.get(rung.title, 0.0) + answered.get(f"{rung.title}: tuning questions", 0.0)
        if rung.name == AS_IT_IS or before is None or not made:
            continue
        each, expected = took / made, before / ASKED
        within += 1 / WITHIN <= each / expected <= WITHIN
        count += 1
        print(
            f"  {name:18s} {rung.name:18s} measured {expected:.2f} s of processor time, took {each:.2f} s in {made} "
            f"answers, {each / expected:.2f}"
        )
    print(f"processor: {within} of {count} within a factor of {WITHIN}", flush=True)


class _Clock:
    """The processor time of each stage that events tell."""

    def __init__(self, found: dict[str, float]) -> None:
        self._found, self._stage, self._since = found, "", 0.0

    def __call__(self, event: Event) -> None:
        stage = event.stage if isinstance(event, events.Progress) else ""
        ended = isinstance(event, events.TERMINAL)
        if not ended and (not stage or stage == self._stage):
            return
        now = processor_s()
        if self._stage:
            self._found[self._stage] = self._found.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now


def processor_s() -> float:
    """Of this process and its children, also of those that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    mine = psutil.Process()
    found = sum(mine.cpu_times()[:2]) + ended.ru_utime + ended.ru_stime
    for child in mine.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += sum(child.cpu_times()[:2])
    return found


def each(core: Core, name: str, count: int, rungs: tuple[str, ...]) -> None:
    """A ladder for each rung alone, right after it alone was estimated, so that both meet the same other programs.
    Answers of the recipe as it is are made once."""
    found = core.call(AddSampleSet(name=name))
    for rung in rungs:
        chosen = tuple(one for one in RUNGS if one.name in (AS_IT_IS, rung))
        with patch.object(planning, "RUNGS", chosen):
            core.call(PlanLadder(question_set=found.id, measure=True))
            core.follow(core.call(StartLadder(question_set=found.id, rungs=(rung,), questions=count)))


def main() -> None:
    parser = arguments(
        __doc__,
        "home",
        data=DATA,
        only=(*SETS, "coverage", "first", "processor", "each", "draws", "estimates"),
        questions=40,
        rungs="",
        sample="departments",
        minutes=0.0,
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
        if "first" in chosen.only:
            first(core, chosen.sample)
        if "processor" in chosen.only:
            processor(core, chosen.sample, chosen.questions, rungs)
        if "each" in chosen.only:
            each(core, chosen.sample, chosen.questions, rungs)
        if "draws" in chosen.only:
            draws(core)
        if "estimates" in chosen.only:
            estimates(core)


if __name__ == "__main__":
    main()
