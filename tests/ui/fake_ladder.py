"""The part of the fake core that takes question sets through the techniques. Its results are made up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench import calls as c
from workbench.api.protocol import Call
from workbench.base.errors import UserError
from workbench.records.documents import Collection
from workbench.records.evaluation import Column, ColumnScore, Evaluation, QuestionSet, ScorerUse
from workbench.records.ladder import (
    AS_IT_IS,
    Ladder,
    LadderList,
    LadderPlan,
    LadderReport,
    LadderState,
    RungCost,
    RungEstimate,
    RungOffer,
    RungReport,
    Standing,
)
from workbench.records.methods import Technique
from workbench.records.recipes import ModelPart, Recipe
from workbench.subjects.evaluation.samples import SAMPLE_SETS

if TYPE_CHECKING:
    from tests.ui.fake_home import FakeHome

MODEL = "SmolLM2-135M-Instruct"
SENTENCE = (
    "Three similar examples are enough: 79 % (71 to 85) at 1.1 s an answer. LoRA is not shown to be better (the "
    "difference is between -5 and +9 points). It takes 14 minutes more to prepare."
)
PLACES = {
    "prompting": "before the question", "decoding": "while the answer is written", "retrieval": "beside the question",
    "agents": "between question and answer", "finetuning": "in the model", "preference": "in the model",
}  # fmt: skip
_Row = tuple[str, str, Technique | None, str, float, float, float, float]
ROWS: tuple[_Row, ...] = (
    # name, title, technique, sentence, quality, preparing, seconds an answer, tokens an answer
    (AS_IT_IS, "As it is", None, "The recipe without any change.", 0.41, 0, 0.62, 18),
    ("instructions", "Instructions", "prompting", "A sentence says what an answer looks like.", 0.52, 0, 0.66, 9),
    ("fixed-examples", "Three fixed examples", "prompting", "Three questions are shown with answers.", 0.66, 0, 0.9, 6),
    ("similar", "Three similar examples", "prompting", "The questions that are most alike.", 0.79, 4, 1.1, 6),
    ("thoughts", "Chain of thought", "prompting", "The model writes its reasoning first.", 0.47, 0, 3.9, 94),
    ("consistency", "Self-consistency", "prompting", "The answer that most chains of thought reach.", 0.5, 0, 14, 480),
    ("greedy", "Greedy", "decoding", "The most probable token is always taken.", 0.43, 0, 0.6, 17),
    ("choices", "Only the given answers", "decoding", "The answer can only be one of the given.", 0.6, 0, 0.7, 4),
    ("beam", "Beam search", "decoding", "Four answers are followed side by side.", 0.44, 0, 2.4, 70),
    ("calculator", "Agent with a calculator", "agents", "A calculator computes.", 0.38, 0, 4.4, 120),
    ("soft-prompt", "Soft prompt", "finetuning", "Twenty tokens before the question are learnt.", 0.7, 510, 0.64, 5),
    ("lora", "LoRA", "finetuning", "Small matrices beside the weights learn.", 0.81, 840, 0.61, 5),
    ("dpo", "DPO", "preference", "Right answers are preferred to wrong ones.", 0.74, 1_260, 0.62, 5),
    ("joined", "Three similar examples + LoRA", None, "The best rung of each technique.", 0.83, 900, 1.2, 5),
)
MISSING = {"beam": "", "dpo": "It needs 4.1 GB of memory and 3.2 GB are free."}


def offer_of(row: _Row, missing: str = "") -> RungOffer:
    name, title, technique, sentence, _, preparing, answer, tokens = row
    return RungOffer(
        name=name, title=title, sentence=sentence, technique=technique,
        place=PLACES.get(technique or "", "nothing is changed"),
        proposed=name not in ("beam", "calculator", "dpo"), missing=missing,
        estimate=RungEstimate(
            preparing_s=preparing * 1.1, answering_s=100 * answer, tokens=round(100 * tokens),
            memory_bytes=310_000_000 if technique == "finetuning" else 0, measured=True,
        ),
    )  # fmt: skip


OFFERS = tuple(offer_of(row, MISSING.get(row[0], "")) for row in ROWS)


def rung_of(row: _Row, column: int, winner: str = "similar") -> RungReport:
    """A rung that is measured."""
    name, _, _, _, value, preparing, answer, tokens = row
    score = ColumnScore(value=value, low=max(0.0, value - 0.08), high=min(1.0, value + 0.06), n=100)
    change = ColumnScore(value=value - 0.41, low=value - 0.49, high=value - 0.33, n=100)
    standing: Standing = "not worse" if value >= 0.74 else "worse"
    cost = RungCost(
        preparing_s=preparing, examples=50 if preparing else 0, answer_s=answer, answer_tokens=180 + tokens,
        tokens_per_right=(180 + tokens) / value,
    )  # fmt: skip
    return RungReport(
        offer=offer_of(row), state="measured", recipe=Recipe(name=row[1], model=ModelPart(name=MODEL)),
        score=score, difference=None if name == AS_IT_IS else change, standing=standing, cost=cost, column=column,
        frontier=name in (AS_IT_IS, "instructions", "fixed-examples", winner, "lora"),
    )  # fmt: skip


def measured(rows: Sequence[_Row] = ROWS) -> tuple[RungReport, ...]:
    return tuple(rung_of(row, number) for number, row in enumerate(rows))


def furnish_ladder(
    home: FakeHome,
    rungs: Sequence[RungReport] | None = None,
    state: LadderState = "finished",
    sentence: str = SENTENCE,
    identity: str = "l1",
    **more: Any,
) -> LadderReport:
    """A question set and a comparison on it, with the run that works or worked on it."""
    rungs = measured() if rungs is None else rungs
    asked = QuestionSet(id="q9", name="Customers' messages", created=time.time() - 9_000, questions=180, tune=90)
    home.question_sets[asked.id] = asked
    run = c.RunRecord(
        id=f"run-{identity}", kind="ladder", title=asked.name, created=time.time() - 900, resumable=state == "stopped",
        state="running" if state == "running" else "cancelled" if state == "stopped" else "finished",
        config={"ladder": identity},
    )  # fmt: skip
    home.runs[run.id] = run
    if state == "running":
        home.run_events[run.id] = []
    model = Recipe(model=ModelPart(name=MODEL))
    columns = tuple(Column(name=rung.offer.title, recipe=model, digest=rung.offer.name) for rung in rungs)
    held_out = Evaluation(
        id=f"e-{identity}", question_set=asked.id, set_name=asked.name, created=run.created, columns=columns,
        scorers=(ScorerUse(name="exact-match"),), questions=90, run="", part="held-out",
    )  # fmt: skip
    home.evaluations[held_out.id] = held_out
    home.answered[held_out.id] = 1.0
    ladder = Ladder(
        id=identity, created=run.created, question_set=asked.id, set_name=asked.name, task="choice", recipe=model,
        rungs=tuple(rung.offer.name for rung in rungs), scorer=ScorerUse(name="exact-match"), minutes=40,
        evaluation=held_out.id, run=run.id,
    )  # fmt: skip
    won = any(rung.offer.name == "similar" and rung.score is not None for rung in rungs) and bool(sentence)
    found = LadderReport(
        ladder=ladder, state=state, rungs=tuple(rungs), sentence=sentence, winner="similar" if won else "",
        **{"held_out": 90, "tune": 90, **more},
    )  # fmt: skip
    home.ladders[identity] = found
    return found


def under_way() -> tuple[RungReport, ...]:
    """The rungs of a comparison that is being measured."""
    done = measured()
    states = {4: "answering", 5: "racing", 11: "preparing"}
    return tuple(
        rung if number < 4 else RungReport(offer=rung.offer, state=states.get(number, "waiting"), column=number)  # type: ignore[arg-type]
        for number, rung in enumerate(done)
    )


def do(home: FakeHome, call: Call[Any]) -> tuple[Any, list[tuple[str, str]]] | None:
    """What the call comes to, and what changed; None for a call that is not ours."""
    match call:
        case c.ListSampleSets():
            return c.SampleSetList(samples=SAMPLE_SETS), []
        case c.AddSampleSet():
            return _add_sample(home, call.name)
        case c.QuestionsFromDocuments():
            return _add_from_documents(home, call.collection)
        case c.PlanLadder():
            if call.question_set not in home.question_sets:
                raise UserError("There is no such question set.")
            asked = home.question_sets[call.question_set]
            return LadderPlan(
                question_set=asked.id, set_name=asked.name, task=call.task or "choice", tune=asked.tune,
                held_out=asked.questions - asked.tune, scorer=ScorerUse(name="exact-match"), rungs=OFFERS,
                collection=call.collection,
            ), []  # fmt: skip
        case c.StartLadder():
            identity = f"l{next(home.numbers) + 10}"
            rungs = [RungReport(offer=offer) for offer in OFFERS if offer.name in call.rungs]
            found = furnish_ladder(home, rungs, "running", "", identity)
            return home.runs[found.ladder.run], [("ladder", identity), ("run", found.ladder.run)]
        case c.ExtendLadder():
            found = _ladder(home, call.ladder)
            more = [RungReport(offer=offer) for offer in OFFERS if offer.name in call.rungs]
            there = [rung for rung in found.rungs if rung.offer.name not in call.rungs]
            found = furnish_ladder(home, [*there, *more], "running", found.sentence, call.ladder)
            return home.runs[found.ladder.run], [("ladder", call.ladder), ("run", found.ladder.run)]
        case c.ListLadders():
            return _all(home), []
        case c.GetLadder():
            return _ladder(home, call.ladder), []
        case c.RemoveLadder():
            del home.ladders[_ladder(home, call.ladder).ladder.id]
            return _all(home), [("ladder", call.ladder)]
        case c.ExportLadder():
            _ladder(home, call.ladder)
            return call.path, []
    return None


def _add_from_documents(home: FakeHome, collection: str) -> tuple[Any, list[tuple[str, str]]]:
    """A run that has ended, and the set that it made."""
    identity, now = f"d{next(home.numbers) + 10}", time.time()
    name = f"Questions on {home.collections[collection].name}"
    home.question_sets[identity] = QuestionSet(id=identity, name=name, created=now, questions=12, tune=6)
    run = c.RunRecord(id=f"r-{identity}", kind="document-questions", title=name, state="finished", created=now)
    home.runs[run.id] = run
    return run, [("questions", identity), ("run", run.id)]


def _add_sample(home: FakeHome, name: str) -> tuple[Any, list[tuple[str, str]]]:
    sample = next(one for one in SAMPLE_SETS if name in (one.name, one.title))
    made = QuestionSet(
        id=f"sample-{sample.name}", name=sample.title, created=time.time(), questions=sample.questions,
        tune=sample.questions // 2,
    )  # fmt: skip
    home.question_sets[made.id] = made
    changed = [("questions", made.id)]
    if sample.collection and not any(one.name == sample.collection for one in home.collections.values()):
        there = Collection(id="c-sample", name=sample.collection, created=time.time(), documents=9)
        home.collections[there.id] = there
        changed.append(("collection", there.id))
    return made, changed


def _ladder(home: FakeHome, identity: str) -> LadderReport:
    if identity not in home.ladders:
        raise UserError("There is no such comparison.")
    return home.ladders[identity]


def _all(home: FakeHome) -> LadderList:
    latest = sorted(home.ladders.values(), key=lambda one: -one.ladder.created)
    return LadderList(ladders=tuple(one.ladder for one in latest))
