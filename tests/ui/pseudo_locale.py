"""The window in a language that nobody speaks: each text of the catalogue in brackets, with accents and 40 % longer.

A text that is seen without brackets does not come from the catalogue; one that is cut has no room for a language with
longer words. A language is chosen once, when a process starts, so the window runs in a process of its own::

    python -m tests.ui.pseudo_locale FOLDER [SCENE …]     the scenes of tests/ui/screenshots.py; without names all

writes what it finds in each scene as a line of JSON, and with ``--pictures DIR`` a picture of each.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from workbench.base.catalogue import localised, shown_fields
from workbench.records.visible import visible_name

LANGUAGE = "en_XA"
OPEN, CLOSE = "⟦", "⟧"
_LONGER = 0.4
_LEAST_S, _SILENCE_S = 0.25, 0.15
_ACCENTS = str.maketrans("aceinouyACEINOUYsz", "áçéíñóúýÁÇÉÍÑÓÚÝšž")
_PLACE = re.compile(r"(\{[^{}]*\}|\s+|;;|\(\*[^)]*\))")


def pseudo(text: str) -> str:
    """The text in brackets, with accents and 40 % longer; places, breaks and patterns of files are kept."""
    parts = _PLACE.split(text)
    spelled = "".join(part if at % 2 else part.translate(_ACCENTS) for at, part in enumerate(parts))
    letters = sum(len(part) for part in parts[::2])
    lead, body = spelled[: len(spelled) - len(spelled.lstrip())], spelled.strip()
    missing = max(0, round(letters * _LONGER) - len(OPEN + CLOSE))
    filler = "".join(" " if n % 8 == 0 and letters > 12 else "·" for n in range(missing))
    return f"{lead}{OPEN}{body}{filler}{CLOSE}{spelled[len(spelled.rstrip()) :] if body else ''}"


def write_catalogue(texts: Sequence[tuple[str, str]], folder: Path) -> None:
    """A compiled catalogue of texts with their plurals ("" for none), where gettext looks for it below ``folder``."""
    head = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    pairs = {"": head}
    for one, many in texts:
        pairs[f"{one}\0{many}" if many else one] = f"{pseudo(one)}\0{pseudo(many)}" if many else pseudo(one)
    rows = sorted((key.encode(), value.encode()) for key, value in pairs.items())
    start = 7 * 4
    at = start + 16 * len(rows)
    tables: tuple[list[bytes], list[bytes]] = ([], [])
    data = b""
    for column, table in enumerate(tables):
        for row in rows:
            table.append(struct.pack("<II", len(row[column]), at + len(data)))
            data += row[column] + b"\0"
    header = struct.pack("<IIIIIII", 0x950412DE, 0, len(rows), start, start + 8 * len(rows), 0, 0)
    file = folder / LANGUAGE / "LC_MESSAGES" / "workbench.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(header + b"".join(tables[0] + tables[1]) + data)


def environment(folder: Path) -> dict[str, str]:
    """The variables of a process that speaks the language."""
    return os.environ | {"WORKBENCH_LOCALE": str(folder), "LANGUAGE": LANGUAGE}


# -- in the process that speaks it -----------------------------------------------------------------

_NO_WORDS = re.compile(
    r"\b(?:[kMGT]?B|ms|s|min|h|d|k|M|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|January|February|March|April|June|July"
    r"|August|September|October|November|December|Ctrl|Shift|Alt|Enter|Return|Esc|Del|Ins|Tab|Space|Home|End"
    r"|LLM Workbench|PDF|SHA-256|GGUF|DRY|TRL|AdamW)\b|F\d+"
)
"""Units, dates and keys, which stay as they are, and names of things."""


def outside(text: str, stored: Sequence[str], whole: str = "") -> str:
    """What of a text neither is in brackets nor a stored value; "" where nothing is. ``whole``: all stored values."""
    left = re.sub(r"<[^>]*>|&\w+;", " ", text) if "<" in text else text
    while (shorter := re.sub(rf"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", "\n", left)) != left:
        left = shorter
    left = re.sub(rf"{OPEN}[^{OPEN}{CLOSE}]*…", "\n", left)  # one that ends in an ellipsis has lost its bracket
    whole = whole or _joined(stored)
    for start, end in re.findall(r"([\w.-]+)…([\w.-]+)", left):  # a name that is cut in its middle
        if any(value.startswith(start) and value.endswith(end) for value in stored):
            left = left.replace(f"{start}…{end}", " ")

    def is_stored(piece: str) -> bool:
        return len(piece.split()) > 2 and piece in whole  # a part of a stored text

    left = "\n".join(piece for piece in _pieces(left) if not is_stored(piece.strip(" :·,-—")))
    for value in stored:
        if not re.search(r"[^\W\d_]{2}", left):
            return ""
        if value in left:
            left = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", " ", left)
    left = _NO_WORDS.sub(" ", left)
    return " ".join(piece for piece in _pieces(left) if not is_stored(piece) and re.search(r"[^\W\d_]{2}", piece))


def _pieces(text: str) -> list[str]:
    return [" ".join(piece.split()) for piece in re.split(r"…| {2,}|\n", text)]


def _joined(stored: Sequence[str]) -> str:
    return " ".join(" ".join(stored).split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--without", nargs="*", default=(), help="scenes that are left out")
    parser.add_argument("--part", type=int, default=0, help="of --parts, from 0")
    parser.add_argument("--parts", type=int, default=1)
    arguments = parser.parse_args()
    if os.environ.get("LANGUAGE") != LANGUAGE:
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.ui.pseudo_locale", *sys.argv[1:]],
            environment(arguments.folder),
        )
    part = slice(arguments.part, None, arguments.parts)
    for name, found in _look(arguments.scenes, arguments.pictures, arguments.without, part):
        sys.stdout.write(json.dumps({"scene": name, "found": found}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _look(
    names: Sequence[str], pictures: Path | None, without: Sequence[str] = (), part: slice = slice(None)
) -> Iterator[tuple[str, list[str]]]:
    from PySide6.QtWidgets import QApplication

    import tests.ui.conftest  # noqa: F401  the screen
    import ui.bridge
    from tests.ui import screenshots
    from ui.theme.theme import current_theme
    from workbench.records.document_formats import FORMATS
    from workbench.records.terms import course_terms

    application = QApplication(sys.argv[:1])
    current_theme().choose("light")
    stored: set[str] = set()
    papers = {term.source for term in course_terms()}
    papers |= {one.kind.upper() for one in FORMATS} | {"Markdown"}  # names of formats are the same in each language
    patient = screenshots.settle
    last_answer = [0.0]

    def remember(value: Any) -> Any:
        last_answer[0] = time.monotonic()
        stored.update(_values(value))
        return localised(value)

    def quick(milliseconds: int = screenshots.SETTLE_MS) -> None:
        """No longer than until the core has been silent for a while."""
        began = time.monotonic()
        while (now := time.monotonic()) < began + milliseconds / 1000:
            patient(50)
            if now > max(began + _LEAST_S, last_answer[0] + _SILENCE_S):
                break

    ui.bridge.localised = remember  # type: ignore[assignment]
    wanted = [one for one in screenshots.SCENES if one[0] not in without and (not names or one[0] in names)]
    for scene in wanted[part]:
        for settle in (quick, patient):  # what was looked at too early is looked at again
            screenshots.settle = settle
            stored.clear()
            found = _found_in(scene, stored, papers, pictures)
            if not found:
                break
        yield scene[0], found
    application.quit()


def _found_in(scene: Any, stored: set[str], papers: set[str], pictures: Path | None) -> list[str]:
    from tests.ui import screenshots
    from tests.ui.fake_front import FakeFront
    from ui.bridge import Bridge
    from ui.shell import Shell

    name, page, furnish, act = scene
    front = FakeFront(furnish())
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(Bridge(front), Path(folder) / "window.ini")
        shell.resize(1280, 800)
        shell.show()
        shell.start(page)
        screenshots._wait_for(lambda: shell.made_page(page) is not None)
        _wait_until_still()
        problem = []
        if act is not None:
            try:
                act(shell, front)
            except (KeyError, AssertionError, IndexError, StopIteration, ValueError, AttributeError) as error:
                problem = [f"the scene failed: {type(error).__name__}: {error}"]
            _wait_until_still()
        stored |= {visible_name(value) for value in stored if "/" in value} | set(_typed())
        stored |= {value[:1].upper() + value[1:] for value in stored if " " in value}  # begins a line
        known = sorted((value for value in stored | papers if re.search(r"[^\W\d_]{2}", value)), key=len, reverse=True)
        cut = list(_texts_cut())
        if cut:  # the layout may lag behind a text that came late
            screenshots.settle(2_000)
            cut = list(_texts_cut())
        found = [*problem, *_texts_outside(known), *cut]
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            screenshots._grab(shell).save(str(pictures / f"{name}.png"))
        shell.close()
        shell.deleteLater()
        screenshots.settle(10)
    front.close()
    return found


def _wait_until_still(most: int = 40) -> None:
    """Until nothing in sight has changed its text or its size for a moment."""
    from tests.ui import screenshots

    before: list[tuple[Any, ...]] = []
    same = 0
    for _ in range(most):
        screenshots.settle(60)
        now = [(type(part), part.geometry().getRect(), *_texts_of(part)) for part in _in_sight()]
        same = same + 1 if now == before else 0
        if same == 2:
            return
        before = now


def _values(value: Any) -> Iterator[str]:
    """The strings of a value that are data: not the texts of the program, and no choices."""
    if isinstance(value, str):
        yield value.strip()
        yield from (line.strip() for line in value.splitlines())
    elif isinstance(value, msgspec.Struct):
        for name in _data_fields(type(value)):
            yield from _values(getattr(value, name))
    elif isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from _values(one)
    elif isinstance(value, dict):
        yield from _values(tuple(value))
        yield from _values(tuple(value.values()))


@functools.cache
def _data_fields(kind: Any) -> tuple[str, ...]:
    shown, choices = shown_fields(kind), _choices(kind)
    return tuple(name for name in kind.__struct_fields__ if name not in shown and name not in choices)


def _choices(kind: Any) -> frozenset[str]:
    def chooses(hint: Any) -> bool:
        return get_origin(hint) is Literal or any(chooses(one) for one in get_args(hint))

    return frozenset(name for name, hint in get_type_hints(kind, include_extras=True).items() if chooses(hint))


def _in_sight() -> Iterator[Any]:
    from PySide6.QtWidgets import QApplication, QWidget

    for window in QApplication.topLevelWidgets():
        if window.isVisible():
            yield window
            yield from (part for part in window.findChildren(QWidget) if part.isVisible())


def _typed() -> Iterator[str]:
    """What a person, here the scene, has typed."""
    from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

    for widget in _in_sight():
        if isinstance(widget, QLineEdit | QPlainTextEdit):
            yield from _values(widget.text() if isinstance(widget, QLineEdit) else widget.toPlainText())


def _texts_outside(stored: Sequence[str]) -> Iterator[str]:
    from ui.components.word_diff import WordDiff
    from ui.features.agents.demonstrations import DemonstrationView

    seen, whole = set(), _joined(stored)
    for widget in _in_sight():
        parent = widget.parentWidget()
        program = isinstance(parent, DemonstrationView) and widget is parent.program
        if program or isinstance(widget, WordDiff):  # what a model wrote or reads
            continue
        for kind, text in _texts_of(widget):
            left = outside(text, stored, whole)
            if left and (kind, left) not in seen:
                seen.add((kind, left))
                yield f"outside: {_path(widget)} {kind} {text[:200]!r}: {left[:120]!r}"


def _texts_of(widget: Any) -> Iterator[tuple[str, str]]:
    from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
    from PySide6.QtWidgets import (
        QAbstractButton,
        QAbstractItemView,
        QComboBox,
        QGroupBox,
        QHeaderView,
        QLabel,
        QLineEdit,
        QMenu,
        QPlainTextEdit,
        QTabBar,
    )

    yield "tooltip", widget.toolTip()
    yield "accessible name", widget.accessibleName()
    yield "accessible description", widget.accessibleDescription()
    if hasattr(widget, "full_text"):
        yield "text", widget.full_text
    elif isinstance(widget, QLabel | QAbstractButton):
        yield "text", widget.text()
    if isinstance(widget, QGroupBox):
        yield "title", widget.title()
    if isinstance(widget, QLineEdit | QPlainTextEdit):
        yield "placeholder", widget.placeholderText()
    if isinstance(widget, QTabBar):
        yield from (("tab", widget.tabText(at)) for at in range(widget.count()))
    if isinstance(widget, QComboBox):
        yield from (("choice", widget.itemText(at)) for at in range(widget.count()))
    if isinstance(widget, QMenu):
        yield from (("action", action.text()) for action in widget.actions())
    if isinstance(widget, QHeaderView) and widget.model() is not None:
        for at in range(widget.count()):
            yield "head", str(widget.model().headerData(at, widget.orientation(), Qt.ItemDataRole.DisplayRole) or "")
    elif isinstance(widget, QAbstractItemView) and widget.model() is not None:
        model = widget.model()
        for row in range(min(model.rowCount(QModelIndex()), 30)):
            columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
            for column in range(columns):
                for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                    value = model.index(row, column).data(role)
                    if isinstance(value, str):
                        yield "cell", value


def _texts_cut() -> Iterator[str]:
    from PySide6.QtWidgets import QAbstractButton, QHeaderView, QLabel, QTabBar, QToolButton

    from ui.components.basics import WordedButton
    from ui.features.chat.conversation.usage_line import UsageLine

    for widget in _in_sight():
        if isinstance(widget, WordedButton):  # ends in an ellipsis, and its tooltip gives the whole
            continue
        if isinstance(widget, QHeaderView) and widget.model() is not None and widget.orientation().name == "Horizontal":
            for at in range(widget.count()):
                need, room = widget.sectionSizeHint(at), widget.sectionSize(at)
                if not widget.isSectionHidden(at) and need > room + 1:
                    yield f"cut: {_path(widget)} head {at}: needs {need}, has {room}"
            continue
        text, room, need = "", 0, 0
        if isinstance(widget, UsageLine):  # drops whole parts, and its tooltip says all of them in sentences
            continue
        if hasattr(widget, "full_text"):
            text = widget.full_text
            if widget.text() != text and widget.toolTip() != text and OPEN in text:
                yield f"cut: {_path(widget)} {text[:120]!r}: no tooltip gives the whole"
            continue
        if isinstance(widget, QLabel) and widget.text() and widget.pixmap().isNull():
            text = widget.text()
            if widget.wordWrap():
                need, room = widget.heightForWidth(widget.width()), widget.height()
            else:
                need, room = widget.sizeHint().width(), widget.width()
        elif (
            isinstance(widget, QAbstractButton)
            and widget.text()
            and not (isinstance(widget, QToolButton) and widget.toolButtonStyle().name == "ToolButtonIconOnly")
        ):
            text = widget.text()
            need, room = widget.sizeHint().width(), widget.width()
        elif isinstance(widget, QTabBar) and widget.count():
            for at in range(widget.count()):
                need, room = (
                    widget.tabSizeHint(at).width() if hasattr(widget, "tabSizeHint") else 0,
                    widget.tabRect(at).width(),
                )
                if need > room + 1:
                    yield f"cut: {_path(widget)} tab {widget.tabText(at)!r}: needs {need}, has {room}"
            continue
        if OPEN in text and need > room + 1:
            yield f"cut: {_path(widget)} {text[:120]!r}: needs {need}, has {room}"


def _path(widget: Any) -> str:
    names = []
    while widget is not None and len(names) < 4:
        names.append(type(widget).__name__)
        widget = widget.parentWidget()
    return " < ".join(names)


if __name__ == "__main__":
    main()
