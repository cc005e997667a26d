"""Typed settings of a home folder: default, unit, range and help of each in one place.

The settings page, ``workbench settings`` and the docs are generated from these types. They are stored in
``settings.toml``; only values other than the default are written.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w

from workbench.base.durability import written_beside
from workbench.base.fields import about
from workbench.base.files import SpecialFile, open_regular
from workbench.base.stored import Stored, Unreadable, explained


class General(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """These are the looks of the program and its defaults."""

    theme: Annotated[
        Literal["system", "light", "dark"], about("Theme"), "The window is light or dark, or it follows the system."
    ] = "system"
    text_size: Annotated[
        int,
        about("Text size", ge=12, le=24, unit="px"),
        "The text of conversations is drawn at this size, from 12 to 24.",
    ] = 15
    zoom: Annotated[
        int,
        about("Zoom of the window", ge=50, le=200, unit="%"),
        "All texts and distances of the window are drawn at this size, from 50 to 200 %. Ctrl and + or - change it, "
        "and Ctrl and 0 sets it to 100 %.",
    ] = 100
    reduce_motion: Annotated[
        bool,
        about("Reduce motion"),
        "Nothing in the window moves by itself: progress bars stand still while the end of the work is not known, "
        "menus do not fade, and the text cursor does not blink.",
    ] = False
    all_techniques: Annotated[
        bool,
        about("Show all techniques"),
        "The navigation shows Adapt, Measure and Tools beside Chat, Documents and Models. Without them, Find… (Ctrl+K) "
        "still reaches everything.",
    ] = True
    model: Annotated[
        str,
        about("Default model", max_length=200),
        "This model answers where none is chosen. Without a choice, the chat model that was added first answers.",
    ] = ""
    model_folder: Annotated[
        str,
        about("Folder for models", max_length=4_096),
        "Models that are downloaded, copied or made from now on are kept in this folder, for example on another "
        "drive. The others stay where they are. Without a folder, models are kept in the data folder.",
    ] = ""
    offline: Annotated[
        bool,
        about("Work offline"),
        "Nothing uses the network: nothing is downloaded, no tool of an agent connects and no other machine is served, "
        "whatever else is switched on or was allowed.",
    ] = False


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """llama.cpp, which computes the models, has these settings. A change takes effect when a model is next loaded."""

    context_tokens: Annotated[
        int,
        about(
            "Context length",
            ge=0,
            le=1_048_576,
            unit="tokens",
            auto="it is the trained length, at most 8,192, as far as memory allows",
        ),
        "The model sees at most this number of tokens at once.",
    ] = 0
    gpu_layers: Annotated[
        int,
        about(
            "GPU layers",
            ge=-1,
            le=10_000,
            unit="layers",
            auto="as many are as fit into its memory",
            empty=-1,
            blank="all that fit",
        ),
        "This number of the model's layers is computed on the GPU. With 0 the processor computes alone.",
    ] = -1
    unload_minutes: Annotated[
        int,
        about("Unload when idle", ge=0, le=1440, unit="minutes", auto="they stay loaded", blank="never"),
        "Models that were not used for this time are unloaded, which frees their memory. The next question loads them "
        "again.",
    ] = 10
    threads: Annotated[
        int,
        about("Threads", ge=0, le=256, unit="threads", auto="each physical core has one"),
        "The model is computed by this number of processor threads.",
    ] = 0
    flash_attention: Annotated[
        Literal["auto", "on", "off"],
        about("Flash attention", advanced=True),
        "This algorithm for attention needs less memory and is mostly faster. Without a GPU, several parallel answers "
        "to a long text may be faster with it off.",
    ] = "auto"
    kv_type: Annotated[
        Literal["f16", "f32", "q8_0"],
        about("Cache precision", advanced=True),
        "This is the number format of the KV cache, in which the model keeps the conversation. q8_0 halves its size "
        "at a small loss and needs flash attention.",
    ] = "f16"
    split_mode: Annotated[
        Literal["layer", "row", "none"],
        about("Multi-GPU split", advanced=True),
        "A model is split over several GPUs by layers, by rows of each layer (which only some kinds of GPU can do), "
        "or not at all.",
    ] = "layer"
    tensor_split: Annotated[
        str,
        about(
            "GPU shares",
            when="split_mode=layer|row",
            pattern=r"^\s*(\d+(\.\d+)?\s*(,\s*\d+(\.\d+)?\s*)*)?$",
            max_length=200,
            advanced=True,
        ),
        'The numbers, separated by commas, say how much of a model each GPU gets: with "3,1" the first gets three '
        "quarters. Without numbers, the free memory decides.",
    ] = ""
    main_gpu: Annotated[
        int,
        about("Main GPU", when="split_mode=none", ge=0, le=15, advanced=True),
        "A model that is not split is on this GPU, counted from 0.",
    ] = 0
    deterministic: Annotated[
        bool,
        about("Deterministic answers", advanced=True),
        "The same question, recipe and seed give the same answer, whatever else is being computed. "
        "Answers are then computed one at a time, about 1.4 to 1.8 times slower on a processor, and need more "
        "memory.",
    ] = False
    prefix_cache_mb: Annotated[
        int,
        about("Prefix cache", ge=0, le=65_536, unit="MB", advanced=True),
        "Saved states of recent conversations take up to this much memory, as far as it is free, so that returning "
        "to one needs no computing. At 0, only the model's own memory is used.",
    ] = 512

    @property
    def gpu_shares(self) -> tuple[float, ...]:
        """``tensor_split`` as numbers."""
        return tuple(float(share) for share in self.tensor_split.split(",") if share.strip())


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exam measures how often the answers of a model from documents are right, on questions of the program's own. It
    runs in the background, and your questions go first."""

    exam_after_import: Annotated[
        bool, about("Examine new models"), "The exam of a new chat model starts by itself once the machine is idle."
    ] = True
    exam_idle_minutes: Annotated[
        int,
        about("Idle time before an exam", when="exam_after_import", ge=1, le=1440, unit="min", advanced=True),
        "The machine counts as idle when nothing has been asked, loaded or read for this long and other programs "
        "leave the processor mostly free.",
    ] = 5


class DocumentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Documents are read and searched with these settings."""

    keep_embedder: Annotated[
        bool,
        about("Keep the embedding model loaded"),
        "The model that searches documents stays in memory while the program is idle (up to 280 MB for the starter), "
        "so that the first question after a pause does not wait for it.",
    ] = False

    read_seconds: Annotated[
        int,
        about("Time limit per file", ge=1, le=3600, unit="s"),
        "A file that takes longer to read is given up, and the list of files says so.",
    ] = 15
    read_memory_mb: Annotated[
        int,
        about("Memory limit per file", ge=128, le=65_536, unit="MB"),
        "A file that needs more memory to read is given up, and the list of files says so.",
    ] = 900
    largest_file_mb: Annotated[
        int, about("Maximum file size", ge=1, le=10_240, unit="MB"), "Files that are larger are not read."
    ] = 200
    recognise_text: Annotated[
        bool,
        about("Recognise text"),
        "Scanned pages and pictures are read by text recognition (OCR), where it is installed. It takes some seconds "
        "per page.",
    ] = True


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each of these switches allows one use of the network. All of them are off until you switch them on."""

    allow_mcp: Annotated[
        bool,
        about("MCP servers over the network"),
        "The program connects to the MCP servers that you have added with an address. Those on this machine need no "
        "permission.",
    ] = False
    endpoints: Annotated[
        bool,
        about("Remote endpoints"),
        "The program asks the endpoints that you have added. Questions are sent to them; passages of documents are "
        "sent only where you have allowed it, collection by collection. Endpoints on this machine need no permission.",
    ] = False
    hub: Annotated[
        bool, about("Search and download models"), "The program contacts the model hub when you search or download."
    ] = False
    updates: Annotated[
        bool,
        about("Look for new versions"),
        "The program contacts the place that it was installed from when you ask for a new version, and never by "
        "itself.",
    ] = False
    packages: Annotated[
        bool,
        about("Install packages"),
        "The program contacts the package index when you install an engine or another part of it, and never by itself.",
    ] = False
    hub_address: Annotated[
        str,
        about("Address of the hub", pattern=r"^https?://[^\s]+$", max_length=200, advanced=True),
        "Models are searched and downloaded at this address, which may be a mirror.",
    ] = "https://huggingface.co"
    package_index: Annotated[
        str,
        about("Address of the package index", pattern=r"^https?://[^\s]+$", max_length=200, advanced=True),
        "Python packages come from this index, which may be a mirror or one in your own network.",
    ] = "https://pypi.org/simple"
    torch_index: Annotated[
        str,
        about("Address of torch's index", pattern=r"^https?://[^\s]+$", max_length=200, advanced=True),
        "On Linux, torch for the processor comes from here: the package index has the build for NVIDIA GPUs only, "
        "which is several times as large.",
    ] = "https://download.pytorch.org/whl/cpu"


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other programs can use your recipes and models through an API like OpenAI's while this window is open: programs
    of this machine, and those of your network where you allow it."""

    enabled: Annotated[
        bool,
        about("Local API"),
        "The program answers requests of other programs on this machine that carry the key, which is shown below once "
        "it is on.",
    ] = False
    port: Annotated[
        int,
        about("Port", when="enabled", ge=1024, le=65_535),
        "Programs of this machine reach the API at this number (port) of the address 127.0.0.1. The value is from 1024 "
        "to 65,535.",
    ] = 4711
    origins: Annotated[
        tuple[str, ...],
        about("Allowed web pages", when="enabled", separator=",", advanced=True),
        "Web pages from these origins, such as http://localhost:3000, may use the API from a browser. Without an "
        "origin, none may.",
    ] = ()
    shared: Annotated[
        bool,
        about("Serve the local network", when="enabled"),
        "Other machines of your network may use the API as well, encrypted, each with a code that you make below.",
    ] = False
    shared_port: Annotated[
        int,
        about("Port in the network", when="shared", ge=1024, le=65_535),
        "Other machines reach the API at this number (port) of this machine's address. The value is from 1024 to "
        "65,535.",
    ] = 4712
    allowed: Annotated[
        tuple[str, ...],
        about("Allowed addresses", when="shared", separator=",", advanced=True),
        "Only machines with these addresses are served, such as 192.168.1.20 or 192.168.1.0/24. Without an entry, all "
        "machines of a local network may ask; each needs its code in any case.",
    ] = ()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a home folder, by section. ``problems`` describe the unreadable parts of their file: these are at
    their default here, and stay in the file."""

    general: General = General()
    engine: EngineSettings = EngineSettings()
    models: ModelSettings = ModelSettings()
    documents: DocumentSettings = DocumentSettings()
    network: NetworkSettings = NetworkSettings()
    server: ServerSettings = ServerSettings()
    problems: tuple[str, ...] = ()


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "general": General,
    "engine": EngineSettings,
    "models": ModelSettings,
    "documents": DocumentSettings,
    "network": NetworkSettings,
    "server": ServerSettings,
}


def _without_unused_offline(plain: dict[str, Any]) -> dict[str, Any]:
    """Until format 1 there was a switch of this name that nothing used. Where it was on or cannot be read, it holds."""
    general = plain.get("general")
    if isinstance(general, dict) and general.get("offline") is False:
        del general["offline"]
    return plain


SETTINGS: Stored[dict[str, Any]] = Stored("settings file", dict[str, Any], upgrades={1: _without_unused_offline})


_CLOSED = "nothing uses the network"


def load_settings(path: Path) -> Settings:
    """The settings in ``path``; defaults for missing and for unreadable ones. Where what cannot be read may have been
    meant to keep the program off the network, it is kept off."""
    data = _read(path)
    if isinstance(data, Unreadable):
        problem = f"{data.reason} Until it can be read, all settings are at their defaults, and {_CLOSED}."
        return Settings(general=General(offline=True), problems=(problem,))
    sections: dict[str, Any] = {}
    problems = []
    offline = hub = False
    for section, name, value in _entries(data):
        kind = SECTIONS.get(section)
        try:
            if kind is None:
                raise msgspec.ValidationError("there is no section of that name")
            read = getattr(msgspec.convert({name: value}, kind), name)
            sections[section] = msgspec.structs.replace(sections.get(section, kind()), **{name: read})
        except msgspec.ValidationError as error:
            problem = f"The setting {section}.{name} in {path} is ignored: {explained(error)}."
            if _may_mean_offline(section, name):
                offline = True
                problem += f" Until it is corrected or removed, {_CLOSED}."
            elif (section, name) == ("network", "hub_address"):
                hub = True
                problem += " Until it is corrected or removed, no hub is asked."
            problems.append(problem)
    if offline:
        sections["general"] = msgspec.structs.replace(sections.get("general", General()), offline=True)
    if hub:
        sections["network"] = msgspec.structs.replace(sections.get("network", NetworkSettings()), hub=False)
    return Settings(**sections, problems=tuple(problems))


def _may_mean_offline(section: str, name: str) -> bool:
    """Whether what cannot be read may be the switch ``general.offline``, mistyped in whatever way."""
    if section not in SECTIONS:
        return True
    known = name in SECTIONS[section].__struct_fields__
    return (section == "general" and name == "offline") or (section in ("general", "network") and not known)


def save_settings(path: Path, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """Write changed fields, by section; those at their default are removed from the file, everything else stays in it.
    The old file stays complete until the new one is. Raises UserError where the file cannot be read or written."""
    data = _read(path)
    if isinstance(data, Unreadable):
        raise data.error()
    for section, fields in changed.items():
        default = msgspec.to_builtins(SECTIONS[section]())
        kept = {**data.get(section, {}), **fields}
        data[section] = {name: value for name, value in kept.items() if name not in fields or value != default[name]}
    with written_beside(path) as beside:
        numbered = SETTINGS.numbered({section: fields for section, fields in data.items() if fields})
        beside.write_bytes(tomli_w.dumps(numbered).encode())


def _read(path: Path) -> dict[str, Any] | Unreadable:
    try:
        with open_regular(path) as file:
            read: dict[str, Any] | Unreadable = SETTINGS.current(tomllib.load(file))
        return read
    except FileNotFoundError:
        return {}
    except (SpecialFile, OSError, ValueError) as error:
        return Unreadable(f"The settings file {path} cannot be read: {error}.", "Correct it or delete it.")


def _entries(data: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Section, name and value of each setting."""
    for section, fields in data.items():
        if isinstance(fields, dict):
            yield from ((section, name, value) for name, value in fields.items())
        else:
            yield section, "", fields
