"""Licence names: from a file's metadata, or recognised in a README or a licence text."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.base.files import open_regular

_SPELLINGS = {  # of several spellings the hub's own comes first
    "apache-2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "mit": "MIT",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "mpl-2.0": "MPL-2.0",
    "gpl-3.0": "GPL-3.0",
    "agpl-3.0": "AGPL-3.0",
    "lgpl-3.0": "LGPL-3.0",
    "openrail": "OpenRAIL",
    "bigscience-openrail-m": "BigScience OpenRAIL-M",
    "gemma": "Gemma Terms of Use",
    "llama2": "Llama 2 Community Licence",
    "llama3": "Llama 3 Community Licence",
    "llama3.1": "Llama 3.1 Community Licence",
    "llama3.2": "Llama 3.2 Community Licence",
    "llama3.3": "Llama 3.3 Community Licence",
}
_TEXTS = (
    ("Apache License", "Apache-2.0"),
    ("MIT License", "MIT"),
    ("Permission is hereby granted, free of charge", "MIT"),
    ("Gemma Terms of Use", "Gemma Terms of Use"),
    ("LLAMA 2 COMMUNITY LICENSE", "Llama 2 Community Licence"),
    ("LLAMA 3 COMMUNITY LICENSE", "Llama 3 Community Licence"),
    ("Creative Commons Attribution 4.0", "CC-BY-4.0"),
)
_HUB_CC = re.compile(r"cc0-1\.0|cc-by(-nc)?(-sa|-nd)?-4\.0")
_MAX_READ = 64 * 1024
_IN_FRONT_MATTER = re.compile(r"^license(_name)?:\s*[\"']?([^\"'\n]+?)[\"']?\s*$", re.MULTILINE)


def spell_licence(name: str) -> str:
    """The usual spelling of a licence's short name; unknown ones are unchanged, "other" is none."""
    name = name.strip()
    lowered = name.lower()
    if lowered in ("", "other", "unknown", "none"):
        return ""
    if lowered.startswith("cc"):
        return name.upper()
    return _SPELLINGS.get(lowered, name)[:200]


def hub_licence(spelled: str) -> str:
    """The Hugging Face hub's name of a licence; "" for unknown ones: it refuses a card with another name
    (https://huggingface.co/docs/hub/repositories-licenses)."""
    lowered = spelled.lower()
    if _HUB_CC.fullmatch(lowered):
        return lowered
    return next((name for name, usual in _SPELLINGS.items() if usual == spelled), "")


def licence_of_folder(folder: Path) -> str:
    """The licence in a folder's README (its front matter) or licence file; empty when neither says."""
    for readme in ("README.md", "README.upstream.md"):
        text = _beginning(folder / readme)
        if text.startswith("---"):
            front = text[3:].partition("\n---")[0]
            found = {match[1] or "": match[2] for match in _IN_FRONT_MATTER.finditer(front)}
            licence = spell_licence(found.get("", "")) or spell_licence(found.get("_name", ""))
            if licence:
                return licence
    for name in ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt"):
        text = _beginning(folder / name)
        for sign, licence in _TEXTS:
            if sign in text:
                return licence
    return ""


def _beginning(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return file.read(_MAX_READ).decode("utf-8", errors="replace")
    except OSError:
        return ""
