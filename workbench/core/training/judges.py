"""The judges that a training asks: their recipes, looked up, and what was measured of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.answering import Resolved
from workbench.api import events
from workbench.api.calls import JudgePairs, RunRecord
from workbench.core.answers.resolver import HomeServices
from workbench.core.runs.log import read_run
from workbench.core.training.reward_models import reward_lines
from workbench.errors import UserError
from workbench.evaluation.judging.agreement import FEWEST_PAIRS, SAME_PLACE
from workbench.records.capabilities import Capabilities, require
from workbench.records.judging import JudgeReport
from workbench.records.recipes import Recipe, system_text
from workbench.records.training import TrainingConfig
from workbench.rewards.spec import judges_of
from workbench.techniques.registry import METHODS
from workbench.training.protocol import JudgeUse

_HINT = "Choose a judge that answers directly: a model of this machine, adapters and instructions."


@dataclass(frozen=True, eq=False)
class TrainingJudges:
    """Of a home."""

    _services: HomeServices

    def find(self, config: TrainingConfig) -> dict[str, JudgeUse]:
        """The judges that the objective's rewards name, by the names of their recipes. Raises UserError for one that
        there is not, or that cannot judge within a training."""
        found: dict[str, JudgeUse] = {}
        for name in judges_of(reward_lines(config), METHODS):
            resolved = self._resolved(name, config)
            recipe = resolved.recipe
            found[name] = JudgeUse(
                name=name or recipe.model.name,
                path=resolved.model.path,
                adapters=resolved.use.adapters,
                instructions=system_text(recipe.prompting).strip(),
                thinking=resolved.use.thinking,
            )
        return found

    def notes(self, config: TrainingConfig, runs: Iterable[RunRecord], folder: Callable[[str], Path]) -> Sequence[str]:
        """What is known of the judges; ``runs`` are the home's, the latest first, ``folder`` is that of a run. Raises
        UserError with the figures of a judge that was measured and judges no better than chance."""
        judges = judges_of(reward_lines(config), METHODS)
        measured = list(_measured(runs, folder)) if judges else []
        notes = []
        for name in judges:
            recipe = self._resolved(name, config).recipe
            report = next((one for judged, one in measured if _same(self._services, judged, recipe)), None)
            shown = name or recipe.model.name
            if report is None or _is_undecided(report):
                notes.append(
                    f"The judge {shown} has not been measured on {FEWEST_PAIRS} pairs that you judged (Feedback, Let a "
                    "judge judge): what it rewards may not be what you prefer."
                )
            elif not report.accepted:
                raise UserError(
                    f"The judge {shown} may not reward answers. {' '.join(report.reasons)}",
                    f"{report.summary} Choose a larger model as the judge, or another reward.",
                )
            else:
                notes.append(f"The judge {shown} was measured. {report.summary}")
        return notes

    def _resolved(self, name: str, config: TrainingConfig) -> Resolved:
        recipe = self._services.recipe(name) if name else Recipe()
        if not recipe.model.name:
            recipe = msgspec.structs.replace(recipe, model=msgspec.structs.replace(recipe.model, name=config.model))
        if recipe.retrieval is not None or recipe.agent is not None:
            raise UserError(f"The judge {name} searches documents or uses tools, which a training cannot.", _HINT)
        if recipe.prompting.technique != Recipe().prompting.technique:
            title = METHODS.find(recipe.prompting.technique, "technique").title
            raise UserError(f"The judge {name} prompts by {title}, which a training cannot.", _HINT)
        resolved = self._services.resolve(recipe)
        require(Capabilities(token_logprobs=True), self._services.capabilities(resolved), resolved.model.name)
        return resolved


def _measured(runs: Iterable[RunRecord], folder: Callable[[str], Path]) -> Iterator[tuple[Recipe, JudgeReport]]:
    """The judges that were measured, the latest first, also in runs that refused them."""
    for run in runs:
        if run.kind != "judging" or run.unreadable:
            continue
        judged = msgspec.convert(run.config, JudgePairs).recipe
        kept = [one for one in read_run(folder(run.id), 0) if isinstance(one, events.Artifact) and one.kind == "judge"]
        if judged is not None and kept:
            yield judged, msgspec.convert(kept[-1].result, JudgeReport)


def _same(services: HomeServices, judged: Recipe, judge: Recipe) -> bool:
    """Whether two recipes judge alike; ``judge`` is resolved."""
    try:
        resolved = services.resolve(judged).recipe
    except UserError:  # its model or adapter was removed
        return False
    return _what_judges(resolved) == _what_judges(judge)


def _what_judges(recipe: Recipe) -> tuple[object, ...]:
    part = recipe.prompting
    adapters = [(one.name, one.scale) for one in recipe.model.adapters]
    return recipe.model.name, adapters, part.technique, system_text(part), part.thinking, recipe.retrieval, recipe.agent


def _is_undecided(report: JudgeReport) -> bool:
    """Whether a refusal is for too few pairs alone."""
    same_place = max(report.a_share.value, 1 - report.a_share.value) > SAME_PLACE
    return not report.accepted and report.pairs < FEWEST_PAIRS and not same_place
