"""Models split over several GGUF files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.base.errors import UserError
from workbench.gguf.inspection import inspect_path
from workbench.subjects.models.store import is_missing

PIECES = (
    (("token_embd.weight", (32, 100), 8, 3400),),
    (("blk.0.weight", (32, 32), 8, 1088),),
    (("output_norm.weight", (32,), 0, 128),),
)


@pytest.fixture
def pieces(make_gguf: Callable[..., Path]) -> list[Path]:
    made = []
    for number, tensors in enumerate(PIECES):
        changes = {"split.no": number, "split.count": 3, "split.tensors.count": 3}
        name = f"big-model-{number + 1:05}-of-00003.gguf"
        made.append(make_gguf(name, {**changes, "general.name": None}, tensors=tensors))
    return made


@pytest.mark.parametrize("given", [0, 1, 2])
def test_any_piece_stands_for_the_whole(pieces: list[Path], given: int) -> None:
    model = inspect_path(pieces[given]).model
    assert model.name == "big-model"
    assert model.path == str(pieces[0])
    assert model.files == tuple(map(str, pieces))
    assert model.parameters == 3200 + 1024 + 32
    assert model.bytes == sum(p.stat().st_size for p in pieces)
    assert not is_missing(model)


def test_the_folder_stands_for_the_whole(pieces: list[Path]) -> None:
    assert inspect_path(pieces[0].parent).model.files == tuple(map(str, pieces))


def test_missing_pieces_are_named(pieces: list[Path]) -> None:
    model = inspect_path(pieces[0]).model
    pieces[1].unlink()
    with pytest.raises(UserError, match=r"1 of them are not beside it: big-model-00002-of-00003\.gguf"):
        inspect_path(pieces[0])
    assert is_missing(model)


def test_truncated_piece_is_named(pieces: list[Path]) -> None:
    pieces[2].write_bytes(pieces[2].read_bytes()[:-64])
    with pytest.raises(UserError, match=r"00003-of-00003\.gguf is cut short"):
        inspect_path(pieces[0])


def test_exchanged_pieces_are_refused(pieces: list[Path]) -> None:
    pieces[2].write_bytes(pieces[1].read_bytes())
    with pytest.raises(UserError, match="is not file 3 of 3"):
        inspect_path(pieces[0])


def test_piece_of_another_model_is_refused(pieces: list[Path], make_gguf: Callable[..., Path]) -> None:
    changes = {"split.no": 2, "split.count": 3}
    make_gguf(pieces[2].name, changes, tensors=(("token_embd.weight", (32,), 0, 128),))
    with pytest.raises(UserError, match="do not belong together"):
        inspect_path(pieces[0])


def test_folder_with_two_models_asks_for_one(make_gguf: Callable[..., Path]) -> None:
    folder = make_gguf("a.gguf").parent
    make_gguf("b.gguf")
    with pytest.raises(UserError, match=r"contains more than one model: a\.gguf, b\.gguf\."):
        inspect_path(folder)
