"""Checks of the tool of docs/adding-a-tool.md. ``test_adding.py`` runs them in a copy of the program that has it; here
it is not known, so these tests are collected nowhere else."""

from __future__ import annotations

from tests.e2e.training_core import call
from workbench import methods as registry
from workbench.app import Workbench
from workbench.records.answers import AskResult
from workbench.records.recipes import AgentPart, Recipe, RetrievalPart
from workbench.subjects.agents.calls import CallTool, ListTools
from workbench.subjects.chats.calls import Ask
from workbench.subjects.documents.calls import CreateCollection

NAME = "count_documents"


def test_the_core_lists_it_and_a_person_calls_it(trainer: Workbench) -> None:
    call(trainer, CreateCollection(name="papers"))
    part = RetrievalPart(collection="papers")
    (listed,) = [one for one in call(trainer, ListTools(retrieval=part)).tools if one.name == NAME]
    assert (listed.title, listed.unavailable) == ("Count documents", "")
    assert call(trainer, CallTool(tool=NAME, retrieval=part)).text == "papers: 0"
    (listed,) = [one for one in call(trainer, ListTools()).tools if one.name == NAME]
    assert listed.unavailable == "the recipe names no collection of documents."


def test_an_agent_calls_it(trainer: Workbench) -> None:
    call(trainer, CreateCollection(name="papers"))
    recipe = Recipe(agent=AgentPart(tools=(NAME,)), retrieval=RetrievalPart(collection="papers"))
    result: AskResult = call(trainer, Ask(question=f"CALL {NAME} {{}} END", recipe=recipe))
    assert result.trace is not None
    assert {step.output for step in result.trace.steps if step.kind == "call"} == {"papers: 0"}
    assert result.waiting is None


def test_the_docs_table_has_it() -> None:
    line = "| `count_documents` | Count documents. Tells how many documents the recipe's collections hold. |"
    assert line in registry.as_markdown()
