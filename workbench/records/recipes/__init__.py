"""Recipe: a frozen value that says completely how an answer is made.

A recipe is a TOML file (``schema = 5``) that a person can read, edit, share and save. Parts that are absent
are ``None``. Every stored answer keeps its recipe *resolved*: defaults filled in, hashes, seed, engine build and
collection revision, so that it can be made again or the difference named.
"""

from __future__ import annotations

from workbench.records.recipes.agent import *
from workbench.records.recipes.composition import *
from workbench.records.recipes.decoding import *
from workbench.records.recipes.effects import *
from workbench.records.recipes.parts import *
from workbench.records.recipes.prompt_parts import *
from workbench.records.recipes.recipe import *
