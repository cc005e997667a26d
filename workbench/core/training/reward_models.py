"""The reward models that a training asks: their files, checked against the model that is trained."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import UserError
from workbench.gguf.adapter_files import check_adapter, resolve_adapter
from workbench.records.training import TrainingConfig
from workbench.rewards.spec import reward_models_of
from workbench.storage.adapters import AdapterStore
from workbench.techniques.registry import METHODS

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
