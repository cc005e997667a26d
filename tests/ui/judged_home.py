"""A fake home with judgements, and with pairs that wait to be judged."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from tests.ui.fake_home import FakeHome
from workbench import calls as c
from workbench.api import events
from workbench.records.judgements import JudgedAnswer, Judgement, JudgementFilter, LabellingQueue
from workbench.records.messages import Message

TITLES = (
    ("Write a title about the sea.", "Beneath the Quiet Surface", "The sea is a vast body of salt water"),
    ("Write a title about rain.", "Rain on Sunday", "A long and winding walk through the rain"),
    ("Name a sentence about trains.", "Trains run late.", "Trains are a means of transport"),
    ("What is a pump?", "A machine that moves liquid.", "A pump is a device, and there are many of that kind"),
    ("Say good morning.", "Good morning.", "Good morning! I hope that you are well and that the day begins nicely"),
    ("Name a colour.", "Teal", "There are many colours, of which teal is one that many people like"),
)


class Unswapped(random.Random):
    """A draw after which the first answer stands at the left."""

    def random(self) -> float:
        return 0.9


def judgements_in(home: FakeHome, which: JudgementFilter | None = None) -> list[Judgement]:
    """The judgements of a fake home."""
    return list(home.judgements.judgements.each(which or JudgementFilter()))


def judgement_of(home: FakeHome, id: str) -> Judgement:
    return home.judgements.store.get(id)


def furnish_judgements(home: FakeHome, count: int = 46) -> Sequence[Judgement]:
    """Judgements as after an afternoon of comparing, most of which prefer the shorter answer, and two thumbs."""
    made = []
    for number in range(count):
        asked, short, long = TITLES[number % len(TITLES)]
        asked = asked if number < len(TITLES) else f"{asked[:-1]} ({number}){asked[-1]}"
        verdict = "tie" if number % 11 == 10 else "bad" if number % 13 == 12 else "b" if number % 5 == 4 else "a"
        one = Judgement(
            prompt=(Message("user", asked),),
            a=JudgedAnswer(text=short, name="SmolLM2-135M-Instruct + short-titles"),
            b=JudgedAnswer(text=long, name="SmolLM2-135M-Instruct", finish="length"),
            shown="ab" if number % 2 else "ba",
            verdict=verdict,  # type: ignore[arg-type]
            source="compare" if number % 4 == 1 else "label",
        )
        made.append(one)
    for asked, verdict in (("How long is the warranty?", "good"), ("Who built it?", "poor")):
        one = Judgement(
            prompt=(Message("system", "Be brief."), Message("user", asked)),
            a=JudgedAnswer(text="36 months from delivery.", name="SmolLM2-135M-Instruct"),
            verdict=verdict,  # type: ignore[arg-type]
            source="compare",
        )
        made.append(one)
    return home.judgements.judgements.add(c.AddJudgements(judgements=tuple(made)))


def furnish_queue(
    home: FakeHome, waiting: int = 12, running: bool = True, purpose: str = "label", name: str = "Short titles"
) -> LabellingQueue:
    """A set of pairs that is being made while the first ones are judged."""
    room = home.judgements
    now = time.time()
    run = c.RunRecord(
        id=f"r{next(home.numbers)}", kind="candidates", title=name,
        state="running" if running else "finished", created=now, progress=0.4,
    )  # fmt: skip
    home.runs[run.id] = run
    progress = events.Progress(stage="answering", done=24, total=60, unit="prompts", seconds_left=95)
    home.run_events[run.id] = [events.stamped(progress, 1, 1.0)]
    queue = LabellingQueue(
        id=f"q{next(home.numbers)}", name=name, created=now, purpose=purpose, run=run.id, prompts=60,  # type: ignore[arg-type]
        columns=("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct + short-titles"),
    )  # fmt: skip
    room.queues.add(queue)
    pairs = []
    for number in range(waiting):
        asked, short, long = TITLES[number % len(TITLES)]
        one = Judgement(
            prompt=(Message("user", asked),),
            a=JudgedAnswer(text=long, name=queue.columns[0], finish="length"),
            b=JudgedAnswer(text=short, name=queue.columns[1]),
            shown="ba" if number % 2 else "ab",
            source="verdict" if purpose == "verdict" else "label",
            queue=queue.id,
            created=now + number,
            changed=now + number,
        )
        pairs.append(one)
    room.store.add_waiting(pairs)
    room.news.clear()
    return queue
