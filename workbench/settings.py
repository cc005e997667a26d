"""Typed settings of a home folder: default, unit, range and help of each in one place.

The settings page, ``workbench settings`` and the docs are generated from these types. They are kept in
``settings.toml``; only what differs from the default is written.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from msgspec import Meta

from workbench.durability import flush_to_disk
from workbench.records.stored import Stored, Unreadable, explained


class General(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the program looks and what it may do."""

    theme: Annotated[
        Literal["system", "light", "dark"],
        Meta(title="Theme", description="Light or dark window, or whatever the system uses."),
    ] = "system"
    text_size: Annotated[
        int,
        Meta(ge=12, le=24, title="Reading text", description="Size of conversation text.", extra={"unit": "px"}),
    ] = 15
    offline: Annotated[
        bool,
        Meta(
            title="Offline",
            description="Nothing leaves this machine. Everything but downloading models works offline.",
        ),
    ] = True


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How llama.cpp runs a model. A change takes effect when the model is next loaded."""

    context_tokens: Annotated[
        int,
        Meta(
            ge=0,
            le=1_048_576,
            title="Context length",
            description="How much text the model can see at once. 0 takes what the model was made for, "
            "at most 8,192, as far as memory allows.",
            extra={"unit": "tokens"},
        ),
    ] = 0
    gpu_layers: Annotated[
        int,
        Meta(
            ge=-1,
            le=10_000,
            title="Layers on the GPU",
            description="How many of the model's layers the GPU computes. -1 takes as many as fit; 0 takes none.",
            extra={"unit": "layers"},
        ),
    ] = -1
    threads: Annotated[
        int,
        Meta(
            ge=0,
            le=256,
            title="Processor threads",
            description="0 takes one for each physical core.",
            extra={"unit": "threads"},
        ),
    ] = 0
    flash_attention: Annotated[
        Literal["auto", "on", "off"],
        Meta(
            title="Flash attention",
            description="A way to compute attention that needs less memory and is mostly faster. Without a GPU, "
            "several answers at once to a long text may come faster when it is off.",
            extra={"advanced": True},
        ),
    ] = "auto"
    kv_type: Annotated[
        Literal["f16", "f32", "q8_0"],
        Meta(
            title="Cache precision",
            description="How the model's memory of the conversation is stored. q8_0 halves its size at a small "
            "loss and needs flash attention.",
            extra={"advanced": True},
        ),
    ] = "f16"
    split_mode: Annotated[
        Literal["layer", "row", "none"],
        Meta(
            title="Several GPUs",
            description="How a model is spread over several GPUs: whole layers, rows of each layer (some kinds of GPU "
            "only), or not at all.",
            extra={"advanced": True},
        ),
    ] = "layer"
    tensor_split: Annotated[
        str,
        Meta(
            pattern=r"^\s*(\d+(\.\d+)?\s*(,\s*\d+(\.\d+)?\s*)*)?$",
            max_length=200,
            title="Share of each GPU",
            description='Numbers with commas between, such as "3,1": the first GPU gets three quarters. Empty shares '
            "by free memory.",
            extra={"advanced": True},
        ),
    ] = ""
    main_gpu: Annotated[
        int,
        Meta(
            ge=0,
            le=15,
            title="Main GPU",
            description="Which GPU has the model when it is not spread over several, counted from 0.",
            extra={"advanced": True},
        ),
    ] = 0
    deterministic: Annotated[
        bool,
        Meta(
            title="Same answer every time",
            description="The same question, recipe and seed give the same words whatever else is being computed. "
            "Answers are then computed one at a time, about 1.4 to 1.8 times slower on a processor, and need more "
            "memory.",
            extra={"advanced": True},
        ),
    ] = False
    prefix_cache_mb: Annotated[
        int,
        Meta(
            ge=0,
            le=65_536,
            title="Memory for earlier chats",
            description="How much memory may keep what was computed of recent conversations, so that going back to "
            "one is quick. 0 keeps none outside the model's own memory.",
            extra={"unit": "MB", "advanced": True},
        ),
    ] = 512

    @property
    def gpu_shares(self) -> tuple[float, ...]:
        """``tensor_split`` as numbers."""
        return tuple(float(share) for share in self.tensor_split.split(",") if share.strip())


class DocumentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How documents are read."""

    read_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            title="Time for a file",
            description="A file that takes longer to read is given up, with that reason.",
            extra={"unit": "s"},
        ),
    ] = 15
    read_memory_mb: Annotated[
        int,
        Meta(
            ge=128,
            le=65_536,
            title="Memory for a file",
            description="A file that needs more memory to read is given up, with that reason.",
            extra={"unit": "MB"},
        ),
    ] = 900
    largest_file_mb: Annotated[
        int,
        Meta(
            ge=1,
            le=10_240,
            title="Largest file",
            description="Larger files are not read.",
            extra={"unit": "MB"},
        ),
    ] = 200


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a home folder, by section. ``problems`` say what of their file cannot be read: that is at its
    default here, and stays in the file."""

    general: General = General()
    engine: EngineSettings = EngineSettings()
    documents: DocumentSettings = DocumentSettings()
    problems: tuple[str, ...] = ()


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "general": General,
    "engine": EngineSettings,
    "documents": DocumentSettings,
}


SETTINGS: Stored[dict[str, Any]] = Stored("settings file", dict[str, Any])


def load_settings(path: Path) -> Settings:
    """The settings in ``path``; defaults for what is not there and for what cannot be read."""
    data = _read(path)
    if isinstance(data, Unreadable):
        return Settings(problems=(f"{data.reason} All settings are at their defaults until it can be read.",))
    sections: dict[str, Any] = {}
    problems = []
    for section, name, value in _entries(data):
        kind = SECTIONS.get(section)
        try:
            if kind is None:
                raise msgspec.ValidationError("there is no section of that name")
            read = getattr(msgspec.convert({name: value}, kind), name)
            sections[section] = msgspec.structs.replace(sections.get(section, kind()), **{name: read})
        except msgspec.ValidationError as error:
            problems.append(f"The setting {section}.{name} in {path} is not used: {explained(error)}.")
    return Settings(**sections, problems=tuple(problems))


def save_settings(path: Path, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """Write changed fields, by section; those at their default go from the file, all else stays in it. The old file
    stays whole until the new one is. Raises UserError where the file cannot be read."""
    data = _read(path)
    if isinstance(data, Unreadable):
        raise data.error()
    for section, fields in changed.items():
        default = msgspec.to_builtins(SECTIONS[section]())
        kept = {**data.get(section, {}), **fields}
        data[section] = {name: value for name, value in kept.items() if name not in fields or value != default[name]}
    beside = path.with_suffix(".toml.new")
    with beside.open("wb") as file:
        tomli_w.dump(SETTINGS.numbered({section: fields for section, fields in data.items() if fields}), file)
        flush_to_disk(file)
    os.replace(beside, path)


def _read(path: Path) -> dict[str, Any] | Unreadable:
    try:
        read: dict[str, Any] | Unreadable = SETTINGS.current(tomllib.loads(path.read_text("utf-8")))
        return read
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        return Unreadable(f"The settings file {path} cannot be read: {error}.", "Correct it or delete it.")


def _entries(data: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Section, name and value of each setting."""
    for section, fields in data.items():
        if isinstance(fields, dict):
            yield from ((section, name, value) for name, value in fields.items())
        else:
            yield section, "", fields
