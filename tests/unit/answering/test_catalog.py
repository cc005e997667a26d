"""A convention turned into a test: each method of the catalog is whole, and runs."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from tests.fakes import FakeLanguageModel, FakeRetriever, document_text, passage
from workbench.api import events
from workbench.api.calls import DocumentTask
from workbench.records.messages import Message
from workbench.records.training import ARTIFACTS, Objective, WeightsMethod
from workbench.techniques.catalog import METHODS, Method, method_of
from workbench.techniques.context import AnswerContext

TEXT = "The warranty of the pump runs for 36 months from delivery."


def test_names_are_unique() -> None:
    assert len({method.name for method in METHODS}) == len(METHODS)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_method_is_described(method: Method) -> None:
    assert method.summary.endswith(".")
    assert re.search(r"\b(19|20)\d\d\b", method.source), "no year in the source"
    assert re.search(r"arXiv:\d{4}\.\d{4,5}", method.source), "no paper in the source"
    assert (method.recipe is None) == (method.technique == "finetuning") == (method.training is not None)
    smallest = method.recipe or method.training
    assert msgspec.convert(msgspec.to_builtins(smallest), type(smallest)) == smallest, "its recipe breaks a limit"


@pytest.mark.parametrize("method", [method for method in METHODS if method.training], ids=lambda m: m.name)
def test_method_that_trains_says_how_it_is_served(method: Method) -> None:
    assert method.served.endswith(".")
    assert method.memory.endswith(".")
    module, _, function = method.entry.partition(":")
    found = importlib.util.find_spec(module)
    assert found is not None, module
    assert found.origin is not None
    tree = ast.parse(Path(found.origin).read_text("utf-8"))
    assert function in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_every_objective_and_weights_method_is_in_the_catalog() -> None:
    trained = {method.name for method in METHODS if method.technique == "finetuning"}
    assert trained == {*get_args(Objective), *get_args(WeightsMethod)}
    for name, kind in ARTIFACTS.items():
        served = method_of(name).served
        assert {"lora": "LoRA", "merged": "model of its own", "soft-prompt": "soft prompt", "prefix": "prefix"}[
            kind
        ] in served


@pytest.mark.parametrize("method", [method for method in METHODS if method.recipe], ids=lambda m: m.name)
def test_method_ends_in_one_terminal_event(method: Method) -> None:
    module, _, function = method.entry.partition(":")
    run = getattr(importlib.import_module(module), function)
    context = AnswerContext(
        model=FakeLanguageModel(["It runs for 36 months."]),
        retriever=FakeRetriever([passage(TEXT)], documents=[document_text(TEXT)]),
        cancelled=lambda: False,
    )
    first: object = [Message("user", "How long does the warranty of the pump run?")]
    if next(iter(inspect.signature(run).parameters)) == "task":
        first = DocumentTask(document="pump.txt", task="summarise")
    made = list(run(first, method.recipe, context))
    assert [isinstance(event, events.TERMINAL) for event in made].count(True) == 1
    assert isinstance(made[-1], events.Finished)
    text = "".join(e.text for e in made if isinstance(e, events.TextDelta))
    assert made[-1].result["answer"] == text != ""


def test_catalog_is_light_to_import() -> None:
    heavy = ["torch", "transformers", "sentence_transformers", "llama_cpp", "kreuzberg", "numpy"]
    code = f"import sys, workbench.techniques.catalog; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
