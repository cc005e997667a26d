"""Whether the interval of a ladder's winner holds the winner's value on questions that nobody has drawn.

    python benchmarks/ladder_draws.py --home HOME
    python benchmarks/ladder_draws.py --home HOME --only messages --rungs as-it-is,labels,similar-examples

Two large question sets are made: customers' messages that go to one of six departments, and one-step sums. ``--rungs``
answer all their held-out questions once, as a ladder does, and the answers stay in the home: a second run makes none,
and --stored only reads those that there are (also of a rung that was stopped on its way).
Then ``--draws`` times, ``--questions`` of the held-out ones are drawn at random, the ladder's verdict is made from the
answers to these alone, and the winner's adjusted interval is compared with the winner's share of right answers among
all the questions that were not drawn. Beside it stands a plain interval of 95 % of the best rung.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from harness import Core, arguments, share, write_lines
from sample_sets import NAMES, sums

from workbench.records.ladder import LadderReport, RungReport
from workbench.subjects.evaluation.calls import CreateQuestionSet, ListQuestionSets
from workbench.subjects.evaluation.statistics import wilson
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder.calls import ExtendLadder, GetLadder, ListLadders, StartLadder
from workbench.subjects.ladder.verdict import Scored, judge

TUNED = 120
"""Questions of each set that nothing is measured on."""
RUNGS = {
    "messages": "as-it-is,instructions,fixed-examples,similar-examples,labels",
    "sums": "as-it-is,instructions,fixed-examples,similar-examples,beam",
}
ITEMS = (
    "garden hose", "kettle", "lawn mower", "desk lamp", "water pump", "cordless drill", "tent", "office chair",
    "coffee grinder", "bicycle light", "rain barrel", "vacuum cleaner", "ladder", "heater", "radio", "sewing machine",
    "camping stove", "toolbox", "fan", "printer",
)  # fmt: skip
MESSAGES: Mapping[str, tuple[str, ...]] = {
    "Invoices": (
        "The bill for the {item} shows {n} euros more than the price on your page.",
        "{name} was charged twice for one {item}. Please correct this.",
        "Could you send the bill for the {item} again? The first one got lost.",
        "We need our company's address on the receipt for the {item}.",
        "You have sent a reminder, but the {n} euros for the {item} were paid last week.",
        "Can {name} pay for the {item} in {n} instalments?",
        "The tax is missing on the receipt for {n} pieces of the {item}.",
        "A discount of {n} per cent was promised for the {item}, and the bill does not show it.",
    ),
    "Delivery": (
        "When will the {item} arrive? {name} has waited for {n} days.",
        "The parcel with the {item} was left at the wrong house.",
        "Tracking says that the {item} is still in your warehouse after {n} days.",
        "Please bring the {item} to our neighbour {name}, since nobody is at home.",
        "Only {n} of the parcels came; the one with the {item} is missing.",
        "Can the {item} be sent to our office in place of our flat?",
        "The driver did not ring, and the {item} went back to the depot.",
        "Is it possible to get the {item} before the {n}th of this month?",
    ),
    "Returns": (
        "{name} does not like the {item} and wants the money back.",
        "The {item} is too large for us. How can we send it back?",
        "We ordered {n} pieces of the {item} by mistake and want to give them back.",
        "Please exchange the {item} for one in another colour.",
        "The {item} was a present for {name}, who has one already. May we return it?",
        "I have changed my mind about the {item} that I bought {n} days ago.",
        "Which label do I stick on the parcel to send the {item} back?",
        "Does it cost anything to give back the unused {item}?",
    ),
    "Repairs": (
        "The {item} stopped working after {n} weeks.",
        "Our {item} makes a loud noise since yesterday. Can somebody mend it?",
        "The switch of the {item} is broken. Is that covered by the warranty?",
        "{name} dropped the {item}, and now a part is loose.",
        "The {item} does not turn on any more, although it has power.",
        "How long does it take to have a {item} mended? It leaks.",
        "Where can I get a spare part for a {item} that is {n} years old?",
        "The {item} overheats and switches itself off after {n} minutes.",
    ),
    "Advice before buying": (
        "Which {item} suits a household of {n} people?",
        "What is the difference between the small {item} and the large one?",
        "Do you sell a {item} for less than {n} euros?",
        "Is the {item} quiet enough for a bedroom? {name} sleeps lightly.",
        "How much does the {item} weigh, and how large is it?",
        "Would you rather take the {item} of this year or that of last year?",
        "{name} looks for a {item} that lasts. What do you recommend?",
        "Can the {item} be used outdoors as well, before I decide?",
    ),
    "Account and password": (
        "I cannot log in to see my order of the {item}.",
        "{name} has forgotten the password and wants to order a {item}.",
        "Please change the e-mail address under which the {item} was ordered.",
        "How do I delete my profile? I only needed the {item}.",
        "The page says that my user name for the {item} order does not exist.",
        "The link to set a new password has not come for {n} hours.",
        "Can {name} and I use one profile for the {item} and other orders?",
        "My profile still shows the old street {n} months after the {item} came.",
    ),
}


def messages(count: int, seed: int) -> list[dict[str, Any]]:
    """Messages in turn to the six departments, no two alike."""
    drawn, made = random.Random(seed), dict[str, str]()
    while len(made) < count:
        department = tuple(MESSAGES)[len(made) % len(MESSAGES)]
        text = drawn.choice(MESSAGES[department]).format(
            item=drawn.choice(ITEMS), name=drawn.choice(NAMES), n=drawn.randint(2, 12)
        )
        made.setdefault(text, department)
    asked = "Which department does this message go to?\n\n"
    rows = [{"question": asked + text, "choices": list(MESSAGES), "answer": where} for text, where in made.items()]
    drawn.shuffle(rows)
    return rows


MADE = {"messages": messages, "sums": sums}


def measured(core: Core, name: str, rungs: tuple[str, ...], held_out: int) -> LadderReport:
    """The ladder on a set of this name, which is made and climbed where that was not done yet."""
    if name not in {one.name for one in core.call(ListQuestionSets()).sets}:
        rows = MADE[name](held_out + TUNED, 17)
        with tempfile.TemporaryDirectory() as folder:
            path = write_lines(Path(folder) / f"{name}.jsonl", rows)
            tuned = TUNED / len(rows)
            core.call(CreateQuestionSet(path=str(path), name=name, tune_share=tuned))
    known = [one for one in core.call(ListLadders()).ladders if one.set_name == name]
    if known:
        run = core.call(ExtendLadder(ladder=known[0].id, rungs=rungs))
    else:
        run = core.call(StartLadder(question_set=name, rungs=rungs[:1]))
        done = core.follow(run)
        run = core.call(ExtendLadder(ladder=done["ladder"], rungs=rungs))  # which no race leaves out
    return core.call(GetLadder(ladder=core.follow(run)["ladder"]))


def drawn(report: LadderReport, store: EvaluationStore, draws: int, questions: int) -> None:
    evaluation = store.get(report.ladder.evaluation)
    values = store.values(evaluation.id, evaluation.scorers[0].key)
    rungs = [one for one in report.rungs if one.column is not None and len(values[one.column]) >= 2 * questions]
    numbers = sorted(set.intersection(*(set(values[_column(one)]) for one in rungs)))
    title = report.ladder.set_name
    for one in rungs:
        reached = _mean(values[_column(one)], numbers)
        print(f"{title}: {one.offer.title:26s} {reached:.1%} of {len(numbers)}, {one.cost.answer_s:.2f} s each")
    rng, held, plain, winners = random.Random(26), 0, 0, dict[str, int]()
    for _ in range(draws):
        chosen = rng.sample(numbers, questions)
        left = [number for number in numbers if number not in set(chosen)]
        found = judge([_scored(one, values[_column(one)], chosen) for one in rungs])
        winner = next(one for one in rungs if one.offer.name == found.winner)
        truth, score = _mean(values[_column(winner)], left), found.rungs[found.winner].score
        inside = score.low <= truth <= score.high
        held += inside
        winners[found.winner] = winners.get(found.winner, 0) + 1
        best = max(rungs, key=lambda one: _mean(values[_column(one)], chosen))
        simple = wilson(round(questions * _mean(values[_column(best)], chosen)), questions)
        plain += simple.low <= _mean(values[_column(best)], left) <= simple.high
        if draws <= 20:
            said = f"{score.value:.1%} ({score.low:.1%} to {score.high:.1%})"
            print(f"  {found.winner:18s} {said:26s} of the others {truth:.1%}{'' if inside else '  MISSED'}")
    print(
        f"{title}: held in {share(held, draws)}; a plain one of the best rung in {plain}; winners {winners}", flush=True
    )


def _column(rung: RungReport) -> int:
    assert rung.column is not None
    return rung.column


def _scored(rung: RungReport, values: Mapping[int, float], chosen: list[int]) -> Scored:
    mine = {number: values[number] for number in chosen}
    return Scored(name=rung.offer.name, title=rung.offer.title, values=mine, cost=rung.cost)


def _mean(values: Mapping[int, float], numbers: list[int]) -> float:
    return sum(values[number] for number in numbers) / len(numbers)


def main() -> None:
    parser = arguments(__doc__, "home", only=tuple(MADE), rungs="", questions=90, draws=20, pool=600, stored=False)
    options = parser.parse_args()
    with Core(options.home) as core:
        store = EvaluationStore(core.workbench._base.database)
        for name in options.only:
            rungs = tuple((options.rungs or RUNGS[name]).split(","))
            if options.stored:
                found = next(one for one in core.call(ListLadders()).ladders if one.set_name == name)
                report = core.call(GetLadder(ladder=found.id))
                report = msgspec.structs.replace(
                    report, rungs=tuple(one for one in report.rungs if one.offer.name in rungs)
                )
            else:
                report = measured(core, name, rungs, options.pool)
            drawn(report, store, options.draws, options.questions)


if __name__ == "__main__":
    main()
