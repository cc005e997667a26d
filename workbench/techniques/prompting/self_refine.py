"""Self-refine: a draft is criticised and rewritten by the same model; of all drafts the best-rated one is the answer.

Madaan et al. 2023, "Self-Refine: Iterative Refinement with Self-Feedback" (arXiv:2303.17651). A small model often makes
its draft worse: so each draft is rated, by the probabilities of the digits, and the last one is not taken for the best.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.engine.inference_calls import Generated, Scores
from workbench.fields import about
from workbench.records.messages import Message
from workbench.techniques.budget import Budget, Budgeted, Exhausted
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk
from workbench.techniques.prompting.extraction import answer_of, too_small

RATINGS = ("1", "2", "3", "4", "5")
_RATE = (
    "Question:\n{question}\n\nAnswer:\n{draft}\n\nHow good is this answer, from 1 (wrong) to 5 (right, complete and "
    "clear)? Reply with the digit."
)
_CRITICISE = "What is wrong or missing in your answer? Name the most important point in one or two sentences."
_REWRITE = "Write the whole answer again, improved by that."


class Options(Budgeted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often the draft is rewritten."""

    rounds: Annotated[int, about("Rounds", ge=1, le=4), "Rewritings, at most."] = 3
    feedback_tokens: Annotated[
        int, about("Criticism", ge=16, le=1024, unit="tokens"), "Maximum length of each criticism."
    ] = 80
    good_enough: Annotated[
        float, about("Good enough", ge=0, le=1), "From this rating on, between 0 and 1, nothing is rewritten."
    ] = 0.9


def rating(scores: Scores) -> float:
    """The expected digit, from 0 (all 1) to 1 (all 5)."""
    expected = sum(int(digit) * share for digit, share in zip(RATINGS, scores.probabilities(), strict=True))
    return (expected - 1) / (len(RATINGS) - 1)


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Draft, then criticise and rewrite; rate each draft and keep the best."""
    budget = Budget(options, context)
    free = msgspec.structs.replace(context.decoding, format="text", grammar="", max_tokens=options.feedback_tokens)
    with too_small():
        draft = yield from budget.generate_one(Ask(messages=messages, title="Draft", kind="draft"))
    best, best_rating = draft, -1.0
    try:
        for number in range(options.rounds + 1):
            value = yield from _rate(messages[-1].content, draft, number, budget)
            if value > best_rating:
                best, best_rating = draft, value
            if number == options.rounds or value >= options.good_enough:
                break
            if not budget.nodes_left:
                raise Exhausted("thoughts")
            asked = (*messages, Message("assistant", draft.text), Message("user", _CRITICISE))
            title = f"Criticise draft {number + 1}"
            critic = Ask(messages=asked, title=title, kind="critic", decoding=free)
            feedback = yield from budget.generate_one(critic, counts=False)
            told = (*asked, Message("assistant", feedback.text), Message("user", _REWRITE))
            rewritten = yield from budget.generate_one(Ask(messages=told, title=f"Draft {number + 2}", kind="draft"))
            if rewritten.finish == "cancelled" or not rewritten.text.strip():
                break
            draft = rewritten
    except Exhausted as spent:
        yield from context.note(budget.describe(spent.what))
    return answer_of(best.text, best.thought, best)


def _rate(question: str, draft: Generated, number: int, budget: Budget) -> Generator[Event, None, float]:
    text = _RATE.format(question=question, draft=draft.text)
    ask = ScoreAsk(messages=(Message("user", text),), continuations=RATINGS, title=f"Rate draft {number + 1}")
    (scores,) = yield from budget.score((ask,), rating)
    return rating(scores)
