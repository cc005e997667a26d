"""KTO: answers judged good or bad one by one, as by thumbs (Ethayarajh et al. 2024, arXiv:2402.01306)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from workbench.base.errors import UserError
from workbench.base.fields import about
from workbench.records.judgement_reports import Advice, JudgementFacts
from workbench.records.methods import Method
from workbench.records.training import ChartSpec, ColumnRole, MetricSpec
from workbench.records.training.metrics import EVALUATION_LOSS, GENERAL_LOSS, LOSS, TRAINER_CHARTS, TRAINER_METRICS
from workbench.training.data.packed_tokens import WrittenExamples
from workbench.training.data.preparation import LoadedSet
from workbench.training.objectives.objective import FROM_PREFERENCES
from workbench.training.objectives.preferences import FEW_JUDGED, FEWEST_JUDGED, Preferences, measured
from workbench.training.sequences import JUDGED_BAD, TokenSequence, TokenSequences
from workbench.training.trl_trainer import TrlTrainer

if TYPE_CHECKING:
    from workbench.training.losses import ComputeLoss


class KtoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of KTO."""

    beta: Annotated[
        float, about("Beta", gt=0, le=10), "The model stays closer to the reference model at a larger value."
    ] = 0.1
    desirable_weight: Annotated[
        float,
        about("Weight of good answers", gt=0, le=100),
        "A higher weight makes up for few good answers: weight times number should be 1 to 1.33 of that of bad ones.",
    ] = 1.0
    undesirable_weight: Annotated[
        float, about("Weight of bad answers", gt=0, le=100), "A higher weight makes up for few bad answers."
    ] = 1.0


class Kto(Preferences):
    title: ClassVar[str] = "KTO"
    roles: ClassVar[tuple[ColumnRole, ...]] = (
        ColumnRole(name="prompt", title="Prompt", several=True),
        ColumnRole(name="completion", title="Answer"),
        ColumnRole(name="label", title="Good or bad"),
        ColumnRole(name="system", title="Instructions"),
    )
    role_sets: ClassVar[tuple[tuple[str, ...], ...]] = (("prompt", "completion", "label"),)
    loss_metrics: ClassVar[tuple[str, ...]] = ("judged_right", "divergence")
    charts: ClassVar[tuple[ChartSpec, ...]] = (
        ChartSpec(name="loss", title="Loss", help="The mean loss per answer. It is 0.5 at the beginning."),
        ChartSpec(
            name="judged_right",
            title="Agrees with you",
            help="The share of the answers that became more probable where you rated them good, and less where bad.",
        ),
        ChartSpec(
            name="divergence",
            title="KL divergence",
            help="How far the answers have moved from the model before, in nats per answer.",
        ),
        *TRAINER_CHARTS,
    )
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        LOSS, *TRAINER_METRICS, EVALUATION_LOSS,
        *measured("judged_right", "Agrees with you", "The share of the answers whose probability moved the right way.",
                  "judged_right", form="percent"),
        *measured("divergence", "KL divergence", "An estimate over the answers of other prompts.", "divergence"),
        GENERAL_LOSS,
    )  # fmt: skip
    options: KtoOptions

    def advise(self, facts: JudgementFacts) -> Advice:
        good, poor = facts.good, facts.rated - facts.good
        if facts.rated < FEWEST_JUDGED or not good or not poor:
            needs = f"It needs at least {FEWEST_JUDGED} rated answers, good and bad ones"
            return Advice(
                usable=facts.rated,
                fits=False,
                rank=9,
                examples="rated",
                reason=f"{needs}; there are {good:,} and {poor:,}.",
            )
        few = f" With fewer than {FEW_JUDGED} an effect is rarely seen." if facts.rated < FEW_JUDGED else ""
        reason = f"It learns from answers rated one by one, {good:,} good and {poor:,} bad.{few}"
        rank = 0 if facts.rated > 2 * facts.pairs else 5
        return Advice(usable=facts.rated, fits=True, rank=rank, examples="rated", reason=reason)

    def loaded(self, loaded: LoadedSet) -> LoadedSet:
        judged = {example.desirable for example in loaded.examples}
        if None in judged:
            raise UserError(
                "These answers were not rated. Each needs a label that says whether it is good.",
                "Choose a set with the columns prompt, completion and label, or another objective.",
            )
        if len(judged) == 1:
            raise UserError(
                f"All answers were judged {'good' if True in judged else 'bad'}.",
                "Add answers of the other kind, or train the good ones by supervised fine-tuning.",
            )
        return loaded

    def sequences(self, written: WrittenExamples, limit: int) -> TokenSequences:
        found = TokenSequences()
        for one in written:
            found.append(TokenSequence(one.tokens, one.trained, (), JUDGED_BAD if one.undesirable else 0))
        return found

    def trl(self) -> TrlTrainer:
        options = self.options
        return TrlTrainer(
            trainer="KTOTrainer",
            form="judged",
            whole_step=True,
            metrics={"kl": "divergence"},
            arguments={
                "beta": options.beta,
                "desirable_weight": options.desirable_weight,
                "undesirable_weight": options.undesirable_weight,
                "max_length": None,
                "disable_dropout": False,
            },
            notes=("With several processes the divergence is estimated in each by itself.",),
        )

    def make_loss(self, model: Any, sample: Sequence[int], dtype: Any) -> ComputeLoss:
        from workbench.training.answer_losses import JudgedLoss

        return JudgedLoss(model, self.options)


ROW = Method(
    name="kto",
    kind="objective",
    technique="preference",
    title="KTO",
    family=FROM_PREFERENCES,
    summary="The model learns from single answers that were rated good or bad, such as by thumbs.",
    source="Ethayarajh et al. 2024, KTO: Model Alignment as Prospect Theoretic Optimization, arXiv:2402.01306",
    config=KtoOptions,
    entry=f"{__name__}:Kto",
    served="The method of the weights decides what the result is.",
    cost="Each answer takes two more passes without gradient, for the distance to the model before.",
)
