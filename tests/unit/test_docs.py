"""The documents name modules that exist, and the modules are as short as CONTRIBUTING.md asks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from workbench.records.terms import course_terms

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \| `([^`]+)` \|$", re.MULTILINE)
TERMS = ROW.findall((ROOT / "docs" / "glossary.md").read_text("utf-8"))


@pytest.mark.parametrize(("term", "module"), TERMS, ids=[term for term, _ in TERMS])
def test_the_module_of_a_glossary_term_exists(term: str, module: str) -> None:
    assert (ROOT / "workbench" / module).is_file()


def test_each_glossary_term_is_defined_once() -> None:
    terms = [term for term, _ in TERMS]
    assert len(terms) > 50
    assert sorted(terms) == sorted(set(terms))


def test_each_term_of_the_course_is_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    before, _, section = glossary.partition("## Terms of the course")
    above = {term.casefold() for term, _ in ROW.findall(before)}
    expected = [
        f"| {term.name} | {term.text} | `{term.module}` |"
        for term in course_terms()
        if term.name.casefold() not in above
    ]
    assert [line for line in section.splitlines() if line.startswith("| ") and "---" not in line][1:] == expected


@pytest.mark.parametrize("page", ["sources.md", "ARCHITECTURE.md"])
def test_modules_named_in_a_document_exist(page: str) -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", (ROOT / "docs" / page).read_text("utf-8"))
    assert named
    roots = [ROOT, ROOT / "workbench", ROOT / "workbench" / "techniques"]
    assert [name for name in named if not any((root / name).is_file() for root in roots)] == []


def test_benchmarks_named_anywhere_exist() -> None:
    """A figure whose script is not there cannot be measured again."""
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "workbench").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    named = {name for page in pages for name in re.findall(r"benchmarks/(\w+\.py)", page.read_text("utf-8"))}
    named |= set(re.findall(r"`(\w+\.py)\b", (ROOT / "docs" / "benchmarks.md").read_text("utf-8")))
    assert len(named) > 50
    assert [name for name in sorted(named) if not (ROOT / "benchmarks" / name).is_file()] == []


def test_each_benchmark_makes_a_figure_that_a_document_shows() -> None:
    shown = "\n".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    named = set(re.findall(r"\b(\w+)\.py\b", shown))
    scripts = [path for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8")]
    assert len(scripts) > 50
    assert [path.name for path in scripts if path.stem not in named] == []


def test_a_long_module_says_why_it_is_long() -> None:
    assert "Above 500 lines" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    modules = [path for folder in ("workbench", "ui") for path in (ROOT / folder).rglob("*.py")]
    assert len(modules) > 500
    long = {path for path in modules if len(path.read_text("utf-8").splitlines()) > 500}
    assert [
        path for path in long if "Long because" not in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
    ] == []
