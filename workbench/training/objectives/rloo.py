"""RLOO: an answer's reward against the mean of the prompt's other answers (Ahmadian et al. 2024, arXiv:2402.14740)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from workbench.records.methods import Method
from workbench.training.experience.options import PolicyOptions
from workbench.training.objectives.objective import FROM_REWARDS
from workbench.training.objectives.policy import Policy, of_tokens
from workbench.training.trl_trainer import TrlTrainer, with_arguments

if TYPE_CHECKING:
    from workbench.training.experience.policy_loss import StepTensors


class RlooOptions(PolicyOptions, frozen=True, kw_only=True):
    """Settings of RLOO."""


class Rloo(Policy):
    """The divergence is part of the reward. All tokens of an answer share its advantage."""

    title: ClassVar[str] = "RLOO"
    fewest_answers: ClassVar[int] = 2
    options: RlooOptions

    def trl(self) -> TrlTrainer:
        found = with_arguments(super().trl(), "RLOOTrainer")
        note = "RLOO's ratio is that of a whole answer, not of each token."
        return msgspec.structs.replace(found, notes=(*found.notes, note))

    def advantages(self, step: StepTensors) -> tuple[Any, Any]:
        from workbench.training.policy_losses import leave_one_out

        found = of_tokens(leave_one_out(step.rewards - step.beta * step.divergence, step.group), step)
        return found, found * 0


ROW = Method(
    name="rloo",
    kind="objective",
    technique="preference",
    title="RLOO",
    family=FROM_REWARDS,
    summary="The model gives several answers to each prompt, and each one is rewarded against the mean of the "
    "others. It "
    "is the simplest of these methods, since an answer counts as a whole.",
    source="Ahmadian et al. 2024, Back to Basics: Revisiting REINFORCE-Style Optimization, arXiv:2402.14740",
    config=RlooOptions,
    entry=f"{__name__}:Rloo",
    served="The method of the weights decides what the result is.",
    cost="It costs as much as GRPO.",
)
