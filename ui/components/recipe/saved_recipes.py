"""The recipes that are saved in the home folder."""

from __future__ import annotations

from pathlib import Path

from ui.bridge import Bridge

MOST_SAVED = 50


def recipe_folder(bridge: Bridge) -> Path | None:
    """Where the home keeps its recipes; None while the core is away."""
    return Path(bridge.status.home) / "recipes" if bridge.status is not None else None


def saved_recipes(bridge: Bridge) -> list[Path]:
    """The files of the recipes that are saved in the home, by their names."""
    folder = recipe_folder(bridge)
    return sorted(folder.glob("*.toml"))[:MOST_SAVED] if folder is not None else []
