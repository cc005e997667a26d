"""Every text of the window goes through the catalogue, and the template for translators has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.packaging.scripts import ROOT, script

catalogue = script("catalogue")

WORDS = re.compile(r"[^\W\d_]{2}[^{}]*\s[^{}]*[^\W\d_]{2}|\s[^\W\d_]{2,}|[^\W\d_]{2,}\s")
"""Two words, or one beside a space: what a person reads, rather than a name or a key."""
LOOKED_UP = {"_", "ngettext", "counted", "describe_count"}
NOT_SHOWN = {
    "setObjectName", "findChild",
    "RuntimeError", "AttributeError", "AssertionError", "TypeVar", "Literal", "compile", "sub", "strftime", "setFont",
    "QFont", "setStyleSheet", "Formatter", "warning", "exception", "error", "setApplicationName", "subControlRect",
    "QKeySequence", "replace", "removesuffix", "startswith", "endswith", "get", "toString", "maketrans", "translate",
}  # fmt: skip
"""Calls whose literals no person reads: faults of ours, patterns, dates, fonts, keys, logs."""
NAMES = {"LLM Workbench", "LLM Workbench {}", "GGUF", "hf_…", "purpose asked"}
"""Names of things, how a key begins, and a word that is stored."""
WIDGETS = {
    "Text", "Chip", "ElidedLabel", "PrimaryButton", "PlainButton", "QuietButton", "LinkButton", "DangerButton",
    "addAction", "setText", "setToolTip", "setAccessibleName", "setAccessibleDescription", "setWindowTitle",
    "setPlaceholderText", "set_full_text", "show_message",
}  # fmt: skip
"""Calls whose first argument is a text: there a single word is one, too."""
NO_TEXTS = {
    "ui/theme/stylesheet.py": "a style sheet",
    "ui/components/formula_text.py": "patterns",
    "ui/components/word_diff.py": "styles",
    "ui/components/source/printed.py": "the marks of HTML",
    "ui/components/prose.py": "fonts",
    "ui/theme/theme.py": "fonts",
    "ui/faults.py": "a report for the makers",
    "ui/features/chat/conversation/conversation.py": "styles",
    "ui/features/chat/recipe/format_pane.py": "schemas and grammars, which a model keeps to",
}


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The literals with words that are neither looked up in the catalogue nor of a kind that no person reads."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        is_text = WORDS.search(text) or (re.search(r"[^\W\d_]{2}", text) and _is_given(node, parents))
        if is_text and text not in NAMES and not any(_hides(child, parent) for child, parent in _above(node, parents)):
            yield node.lineno, text


def _is_given(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether it is, or may be, the first argument of a call that shows it."""
    for child, parent in _above(node, parents):
        if isinstance(parent, ast.Call):
            name = parent.func.id if isinstance(parent.func, ast.Name) else getattr(parent.func, "attr", "")
            return name in WIDGETS and bool(parent.args) and child is parent.args[0]
        if not isinstance(parent, ast.IfExp | ast.BoolOp):
            return False
    return False


def _above(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[tuple[ast.AST, ast.AST]]:
    while node in parents:
        yield node, parents[node]
        node = parents[node]
        if isinstance(node, ast.stmt | ast.Lambda):
            if node in parents:
                yield node, parents[node]
            return


def _hides(child: ast.AST, parent: ast.AST) -> bool:
    """Whether what stands in ``parent`` as ``child`` is no text that is still to be looked up."""
    if isinstance(parent, ast.Expr | ast.JoinedStr):
        return isinstance(child, ast.Constant)  # a docstring; a part of a literal that is looked at itself
    if isinstance(parent, ast.FormattedValue):
        return child is parent.format_spec
    if isinstance(parent, ast.Compare | ast.Subscript):
        return True  # a stored value
    if isinstance(parent, ast.Dict):
        return child in parent.keys
    if isinstance(parent, ast.Call):
        name = parent.func.id if isinstance(parent.func, ast.Name) else getattr(parent.func, "attr", "")
        return child is not parent.func and name in LOOKED_UP | NOT_SHOWN
    return False


@pytest.mark.parametrize(
    "path", sorted((ROOT / "ui").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_no_text_of_the_window_stands_outside_of_the_catalogue(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() in NO_TEXTS:
        return
    assert list(literals(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        'Text("No documents yet")',
        'f"Reading {name}"',
        'texts = {"a": "One of several"}',
        'button.setText(name or "the documents")',
        'label.format(words="more pairs")',
        'Chip("exact" if exact else "", "success")',
    ],
)
def test_a_text_outside_of_the_catalogue_is_noticed(code: str) -> None:
    assert [line for line, _ in literals(ast.parse(code))] == [1]


@pytest.mark.parametrize(
    "code",
    [
        'Text(_("No documents yet"))',
        'counted(n, "more pair")',
        'state in ("dead end", "open")',
        'raise RuntimeError("a bug")',
        'Text("–", "muted")',
    ],
)
def test_what_no_person_reads_is_left_alone(code: str) -> None:
    assert list(literals(ast.parse(code))) == []


def test_the_template_has_every_kind_of_text() -> None:
    found = {entry.text: entry for entry in catalogue.entries()}
    assert found["Stop the running work"].files == {"ui/texts.py"}
    assert found["{count} file"].plural == "{count} files"  # of ``counted``
    assert "{path} exists already." in found  # an error, with its value as a place
    assert "Choose the name of a new folder." in found  # its hint
    assert "Temperature" in found  # a field
    assert "Cosine" in found  # one of its choices
    assert "ReAct" in found  # a method
    assert "Three fixed examples" in found  # of a table of values
    assert "Perplexity" in found
    assert not any("\0" in text for text in found)


def test_the_template_has_what_the_core_composes() -> None:
    found = {entry.text for entry in catalogue.entries()}
    assert {
        "it is not JSON: {error}.",  # an error that a helper raises
        "{winner} is {unit} than {loser} by {size}.",  # a comparison of recipes
        "The limit in minutes was reached.",  # why a ladder leaves a technique out
        "Only part of this is in the cited passage.",  # a reason to doubt an answer
        "No float32 merge was made: the disk has {free} GB free.",  # a note that a callee appends
        "This is not from your documents.",
        "Both answers are equally good.",
        "slide {page}",
    } <= found


def test_the_places_of_a_text_have_names_of_their_own() -> None:
    code = ast.parse('f"{len(a)} of {len(b):,} in {file.name}, {file.name}"', mode="eval").body
    assert catalogue.template_of(code) == "{len} of {len2} in {name}, {name}"


def test_the_template_is_one_of_gettext(tmp_path: Path) -> None:
    catalogue.main(str(tmp_path / "texts.pot"))
    written = (tmp_path / "texts.pot").read_text("utf-8")
    ids = [ast.literal_eval(line) for line in re.findall(r"^msgid (.*)$", written, re.MULTILINE)]
    assert ids[0] == ""
    assert ids[1:] == [entry.text for entry in catalogue.entries()]
    assert len(ids) == len(set(ids))


# -- what the core words, the window translates ----------------------------------------------------

TRANSLATES = {"_", "translated", "all_translated", "localised"}
TRANSLATED_LATER = {"said", "lines", "TITLES", "RATES", "words"}
"""Names that a text is given before it is translated, a line below, or that are compared with what is stored."""


def shown_names() -> set[tuple[str, str]]:
    """The functions and constants of the core, with their modules, that are declared to be texts."""
    found = set()
    for path in (ROOT / "workbench").rglob("*.py"):
        module = path.relative_to(ROOT).as_posix().removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.returns is not None and "Shown" in ast.unparse(node.returns):
                found.add((module, node.name))
            elif isinstance(node, ast.AnnAssign) and "Shown" in ast.unparse(node.annotation):
                found.add((module, ast.unparse(node.target)))
    return found


def untranslated(tree: ast.AST, shown: set[tuple[str, str]]) -> Iterator[tuple[int, str]]:
    """Where texts of the core are used and not translated."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    names = {
        one.asname or one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for one in node.names
        if any(name == one.name and module.startswith(node.module or "?") for module, name in shown)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names and not _is_translated(node, parents):
            yield node.lineno, node.id


def _is_translated(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    while node in parents and not isinstance(node, ast.stmt | ast.comprehension):
        node = parents[node]
        if isinstance(node, ast.Call) and ast.unparse(node.func) in TRANSLATES:
            return True
    if isinstance(node, ast.Assign):
        targets = {part.id for part in ast.walk(node.targets[0]) if isinstance(part, ast.Name)}
        return bool(targets & TRANSLATED_LATER)
    return isinstance(node, ast.comprehension)


def test_the_window_translates_what_the_core_words() -> None:
    shown = shown_names()
    found = {
        path.relative_to(ROOT).as_posix(): left
        for path in sorted((ROOT / "ui").rglob("*.py"))
        if (left := list(untranslated(ast.parse(path.read_text("utf-8")), shown)))
    }
    assert found == {}


def test_a_text_of_the_core_that_is_not_translated_is_noticed() -> None:
    code = "from workbench.records.trust import PERHAPS, describe_trust\nText(PERHAPS)\nText(translated(PERHAPS))\n"
    found = list(untranslated(ast.parse(f"{code}shown = describe_trust(checked)[0]"), shown_names()))
    assert found == [(2, "PERHAPS"), (4, "describe_trust")]
