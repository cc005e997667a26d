"""Models of other programs are found where these keep them."""

from __future__ import annotations

import json
from pathlib import Path

from workbench.subjects.models.local_sources import Roots, default_roots, find_local_models


def put(path: Path, content: bytes = b"GGUF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def manifest(digest: str, size: int = 4) -> bytes:
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": f"sha256:{'f' * 64}", "size": 9},
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": size},
    ]
    return json.dumps({"schemaVersion": 2, "layers": layers}).encode()


def roots(folder: Path) -> Roots:
    return Roots(ollama=(folder / "ollama",), lm_studio=(folder / "lm",), hugging_face=(folder / "hf",))


def found(folder: Path) -> list[tuple[str, str, str]]:
    return [
        (one.source, one.name, Path(one.path).relative_to(folder).as_posix())
        for one in find_local_models(roots(folder))
    ]


def test_ollama_s_manifests_name_blobs(tmp_path: Path) -> None:
    digest = "a" * 64
    put(tmp_path / "ollama/blobs" / f"sha256-{digest}")
    put(tmp_path / "ollama/blobs" / f"sha256-{'b' * 64}")
    there = tmp_path / "ollama/manifests"
    put(there / "registry.ollama.ai/library/qwen3/4b", manifest(digest))
    put(there / "registry.ollama.ai/someone/tuned/latest", manifest("b" * 64))
    put(there / "registry.ollama.ai/library/gone/latest", manifest("c" * 64))
    put(there / "registry.ollama.ai/library/odd/latest", manifest("../../etc/passwd"))
    put(there / "registry.ollama.ai/library/torn/latest", b'{"layers": [')
    assert found(tmp_path) == [
        ("Ollama", "qwen3:4b", f"ollama/blobs/sha256-{digest}"),
        ("Ollama", "someone/tuned:latest", f"ollama/blobs/sha256-{'b' * 64}"),
    ]


def test_lm_studio_s_folders_have_files_and_split_models(tmp_path: Path) -> None:
    put(tmp_path / "lm/owner/repo/small-Q4_K_M.gguf")
    put(tmp_path / "lm/owner/repo/mmproj-small.gguf")
    put(tmp_path / "lm/owner/repo/big-00001-of-00002.gguf")
    put(tmp_path / "lm/owner/repo/big-00002-of-00002.gguf")
    put(tmp_path / "lm/owner/repo/notes.txt")
    assert [name for _, name, _ in found(tmp_path)] == ["big-00001-of-00002", "small-Q4_K_M"]


def test_the_cache_of_hugging_face_links_to_blobs_once(tmp_path: Path) -> None:
    blob = put(tmp_path / "hf/models--owner--repo/blobs/abc")
    for commit in ("1", "2"):
        snapshot = tmp_path / f"hf/models--owner--repo/snapshots/{commit}"
        snapshot.mkdir(parents=True)
        (snapshot / "small.gguf").symlink_to(blob)
    put(tmp_path / "hf/models--owner--dense/snapshots/1/model.safetensors")
    put(tmp_path / "hf/models--owner--dense/snapshots/1/config.json", b"{}")
    put(tmp_path / "hf/datasets--owner--data/snapshots/1/other.gguf")
    assert [(source, name) for source, name, _ in found(tmp_path)] == [
        ("Hugging Face", "dense"),
        ("Hugging Face", "small"),
    ]


def test_variables_of_the_programs_say_where_their_models_are(tmp_path: Path) -> None:
    given = default_roots({"OLLAMA_MODELS": "/o", "HF_HOME": "/h"}, tmp_path)
    assert (given.ollama, given.hugging_face) == ((Path("/o"),), (Path("/h/hub"),))
    assert default_roots({}, tmp_path).hugging_face == (tmp_path / ".cache/huggingface/hub",)
    assert find_local_models(roots(tmp_path / "none")) == []
