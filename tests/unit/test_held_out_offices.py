"""The offices of benchmarks/offices that are held out are asked by name, and no script that fits reads them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def _names(title: str) -> tuple[str, ...]:
    tree = ast.parse((BENCHMARKS / "office_answers.py").read_text(encoding="utf-8"))
    (found,) = [one.value for one in tree.body if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == title]
    return tuple(ast.literal_eval(found))


def test_every_office_is_either_for_fitting_or_held_out() -> None:
    folders = sorted(path.parent.name for path in (BENCHMARKS / "offices").glob("*/questions.txt"))
    assert sorted(_names("MADE") + _names("PLAIN") + _names("KEPT_APART")) == folders


def test_no_script_but_the_asking_one_names_them_and_none_takes_all_folders() -> None:
    names = "|".join(("KEPT_APART", *_names("KEPT_APART")))
    taken = re.compile(rf"\b({names})\b|\"offices\"\)\.(r?glob|iterdir)")
    scripts = [*BENCHMARKS.glob("*.py"), *(BENCHMARKS / "offices").glob("*.py")]
    found = {path.name for path in scripts if taken.search(path.read_text(encoding="utf-8"))}
    assert found == {"office_answers.py"}
