"""What a collection offers a person to do with it, in words, for window and terminal alike."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.base.counting import counted
from workbench.records.documents import Collection

MULTILINGUAL = "multilingual-e5-small"
"""The embedding model for about a hundred languages."""


class Offer(msgspec.Struct, frozen=True):
    """``text`` says what is amiss, ``action`` what can be done about it, as the words of a button."""

    kind: Literal["read_again", "languages"]
    text: str
    action: str


def offers(collection: Collection) -> tuple[Offer, ...]:
    """What can be bettered in a collection; nothing for most."""
    found: list[Offer] = []
    if collection.unknown_languages:
        named = " and ".join(collection.unknown_languages[-2:])
        named = ", ".join((*collection.unknown_languages[:-2], named))
        text = f"The embedding model of this collection knows {named} badly, so that less is found there."
        found.append(Offer("languages", text, f"Embed with {MULTILINGUAL}"))
    if collection.outdated:
        were = "was" if collection.outdated == 1 else "were"
        text = (
            f"{counted(collection.outdated, 'document')} {were} read by an earlier version of the program, which took "
            "less from files: tables, names, headings or pictures are missing."
        )
        found.append(Offer("read_again", text, "Read again for what is missing"))
    return tuple(found)
