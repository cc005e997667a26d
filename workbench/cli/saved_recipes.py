"""``workbench recipes``: the recipes that are saved in the home."""

from __future__ import annotations

import argparse
from typing import Any

from workbench.cli.arguments import Commands, one_sentence
from workbench.cli.call_arguments import add_call
from workbench.cli.output import listing
from workbench.cli.session import Events, Session
from workbench.cli.trash import NEXT
from workbench.subjects.recipes.calls import RemoveRecipe


def add_commands(commands: Commands) -> None:
    group = commands.group("recipes", "the recipes that are saved in the data folder")
    shown = listing("recipes", "No saved recipes.", {"NAME": "name", "FILE": "path"})
    group.command("list", "list the saved recipes", list_recipes, shown)
    removed = one_sentence(lambda result: f"{result['title']} was deleted. {NEXT.format(item=result['id'])}")
    add_call(group, "remove", "move a saved recipe to the trash", RemoveRecipe, removed, recipe="NAME")


def list_recipes(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    yield from ()
    files = sorted(session.home.recipes.glob("*.toml"))
    return {"recipes": [{"name": file.stem, "path": str(file)} for file in files]}
