"""The diagnosis of the program on this machine: facts by section, and what is wrong. Holds nothing private."""

from __future__ import annotations

import msgspec

from workbench.base.catalogue import Shown

ENGINE, LIBRARY, VARIANT = "Engine", "llama.cpp", "processor library"
"""Titles of the section on the engine, and of its facts on llama.cpp's build and variant."""
DOCUMENTS, RECOGNITION, OFFICE = "Documents", "text recognition", "LibreOffice"
"""Titles of the section on reading documents, and of its facts on what recognises text and converts old formats."""
NO_PACK: Shown = "No runtime pack is in use: {reason}"
"""The problem that repeats why the processor was chosen."""


class Fact(msgspec.Struct, frozen=True):
    name: str
    value: str


class Section(msgspec.Struct, frozen=True):
    title: str
    facts: tuple[Fact, ...]


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """``problems`` are sentences on what does not work, each with what to do."""

    sections: tuple[Section, ...] = ()
    problems: tuple[Shown, ...] = ()

    def __add__(self, other: Diagnosis) -> Diagnosis:
        return Diagnosis(sections=self.sections + other.sections, problems=self.problems + other.problems)

    def fact(self, section: str, name: str) -> str:
        """The value of a fact; "" where it is not known."""
        known = (fact for one in self.sections if one.title == section for fact in one.facts)
        return next((fact.value for fact in known if fact.name == name), "")

    def text(self) -> str:
        """As plain text, for a terminal or a report."""
        lines = []
        for section in self.sections:
            lines += ["", section.title]
            width = max((len(fact.name) for fact in section.facts), default=0)
            lines += [f"  {fact.name:{width}}  {fact.value}".rstrip() for fact in section.facts]
        lines += [
            "",
            *(("Problems", *(f"  - {one}" for one in self.problems)) if self.problems else ("No problem was found.",)),
        ]
        return "\n".join(lines).strip("\n") + "\n"
