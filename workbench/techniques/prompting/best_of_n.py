"""Best of n: several answers are drawn, and the one that a reward model scores highest is the answer.

Stiennon et al. 2020, "Learning to summarize from human feedback" (arXiv:2009.01325). The candidates share the prompt,
which is computed once. The more there are, the more the reward model's own mistakes are found as well (Gao et al. 2022,
arXiv:2210.10760).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import msgspec

from workbench.api.events import Event
from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.engine.inference_calls import Generated
from workbench.records.messages import Message
from workbench.techniques.context import AnswerContext, Ask

LOWEST_TEMPERATURE = 0.7
"""Where the recipe's own is 0, since all candidates would be the same one."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many candidates there are, and which reward model ranks them."""

    candidates: Annotated[
        int, about("Candidates", ge=2, le=32), "This number of answers is drawn, and the best one is given."
    ] = 4
    reward_model: Annotated[
        str, about("Reward model"), "The adapter is a reward model that was trained on this recipe's model."
    ] = ""


def run(messages: tuple[Message, ...], options: Options, context: AnswerContext) -> Generator[Event, None, Generated]:
    """Draw the candidates and score them; of equal scores the first candidate wins."""
    if not options.reward_model:
        raise UserError(
            "No reward model is chosen for best-of-n.", "Choose one, or train one with the objective Reward model."
        )
    context.helpers.reward_model(options.reward_model)  # refused before anything is generated
    decoding = context.decoding
    if decoding.temperature == 0:
        decoding = msgspec.structs.replace(decoding, temperature=LOWEST_TEMPERATURE)
    asks = [
        Ask(messages=messages, title=f"Candidate {number}", decoding=decoding)
        for number in range(1, options.candidates + 1)
    ]
    candidates = yield from context.generate_many(asks)
    scores = yield from context.score_rewards(
        options.reward_model, messages, [one.text for one in candidates], title="Scores of the reward model"
    )
    best = max(range(len(candidates)), key=lambda place: (scores[place], -place))
    return candidates[best]
