"""The prompt library as values: entries with versions that never change, and the file in which entries are shared.

A version is named by the hash of its content. So whether a recipe still is what a version holds can be told from the
recipe alone, without the library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.base.fields import fields_of
from workbench.base.finding import holds
from workbench.base.naming import checked_name
from workbench.base.stored import Stored
from workbench.records.recipes import PromptingPart, PromptKind, PromptSource, variables_of

LONGEST_NAME, LONGEST_TAG, LONGEST_NOTE = 80, 40, 2_000
MOST_TAGS, MOST_VERSIONS, MOST_IMPORTED = 20, 10_000, 1_000
LARGEST_CONTENT = 1 << 20
"""Bytes of a version's content as JSON."""
LARGEST_FILE = 64 << 20
"""Bytes of a file of prompts."""

FIELDS: dict[PromptKind, tuple[str, ...]] = {
    "prompt": (
        "instructions", "context", "input", "output", "variables",
        "examples", "example_choice", "example_count", "example_rows", "example_order",
    ),
    "reasoning": ("technique", "options", "thinking"),
}  # fmt: skip
"""The fields of a prompting part that a version holds; all others are at their default in it."""

PROMPT = Stored("prompt", PromptingPart)
"""A version's content. A change of the recipe's format that concerns the prompting part needs an upgrade here too."""
TAGS = Stored("tags of a prompt", tuple[str, ...])

_DEFAULT = PromptingPart()
_SHORTEST_PREFIX, _LONGEST_NUMBER = 6, 5


class PromptVersion(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` counts from 1 in the order of saving. ``unreadable`` says why the content cannot be read; then it is
    empty."""

    number: int
    hash: str
    created: float
    note: str = ""
    content: PromptingPart = PromptingPart()
    unreadable: Shown = ""


class PromptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the library with its latest version."""

    id: str
    name: str
    kind: PromptKind
    created: float
    head: PromptVersion
    tags: tuple[str, ...] = ()
    unreadable: Shown = ""


class SharedVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    content: PromptingPart
    hash: str
    created: float = 0.0
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""


class SharedPrompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    kind: PromptKind
    versions: Annotated[tuple[SharedVersion, ...], Meta(min_length=1, max_length=MOST_VERSIONS)]
    tags: tuple[str, ...] = ()


class PromptFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries of a library with all their versions, the oldest first."""

    prompts: Annotated[tuple[SharedPrompt, ...], Meta(max_length=MOST_IMPORTED)]


PROMPT_FILE = Stored("file of prompts", PromptFile)


# -- content ----------------------------------------------------------------------------------------


def content_of(part: PromptingPart, kind: PromptKind) -> PromptingPart:
    """The content of a version of this kind, taken from a part."""
    return msgspec.structs.replace(_DEFAULT, **{name: getattr(part, name) for name in FIELDS[kind]})


def content_hash(part: PromptingPart, kind: PromptKind) -> str:
    """SHA-256 of the kind and of the fields that are not at their default, as 64 hexadecimal digits. A field that is
    added later, with a default that changes nothing, changes no hash."""
    plain, default = msgspec.to_builtins(part), msgspec.to_builtins(_DEFAULT)
    said = {name: plain[name] for name in FIELDS[kind] if plain[name] != default[name]}
    return sha256(msgspec.json.encode([kind, said], order="deterministic")).hexdigest()


def source_of(record: PromptRecord, version: PromptVersion) -> PromptSource:
    return PromptSource(kind=record.kind, name=record.name, version=version.number, hash=version.hash)


def with_version(part: PromptingPart, content: PromptingPart, source: PromptSource) -> PromptingPart:
    """The part with a version of the library in place of its fields of that kind."""
    fields = {name: getattr(content, name) for name in FIELDS[source.kind]}
    others = (one for one in part.sources if one.kind != source.kind)
    return msgspec.structs.replace(part, **fields, sources=(*others, source))


def is_unchanged(part: PromptingPart, source: PromptSource) -> bool:
    """Whether the part still is what that version holds."""
    return content_hash(part, source.kind) == source.hash


def with_true_sources(part: PromptingPart) -> PromptingPart:
    """The part without the sources that it was changed since."""
    return msgspec.structs.replace(part, sources=tuple(one for one in part.sources if is_unchanged(part, one)))


OPTIONS: Shown = "Options"


def described(content: PromptingPart, kind: PromptKind) -> dict[str, str]:
    """The fields that say something, as texts by their titles. A reasoning preset always names its technique."""
    fields = {field.name: field for field in fields_of(PromptingPart)}
    shown: dict[str, str] = {}
    for name in FIELDS[kind]:
        value = getattr(content, name)
        if name == "options":
            lines = (f"{option.replace('_', ' ').capitalize()}: {_text(one)}" for option, one in value.items())
            shown |= {OPTIONS: "\n".join(lines)} if value else {}
        elif value != getattr(_DEFAULT, name) or name == "technique":
            shown[fields[name].title] = _text(value)
    return shown


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "\n".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


# -- names and versions ------------------------------------------------------------------------------


def prompt_name(name: str) -> str:
    """The name as it is stored. Raises UserError. It may not hold @, which precedes a version."""
    return checked_name(name, "a prompt", LONGEST_NAME, "@")


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, whatever its case. Raises UserError."""
    found = {wanted.casefold(): wanted for tag in tags if (wanted := " ".join(tag.split()))}
    for tag in found.values():
        if len(tag) > LONGEST_TAG or not tag.isprintable() or "," in tag:
            raise UserError(f"{tag!r} is not a valid tag.", f"Use 1 to {LONGEST_TAG} characters without a comma.")
    if len(found) > MOST_TAGS:
        raise UserError(f"A prompt has at most {MOST_TAGS} tags, not {len(found)}.")
    return tuple(found.values())


def check_content(content: PromptingPart, kind: PromptKind) -> None:
    """Raises UserError for an empty prompt, variables that are none, and a content that is too large."""
    if kind == "prompt" and content == _DEFAULT:
        raise UserError("The prompt is empty.", "Write instructions or another of its parts first.")
    variables_of(content)
    if len(PROMPT.encode(content)) > LARGEST_CONTENT:
        raise UserError("The prompt is too long for the library.", "Shorten it to 1 MB.")


def split_version(text: str) -> tuple[str, str]:
    """``NAME@VERSION`` as name and version; "" for the latest one."""
    name, _, version = text.partition("@")
    return name.strip(), version.strip()


def find_version(name: str, versions: Sequence[PromptVersion], wanted: str) -> PromptVersion:
    """A version by its number or the beginning of its hash, of ``versions`` from the latest to the first; "": the
    latest. Of several with the same content it is the latest. Raises UserError."""
    wanted = wanted.strip().lower()
    if not wanted:
        return versions[0]
    is_number = wanted.isdecimal() and len(wanted) <= _LONGEST_NUMBER
    found = [
        one for one in versions if (one.number == int(wanted) if is_number else one.hash.startswith(wanted))
    ]  # fmt: skip
    if (not is_number and len(wanted) < _SHORTEST_PREFIX) or not found:
        raise UserError(
            f"There is no version {wanted!r} of {name!r}.",
            f"Give a number from 1 to {versions[0].number:,}, or at least {_SHORTEST_PREFIX} digits of a hash.",
        )
    if len({one.hash for one in found}) > 1:
        raise UserError(f"The hashes of several versions of {name!r} begin with {wanted}.", "Give more digits.")
    return found[0]


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, with a number where it is taken: ``Letter 2``."""
    others = {one.casefold() for one in taken}
    base = re.sub(r" \d+$", "", name)
    wanted, number = name, 2
    while wanted.casefold() in others:
        ending = f" {number}"
        wanted, number = f"{base[: LONGEST_NAME - len(ending)].rstrip()}{ending}", number + 1
    return wanted


def found_prompts(records: Iterable[PromptRecord], search: str = "", tag: str = "") -> tuple[PromptRecord, ...]:
    """The entries with this tag whose name, tags, note or texts hold each word of ``search``."""

    def means(one: PromptRecord) -> bool:
        tagged = not tag or tag.casefold() in map(str.casefold, one.tags)
        texts = described(one.head.content, one.kind).values()
        return tagged and holds(search, one.name, *one.tags, one.head.note, *texts)

    return tuple(filter(means, records))
