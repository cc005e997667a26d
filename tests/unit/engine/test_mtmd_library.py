"""The library for images of other engines: what is compared before its first call, and what becomes of a model."""

from __future__ import annotations

import ast
import ctypes
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from llama_cpp import mtmd_cpp

from tests.unit.engine.test_prompt import InProcess
from tests.unit.engine.test_vision import asked
from workbench.base.errors import UserError
from workbench.engine import loading, mtmd_library, vision
from workbench.engine.encoder_prompts import writer_for
from workbench.engine.loading import Model
from workbench.engine.loop import Engine
from workbench.engine.mtmd_library import FUNCTIONS, problem_of
from workbench.engine.vision import CannotSee
from workbench.records.messages import ImagePart, Message


def test_every_function_that_is_called_is_compared() -> None:
    source = Path(str(vision.__file__)).read_text("utf-8")
    used = {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr.startswith("mtmd_")
    }
    assert used - set(mtmd_library.FIELDS) == set(FUNCTIONS)


def other(**changed: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(mtmd_cpp), **changed})


def structure(name: str, *fields: tuple[str, Any]) -> Any:
    return type(name, (ctypes.Structure,), {"_fields_": list(fields)})


def returning(kind: Any) -> Any:
    """A function that declares another structure of parameters."""

    def default() -> Any:
        return kind()

    default.restype, default.argtypes = kind, ()  # type: ignore[attr-defined]
    return default


LONGER = structure(
    "mtmd_context_params", *mtmd_cpp.mtmd_context_params._fields_, *((f"more{n}", ctypes.c_int64) for n in range(4))
)
SHORTER = structure("mtmd_context_params", *mtmd_cpp.mtmd_context_params._fields_[:11])


def test_the_bundled_one_is_what_is_declared() -> None:
    assert problem_of(mtmd_cpp) == ""


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (other(mtmd_tokenize=None), "lacks mtmd_tokenize"),
        (
            other(mtmd_tokenize=SimpleNamespace(argtypes=[1, 2])),
            "takes 2 arguments; this program gives 5",
        ),
        (
            other(mtmd_input_text=structure("text", ("text", ctypes.c_char_p), ("add_special", ctypes.c_bool))),
            "mtmd_input_text has the fields text, add_special",
        ),
        (other(mtmd_decoder_pos=None), "mtmd_decoder_pos has the fields of no structure"),
        (other(mtmd_context_params_default=returning(LONGER)), "do not belong together"),
        (other(mtmd_context_params_default=returning(SHORTER)), "do not belong together"),
        (other(_libmtmd=SimpleNamespace(_name="/elsewhere/libmtmd.so")), "is not beside its library for models"),
        (SimpleNamespace(), "is not beside its library for models"),
    ],
    ids=("no function", "other arguments", "other text", "no positions", "longer", "shorter", "elsewhere", "empty"),
)
def test_another_one_is_refused_in_a_sentence(module: SimpleNamespace, says: str) -> None:
    problem = problem_of(module)
    assert says in problem
    assert problem.endswith(".")


def test_an_engine_without_it_answers_texts_and_says_why_it_sees_nothing(
    smollm_file: Path, projector: Path, load_now: Callable[..., Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking() -> Any:
        raise UserError("Images cannot be read with this engine (llama.cpp 1): it has no library.", "Choose another.")

    monkeypatch.setattr(loading, "mtmd_library", lacking)
    engine = Engine(load_now(smollm_file, projector=str(projector)))
    try:
        assert engine.model.vision is None
        assert not engine.model.info.sees
        with pytest.raises(CannotSee) as refusal:
            writer_for(engine.model, InProcess()).write([asked("What?", ImagePart(path="/a.pixels", sha256="a"))])
        assert refusal.value.message.startswith("Images cannot be read with this engine")
        assert refusal.value.hint == "Choose another."
        writer = writer_for(engine.model, InProcess())
        assert writer.write([Message("user", "What is a pump?")]).tokens
    finally:
        engine.close()


def test_a_folder_without_the_library_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mtmd_library, "_problem", lambda: "it has no library for images (mtmd).")
    with pytest.raises(UserError) as refusal:
        mtmd_library.mtmd_library()
    assert refusal.value.message.startswith("Images cannot be read with this engine (llama.cpp")
    assert refusal.value.message.endswith("it has no library for images (mtmd).")


def test_the_memory_of_a_loaded_projector_is_counted(
    smollm_file: Path, projector: Path, load_now: Callable[..., Model]
) -> None:
    totals = []
    for files in ({}, {"projector": str(projector)}):
        model = load_now(smollm_file, **files)
        totals.append(sum(part.total for part in model.info.memory))
        model.close()
    assert totals[1] - totals[0] == projector.stat().st_size + (128 << 20)
