"""Teams: a supervisor gives the question to specialists, which are other recipes, or two of them debate it.

The supervisor chooses by log-probability who is asked next (Wu et al. 2023, "AutoGen", arXiv:2308.08155). In a debate
two specialists answer, see each other's answer and answer again (Du et al. 2023, "Improving Factuality and Reasoning in
Language Models through Multiagent Debate", arXiv:2305.14325); a judge compares both in either order. Specialists answer
on the same model, with their instructions, tools, decoding and adapters; they share the agent's budget and approvals.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

import msgspec

from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.records.messages import Message
from workbench.records.recipes import system_text, with_question_asked
from workbench.techniques.agent_session import Specialist
from workbench.techniques.agents.agent import FINAL, Agent, Outcome
from workbench.techniques.agents.demonstrations import Demonstrated
from workbench.techniques.agents.react import work
from workbench.techniques.agents.session import OUT_OF_BUDGET, Session
from workbench.techniques.agents.steps import ROUTE, SPECIALIST, VERDICT
from workbench.techniques.agents.tool_execution import Waiting
from workbench.techniques.budget import Exhausted
from workbench.techniques.context import ScoreAsk

DEBATERS = 2
LONGEST_DESCRIPTION = 160

_ROUTE = (
    "Question: {question}\n\nThe team:\n{team}\n{final}: answer the question with what the team has said\n\n{said}"
    "Who is to work on the question next? Reply with the name."
)
_SAID = "What the team has said:\n{answers}\n\n"
_CONCLUDE = "{question}\n\nYour team has said:\n{answers}\n\nAnswer the question with this."
_COLLEAGUE = "{question}\n\nYour answer was:\n{own}\n\nA colleague answers:\n{other}\n\nAnswer the question again."
_JUDGE = "Question: {question}\n\nAnswer A: {first}\n\nAnswer B: {second}\n\nWhich answer is better? Reply with A or B."


class Options(Demonstrated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is in the team, and how it works."""

    specialists: Annotated[
        tuple[str, ...],
        about("Specialists", separator=","),
        "Each specialist is a saved recipe on the same model, with its own instructions, tools, decoding and adapters.",
    ] = ()
    way: Annotated[
        Literal["supervisor", "debate"],
        about("Way of working"),
        "A supervisor chooses who is asked, or the first two specialists debate and a judge decides.",
    ] = "supervisor"
    rounds: Annotated[
        int,
        about("Rounds of a debate", when="way=debate", ge=1, le=2),
        "From the second round on, each specialist sees the other's answer.",
    ] = 2


def run(messages: tuple[Message, ...], options: Options, agent: Agent) -> Generator[Event, None, Outcome]:
    """Let the team answer. Raises UserError for a team that is too small."""
    fewest = DEBATERS if options.way == "debate" else 1
    team = {name: agent.context.agent.specialists[name] for name in options.specialists}
    if len(team) < fewest:
        raise UserError(
            f"This team has {len(team)} specialists, and needs {fewest}.",
            "Choose saved recipes as its specialists.",
        )
    session = Session(agent)
    yield from session.begin()
    try:
        if options.way == "debate":
            return (yield from _debate(session, messages, dict(list(team.items())[:DEBATERS]), options))
        return (yield from _supervise(session, messages, team, options))
    except Waiting as waiting:
        return session.waits(waiting)


# -- supervisor ----------------------------------------------------------------------------------------------


def _supervise(
    session: Session, messages: tuple[Message, ...], team: Mapping[str, Specialist], options: Options
) -> Generator[Event, None, Outcome]:
    """Ask specialists, each once, until the supervisor has enough. The answer of a single one is the answer."""
    answers: dict[str, str] = {}
    try:
        while len(answers) < len(team) and not session.spent:
            names = [name for name in team if name not in answers]
            name = names[0]
            if answers or len(names) > 1:
                name = yield from _routed(session, messages[-1].content, team, names, answers)
            if name == FINAL:
                break
            share = max(1, session.executor.calls_left // len(names))
            answers[name] = yield from _ask(session, name, team[name], messages, options, share)
    except Exhausted:
        yield from session.context.note(OUT_OF_BUDGET)
    if len(answers) == 1:
        return session.given(next(iter(answers.values())))
    asked = messages
    if answers:
        text = _CONCLUDE.format(question=messages[-1].content, answers=_listed(answers))
        asked = (*messages[:-1], Message("user", text))
    return session.answered(session.answer(asked, "", session.context, {}))


def _routed(
    session: Session, question: str, team: Mapping[str, Specialist], names: Sequence[str], answers: Mapping[str, str]
) -> Generator[Event, None, str]:
    """Who is asked next, or FINAL once somebody has answered. Raises Exhausted."""
    choices = (*names, FINAL) if answers else tuple(names)
    described = "\n".join(f"{name}: {describe(team[name])}" for name in names)
    said = _SAID.format(answers=_listed(answers)) if answers else ""
    text = _ROUTE.format(question=question, team=described, final=FINAL, said=said)
    ask = ScoreAsk(messages=(Message("user", text),), continuations=choices, title="Choose a specialist")
    return (yield from session.chosen(ask, choices, ROUTE, session.context))


def describe(specialist: Specialist) -> str:
    """What a specialist is for: the beginning of its instructions, or its tools."""
    text = " ".join(specialist.recipe.prompting.instructions.split())
    tools = specialist.recipe.agent.tools if specialist.recipe.agent is not None else ()
    return text[:LONGEST_DESCRIPTION] or f"uses {', '.join(tools) or 'no tools'}"


def _listed(answers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {answer}" for name, answer in answers.items())


# -- debate --------------------------------------------------------------------------------------------------


def _debate(
    session: Session, messages: tuple[Message, ...], team: Mapping[str, Specialist], options: Options
) -> Generator[Event, None, Outcome]:
    """Both answer, and answer again with the other's answer before them; the judge's choice is the answer."""
    question, answers = messages[-1].content, dict[str, str]()
    try:
        for number in range(options.rounds):
            before = dict(answers)
            for name, specialist in team.items():
                asked = messages
                if number:
                    other = next(answer for one, answer in before.items() if one != name)
                    text = _COLLEAGUE.format(question=question, own=before[name], other=other)
                    asked = (*messages[:-1], Message("user", text))
                share = max(1, session.executor.calls_left // (len(team) * (options.rounds - number)))
                answers[name] = yield from _ask(session, name, specialist, asked, options, share)
        first, second = answers
        winner = yield from _judged(session, question, first, second, answers)
        return session.given(answers[winner])
    except Exhausted:
        yield from session.context.note(OUT_OF_BUDGET)
    if answers:
        return session.given(next(iter(answers.values())))
    return session.answered(session.answer(messages, "", session.context, {}))


def _judged(
    session: Session, question: str, first: str, second: str, answers: Mapping[str, str]
) -> Generator[Event, None, str]:
    """The name of the better answer. The judge sees both orders, so that the place of an answer does not decide."""

    def make() -> Generator[Event, None, str]:
        step = session.context.step(VERDICT, "Judge in both orders", f"{first} against {second}")
        yield step.started
        asks = [
            ScoreAsk(
                messages=(Message("user", _JUDGE.format(question=question, first=answers[a], second=answers[b])),),
                continuations=("A", "B"),
                title=f"A: {a}, B: {b}",
            )
            for a, b in ((first, second), (second, first))
        ]
        context = session.context.inside(step)
        made = yield from session.budget.score(asks, lambda scores: scores.probabilities()[0], context=context)
        if len(made) < len(asks):
            raise Exhausted("tokens")
        one, other = made
        share = (one.probabilities()[0] + other.probabilities()[1]) / 2
        winner = first if share >= 0.5 else second
        yield step.finished(winner, score=max(share, 1 - share))
        return winner

    return (yield from session.text_of(VERDICT, make()))


# -- one specialist ------------------------------------------------------------------------------------------


def _ask(
    session: Session,
    name: str,
    specialist: Specialist,
    messages: tuple[Message, ...],
    options: Options,
    most: int,
) -> Generator[Event, None, str]:
    """The answer of a specialist, with its tools. Raises Waiting, Exhausted."""
    opened = yield from session.opened(SPECIALIST, name, messages[-1].content, session.context)
    decoding = msgspec.structs.replace(specialist.recipe.decoding, n=1, seed=session.context.decoding.seed)
    inside = replace(session.context.inside(opened.step), model=specialist.model, decoding=decoding)
    part = specialist.recipe.agent
    tools = {
        one: session.agent.tools[one] for one in (part.tools if part is not None else ()) if one in session.agent.tools
    }
    conversation = with_question_asked(specialist.recipe.prompting, [one for one in messages if one.role != "system"])
    system = system_text(specialist.recipe.prompting).strip()
    asked = (*((Message("system", system),) if system else ()), *conversation)
    session.executor.repetition.restart()
    examples = yield from session.demonstrated(messages[-1].content, options.examples, inside, tools)
    done = yield from work(session, asked, inside, tools=tools, most=most, examples=examples)
    answer = yield from session.drafted(done.history, done.thought, inside, tools)
    yield from opened.finished(answer)
    return answer
