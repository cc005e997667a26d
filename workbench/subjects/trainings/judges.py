"""The judges that a training asks: their recipes, looked up, and what was measured of them.

The reward models that a training asks: their files, checked against the model that is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workbench.api import events
from workbench.base.errors import UserError
from workbench.gguf.adapter_files import check_adapter, resolve_adapter
from workbench.records.capabilities import Capabilities, require
from workbench.records.judging import JudgeReport
from workbench.records.recipes import Recipe, system_text
from workbench.records.training import TrainingConfig
from workbench.rewards.spec import judges_of, reward_models_of
from workbench.subjects.adapters.store import AdapterStore
from workbench.subjects.answering.request import Resolved
from workbench.subjects.answering.resolver import HomeServices
from workbench.subjects.judgements.calls import JudgePairs
from workbench.subjects.judgements.judging.agreement import FEWEST_PAIRS, SAME_PLACE
from workbench.subjects.runs.calls import RunRecord
from workbench.subjects.runs.log import read_run
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
                    f"The judge {shown} has not been measured on {FEWEST_PAIRS} pairs that you compared (Adapt · "
                    "Preferences, Let a judge compare). What it rewards may not be what you prefer."
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


REWARDS = "rewards"
"""The option of an objective that holds rewards, one per line."""


def reward_lines(config: TrainingConfig) -> tuple[str, ...]:
    """The rewards of a training's objective, () where it has none."""
    lines = config.objective.options.get(REWARDS, ())
    return tuple(map(str, lines)) if isinstance(lines, list | tuple) else ()


def reward_model_files(config: TrainingConfig, model: Path, store: AdapterStore, adapters: Path) -> dict[str, str]:
    """The GGUF files of the reward models that the objective's rewards name. Raises UserError for one that there is
    not, that failed its verification, or that was trained on another model."""
    found: dict[str, str] = {}
    for name in reward_models_of(reward_lines(config), METHODS):
        card = store.find(name) if Path(name).name == name else None
        if card is not None and not card.usable:
            raise UserError(f"The reward model {name} cannot be used: {card.note}", "Choose another one.")
        path = resolve_adapter(name, adapters)
        if check_adapter(path, model).kind != "reward":
            raise UserError(
                f"The adapter {name} is not a reward model.", "Choose one that was trained with the objective reward."
            )
        found[name] = str(path)
    return found
