"""Generated knowledge: the model first writes what it knows about the question, then answers with the statement that
makes it surest.

Liu et al. 2021, "Generated Knowledge Prompting for Commonsense Reasoning" (arXiv:2110.08387): of several statements the
one under which an answer is most probable. Choices are compared by their log-probabilities, other answers by the mean
log-probability of their tokens.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.base.fields import about
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.records.recipes import DEFAULT_STRATEGY
from workbench.techniques.budget import Budget, Exhausted
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk
from workbench.techniques.prompting.extraction import (
    RESERVE,
    Extracting,
    Extraction,
    answer_of,
    conclude,
    extraction_of,
    normalised,
    too_small,
)

_FACT = "{question}\n\nDo not answer yet. Write one true statement that helps to answer this question."
_WITH = "{statement}\n\n{question}"


class Options(Extracting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many statements are written, and the form of the answer."""

    statements: Annotated[
        int, about("Statements", ge=1, le=8), "The model writes this number of facts, and answers with each of them."
    ] = 4
    statement_tokens: Annotated[
        int,
        about("Length of a statement", ge=8, le=512, unit="tokens"),
        "A statement has at most this number of tokens.",
    ] = 64
    temperature: Annotated[
        float, about("Temperature", gt=0, le=2), "The statements are more varied at a higher temperature."
    ] = 0.7


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Write statements together, answer under each of them together, keep the surest answer."""
    budget = Budget(options, context)
    extraction = extraction_of(options, messages, context.decoding)
    *earlier, asked = messages
    drawn = msgspec.structs.replace(
        extraction.reasoning,
        strategy=DEFAULT_STRATEGY,
        temperature=options.temperature,
        max_tokens=options.statement_tokens,
        stop=(*extraction.reasoning.stop, "\n"),
    )
    prompt = (*earlier, Message("user", _FACT.format(question=asked.content)))
    asks = [
        Ask(messages=prompt, title=f"Statement {number + 1}", kind="knowledge", decoding=drawn)
        for number in range(options.statements)
    ]
    with too_small():
        made = yield from budget.generate(asks, reserve=RESERVE * options.statements)
    statements = list({normalised(one.text, "text"): one.text.strip() for one in made if one.text.strip()}.values())
    prompts = [(*earlier, Message("user", _WITH.format(statement=one, question=asked.content))) for one in statements]
    try:
        if not prompts:
            return (yield from conclude(messages, "", extraction, budget, context))
        if extraction.choices:
            return (yield from _surest_choice(prompts, statements, extraction, budget))
        answers = yield from budget.generate([extraction.ask(one, "") for one in prompts], counts=False)
    except Exhausted as spent:
        yield from context.note(budget.describe(spent.what))
        return answer_of(statements[0], "", made[0])
    sure = [one.mean_logprob if one.mean_logprob is not None else float("-inf") for one in answers]
    best = max(range(len(answers)), key=sure.__getitem__)
    return answer_of(extraction.read(answers[best].text, ""), statements[best], answers[best])


def _surest_choice(
    prompts: Sequence[tuple[Message, ...]], statements: Sequence[str], extraction: Extraction, budget: Budget
) -> Generator[Event, None, Generated]:
    """The choice that is most probable under any of the statements."""
    asks = [
        ScoreAsk(
            messages=messages,
            continuations=extraction.choices,
            title=f"Answer with statement {number + 1}",
            input=statement,
            assistant_start=extraction.start(""),
        )
        for number, (messages, statement) in enumerate(zip(prompts, statements, strict=True))
    ]
    scored = yield from budget.score(asks, lambda scores: max(scores.probabilities()))
    best = max(range(len(scored)), key=lambda place: max(scored[place].probabilities()))
    shares = scored[best].probabilities()
    choice = extraction.choices[max(range(len(shares)), key=shares.__getitem__)]
    return answer_of(choice, statements[best], Generated(text=choice))
