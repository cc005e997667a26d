"""A contract for import-linter: a package may import these modules only."""

from __future__ import annotations

import fnmatch
from typing import Any

from importlinter import Contract, ContractCheck, fields, output


class Only(Contract):  # type: ignore[misc]
    """``source`` and all below it import of the packages ``roots`` what is ``allowed`` only.

    These are dotted names; ``*`` stands for one part of a name, ``**`` at the end for any number of them.
    """

    source = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())
    roots = fields.ListField(subfield=fields.StringField())

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        broken = [
            (module, other)
            for module in sorted(graph.find_descendants(self.source) | {self.source})
            for other in sorted(graph.find_modules_directly_imported_by(module))
            if other.split(".")[0] in self.roots and not any(_fits(other, one) for one in self.allowed)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for module, other in check.metadata["broken"]:
            output.print_error(f"{module} imports {other}", bold=False)


def _fits(name: str, pattern: str) -> bool:
    parts, wanted = name.split("."), pattern.split(".")
    if wanted[-1] == "**":
        wanted = wanted[:-1]
        parts = parts[: len(wanted)]
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


class ImportedBy(Contract):  # type: ignore[misc]
    """The external ``packages`` are imported by the modules ``by`` only, named as in ``Only``."""

    packages = fields.ListField(subfield=fields.StringField())
    by = fields.ListField(subfield=fields.StringField())

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        broken = [
            (module, package)
            for package in self.packages
            if package in graph.modules
            for module in sorted(graph.find_modules_that_directly_import(package))
            if not any(_fits(module, one) for one in self.by)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for module, package in check.metadata["broken"]:
            output.print_error(f"{module} imports {package}", bold=False)
