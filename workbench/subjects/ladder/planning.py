"""A ladder before it is started: the task that is recognised, the rungs that fit it, what each lacks and will take."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.records.evaluation import NumberedQuestion, QuestionSet, ScorerUse, shuffled
from workbench.records.ladder import AS_IT_IS, Ladder, LadderPlan, RungEstimate, RungOffer, TaskKind
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart, Recipe
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.documents.store import CollectionRegistry
from workbench.subjects.evaluation.methods import SCORERS, suited_scorers
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.scorers.scorer import FEWER
from workbench.subjects.evaluation.store import EvaluationStore
from workbench.subjects.ladder import estimates
from workbench.subjects.ladder.estimates import Point
from workbench.subjects.ladder.learning import MOST_SAMPLED, answer_rows, assumed_pairs
from workbench.subjects.ladder.probing import ASKED, probe
from workbench.subjects.ladder.rung import Combination, Need, Pairs, Policy, Rung, Search, Setting, Tuning
from workbench.subjects.ladder.rungs import BY_NAME, REWARDS, RUNGS, tools_for
from workbench.subjects.ladder.store import LadderStore
from workbench.subjects.ladder.task import labels_of, recognise_task
from workbench.subjects.ladder.training_configs import training_config
from workbench.subjects.trainings.service import Training
from workbench.techniques.registry import METHODS
from workbench.training.worker_host import TrainingWorkers

FEW = 40
"""With fewer held-out questions small differences are not shown."""
FEWEST_EXAMPLES = 4
FEWEST_TRAINED = 8
LONGEST_ANSWER: dict[TaskKind, int] = {"choice": 48, "number": 128, "short": 64, "documents": 256}
"""Tokens of an answer, where the recipe leaves its length open."""
MOST_RACED = 24
"""Tuning questions on which rungs are compared."""
RACED_SHARE = 0.4
"""At most such a share of the tuning questions: what learns does not see them."""
MEASURING_S = 90.0
"""No rung begins to be measured later."""
PROBE_KEPT_S = 120.0
"""So long a measurement counts where another one is asked for: what else runs on the machine changes."""
SLOW_S = 3_600.0
"""A training that takes longer is not proposed."""
TOO_SLOW = (
    "It takes about {time} on this machine, more than it is likely to be worth here. A graphics card, a smaller model "
    "or fewer questions would make it faster."
)
STARTING_S = 10.0
"""For the worker of a training to start and to leave, where a plan tells no time."""
LOOKED_AT = 2_000
"""Questions from which the task is recognised."""


@dataclass(frozen=True, eq=False)
class Planner:
    _sets: QuestionStore
    _evaluations: EvaluationStore
    _ladders: LadderStore
    _services: HomeServices
    _collections: CollectionRegistry
    _workers: TrainingWorkers
    _training: Training
    _planned: dict[tuple[object, ...], tuple[float, bool, RungEstimate | str]] = field(default_factory=dict, init=False)
    _probed: dict[tuple[object, ...], tuple[float, Point | None]] = field(default_factory=dict, init=False)
    _asked: dict[str, int] = field(default_factory=dict, init=False)
    """How many questions of a set were asked in measurements."""

    def plan(
        self,
        found: QuestionSet,
        recipe: Recipe,
        collection: str,
        task: TaskKind | None,
        scorer: ScorerUse | None,
        context: RequestContext,
        *,
        questions: int = 0,
        chosen: Sequence[str] = (),
        measure: bool = False,
    ) -> Generator[Event, None, tuple[LadderPlan, Setting]]:
        """The plan is the generator's value. The recipe answers a few tuning questions, which tells the model's speed
        as the machine is now; ``measure``: each rung that needs no preparation does so, and a step of a training is
        measured. Estimates are of so many held-out ``questions``, 0 for all, and of the ``chosen`` rungs beside each
        other, () for the proposed ones. Raises UserError for a set without held-out questions, an unknown collection, a
        scorer that cannot compare, and a recipe that cannot answer."""
        yield events.Progress(stage="reading the questions")
        tune = list(self._sets.questions(found, "tune", 0, LOOKED_AT))
        held = list(self._sets.questions(found, "held-out"))
        if not held:
            raise UserError(
                f"{found.name} has no held-out questions to measure on.",
                "Import the set again with a smaller share for tuning.",
            )
        if collection:
            collection = self._collections.get(collection).name
        rows = [one.question for one in tune or held]  # without tuning questions nothing is learnt from them
        task = task or recognise_task(rows, collection=bool(collection))
        scorer = scorer or ScorerUse(name=suited_scorers(rows)[0])
        check_scorer(scorer)
        setting = self.setting(found, recipe, collection, task, scorer, tune)
        texts = [one.question.conversation()[-1].content for one in held]
        offers = yield from self._offers(
            setting, found.id, texts, tune, tune or held, context,
            count=min(questions or len(held), len(held)), compares=compares_all(chosen), measure=measure,
        )  # fmt: skip
        notes = _notes(tune, held, setting, recipe)
        plan = LadderPlan(
            question_set=found.id, set_name=found.name, task=task, tune=len(tune), held_out=len(held), scorer=scorer,
            rungs=tuple(offers), collection=collection, notes=notes,
        )  # fmt: skip
        return plan, setting

    def setting_of(self, ladder: Ladder) -> Setting:
        """Of a ladder that has begun. Raises UserError when its question set is gone."""
        found = self._sets.get(ladder.question_set)
        tune = list(self._sets.questions(found, "tune", 0, LOOKED_AT))
        return self.setting(found, ladder.recipe, ladder.collection, ladder.task, ladder.scorer, tune)

    def setting(
        self, found: QuestionSet, recipe: Recipe, collection: str, task: TaskKind, scorer: ScorerUse,
        tune: Sequence[NumberedQuestion],
    ) -> Setting:  # fmt: skip
        rows = [one.question for one in tune]
        answers = [row.answer for row in rows if row.answerable and row.answer]
        method = SCORERS.find(scorer.name, "scorer")
        return Setting(
            recipe=started_from(recipe, task),
            question_set=found.name,
            task=task,
            tune=len(tune),
            examples=len(answers),
            labels=labels_of(rows),
            lettered=max((len(row.choices) for row in rows), default=0),
            longest=max(map(len, answers), default=0),
            expected=estimates.written_tokens(answers),
            collection=collection,
            tools=tools_for(documents=bool(collection)),
            reward=REWARDS.get(scorer.name),
            tells_right=not method.unit and "compares" not in method.traits,
        )

    def missing(self, rung: Rung, setting: Setting) -> str:
        """What the rung lacks here, in a sentence; "" where it can run."""
        for need in rung.needs:
            if said := self._lacks(need, rung, setting):
                return said
        return ""

    # -- parts --------------------------------------------------------------------------------------

    def _offers(
        self, setting: Setting, set_id: str, texts: Sequence[str], tune: Sequence[NumberedQuestion],
        asked: Sequence[NumberedQuestion], context: RequestContext, *, count: int, compares: bool, measure: bool,
    ) -> Generator[Event, None, list[RungOffer]]:  # fmt: skip
        """``asked`` are the questions that a measurement asks, ``count`` those that a rung answers. ``compares``: rungs
        of all techniques are compared on tuning questions, from which then nothing learns."""
        model = self._services.resolve(setting.recipe).model
        rungs = [rung for rung in RUNGS if setting.task in rung.fits]
        lacking = {rung.name: self.missing(rung, setting) for rung in rungs}
        known, points = self._known(model.name, setting, set_id), self._points(model.name)
        if model.endpoint is None:  # answers of an endpoint may cost money
            known, points = yield from self._measured(rungs, lacking, setting, asked, known, points, context, measure)
        read, written = estimates.plain_tokens(texts, setting.task, setting.longest)
        cached = 0.0
        if (plain := known.get(AS_IT_IS)) is not None:
            read, written, cached = plain.read, plain.written, plain.cached
        speed = estimates.measured_speed(points, estimates.assumed_speed(model.bytes))
        raced = len(compared(tune, 0))
        offers = []
        for rung in rungs:
            missing = lacking[rung.name]
            trained = isinstance(rung.preparation, Tuning | Pairs | Policy)
            races = rung.races or (
                compares and (rung.name == AS_IT_IS or trained or isinstance(rung.preparation, Search))
            )
            estimate = estimates.answering(
                rung,
                speed,
                read,
                min(written, setting.expected) if rung.brief else written,
                count,
                known.get(rung.name),
                raced if races else 0,
                model.endpoint,
                cached,
            )
            if isinstance(rung.preparation, Search):
                tried = int(rung.preparation.options.get("max_answers", 200))
                estimate = msgspec.structs.replace(estimate, preparing_s=tried * speed.seconds(read - cached, written))
            if trained and not missing:
                planned = yield from self._plan_training(rung, setting, tune[raced:], written, context, measure=measure)
                if isinstance(planned, str):
                    missing = planned
                else:
                    drawn, learnt = RungEstimate(), len(tune) - (raced if compares else 0)
                    if isinstance(rung.preparation, Pairs):
                        drawings = rung.preparation.answers * min(MOST_SAMPLED, learnt)
                        drawn = estimates.answering(
                            BY_NAME[AS_IT_IS],
                            speed,
                            read,
                            written,
                            drawings,
                            plain,
                            endpoint=model.endpoint,
                            cached=cached,
                        )
                    # a training has as many steps as examples; of pairs and prompts the most are given
                    more = learnt / (len(tune) - raced) if isinstance(rung.preparation, Tuning) else 1.0
                    estimate = msgspec.structs.replace(
                        estimate,
                        preparing_s=more * planned.preparing_s + drawn.answering_s,
                        tokens=estimate.tokens + round(more * planned.tokens) + drawn.tokens,
                        memory_bytes=planned.memory_bytes,
                        measured=estimate.measured and planned.measured,
                    )
            slow = not missing and estimate.preparing_s > SLOW_S
            offers.append(
                RungOffer(
                    name=rung.name,
                    title=rung.title,
                    sentence=rung.sentence,
                    place=rung.place,
                    technique=rung.technique,
                    proposed=setting.task in rung.suits and not missing and not slow,
                    missing=missing,
                    remark=TOO_SLOW.format(time=hours(estimate.preparing_s)) if slow else "",
                    estimate=estimate,
                )
            )
        chosen = [one.name for one in offers if one.proposed]
        return [with_parts(one, offers, chosen) for one in offers]

    def _measured(
        self, rungs: Sequence[Rung], lacking: Mapping[str, str], setting: Setting, asked: Sequence[NumberedQuestion],
        known: Mapping[str, Point], points: list[Point], context: RequestContext, measure: bool,
    ) -> Generator[Event, None, tuple[dict[str, Point], list[Point]]]:  # fmt: skip
        """What answers of the rungs take now, with the points that tell the model's speed. Answers of earlier ladders
        count as much longer or shorter as answers of the recipe are now. What takes very long, or has no time left in
        the measurement, is not measured."""
        began = time.monotonic()
        plain = yield from self._probe(BY_NAME[AS_IT_IS], setting, asked, context)
        assert plain is not None
        pace = plain.seconds / known[AS_IT_IS].seconds if AS_IT_IS in known else 1.0
        found = {name: msgspec.structs.replace(one, seconds=pace * one.seconds) for name, one in known.items()}
        found[AS_IT_IS] = plain
        probed = [plain]
        order = sorted(rungs, key=lambda rung: (setting.task not in rung.suits, rung.written * 60 + rung.adds_written))
        for rung in order:
            if rung.name == AS_IT_IS or rung.preparation is not None or lacking[rung.name]:
                continue
            ask = measure and rung.name not in found and time.monotonic() - began < MEASURING_S
            point = yield from self._probe(rung, setting, asked, context, ask=ask)
            if point is not None:
                found[rung.name] = point
                probed.append(point)
        return found, probed if len(probed) > 2 else [plain, *points]

    def _probe(
        self, rung: Rung, setting: Setting, asked: Sequence[NumberedQuestion], context: RequestContext, *,
        ask: bool = True,
    ) -> Generator[Event, None, Point | None]:  # fmt: skip
        """What a few answers of the rung take side by side, once what it needs is loaded; None where it was not
        measured of late and is not to be asked, or cannot answer."""
        key = (rung.name, msgspec.json.encode(setting))
        at, point = self._probed.get(key, (-math.inf, None))
        if not ask or time.monotonic() - at < PROBE_KEPT_S:
            return point
        yield events.Progress(stage=f"measuring {rung.title}")
        try:
            point = probe(rung.recipe(setting), self._next(setting.question_set, asked), self._services, context)
        except UserError:
            if rung.name == AS_IT_IS:
                raise
            point = None  # the ladder says why it cannot answer
        self._probed[key] = (time.monotonic(), point)
        return point

    def _next(self, question_set: str, asked: Sequence[NumberedQuestion]) -> list[tuple[Message, ...]]:
        """Questions for a measurement: others than those of the ones before, as long as there are any. The engine would
        have computed prompts that it has read for another rung, so that the answers would take less than later ones.
        Those that are raced come last."""
        order = shuffled(asked, 0)[::-1]
        first = self._asked.get(question_set, 0)
        count = min(ASKED, len(order))
        self._asked[question_set] = first + count
        return [order[(first + place) % len(order)].question.conversation() for place in range(count)]

    def _plan_training(
        self, rung: Rung, setting: Setting, tune: Sequence[NumberedQuestion], written: float, context: RequestContext,
        *, measure: bool,
    ) -> Generator[Event, None, RungEstimate | str]:  # fmt: skip
        """What the training of a rung on these questions takes, from its plan; or why it cannot be, in a sentence. A
        plain answer has so many ``written`` tokens."""
        key = (rung.name, msgspec.json.encode(setting), len(tune))
        at, measured, earlier = self._planned.get(key, (-math.inf, False, ""))
        if key in self._planned and (not measure or (measured and time.monotonic() - at < PROBE_KEPT_S)):
            return earlier
        yield events.Progress(stage=f"planning {rung.title}")
        rows = answer_rows(setting.recipe, tune)
        if isinstance(rung.preparation, Pairs):
            rows = assumed_pairs(rows, written)
        found: RungEstimate | str
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tuning.jsonl"
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
            try:
                config = training_config(rung, setting, str(path), "", 0)
                plan = yield from self._training.planned(config, context, measure=measure)
            except UserError as error:
                found = f"{error.message} {error.hint}".strip()
            else:
                found = f"{plan.problem} {plan.hint}".strip()
                if not plan.problem:
                    found = RungEstimate(
                        preparing_s=plan.seconds or STARTING_S, tokens=plan.tokens,
                        memory_bytes=plan.memory_bytes, measured=plan.seconds is not None,
                    )  # fmt: skip
        self._planned[key] = (time.monotonic(), measure, found)
        return found

    def _points(self, model: str) -> list[Point]:
        """Answers of this model that were made here, by recipe."""
        points = []
        for evaluation in self._evaluations.list_evaluations()[:40]:
            mine = [place for place, one in enumerate(evaluation.columns) if one.recipe.model.name in (model, "")]
            costs = self._evaluations.costs(evaluation) if mine else ()
            for place in mine:
                cost = costs[place]
                if cost.answers > cost.failed:
                    seconds = estimates.per_answer(cost.seconds)
                    points.append(Point(cost.prompt_tokens, cost.new_tokens, seconds, cost.answers))
        return points

    def _known(self, model: str, setting: Setting, set_id: str) -> dict[str, Point]:
        """What answers of rungs have taken in earlier ladders of the same model and questions, the latest ones."""
        known: dict[str, Point] = {}
        for ladder in self._ladders.list_ladders()[:20]:
            same = (ladder.question_set, ladder.task, ladder.collection) == (set_id, setting.task, setting.collection)
            if ladder.unreadable or not same or ladder.recipe != named(setting.recipe, model):
                continue
            try:
                evaluation = self._evaluations.get(ladder.evaluation)
            except UserError:  # it was deleted
                continue
            costs = self._evaluations.costs(evaluation)
            for note in self._ladders.notes(ladder.id).values():
                if note.column is None or note.name in known or note.column >= len(costs):
                    continue
                cost = costs[note.column]
                if cost.answers >= 8:
                    seconds = estimates.per_answer(cost.seconds)
                    known[note.name] = Point(cost.prompt_tokens, cost.new_tokens, seconds, cost.answers)
        return known

    def _lacks(self, need: Need, rung: Rung, setting: Setting) -> str:
        match need:
            case "collection":
                return "" if setting.collection else "Choose a collection of documents first."
            case "labels":
                few = setting.labels or setting.lettered
                return "" if few else "The questions have too many different answers for a list."
            case "examples":
                least = FEWEST_TRAINED if rung.preparation is not None else FEWEST_EXAMPLES
                if setting.examples >= least:
                    return ""
                return f"It needs {least} tuning questions with answers, and the set has {setting.examples}."
            case "embedder":
                context = RequestContext()
                return "" if self._services.embedder_checksum(context) else "There is no embedding model."
            case "training":
                if self._services.resolve(setting.recipe).model.endpoint is not None:
                    return "A model at an endpoint cannot be trained here."
                try:
                    self._workers.require_packages()
                except UserError as error:
                    return f"{error.message} {error.hint}".strip()
                return ""
            case "draws":
                part = setting.recipe.decoding
                row = METHODS.find(part.strategy, "decoding")
                drawing = "draws" in row.traits and part.temperature > 0
                return "" if drawing else "The recipe as it is takes the most probable tokens already."
            case "right and wrong":
                return "" if setting.tells_right else "The scorer does not say which answers are right."
            case "reward":
                return (
                    "" if setting.reward is not None else "There is no reward that measures what the scorer measures."
                )


def with_parts(offer: RungOffer, offers: Sequence[RungOffer], chosen: Sequence[str]) -> RungOffer:
    """The offer of a combination with the estimate of what will be joined, of the ``chosen`` rungs; others as they
    are."""
    rung = BY_NAME.get(offer.name)
    if rung is None or not isinstance(rung.preparation, Combination):
        return offer
    plain = next((one.estimate for one in offers if one.name == AS_IT_IS), offer.estimate)
    parts: dict[str, list[RungEstimate]] = {}
    for one in offers:
        if one.name in chosen and one.technique is not None and not one.missing:
            parts.setdefault(one.technique, []).append(one.estimate)
    return msgspec.structs.replace(offer, estimate=estimates.combined(plain, list(parts.values())))


def compares_all(rungs: Sequence[str]) -> bool:
    """Whether rungs of all techniques answer the same tuning questions, from which then nothing learns: where the best
    of them are joined. () are the proposed rungs."""
    named = [BY_NAME[name] for name in rungs if name in BY_NAME]
    return not rungs or any(isinstance(rung.preparation, Combination) for rung in named)


def hours(seconds: float) -> str:
    return counted(max(1, round(seconds / 3600)), "hour")


def compared(tune: Sequence[NumberedQuestion], seed: int) -> list[NumberedQuestion]:
    """The tuning questions on which rungs are compared."""
    return list(shuffled(tune, seed)[: min(MOST_RACED, round(RACED_SHARE * len(tune)))])


def named(recipe: Recipe, model: str) -> Recipe:
    """The recipe with its model named, so that a ladder goes on with it whatever becomes the default."""
    return msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, name=model))


def check_scorer(scorer: ScorerUse) -> None:
    """Raises UserError for a scorer that does not say which of two answers is better."""
    row = SCORERS.find(scorer.name, "scorer")
    if row.unit or "compares" in row.traits or FEWER in row.traits:
        raise UserError(
            f"{row.title} does not say which of two answers is better.",
            "Choose a scorer of shares; where no answers are expected, a judge.",
        )


def started_from(recipe: Recipe, task: TaskKind) -> Recipe:
    """The recipe that a ladder starts from: where it leaves the length of answers open, as long as the task needs."""
    if recipe.decoding.max_tokens != DecodingPart().max_tokens or task not in LONGEST_ANSWER:
        return recipe
    return msgspec.structs.replace(
        recipe, decoding=msgspec.structs.replace(recipe.decoding, max_tokens=LONGEST_ANSWER[task])
    )


def rungs_of(plan: LadderPlan, chosen: Sequence[str]) -> tuple[str, ...]:
    """The chosen rungs of a plan in its order, else the proposed ones; the recipe as it is is always among them.
    Raises UserError for one that is not offered or lacks something."""
    by_name = {one.name: one for one in plan.rungs}
    for name in chosen:
        if name not in by_name:
            raise UserError(f"There is no rung {name!r} for these questions.", f"The rungs are {', '.join(by_name)}.")
        if by_name[name].missing:
            raise UserError(f"{by_name[name].title} cannot run: {by_name[name].missing}")
    wanted = set(chosen) or {one.name for one in plan.rungs if one.proposed}
    wanted.add(plan.rungs[0].name)
    return tuple(name for name in by_name if name in wanted)


def _notes(
    tune: Sequence[NumberedQuestion], held: Sequence[NumberedQuestion], setting: Setting, recipe: Recipe
) -> tuple[str, ...]:
    notes = []
    if len(held) < FEW:
        shown = counted(len(held), "held-out question")
        if len(held) < FEW // 2:
            notes.append(f"With only {shown}, nothing but large differences can be shown.")
        else:
            notes.append(f"With only {shown}, differences below about 20 points will not be shown.")
    if not tune:
        notes.append("The set has no tuning questions: nothing can be learnt or chosen, and no rungs race.")
    shared = {one.question.text.casefold().strip() for one in tune} & {
        one.question.text.casefold().strip() for one in held
    }
    if shared:
        notes.append(
            f"{counted(len(shared), 'held-out question')} {'is' if len(shared) == 1 else 'are'} among the tuning "
            "questions as well: what learns from these knows the answer."
        )
    if setting.recipe.decoding.max_tokens != recipe.decoding.max_tokens:
        notes.append(
            f"Answers are at most {setting.recipe.decoding.max_tokens} tokens long, since the expected ones are short."
        )
    return tuple(notes)
