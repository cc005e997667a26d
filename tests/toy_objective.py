"""A training objective as somebody would add one: this module, and its row among the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from workbench.base.fields import about
from workbench.records.methods import Method
from workbench.records.training import ChartSpec, MetricSpec
from workbench.training.objectives.supervised import Supervised, SupervisedOptions


class ToyOptions(SupervisedOptions, frozen=True, kw_only=True):
    strength: Annotated[float, about("Strength", gt=0), "What the loss is multiplied by."] = 2.0


class Toy(Supervised):
    """The supervised loss, scaled; measures the share of wrong tokens and draws it in a chart of its own."""

    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        *Supervised.metrics,
        MetricSpec(name="wrong", title="Wrong tokens", label="wrong", better="lower", form="percent", chart="wrong"),
        MetricSpec(name="evaluation_wrong", title="Wrong held-out tokens", label="held-out wrong", better="lower",
                   form="percent", chart="wrong", drawn="dots", score="wrong"),
    )  # fmt: skip
    charts: ClassVar[tuple[ChartSpec, ...]] = (*Supervised.charts, ChartSpec(name="wrong", title="Wrong tokens"))
    loss_metrics: ClassVar[tuple[str, ...]] = ("wrong",)
    options: ToyOptions

    def make_loss(self, model: Any, sample: Sequence[int], dtype: Any) -> Any:
        plain = super().make_loss(model, sample, dtype)

        def loss(model: Any, rows: Any, apart: bool = False) -> Any:
            found = plain(model, rows, apart)
            wrong = {"wrong": found.tokens - found.right}
            return replace(found, total=self.options.strength * found.total, metrics=wrong)

        return loss


ROW = Method(
    name="toy",
    kind="objective",
    technique="finetuning",
    title="Toy",
    summary="Learn as supervised fine-tuning does, by a loss of another size.",
    source="Nobody 2026, A Toy, arXiv:2601.00001",
    config=ToyOptions,
    entry=f"{__name__}:Toy",
)
