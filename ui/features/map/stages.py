"""What each stage of the pipeline did in an answer, from its stored recipe, trace, passages, seconds and tokens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal

from ui.components.agent_wording import describe_agent
from ui.components.wording import describe_count, describe_speed
from ui.features.map import texts
from workbench.base.catalogue import localised
from workbench.records.answers import StoredMessage
from workbench.records.messages import Usage, total_usage
from workbench.records.methods import Methods
from workbench.records.recipes import DEFAULT_TECHNIQUE, Recipe
from workbench.records.roads import ROADS
from workbench.records.trace import Trace, TraceStep

StageName = Literal["documents", "prompt", "model", "decoding", "agent", "adapters"]
HUES: dict[StageName, str] = {
    "documents": "retrieval",
    "prompt": "prompting",
    "model": "accent",
    "decoding": "decoding",
    "agent": "agents",
    "adapters": "finetuning",
}
TECHNIQUES: dict[StageName, tuple[str, ...]] = {
    "prompt": ("prompting",),
    "decoding": ("decoding",),
    "documents": ("retrieval",),
    "agent": ("agents",),
    "adapters": ("finetuning", "preference"),
    "model": ("model",),
}
"""The terms that belong to each stage, by their technique, in the order of the course."""
PLACES: dict[StageName, dict[str, str]] = {
    "documents": {"page": "chat", "part": "retrieval", "field": "collection"},
    "prompt": {"page": "chat", "part": "prompting", "field": "technique"},
    "model": {"page": "chat", "part": "model", "field": "name"},
    "decoding": {"page": "chat", "part": "decoding", "field": "strategy"},
    "agent": {"page": "chat", "part": "agent", "field": "method"},
    "adapters": {"page": "adapters"},
}
"""Where the settings of each stage are."""
_DOCUMENT_STEPS = frozenset(
    ("search", "rewrite", "route", "check", "section", "sections", "document", "table", "quote", "language")
)
_MOST_STEPS = 6


@dataclass(frozen=True)
class Stage:
    """``phrase`` says in a few words what it is set to; ``facts`` are what it did. ``seconds`` and ``tokens`` are 0
    where they are not known."""

    name: StageName
    used: bool
    phrase: str
    facts: tuple[str, ...] = ()
    seconds: float = 0.0
    tokens: int = 0


@dataclass
class _Cost:
    seconds: float = 0.0
    usages: list[Usage] = field(default_factory=list)
    steps: list[TraceStep] = field(default_factory=list)


def stages_of(message: StoredMessage, trace: Trace | None, methods: Methods[Any]) -> tuple[Stage, ...]:
    """The six stages of an answer that has ended."""
    recipe = message.recipe or Recipe()
    costs = _costs(trace or Trace(), recipe)
    documents = _documents(message, recipe, costs["documents"])
    if why := _why_not_asked(message):
        asked = tuple(Stage(name, False, texts.NOT_ASKED, (why,)) for name in ("prompt", "model", "decoding"))
        return (documents, *asked, _agent(recipe, costs["agent"], methods), Stage("adapters", False, texts.NOT_USED))
    return (
        documents,
        _prompt(message, recipe, costs["prompt"], methods),
        _model(recipe, message.usage),
        _decoding(message, recipe, methods),
        _agent(recipe, costs["agent"], methods),
        _adapters(recipe),
    )


def _why_not_asked(message: StoredMessage) -> str:
    """Why an answer has come about without the model; "" where the model wrote it."""
    if message.usage is not None and message.usage.new_tokens:
        return ""
    if message.verification is not None and message.verification.quoted:
        return texts.QUOTED_WITHOUT
    return texts.DECLINED_WITHOUT if message.declined else ""


def _costs(trace: Trace, recipe: Recipe) -> dict[str, _Cost]:
    """The seconds of each step without those of the steps inside it, by the stage that it belongs to."""
    inside: Counter[str] = Counter()
    for step in trace.steps:
        inside[step.parent] += step.seconds  # type: ignore[assignment]
    costs: dict[str, _Cost] = {name: _Cost() for name in HUES}
    for step in trace.steps:
        cost = costs[_stage_of(step, recipe)]
        cost.seconds += max(0.0, step.seconds - inside[step.id])
        cost.steps.append(step)
        if step.usage is not None:
            cost.usages.append(step.usage)
    return costs


def _stage_of(step: TraceStep, recipe: Recipe) -> StageName:
    if step.kind in _DOCUMENT_STEPS:
        return "documents"
    if step.writes_answer:
        return "decoding"
    return "agent" if recipe.agent is not None else "prompt"


def _documents(message: StoredMessage, recipe: Recipe, cost: _Cost) -> Stage:
    part = recipe.retrieval
    used = part is not None or bool(message.passages)
    if not used:
        return Stage("documents", False, texts.NOT_USED)
    facts = [texts.ROAD.format(road=localised(ROADS[message.road]).title)] if message.road is not None else []
    if message.passages:
        paths = {passage.path for passage in message.passages}
        words = texts.TAKEN if _why_not_asked(message) else texts.SHOWN
        shown = words.format(
            passages=describe_count(len(message.passages), "passage"), documents=describe_count(len(paths), "document")
        )
        facts.append(shown)
        cosines = [passage.similarity for passage in message.passages if passage.similarity is not None]
        if cosines:
            words = texts.COSINE if len(cosines) == 1 else texts.COSINES
            facts.append(words.format(low=min(cosines), high=max(cosines)))
        ways = Counter(passage.found_by for passage in message.passages)
        facts.append(texts.FOUND_BY.format(ways=", ".join(f"{texts.WAYS[way]} ({n})" for way, n in ways.items())))
    if message.outcome is not None:
        facts.append(texts.OUTCOMES[message.outcome])
    elif message.declined:
        facts.append(texts.DECLINED)
    names = [part.collection, *part.more] if part is not None else []
    phrase = ", ".join(filter(None, names)) or ", ".join({PurePath(one.path).name for one in message.passages})
    return Stage(
        "documents", True, phrase, (*facts, *_steps(cost)), cost.seconds, sum(u.prompt_tokens for u in cost.usages)
    )


def _prompt(message: StoredMessage, recipe: Recipe, cost: _Cost, methods: Methods[Any]) -> Stage:
    part = recipe.prompting
    usage = message.usage
    facts = []
    if usage is not None and usage.prompt_tokens:
        facts.append(texts.READ.format(tokens=usage.prompt_tokens))
        if usage.cached_tokens:
            facts.append(texts.CACHED.format(tokens=usage.cached_tokens))
    if part.instructions:
        facts.append(texts.INSTRUCTIONS)
    if part.examples:
        facts.append(texts.EXAMPLES.format(name=part.examples))
    title = methods.row(part.technique, "technique").title
    if part.technique != DEFAULT_TECHNIQUE:
        facts.append(texts.TECHNIQUE.format(title=title))
    seconds = cost.seconds + (usage.first_token_s if usage is not None else 0.0)
    inside = total_usage(cost.usages)
    tokens = (usage.prompt_tokens if usage is not None else 0) + (inside.new_tokens if inside is not None else 0)
    return Stage("prompt", True, title, (*facts, *_steps(cost)), seconds, tokens)


def _model(recipe: Recipe, usage: Usage | None) -> Stage:
    facts = [recipe.model.name] if recipe.model.name else []
    if recipe.model.context_tokens:
        facts.append(texts.CONTEXT.format(tokens=recipe.model.context_tokens))
    if usage is not None and usage.tokens_per_s:
        facts.append(texts.SPEED.format(speed=describe_speed(usage.tokens_per_s)))
    return Stage("model", True, recipe.model.name or texts.STAGES["model"][0], tuple(facts))


def _decoding(message: StoredMessage, recipe: Recipe, methods: Methods[Any]) -> Stage:
    part, usage = recipe.decoding, message.usage
    row = methods.row(part.strategy, "decoding")
    facts = [row.title]
    if "draws" in row.traits:
        facts.append(texts.TEMPERATURE.format(temperature=part.temperature))
    if part.grammar:
        facts.append(texts.CONSTRAINED)
    if usage is not None:
        facts.append(texts.WRITTEN.format(tokens=usage.new_tokens))
        if usage.drafted_tokens:
            facts.append(texts.DRAFTED.format(accepted=usage.accepted_tokens, drafted=usage.drafted_tokens))
    seconds = usage.generation_s if usage is not None else 0.0
    return Stage("decoding", True, row.title, tuple(facts), seconds, usage.new_tokens if usage is not None else 0)


def _agent(recipe: Recipe, cost: _Cost, methods: Methods[Any]) -> Stage:
    if recipe.agent is None:
        return Stage("agent", False, texts.NOT_USED)
    called = Counter(step.title for step in cost.steps if step.kind == "tool")
    names = ", ".join(name if n == 1 else f"{name} ({n})" for name, n in called.items())
    count = describe_count(sum(called.values()), "call")
    facts = [texts.CALLS.format(calls=count, names=names) if called else texts.NO_CALLS]
    inside = total_usage(cost.usages)
    tokens = inside.new_tokens if inside is not None else 0
    return Stage("agent", True, describe_agent(recipe.agent, methods), (*facts, *_steps(cost)), cost.seconds, tokens)


def _adapters(recipe: Recipe) -> Stage:
    used = [one for one in recipe.model.adapters if one.scale]
    if not used:
        return Stage("adapters", False, texts.NOT_USED, (texts.BASE,))
    facts = tuple(texts.ADAPTER.format(name=one.name, scale=one.scale) for one in used)
    return Stage("adapters", True, ", ".join(one.name for one in used), facts)


def _steps(cost: _Cost) -> tuple[str, ...]:
    """The longest steps in their order, in one sentence; none for none."""
    if not cost.steps:
        return ()
    longest = sorted(cost.steps, key=lambda step: -step.seconds)[:_MOST_STEPS]
    told = [step for step in cost.steps if step in longest]
    words = " · ".join(texts.STEP.format(title=step.title or step.kind, seconds=step.seconds) for step in told)
    return (texts.STEPS.format(steps=words),)
