"""A convention turned into a test: each method of the registry is whole, and runs."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from workbench import methods as registry
from workbench.base.errors import UserError
from workbench.methods import METHODS
from workbench.records.methods import KIND_TITLES, Kind, Method, MethodInfo, Methods
from workbench.records.recipes import DecodingPart, problem_of
from workbench.techniques.decoding.methods import strategy_of

SETTINGS = ("preset", "setting")
"""Kinds that are values of the decoding part: they have nothing to run."""


@pytest.mark.parametrize("method", list(METHODS), ids=lambda m: m.name)
def test_a_method_is_described(method: Method) -> None:
    assert method.title
    assert method.summary.endswith(".")
    if method.kind != "preset" and (
        method.kind not in ("scorer", "tool", "reward") or method.source
    ):  # no paper of counting
        assert re.search(r"\b(19|20)\d\d\b", method.source), "no year in the source"
        assert re.search(r"arXiv:\d{4}\.\d{4,5}|aclanthology", method.source), "no paper in the source"
    assert not method.cost or method.cost.endswith(".")
    if method.kind != "task":  # which has to name its document
        method.decode(method.values)
    if method.technique == "decoding":
        part = msgspec.convert(method.values, DecodingPart)
        assert problem_of(part, strategy_of(part)) == ""


@pytest.mark.parametrize("method", list(METHODS), ids=lambda m: m.name)
def test_the_entry_of_a_method_is_there(method: Method) -> None:
    if method.kind in SETTINGS:
        assert method.entry == ""
        return
    module, _, function = method.entry.partition(":")
    found = importlib.util.find_spec(module)
    assert found is not None, module
    assert found.origin is not None
    tree = ast.parse(Path(found.origin).read_text("utf-8"))
    assert function in [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_every_kind_has_a_title_and_a_method() -> None:
    assert list(KIND_TITLES) == list(get_args(Kind))
    assert {method.kind for method in METHODS} >= set(KIND_TITLES)


def test_a_weights_method_says_what_it_makes() -> None:
    words = {"lora": "LoRA", "merged": "separate GGUF model", "soft-prompt": "soft prompt", "prefix": "prefix"}
    for method in METHODS.of("weights"):
        assert method.artifact == method.load().artifact
        assert set(method.groups) <= {field.group for field in method.fields}
        assert words[method.artifact] in method.served
        assert method.cost


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="methods of one name"):
        Methods([*METHODS, next(iter(METHODS))])


def test_what_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(UserError) as refused:
        METHODS.find("telepathy", "decoding")
    assert "telepathy" in refused.value.message
    assert all(method.name in refused.value.hint for method in METHODS.of("decoding"))
    assert METHODS.get(METHODS.of("preset")[0].name, "decoding") is None, "found among another kind"


def test_options_are_decoded_by_the_method_s_own_type() -> None:
    method = METHODS.of("decoding")[0]
    assert method.decode({"top_k": 3}) == DecodingPart(top_k=3)
    with pytest.raises(UserError, match="top_k"):
        method.decode({"top_k": -3})
    with pytest.raises(UserError, match="no setting 'colour'"):
        method.decode({"colour": "red"})


def test_rows_travel_with_the_fields_of_their_configurations() -> None:
    told = registry.describe()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=tuple[MethodInfo, ...]) is not None
    by_name = {row.name: row for row in told}
    assert "num_beams" in [field.name for field in by_name["beam"].fields]
    assert not any(hasattr(row, "config") for row in told)


def test_the_docs_table_is_that_of_the_rows() -> None:
    page = Path(__file__).parents[3] / "docs" / "techniques.md"
    written = page.read_text("utf-8")
    assert written == registry.as_markdown(), "run: .venv/bin/python -m workbench.methods docs/techniques.md"


def test_the_registry_is_light_to_import() -> None:
    heavy = ["torch", "transformers", "sentence_transformers", "llama_cpp", "numpy", "apsw"]
    code = f"import sys, workbench.methods; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
