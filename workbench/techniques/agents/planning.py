"""Plan and execute: a plan of a few steps first, each then done with tools; a new plan where a step fails.

Wang et al. 2023, "Plan-and-Solve Prompting" (arXiv:2305.04091), with tools for each step as in ReAct. The plan is a
list under a grammar, which a person can edit; the steps share the agent's budget, and the answer is written from what
they found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.base.fields import about
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.agents.agent import Agent, Outcome
from workbench.techniques.agents.demonstrations import Demonstrated
from workbench.techniques.agents.react import Work, work
from workbench.techniques.agents.session import OUT_OF_BUDGET, Session, told
from workbench.techniques.agents.steps import FINDING, PLAN, PLAN_STEP
from workbench.techniques.agents.tool_execution import Waiting
from workbench.techniques.budget import Exhausted
from workbench.techniques.context import AnswerContext, Ask

MOST_STEPS = 6
LONGEST_STEP = 160
"""Characters of one step of a plan."""
PLAN_TOKENS, FINDING_TOKENS = 320, 96

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLAN = (
    "Before you answer, plan how to find the answer, in at most {most} short steps. You have these tools:\n{tools}\n"
    "Write the steps as a JSON list of sentences."
)
_REPLAN = (
    "The last step failed. Write a new plan for what is left to do, in at most {most} short steps, as a JSON list of "
    "sentences."
)
_PLANNED = "Plan:\n{steps}"
_STEP = "Step {number}: {goal}"
_FINALLY = "Answer the question with what the steps have found: {question}"


class Options(Demonstrated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a plan may be, and how often a new one is made."""

    steps: Annotated[
        int, about("Steps of the plan", ge=1, le=MOST_STEPS), "The plan has at most this number of steps."
    ] = MOST_STEPS
    replans: Annotated[
        int, about("New plans", ge=0, le=2), "A new plan is made at most this many times because a step has failed."
    ] = 2


def run(messages: tuple[Message, ...], options: Options, agent: Agent) -> Generator[Event, None, Outcome]:
    """Plan, carry out each step, answer from what they found."""
    session = Session(agent)
    yield from session.begin()
    history = messages
    try:
        history = yield from _carry_out(messages, options, session)
    except Waiting as waiting:
        return session.waits(waiting)
    question = messages[-1].content.strip()
    if history is not messages:
        history = (*history, Message("user", _FINALLY.format(question=question)))
    return session.answered(session.answer(history, "", session.context))


def _carry_out(
    messages: tuple[Message, ...], options: Options, session: Session
) -> Generator[Event, None, tuple[Message, ...]]:
    """The conversation with the plan, its steps and what they found. Raises Waiting."""
    examples = yield from session.demonstrated(messages[-1].content, options.examples, session.context)
    context, history, number, replans = session.context, messages, 0, 0
    described = "\n".join(f"{tool.name}: {tool.description}" for tool in session.agent.tools.values()) or "(none)"
    try:
        plan = yield from _planned(session, history, _PLAN.format(most=options.steps, tools=described), options.steps)
        if plan:
            history = (*history, Message("assistant", _PLANNED.format(steps=_numbered(plan))))
        while plan:
            if session.spent or (session.agent.tools and not session.executor.calls_left):
                yield from context.note(OUT_OF_BUDGET)
                break
            number, goal, plan = number + 1, plan[0], plan[1:]
            opened = yield from session.opened(PLAN_STEP, goal, f"Step {number}", context)
            inside = context.inside(opened.step)
            asked = (*history, Message("user", _STEP.format(number=number, goal=goal)))
            most = max(1, session.executor.calls_left // (len(plan) + 1))
            done = yield from work(session, asked, inside, most=most, examples=examples)
            finding = yield from _finding(session, done, inside)
            failed = bool(done.results) and all(output.failed for _, output in done.results)
            yield from opened.finished(finding, error=finding if failed else "")
            history = (*asked, Message("assistant", finding))
            if failed and replans < options.replans:
                replans += 1
                plan = yield from _planned(session, history, _REPLAN.format(most=options.steps), options.steps)
    except Exhausted:
        yield from context.note(OUT_OF_BUDGET)
    return history


def _planned(
    session: Session, history: tuple[Message, ...], request: str, most: int
) -> Generator[Event, None, list[str]]:
    """A plan as a list of its steps."""
    step = {"type": "string", "minLength": 1, "maxLength": LONGEST_STEP}
    schema = {"type": "array", "items": step, "minItems": 1, "maxItems": most}
    ask = Ask(
        messages=(*history, Message("user", request)) if history[-1].role != "user" else _joined(history, request),
        title="Plan",
        kind=PLAN,
        decoding=constrained(session.context, schema, PLAN_TOKENS),
    )
    return read_plan((yield from session.written(ask, session.context)), most)


def _finding(session: Session, done: Work, context: AnswerContext) -> Generator[Event, None, str]:
    """What a step has found: its answer, or the results of its calls."""
    part = msgspec.structs.replace(context.decoding, format="text", grammar="", max_tokens=FINDING_TOKENS)
    brief = replace(context, decoding=part)
    text = yield from session.drafted(done.history, done.thought, brief, kind=FINDING, title="What was found")
    return " ".join(text.split()) or told(done.results) or "Nothing."


def read_plan(text: str, most: int) -> list[str]:
    """The steps of a plan: a JSON list, or, as a person may write it, a line each."""
    try:
        found = json.loads(text)
    except ValueError:
        if text.lstrip().startswith("["):  # cut short
            found = [one.replace('\\"', '"') for one in _QUOTED.findall(text)]
        else:  # a person's
            found = [line.strip().lstrip("0123456789.)-* ") for line in text.splitlines()]
    steps = [" ".join(one.split())[:LONGEST_STEP] for one in found if isinstance(one, str)]
    return [one for one in dict.fromkeys(steps) if one][:most]


def constrained(context: AnswerContext, schema: object, tokens: int) -> DecodingPart:
    """Greedy decoding of JSON of a schema."""
    return DecodingPart(
        temperature=0.0,
        repetition_penalty=1.0,
        max_tokens=tokens,
        seed=context.decoding.seed,
        format="json_schema",
        grammar=json.dumps(schema),
    )


def _joined(history: tuple[Message, ...], request: str) -> tuple[Message, ...]:
    """The conversation with a request below its last message: turns alternate."""
    return (*history[:-1], Message("user", f"{history[-1].content}\n\n{request}"))


def _numbered(plan: Sequence[str]) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(plan, 1))
