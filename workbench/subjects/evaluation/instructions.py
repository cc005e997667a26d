"""Instructions of IFEval: reading those of a row, and which of them an answer follows, strictly or loosely."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, get_type_hints

import msgspec

from workbench.base.errors import UserError
from workbench.records.evaluation import Instruction
from workbench.subjects.evaluation.instruction_checks import CHECKS
from workbench.text.language import known_languages

LONGEST_ANSWER = 100_000
"""Characters of an answer that is checked."""
_MOST_INSTRUCTIONS = 50

Reading = Literal["strict", "loose"]


def read_instructions(names: Any, settings: Any) -> tuple[Instruction, ...]:
    """The instructions of a published row: its ``instruction_id_list`` and ``kwargs``, in which settings of other
    instructions are null. Raises ValueError that names what is unknown, missing or out of range."""
    if not isinstance(names, list | tuple) or not isinstance(settings, list | tuple) or len(names) != len(settings):
        raise ValueError("instruction_id_list and kwargs are not lists of one length")
    if not 1 <= len(names) <= _MOST_INSTRUCTIONS:
        raise ValueError(f"it has {len(names)} instructions; from 1 to {_MOST_INSTRUCTIONS} can be checked")
    return tuple(_read(str(name), given) for name, given in zip(names, settings, strict=True))


def followed(instructions: Sequence[Instruction], text: str, reading: Reading) -> list[bool]:
    """Which instructions a text follows. ``loose``: as it is, or without its first line, its last one, both, or the
    asterisks, in all eight combinations (Zhou et al. 2023, section 3). An empty text follows none. Raises UserError for
    a text that is too long, and for an instruction that is not known."""
    if len(text) > LONGEST_ANSWER:
        raise UserError(f"The answer is longer than the {LONGEST_ANSWER:,} characters that are checked.")
    variants = [one for one in (loose_variants(text) if reading == "loose" else (text,)) if one.strip()]
    found = []
    for one in instructions:
        check = CHECKS.get(one.name)
        if check is None:
            raise UserError(f"There is no instruction {one.name!r}.")
        found.append(any(check(variant, **one.settings) for variant in variants))
    return found


def loose_variants(text: str) -> tuple[str, ...]:
    """The eight texts of which one has to follow an instruction."""
    lines = text.split("\n")
    cut = (text, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])))
    return (*cut, *(one.replace("*", "") for one in cut))


def _read(name: str, given: Any) -> Instruction:
    if name not in CHECKS:
        raise ValueError(f"there is no instruction {name[:80]!r}")
    if not isinstance(given, dict):
        raise ValueError(f"the settings of {name} are not an object")
    try:
        present = {key: one for key, one in given.items() if one is not None}
        read = msgspec.convert(present, _settings_of(name), strict=False)  # tables hold whole numbers as 300.0
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error
    settings: dict[str, Any] = msgspec.to_builtins(read)
    language = settings.get("language")
    if language is not None and not known_languages((language,)):
        raise ValueError(f"the language {language[:20]!r} of {name} is not detected by this program")
    return Instruction(name=name, settings=settings)


@cache
def _settings_of(name: str) -> type[msgspec.Struct]:
    """The keyword-only parameters of a check as a type."""
    check = CHECKS[name]
    hints = get_type_hints(check, include_extras=True)
    parameters = inspect.signature(check).parameters.values()
    fields = [(one.name, hints[one.name]) for one in parameters if one.kind is one.KEYWORD_ONLY]
    return msgspec.defstruct(check.__name__, fields, frozen=True, forbid_unknown_fields=True)
