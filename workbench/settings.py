"""Typed settings of a home folder: default, unit, range and help of each in one place.

The settings page, ``workbench settings`` and the docs are generated from these types. They are stored in
``settings.toml``; only values other than the default are written.
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
    """The appearance of the program, and what it may do."""

    theme: Annotated[
        Literal["system", "light", "dark"],
        Meta(title="Theme", description="Light or dark window, or the system's choice."),
    ] = "system"
    text_size: Annotated[
        int,
        Meta(ge=12, le=24, title="Text size", description="Size of the conversation text.", extra={"unit": "px"}),
    ] = 15
    offline: Annotated[
        bool,
        Meta(
            title="Offline",
            description="No data leaves this machine. Everything except downloads of models works offline.",
        ),
    ] = True


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How llama.cpp runs a model. A change takes effect when a model is next loaded."""

    context_tokens: Annotated[
        int,
        Meta(
            ge=0,
            le=1_048_576,
            title="Context length",
            description="Maximum number of tokens that the model sees at once. 0: the trained length, at most 8,192, "
            "as far as memory allows.",
            extra={"unit": "tokens"},
        ),
    ] = 0
    gpu_layers: Annotated[
        int,
        Meta(
            ge=-1,
            le=10_000,
            title="GPU layers",
            description="Number of the model's layers on the GPU. -1: as many as fit; 0: none.",
            extra={"unit": "layers"},
        ),
    ] = -1
    threads: Annotated[
        int,
        Meta(
            ge=0,
            le=256,
            title="Threads",
            description="Number of processor threads. 0: one per physical core.",
            extra={"unit": "threads"},
        ),
    ] = 0
    flash_attention: Annotated[
        Literal["auto", "on", "off"],
        Meta(
            title="Flash attention",
            description="An attention algorithm that needs less memory and is mostly faster. Without a GPU, several "
            "parallel answers to a long text may be faster with it off.",
            extra={"advanced": True},
        ),
    ] = "auto"
    kv_type: Annotated[
        Literal["f16", "f32", "q8_0"],
        Meta(
            title="Cache precision",
            description="Number format of the KV cache, the model's memory of the conversation. q8_0 halves its size "
            "at a small loss and needs flash attention.",
            extra={"advanced": True},
        ),
    ] = "f16"
    split_mode: Annotated[
        Literal["layer", "row", "none"],
        Meta(
            title="Multi-GPU split",
            description="How a model is split over several GPUs: by layers, by rows of each layer (some kinds of GPU "
            "only), or not at all.",
            extra={"advanced": True},
        ),
    ] = "layer"
    tensor_split: Annotated[
        str,
        Meta(
            pattern=r"^\s*(\d+(\.\d+)?\s*(,\s*\d+(\.\d+)?\s*)*)?$",
            max_length=200,
            title="GPU shares",
            description='Numbers separated by commas, such as "3,1": the first GPU gets three quarters. Empty: by free '
            "memory.",
            extra={"advanced": True},
        ),
    ] = ""
    main_gpu: Annotated[
        int,
        Meta(
            ge=0,
            le=15,
            title="Main GPU",
            description="The GPU of a model that is not split, counted from 0.",
            extra={"advanced": True},
        ),
    ] = 0
    deterministic: Annotated[
        bool,
        Meta(
            title="Deterministic answers",
            description="The same question, recipe and seed give the same answer, whatever else is being computed. "
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
            title="Prefix cache",
            description="Memory for saved states of recent conversations, so that returning to one needs no computing. "
            "0: only the model's own memory.",
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
            title="Time limit per file",
            description="A file that takes longer to read fails with that reason.",
            extra={"unit": "s"},
        ),
    ] = 15
    read_memory_mb: Annotated[
        int,
        Meta(
            ge=128,
            le=65_536,
            title="Memory limit per file",
            description="A file that needs more memory to read fails with that reason.",
            extra={"unit": "MB"},
        ),
    ] = 900
    largest_file_mb: Annotated[
        int,
        Meta(
            ge=1,
            le=10_240,
            title="Maximum file size",
            description="Larger files are not read.",
            extra={"unit": "MB"},
        ),
    ] = 200


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a home folder, by section. ``problems`` describe the unreadable parts of their file: these are at
    their default here, and stay in the file."""

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
    """The settings in ``path``; defaults for missing and for unreadable ones."""
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
            problems.append(f"The setting {section}.{name} in {path} is ignored: {explained(error)}.")
    return Settings(**sections, problems=tuple(problems))


def save_settings(path: Path, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """Write changed fields, by section; those at their default are removed from the file, everything else stays in it.
    The old file stays complete until the new one is. Raises UserError where the file cannot be read."""
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
