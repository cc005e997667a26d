"""GRPO: the answers to a prompt are compared with each other, in place of a value (Shao et al. 2024,
arXiv:2402.03300)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from workbench.base.fields import about
from workbench.records.methods import Method
from workbench.training.experience.options import PolicyOptions
from workbench.training.objectives.objective import FROM_REWARDS
from workbench.training.objectives.policy import Policy, of_tokens
from workbench.training.trl_trainer import TrlTrainer, with_arguments

if TYPE_CHECKING:
    from workbench.training.experience.policy_loss import StepTensors


class GrpoOptions(PolicyOptions, frozen=True, kw_only=True):
    """Settings of GRPO."""

    mean_over: Annotated[
        Literal["answers", "tokens"],
        about("Mean over"),
        "The mean of the loss counts each answer the same, or each token, as in DAPO.",
    ] = "answers"
    clip_above: Annotated[
        float,
        about("Clip range above", ge=0, lt=10, advanced=True),
        "An update may raise a token's probability by this share; at 0, by as much as it may lower it. DAPO takes "
        "0.28.",
    ] = 0.0


class Grpo(Policy):
    title: ClassVar[str] = "GRPO"
    kl_in_loss: ClassVar[bool] = True
    fewest_answers: ClassVar[int] = 2
    options: GrpoOptions

    def __init__(self, options: GrpoOptions | None = None) -> None:
        super().__init__(options or GrpoOptions())

    @property
    def clip_above(self) -> float:
        return self.options.clip_above or self.options.clip

    def trl(self) -> TrlTrainer:
        loss = "dapo" if self.options.mean_over == "tokens" else "grpo"
        return with_arguments(super().trl(), "GRPOTrainer", loss_type=loss, epsilon_high=self.clip_above)

    def advantages(self, step: StepTensors) -> tuple[Any, Any]:
        from workbench.training.policy_losses import group_advantages

        found = of_tokens(group_advantages(step.rewards, step.group), step)
        return found, found * 0

    def token_weights(self, step: StepTensors) -> Any:
        if self.options.mean_over == "tokens":
            return super().token_weights(step)
        lengths = step.counted.sum(dim=1, keepdim=True)
        return step.counted / lengths.clamp(min=1) / (lengths > 0).sum().clamp(min=1)


ROW = Method(
    name="grpo",
    kind="objective",
    technique="preference",
    title="GRPO",
    family=FROM_REWARDS,
    summary="The model gives several answers to each prompt and learns from their rewards, which are compared with "
    "each "
    "other. No second network has to be learnt.",
    source="Shao et al. 2024, DeepSeekMath, arXiv:2402.03300",
    config=GrpoOptions,
    entry=f"{__name__}:Grpo",
    served="The method of the weights decides what the result is.",
    cost="Each step samples answers, computes them twice, and once more for each update.",
)
