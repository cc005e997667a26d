"""What work will cost at endpoints, before it is started."""

from __future__ import annotations

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.base.counting import counted
from workbench.subjects.datasets.calls import BuildData
from workbench.subjects.evaluation.calls import Evaluate
from workbench.subjects.judgements.calls import JudgePairs, MakeCandidates

Costly = Evaluate | JudgePairs | MakeCandidates | BuildData


class CostEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What work will ask of one endpoint: so many ``requests``, with tokens that are estimated by the length of texts
    and by the maximum length of answers. ``cost`` is in the currency of its prices, 0 where none are given; ``left`` is
    what is left of its budget, None without one."""

    model: str
    host: str
    requests: int
    prompt_tokens: int
    new_tokens: int
    cost: float = 0.0
    priced: bool = False
    left: float | None = None

    def describe(self) -> Shown:
        """One sentence, or two."""
        said = f"Up to {counted(self.requests, 'request')} to {self.host}"
        if not self.priced:
            return f"{said} ({self.model}), for which no price is given."
        said = f"{said} ({self.model}) will cost up to about {self.cost:.4f}."
        if self.left is None:
            return f"{said} There is no budget."
        if self.cost > self.left:
            return f"{said} Only {self.left:.4f} of the budget is left: the work stops there, and can be resumed."
        return f"{said} {self.left:.4f} of the budget is left."


class CostEstimates(msgspec.Struct, frozen=True, kw_only=True):
    """One for each endpoint; () where all is computed on this machine."""

    estimates: tuple[CostEstimate, ...] = ()


class EstimateCost(Call[CostEstimates], frozen=True, kw_only=True, tag="endpoints.cost"):
    """What the call ``of`` would cost. Nothing is asked of any model. Raises UserError as that call does."""

    of: Costly
