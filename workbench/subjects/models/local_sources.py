"""Finds models that other programs have put on this disk: Ollama, LM Studio, the cache of Hugging Face.

Nothing is copied or changed: a model is imported by reference. The folders are read within limits of size, number and
depth.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.base.files import open_regular
from workbench.records.local_models import LocalModel, Source

MOST_FOUND = 2_000
MOST_ENTRIES = 50_000
MOST_MANIFEST_BYTES = 1 << 20
DEEPEST = 5

_MODEL_LAYER = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_LATER_PART = re.compile(r"-(?!00001-of-)\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
_REGISTRY = "registry.ollama.ai"


@dataclass(frozen=True)
class Roots:
    """The folders in which each program stores its models."""

    ollama: tuple[Path, ...]
    lm_studio: tuple[Path, ...]
    hugging_face: tuple[Path, ...]


def default_roots(environment: Mapping[str, str] = os.environ, home: Path | None = None) -> Roots:
    """The default folders of the programs, or those that their environment variables name."""
    home = home or Path.home()

    def named(name: str) -> tuple[Path, ...]:
        return (Path(environment[name]).expanduser(),) if environment.get(name) else ()

    shared = (Path("/usr/share/ollama/.ollama/models"),) if sys.platform == "linux" else ()
    cache = Path(
        environment.get("HF_HOME") or Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "huggingface"
    )
    return Roots(
        ollama=named("OLLAMA_MODELS") or (home / ".ollama" / "models", *shared),
        lm_studio=(home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"),
        hugging_face=named("HF_HUB_CACHE") or (cache / "hub",),
    )


def find_local_models(roots: Roots) -> list[LocalModel]:
    """All that are found, by program and name; what cannot be read is left out."""
    found = [
        *(one for root in roots.ollama for one in _ollama(root)),
        *(one for root in roots.lm_studio for one in _files(root, "LM Studio")),
        *(one for root in roots.hugging_face for one in _hugging_face(root)),
    ]
    once = {os.path.realpath(one.path): one for one in reversed(found)}
    return sorted(once.values(), key=lambda one: (one.source, one.name.casefold()))[:MOST_FOUND]


def _ollama(root: Path) -> Iterator[LocalModel]:
    """``manifests/HOST/OWNER/MODEL/TAG`` names the blob of the weights by its digest."""
    manifests = root / "manifests"
    for path in _walk(manifests, 4):
        parts = path.relative_to(manifests).parts
        if len(parts) < 3:
            continue
        digest = _weights_of(path)
        blob = root / "blobs" / f"sha256-{digest}"
        if digest and blob.is_file():
            owner = [] if parts[:2] == (_REGISTRY, "library") else list(parts[1 if parts[0] == _REGISTRY else 0 : -2])
            name = f"{'/'.join([*owner, parts[-2]])}:{parts[-1]}"
            yield LocalModel(name=name, source="Ollama", path=str(blob), bytes=_size_of(blob))


def _weights_of(manifest: Path) -> str:
    """The digest of a manifest's weights, "" where it has none."""
    try:
        with open_regular(manifest) as opened:
            read = json.loads(opened.read(MOST_MANIFEST_BYTES))
        for layer in read["layers"]:
            found = _DIGEST.fullmatch(str(layer.get("digest", "")))
            if layer.get("mediaType") == _MODEL_LAYER and found is not None:
                return found[1]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return ""


def _files(root: Path, source: Source, depth: int = DEEPEST) -> Iterator[LocalModel]:
    """GGUF models below a folder: single files, and the first of split ones."""
    for path in _walk(root, depth):
        name = path.name
        if not name.lower().endswith(".gguf") or "mmproj" in name.lower() or _LATER_PART.search(name):
            continue
        size = _size_of(path)
        if size:
            yield LocalModel(name=path.stem, source=source, path=str(path), bytes=size)


def _hugging_face(root: Path) -> Iterator[LocalModel]:
    """GGUF files and safetensors folders of ``models--OWNER--NAME/snapshots/COMMIT``."""
    for repository in _entries(root):
        if not repository.name.startswith("models--"):
            continue
        for snapshot in _entries(repository / "snapshots"):
            yield from _files(snapshot, "Hugging Face")
            tensors = [path for path in _entries(snapshot) if path.name.endswith(".safetensors")]
            if tensors and (snapshot / "config.json").is_file():
                name = repository.name.rpartition("--")[2]
                size = sum(map(_size_of, tensors))
                yield LocalModel(name=name, source="Hugging Face", path=str(snapshot), bytes=size)


def _walk(root: Path, depth: int) -> Iterator[Path]:
    """The files below a folder, so many levels deep."""
    waiting, seen = [(root, depth)], 0
    while waiting:
        folder, left = waiting.pop()
        for path in _entries(folder):
            seen += 1
            if seen > MOST_ENTRIES:
                return
            if path.is_dir() and not path.is_symlink():
                if left > 1:
                    waiting.append((path, left - 1))
            else:
                yield path


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
