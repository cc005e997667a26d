"""Self-refine: a draft is criticised and rewritten by the same model; of all drafts the best-rated one is the answer.

Madaan et al. 2023, "Self-Refine: Iterative Refinement with Self-Feedback" (arXiv:2303.17651). A small model often makes
its draft worse. So a rewriting takes the place of a draft only where a check finds it better: its equations are
calculated, and where there are passages both are compared with them; a draft that these have nothing against is not
rewritten. Where nothing can be checked, it has to be rated
higher, by the probabilities of the digits, and be preferred in both orders.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.base.fields import about
from workbench.engine.inference_calls import Generated, Scores
from workbench.records.messages import Message
from workbench.techniques.budget import Budget, Budgeted, Exhausted
from workbench.techniques.context import AnswerContext, Ask, ScoreAsk
from workbench.techniques.corrections import prefers
from workbench.techniques.prompting.extraction import answer_of, too_small
from workbench.techniques.tools.figures import wrong_equations

BETTER = "This draft is better."
NO_BETTER = "The earlier draft is kept: this one is rated no better."
UNDECIDED = "The earlier draft is kept: the model does not prefer this one in both orders."
CALCULATED = "The earlier draft is kept: an equation of this one is wrong."
SETTLED = "The passages have nothing against this draft, so it is not rewritten."
SUPPORTED = "The earlier draft is kept: the passages do not support this one better."
RATINGS = ("1", "2", "3", "4", "5")
_RATE = (
    "Question:\n{question}\n\nAnswer:\n{draft}\n\nHow good is this answer, from 1 (wrong) to 5 (right, complete and "
    "clear)? Reply with the digit."
)
_CRITICISE = "What is wrong or missing in your answer? Name the most important point in one or two sentences."
_REWRITE = "Write the whole answer again, improved by that."


class Options(Budgeted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often the draft is rewritten."""

    rounds: Annotated[int, about("Rounds", ge=1, le=4), "The answer is rewritten at most this many times."] = 3
    feedback_tokens: Annotated[
        int, about("Criticism", ge=16, le=1024, unit="tokens"), "A criticism has at most this number of tokens."
    ] = 80
    good_enough: Annotated[
        float,
        about("Good enough", ge=0, le=1),
        "An answer with this rating, between 0 and 1, or a higher one is not rewritten.",
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
            if number == 0:
                best_rating = value
            elif (yield from _is_better(messages[-1].content, best, best_rating, draft, value, budget, context)):
                best, best_rating = draft, value
            if number == options.rounds or value >= options.good_enough:
                break
            support = context.helpers.support(best.text)
            if support is not None and not support.contradicted:
                step = context.step("verdict", "Compare with the passages", best.text)
                yield step.started
                yield step.finished(SETTLED)
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


def _is_better(
    question: str,
    best: Generated,
    best_rating: float,
    draft: Generated,
    value: float,
    budget: Budget,
    context: AnswerContext,
) -> Generator[Event, None, bool]:
    """Whether a rewriting takes the place of the best draft so far, as a step that says why. Raises Exhausted."""
    step = context.step("verdict", "Compare with the best draft so far", draft.text)
    yield step.started
    why = _why_kept(best.text, draft.text, context)
    if why is None:  # nothing of it can be checked
        why = NO_BETTER
        if value > best_rating:
            preferred = yield from prefers(question, best.text, draft.text, budget, context.inside(step))
            why = "" if preferred else UNDECIDED
    yield step.finished(why or BETTER)
    return not why


def _why_kept(best: str, draft: str, context: AnswerContext) -> str | None:
    """Why the best draft stays, as a sentence: its equations are as right, or the passages support it as well. "" where
    the rewriting is better by that, None where there is nothing to check or no difference in equations."""
    before, after = wrong_equations(best), wrong_equations(draft)
    if before < after:
        return CALCULATED
    old, new = context.helpers.support(best), context.helpers.support(draft)
    if old is not None and new is not None:
        better = old.contradicted and not new.contradicted and new.score > old.score
        return "" if better else SUPPORTED
    return "" if before > after else None


def _rate(question: str, draft: Generated, number: int, budget: Budget) -> Generator[Event, None, float]:
    text = _RATE.format(question=question, draft=draft.text)
    ask = ScoreAsk(messages=(Message("user", text),), continuations=RATINGS, title=f"Rate draft {number + 1}")
    (scores,) = yield from budget.score((ask,), rating)
    return rating(scores)
