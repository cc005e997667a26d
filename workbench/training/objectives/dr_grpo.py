"""Dr. GRPO: GRPO without the two biases of its normalisation (Liu et al. 2025, arXiv:2503.20783)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.records.methods import Method
from workbench.training.experience.options import PolicyOptions
from workbench.training.objectives.objective import FROM_REWARDS
from workbench.training.objectives.policy import Policy, of_tokens
from workbench.training.trl_trainer import TrlTrainer, with_arguments

if TYPE_CHECKING:
    from workbench.training.experience.policy_loss import StepTensors


class DrGrpoOptions(PolicyOptions, frozen=True, kw_only=True):
    """Settings of Dr. GRPO."""


class DrGrpo(Policy):
    """Advantages are not divided by the deviation of a prompt's rewards, which favours prompts of equal ones, and
    losses are divided by a constant, not by the answer's length, which favours long bad answers."""

    title: ClassVar[str] = "Dr. GRPO"
    kl_in_loss: ClassVar[bool] = True
    fewest_answers: ClassVar[int] = 2
    options: DrGrpoOptions

    def trl(self) -> TrlTrainer:
        return with_arguments(super().trl(), "GRPOTrainer", loss_type="dr_grpo", scale_rewards="none")

    def advantages(self, step: StepTensors) -> tuple[Any, Any]:
        from workbench.training.policy_losses import group_advantages

        found = of_tokens(group_advantages(step.rewards, step.group, scaled=False), step)
        return found, found * 0

    def token_weights(self, step: StepTensors) -> Any:
        return step.counted / (len(step.counted) * self.options.max_new_tokens)


ROW = Method(
    name="dr_grpo",
    kind="objective",
    technique="preference",
    title="Dr. GRPO",
    family=FROM_REWARDS,
    summary="This is GRPO without its biases towards prompts of equal rewards and towards long answers. Rewards "
    "are not "
    "divided by their spread, and long answers count by their tokens.",
    source="Liu et al. 2025, Understanding R1-Zero-Like Training: A Critical Perspective, arXiv:2503.20783",
    config=DrGrpoOptions,
    entry=f"{__name__}:DrGrpo",
    served="The method of the weights decides what the result is.",
    cost="It costs as much as GRPO.",
)
