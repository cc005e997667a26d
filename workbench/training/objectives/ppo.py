"""PPO: a value of each token is learnt, and updates are clipped (Schulman et al. 2017, arXiv:1707.06347; for language
models Ouyang et al. 2022, arXiv:2203.02155)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from workbench.base.fields import about
from workbench.records.methods import Method
from workbench.records.training import ChartSpec, MetricSpec
from workbench.training.experience.options import PolicyOptions
from workbench.training.objectives.objective import FROM_REWARDS
from workbench.training.objectives.policy import Policy
from workbench.training.trl_trainer import TrlTrainer, not_in_trl

if TYPE_CHECKING:
    from workbench.training.experience.policy_loss import StepTensors


class PpoOptions(PolicyOptions, frozen=True, kw_only=True):
    """Settings of PPO."""

    answers: Annotated[
        int, about("Answers per prompt", ge=1, le=64), "Each prompt of a step gets this number of sampled answers."
    ] = 1
    gae_lambda: Annotated[
        float,
        about("GAE lambda", ge=0, le=1, advanced=True),
        "At 1 the advantage comes from whole answers, and at 0 from the value of the next token.",
    ] = 0.95
    value_weight: Annotated[
        float, about("Value weight", ge=0, le=10, advanced=True), "The loss of the value is weighted by this number."
    ] = 0.1
    value_clip: Annotated[
        float,
        about("Value clip", gt=0, le=10, advanced=True),
        "A value may move by this much in the updates of a step.",
    ] = 0.2


class Ppo(Policy):
    title: ClassVar[str] = "PPO"
    valued: ClassVar[bool] = True
    charts: ClassVar[tuple[ChartSpec, ...]] = (
        *Policy.charts,
        ChartSpec(name="value_loss", title="Value loss", help="The squared error of the predicted reward."),
    )
    options: PpoOptions

    def __init__(self, options: PpoOptions | None = None) -> None:
        super().__init__(options or PpoOptions())
        self.metrics = (  # type: ignore[misc]  # as in the class before
            *self.metrics,
            MetricSpec(name="value_loss", title="Value loss", better="lower", chart="value_loss", drawn="smooth"),
        )
        self.value_weight, self.value_clip = self.options.value_weight, self.options.value_clip

    def trl(self) -> TrlTrainer:
        raise not_in_trl(self.title)

    def advantages(self, step: StepTensors) -> tuple[Any, Any]:
        from workbench.training.policy_losses import gae, k1, whiten

        rewards = -step.beta * k1(step.policy, step.reference) * step.mask
        last = step.mask.sum(dim=1) - 1
        rewards[range(len(rewards)), last] += step.rewards
        advantages, returns = gae(rewards, step.values, step.mask, lam=self.options.gae_lambda)
        return whiten(advantages, step.counted), returns


ROW = Method(
    name="ppo",
    kind="objective",
    technique="preference",
    title="PPO",
    family=FROM_REWARDS,
    summary="The model answers prompts and learns from the rewards of its answers, with a learnt value of each token. "
    "One answer to a prompt is enough, and a second network has to be learnt.",
    source="Schulman et al. 2017, Proximal Policy Optimization Algorithms, arXiv:1707.06347",
    config=PpoOptions,
    entry=f"{__name__}:Ppo",
    served="The method of the weights decides what the result is.",
    cost="Each step samples answers, computes them twice, and once more for each update.",
)
