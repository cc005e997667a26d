"""Calling tools: a thought, the choice of a tool, and its arguments under its schema, so that every call is valid.

A name is chosen by log-probability with small models, by a grammar with others; arguments are generated under that
tool's schema. Nothing is parsed out of free text.

The choice of a tool by log-probability, corrected for what a small model would choose anyway.

A name is likely or not whatever was asked: so each is compared with its log-probability after a question without
content (contextual calibration, Zhao et al. 2021, arXiv:2102.09690). Words of the question that are in the name of a
tool count for it: a small model hardly sees them. The three weights were chosen on questions of the Berkeley Function
Calling Leaderboard (docs/benchmarks.md).
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.backends.backend import has_fewer_parameters
from workbench.base.errors import UserError
from workbench.engine.inference_calls import AssistantStart, Generated, Marker, Scores
from workbench.records.agents import ToolCall
from workbench.records.messages import Message, TextPart, ToolCallPart, ToolResultPart
from workbench.records.recipes import AgentPart, DecodingPart
from workbench.techniques.agents.agent import FINAL, Agent
from workbench.techniques.agents.forms import Form, JsonForm, ReactForm
from workbench.techniques.agents.native import NativeForm
from workbench.techniques.agents.schemas import argument_schema, as_text, excluding, loosened
from workbench.techniques.agents.tagged import AnswerForm, write_tagged
from workbench.techniques.budget import Budget, Budgeted, Exhausted
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput

SCORED_BELOW = 2_000_000_000
"""Parameters: smaller models choose by log-probability, which uses all they know of the names."""

ARGUMENT_TOKENS, SMALL_ARGUMENT_TOKENS = 1024, 192
"""Tokens of the arguments of one call, at most: constrained decoding completes them within that. A small model that
writes more repeats itself."""

SMALL = 1_000_000_000
"""Parameters."""

ANSWER_SHARE, LONGEST_ANSWER_TOKENS, LONGEST_ANSWER_SECONDS = 4, 512, 30.0
"""A quarter of the budget, at most so much, is reserved for the final answer."""


class Caller(Protocol):
    """How a model calls tools. Histories are neutral: calls and results are message parts (``with_call``); how they are
    written is the caller's. Each method uses the budget that the caller was made with."""

    def thought(self, history: Sequence[Message], *, tokens: int, step_text: str = "") -> Generator[Event, None, str]:
        """One line of free text on what to do next, as a step of the kind ``thought``; "" for ``tokens`` 0 or when the
        budget is spent. ``step_text`` is shown to the model before it, and not again: what it says changes the prompt
        from there on, so it is for the last steps."""

    def choose(
        self,
        history: Sequence[Message],
        thought: str,
        names: Sequence[str],
        *,
        may_answer: bool = True,
        reason: Mapping[str, str] | None = None,
    ) -> Generator[Event, None, str]:
        """One of ``names``, or FINAL where it ``may_answer``; FINAL as well when the budget is spent. A step of the
        kind ``choose``, whose input says the ``reason`` why each other tool is not offered."""

    def arguments(
        self, history: Sequence[Message], thought: str, tool: Tool, *, masked: Sequence[dict[str, Any]] = ()
    ) -> Generator[Event, None, dict[str, Any] | None]:
        """Arguments that fit the tool's schema and are none of ``masked``, as a step of the kind ``arguments``; None
        when the budget is spent or there are no others."""

    def answer(self, history: Sequence[Message], thought: str) -> Generator[Event, None, Generated]:
        """The final answer, streamed, with what is reserved of the budget."""

    def with_call(
        self, history: Sequence[Message], thought: str, call: ToolCall, output: ToolOutput
    ) -> tuple[Message, ...]:
        """The history with a call and its result."""


def _takes_none(schema: dict[str, Any]) -> bool:
    """Whether the only arguments that fit are {}."""
    return not schema.get("properties") and "anyOf" not in schema and not schema.get("additionalProperties", True)


def agent_budget(part: AgentPart, context: AnswerContext) -> Budget:
    """The budget of an agent's answer: tokens and seconds, with a part of both reserved for the final answer. Steps are
    counted by the method."""
    options = Budgeted(max_nodes=1_000_000, max_tokens_total=part.max_tokens, seconds=part.seconds)
    return Budget(
        options,
        context,
        answer_tokens=min(part.max_tokens // ANSWER_SHARE, LONGEST_ANSWER_TOKENS),
        answer_seconds=min(part.seconds / ANSWER_SHARE, LONGEST_ANSWER_SECONDS),
    )


def caller_for(agent: Agent, budget: Budget) -> Caller:
    """The caller of an agent, in the format that its recipe asks for, or its model's own where it has one."""
    return FormCaller(agent.context, agent.tools, _form(agent), budget)


def _form(agent: Agent) -> Form:
    wanted = agent.part.format
    if wanted in ("automatic", "native"):
        found = agent.context.model.tool_format()
        if found.native:
            return NativeForm(found)
        if wanted == "native":
            raise UserError("The model's chat template writes no tool calls.", "Set the tool format to automatic.")
    return JsonForm() if wanted == "json" else ReactForm()


class FormCaller:
    """Calls in one form (``Caller``)."""

    def __init__(self, context: AnswerContext, tools: Mapping[str, Tool], form: Form, budget: Budget) -> None:
        self._context, self._tools, self._form, self._budget = context, tools, form, budget
        self._definitions = form.definitions(tools)
        self._neutrals: dict[tuple[str, ...], Sequence[float]] = {}

    def thought(self, history: Sequence[Message], *, tokens: int, step_text: str = "") -> Generator[Event, None, str]:
        if tokens <= 0:
            return ""
        part = msgspec.structs.replace(
            self._context.decoding, format="text", grammar="", max_tokens=tokens, stop=self._form.stops, n=1
        )
        ask = Ask(
            messages=self._form.messages(history, self._tools),
            title="Thought",
            kind="thought",
            decoding=part,
            assistant_start=self._form.thought(history, step_text),
            tools=self._definitions,
        )
        try:
            made = yield from self._budget.generate_one(ask, counts=False, context=self._context)
        except Exhausted:
            return ""
        return " ".join((made.text or made.thought).split())

    def choose(
        self,
        history: Sequence[Message],
        thought: str,
        names: Sequence[str],
        *,
        may_answer: bool = True,
        reason: Mapping[str, str] | None = None,
    ) -> Generator[Event, None, str]:
        offered = (*names, FINAL) if may_answer or not names else tuple(names)
        step = self._context.step("choose", "Choose a tool", _reasons(reason or {}))
        yield step.started
        chosen = FINAL
        if len(offered) == 1:
            (chosen,) = offered
        else:
            try:
                chosen = yield from self._chosen(history, thought, offered, self._context.inside(step))
            except Exhausted:
                chosen = FINAL
        yield step.finished(chosen)
        return chosen

    def _chosen(
        self, history: Sequence[Message], thought: str, offered: Sequence[str], context: AnswerContext
    ) -> Generator[Event, None, str]:
        messages = self._form.messages(history, self._tools)
        start = self._form.name(history, thought)
        space = " " if self._form.name_end == "\n" else ""
        if context.model.capabilities.token_logprobs and has_fewer_parameters(context.model, SCORED_BELOW):
            texts = [f"{space}{name}{self._form.name_end}" for name in offered]
            if any(one.tool_calls for one in history[: _last_question(history)]):  # examples say when a tool is right
                shown = yield from self._score(messages, start, texts, context)
                return offered[max(range(len(offered)), key=lambda place: shown.values[place].logprob)]
            scores, neutral = yield from self._calibrated(history, thought, offered, texts, context)
            place = best_of(
                offered,
                scores,
                neutral,
                answering=FINAL,
                question=next((one.content for one in reversed(history) if one.role == "user"), ""),
                called=bool(history) and history[-1].role == "tool",
            )
            return offered[place]
        part = self._exact("choice", "\n".join(offered), 64)
        asked = Ask(
            messages=messages,
            title="Choose a tool",
            decoding=part,
            assistant_start=(*start, Marker(space, literal=True)) if space and not isinstance(start, str) else start,
            tools=self._definitions,
        )
        made = yield from self._budget.generate_one(asked, counts=False, context=context)
        text = made.text.strip()
        return text if text in offered else FINAL

    def arguments(
        self, history: Sequence[Message], thought: str, tool: Tool, *, masked: Sequence[dict[str, Any]] = ()
    ) -> Generator[Event, None, dict[str, Any] | None]:
        schema = excluding(argument_schema(tool.parameters), masked)
        step = self._context.step("arguments", f"Arguments of {tool.name}")
        yield step.started  # also where nothing is generated: an answer that goes on takes a step for each call
        arguments: Any = None
        if schema is None or _takes_none(schema):
            is_free = schema is not None and {} not in masked
            yield step.finished("{}" if is_free else "")
            return {} if is_free else None
        with contextlib.suppress(Exhausted, ValueError):  # ValueError: the clock stopped it within the JSON
            arguments = yield from self._arguments(history, thought, tool, schema, self._context.inside(step))
        made: dict[str, Any] | None = arguments if isinstance(arguments, dict) and arguments not in masked else None
        yield step.finished("" if made is None else json.dumps(made, ensure_ascii=False))
        return made

    def _arguments(
        self,
        history: Sequence[Message],
        thought: str,
        tool: Tool,
        schema: dict[str, Any],
        context: AnswerContext,
    ) -> Generator[Event, None, Any]:
        messages = self._form.messages(history, self._tools)
        start = self._form.arguments(history, thought, tool.name)
        most = SMALL_ARGUMENT_TOKENS if has_fewer_parameters(context.model, SMALL) else ARGUMENT_TOKENS

        def write(start: str | Sequence[str | Marker], form: AnswerForm, grammar: str) -> Generator[Event, None, str]:
            ask = Ask(
                messages=messages,
                title="Write the arguments",
                decoding=self._exact(form, grammar, most),
                assistant_start=start if isinstance(start, str) else tuple(start),
                tools=self._definitions,
            )
            made = yield from self._budget.generate_one(ask, counts=False, context=context)
            return made.text

        def prefer(start: Sequence[str | Marker], texts: Sequence[str]) -> Generator[Event, None, int]:
            scores = yield from self._score(messages, tuple(start), texts, context)
            return max(range(len(texts)), key=lambda place: scores.values[place].logprob)

        if isinstance(self._form, NativeForm) and self._form.tagged:
            while "anyOf" in schema and "properties" not in schema:  # one of what ``excluding`` leaves
                schema = schema["anyOf"][0]
            return (yield from write_tagged(self._form.tool_format, start, tool.name, schema, write, prefer))
        try:
            return json.loads((yield from write(start, "json_schema", as_text(schema))))
        except UserError:  # a stranger's schema that the engine cannot constrain as it is
            return json.loads((yield from write(start, "json_schema", as_text(loosened(schema)))))

    def _calibrated(
        self,
        history: Sequence[Message],
        thought: str,
        offered: Sequence[str],
        texts: Sequence[str],
        context: AnswerContext,
    ) -> Generator[Event, None, tuple[Sequence[float], Sequence[float]]]:
        """The log-probabilities of names, and those after a question without content in place of the last one."""
        asked = _last_question(history)
        key = (*offered, *(one.content for one in history[:asked]))
        plain = (*history[:asked], NEUTRAL)
        asks = [
            self._score_ask(self._form.messages(of, self._tools), self._form.name(of, said), texts, title)
            for of, said, title in ((history, thought, "Probability of each"), (plain, "", "Without the question"))
        ]
        made = yield from self._budget.score(asks[: 1 if key in self._neutrals else 2], _certainty, context=context)
        values = [[one.logprob for one in scores.values] for scores in made]
        if len(values) > 1:
            self._neutrals[key] = values[1]
        return values[0], self._neutrals.get(key, [0.0] * len(offered))

    def _score_ask(
        self, messages: Sequence[Message], start: AssistantStart, texts: Sequence[str], title: str
    ) -> ScoreAsk:
        return ScoreAsk(
            messages=messages, continuations=texts, title=title, assistant_start=start, tools=self._definitions
        )

    def _score(
        self, messages: Sequence[Message], start: AssistantStart, texts: Sequence[str], context: AnswerContext
    ) -> Generator[Event, None, Scores]:
        ask = self._score_ask(messages, start, texts, "Probability of each")
        (scores,) = yield from self._budget.score((ask,), _certainty, context=context)
        return scores

    def answer(self, history: Sequence[Message], thought: str) -> Generator[Event, None, Generated]:
        part = self._context.decoding
        part = msgspec.structs.replace(part, stop=(*part.stop, *self._form.answer_stops))
        start = self._form.answer(history, thought)
        if part.format != "text" and self._form.name_end == "\n" and not isinstance(start, str):
            start = (*start, Marker(" ", literal=True))  # a constrained text does not begin with a space
        try:
            made = yield from self._budget.write(
                self._form.messages(history, self._tools),
                context=self._context,
                decoding=part,
                assistant_start=start,
                tools=self._definitions,
            )
        except Exhausted as spent:
            yield from self._context.note(self._budget.describe(spent.what))
            text = next((one.content for one in reversed(history) if one.role == "tool"), "") or thought
            yield events.TextDelta(text=text)
            return Generated(text=text, finish="length")
        return made

    def with_call(
        self, history: Sequence[Message], thought: str, call: ToolCall, output: ToolOutput
    ) -> tuple[Message, ...]:
        number = sum(len(one.tool_calls) for one in history) + 1
        name = f"call{number:05d}"  # some templates insist on nine letters and digits
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        said = (TextPart(thought),) if thought else ()
        result = ToolResultPart(output.text[:LONGEST_OUTPUT], name=call.tool, call=name, failed=output.failed)
        return (
            *history,
            Message.of_parts("assistant", (*said, ToolCallPart(call.tool, arguments, name))),
            Message.of_parts("tool", (result,)),
        )

    def _exact(self, form: AnswerForm, grammar: str, tokens: int) -> DecodingPart:
        """Greedy decoding of a constrained text."""
        return DecodingPart(
            temperature=0.0,
            repetition_penalty=1.0,
            max_tokens=tokens,
            seed=self._context.decoding.seed,
            format=form,
            grammar=grammar,
        )


def _certainty(scores: Scores) -> float:
    return max(scores.probabilities(), default=0.0)


def _reasons(reason: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {why}" for name, why in reason.items())


NEUTRAL = Message("user", "Hello, how are you?")

WORD = 2.0
"""Nats for each word of the question in a tool's name, of two at most."""

MOST_WORDS = 2
ANSWERING = 0.5
"""How much the calibrated log-probability of answering without a tool counts."""

RESERVE = 1.5
"""Nats by which a tool has to be better than answering, before one was called."""

_COMMON = frozenset(
    {"get", "set", "find", "list", "make", "calc", "calculate", "compute", "show", "fetch", "search", "all", "data"}
    | {"and", "for", "the", "from", "with"}
)
_STEM = 5


def words_of(text: str) -> set[str]:
    """The words of a name or a question, shortened, without those that say nothing."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).casefold().replace("_", " ")
    return {word[:_STEM] for word in re.findall(r"[^\W\d]{3,}", spaced) if word not in _COMMON}


def _last_question(history: Sequence[Message]) -> int:
    """Its place."""
    return max((place for place, one in enumerate(history) if one.role == "user"), default=0)


def best_of(
    names: Sequence[str],
    logprobs: Sequence[float],
    neutral: Sequence[float],
    *,
    answering: str,
    question: str,
    called: bool,
) -> int:
    """The place of the name to choose, one of which may be ``answering``. ``logprobs`` are theirs, ``neutral`` those
    after a question without content. ``called``: a result is there already, and words say nothing any more."""
    asked = words_of(question)

    def value(place: int) -> float:
        gain = logprobs[place] - neutral[place]
        if names[place] == answering:
            return gain if called else ANSWERING * gain + RESERVE
        return gain if called else gain + WORD * min(MOST_WORDS, len(asked & words_of(names[place])))

    return max(range(len(names)), key=value)
