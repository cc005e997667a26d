"""Writes the texts of the window as a template for translators (a .pot file of GNU gettext).

    python packaging/catalogue.py OUT.pot

A translation of it is compiled, by ``msgfmt`` or by Poedit, into resources/locale/LANGUAGE/LC_MESSAGES/workbench.mo.

The texts are arguments of ``_``, ``ngettext`` and ``counted`` in the code, what reaches the messages of errors and all
that is declared as ``Shown`` (``text_flow``), and the tables that ``_texts_of_tables`` names. What is filled in later
is a place: ``{name}``.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from text_flow import Code, Flow, called, template_of

from workbench import __version__
from workbench.base import errors
from workbench.base.catalogue import shown_fields, texts_of
from workbench.base.fields import choice_title, fields_of

ROOT = Path(__file__).parents[1]
FOLDERS = ("ui", "workbench")
COUNTED = ("counted", "describe_count")
_PLACE = re.compile(r"\{\w*\}")
_KEY = re.compile(r"[a-z0-9{}*-]*(?:[._][\w{}*-]+)+")
"""Names of fields, files and options, which are the same in each language."""
ERRORS = tuple(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.UserError)
)


@dataclass
class Entry:
    """A text with its plural, "" for none, and the files that have it."""

    text: str
    plural: str = ""
    files: set[str] = field(default_factory=set)


@functools.cache
def entries() -> tuple[Entry, ...]:
    """Every text of the program once, in the order of the alphabet."""
    found: dict[str, Entry] = {}

    def add(text: str, plural: str, file: str) -> None:
        if any(sign.isalpha() for sign in _PLACE.sub("", text)) and not _KEY.fullmatch(text):
            entry = found.setdefault(text, Entry(text))
            entry.plural = entry.plural or plural
            entry.files.add(file)

    code = Code(ROOT, FOLDERS)
    for module in code.modules.values():
        for call, _ in module.calls:
            for text, plural in _counted(call):
                add(text, plural, module.file)
    for text, file in sorted(flow(code).found):
        for one in {text, text.strip()}:  # as ``_`` looks it up, and as it stands within another
            add(one, "", file)
    for file, text in _texts_of_tables():
        add(text, "", file)
    return tuple(sorted(found.values(), key=lambda entry: entry.text))


def flow(code: Code) -> Flow:
    """The texts of code, with the fields of the program's types that are shown."""
    return Flow(code, ERRORS, _shown_of_types() | {"Progress": {"stage": "stage", "unit": "unit"}})


def _shown_of_types() -> dict[str, dict[int | str, str]]:
    """Of each type with texts, by its name: the arguments of its constructor that are texts, by place and by name."""
    import workbench.calls  # noqa: F401  the records are known once the calls are

    found: dict[str, dict[int | str, str]] = {}
    kinds: list[Any] = [msgspec.Struct]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind is not msgspec.Struct and kind.__module__.startswith(FOLDERS) and (names := shown_fields(kind)):
            found[kind.__name__] = {name: name for name in names}
            parameters = enumerate(inspect.signature(kind).parameters.values())
            by_place = {at: one.name for at, one in parameters if one.kind is not one.KEYWORD_ONLY}
            found[kind.__name__] |= {at: name for at, name in by_place.items() if name in names}
    return found


def _counted(call: ast.Call) -> Iterator[tuple[str, str]]:
    """The text for one and the text for many."""
    name = called(call)
    if name == "ngettext":
        yield from zip(_written(call.args[0]), _written(call.args[1]), strict=True)
    elif name in COUNTED and len(call.args) > 1:
        one, many = next(_written(call.args[1]), ""), next(_written(call.args[-1]), "")
        if one:
            yield f"{{count}} {one}", f"{{count}} {many if len(call.args) > 2 else one + 's'}"


def _written(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield template_of(node)
    elif isinstance(node, ast.IfExp):
        yield from _written(node.body)
        yield from _written(node.orelse)


def _texts_of_tables() -> Iterator[tuple[str, str]]:
    """The texts of what is described as a value: methods, fields of settings and recipes, terms, techniques."""
    from workbench.base.settings import SECTIONS
    from workbench.methods import METHODS
    from workbench.records.recipes import PARTS
    from workbench.records.roads import ROADS
    from workbench.records.terms import course_terms
    from workbench.records.training import TrainingConfig
    from workbench.records.training.config import PARTS as TRAINING_PARTS
    from workbench.subjects.ladder.rungs import RUNGS

    tables: dict[str, Any] = {
        "workbench/methods.py": tuple(METHODS),
        "workbench/records/roads.py": tuple(ROADS.values()),
        "resources/terms.toml": course_terms(),
        "workbench/subjects/ladder/rungs.toml": tuple(RUNGS),
    }
    for file, table in tables.items():
        yield from ((file, text) for text in texts_of(table))
    for name, kind in (*SECTIONS.items(), *PARTS.items(), *TRAINING_PARTS.items(), ("", TrainingConfig)):
        file = f"{kind.__module__.replace('.', '/')}.py"
        yield file, inspect.cleandoc(kind.__doc__ or "") if name in SECTIONS else ""
        yield file, name.capitalize() if name in SECTIONS else ""
        for one in fields_of(kind):
            yield from ((file, text) for text in (*texts_of(one), *map(choice_title, one.choices)))
    for method in METHODS:
        for one in fields_of(method.config):
            yield from (("workbench/methods.py", text) for text in map(choice_title, one.choices))
    for term in course_terms():
        yield "resources/terms.toml", term.place.get("section", "").capitalize()


def template(found: Sequence[Entry]) -> str:
    """The texts as a .pot file."""
    head = f"Project-Id-Version: LLM Workbench {__version__}\\nContent-Type: text/plain; charset=UTF-8\\n"
    lines = ['msgid ""', 'msgstr ""', f'"{head}"', ""]
    for entry in found:
        lines += [f"#: {file}" for file in sorted(entry.files)]
        lines += ["#, python-brace-format"] if "{" in entry.text else []
        lines.append(f"msgid {_quoted(entry.text)}")
        if entry.plural:
            lines += [f"msgid_plural {_quoted(entry.plural)}", 'msgstr[0] ""', 'msgstr[1] ""', ""]
        else:
            lines += ['msgstr ""', ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    for sign, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(sign, written)
    return f'"{text}"'


def main(out: str) -> None:
    found = entries()
    Path(out).write_text(template(found), "utf-8")
    sys.stdout.write(f"{len(found):,} texts\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
