"""Rows of the agents' methods.

To add one, put its module beside this one and its row into the table: docs/adding-a-technique.md.
"""

from __future__ import annotations

from workbench.records.methods import Method

METHODS: tuple[Method, ...] = ()
