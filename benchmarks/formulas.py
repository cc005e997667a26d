"""Formulas in messages: how many are drawn, whether money is taken for one, and how smooth a message with 40 scrolls.

``python benchmarks/formulas.py draw``: 200 formulas of the data sets, 80 calculations of gsm8k, 60 expressions of bbh
and 60 of the mathematical questions of mmlu, drawn one after the other: how many are drawn, how many are shown as their
source, and the processor time of one. Beside it the amounts
in dollars of the training problems of gsm8k: none is a formula.

``python benchmarks/formulas.py scroll``: a message with 40 formulas is opened in the real chat page, its formulas are
drawn by the real worker, and then it is scrolled to its end and back in six seconds; gaps of the event loop as a timer
of 1 ms sees them, and processor time of the window's thread per turn. Target: at most 50 ms while the formulas come,
33 ms while it is scrolled.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import DATA, arguments, read_lines

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
SCROLL_S = 6
_CALCULATION = re.compile(r"<<([^>]+)>>")
_EXPRESSION = re.compile(r"[A-Za-z(\d][\w()^*/+ -]*[\^*/+=][\w()^*/+ =-]*[\w)]")


def formulas_of(data: Path) -> list[str]:
    """80 calculations of gsm8k, 60 expressions of bbh, 60 of mmlu, as they would stand between dollars."""
    solutions = read_lines(data / "gsm8k" / "test.jsonl")
    gsm8k = [found for row in solutions for found in _CALCULATION.findall(str(row["answer"]))]
    bbh = [
        str(row["question"]).removesuffix(" =") for row in read_lines(data / "bbh" / "multistep_arithmetic_two.jsonl")
    ]
    mmlu: list[str] = []
    for subject in ("abstract_algebra", "college_mathematics", "high_school_mathematics", "elementary_mathematics"):
        path = data / "mmlu" / "test" / f"{subject}.jsonl"
        rows = read_lines(path) if path.exists() else []
        for row in rows:
            whole = " ".join([str(row["question"]), *map(str, row["choices"])])
            mmlu += [found for found in _EXPRESSION.findall(whole) if 4 <= len(found) <= 80]
    return [*gsm8k[:80], *bbh[:60], *mmlu[:60]]


def measure_draw(data: Path) -> dict[str, Any]:
    """Formulas drawn and shown as source, processor time of one in ms, and amounts taken for formulas."""
    from ui.components.formula_text import split_formulas
    from workbench.reading.formula_drawing import draw_formula
    from workbench.records.formulas import Formula

    draw_formula(Formula("x"))
    times, refused = [], []
    sources = formulas_of(data)
    for source in sources:
        began = time.process_time()
        drawn = draw_formula(Formula(source))
        times.append(1000 * (time.process_time() - began))
        if drawn.reason:
            refused.append(f"{source}: {drawn.reason}")
    texts = [str(row["question"]) for row in read_lines(data / "gsm8k" / "train.jsonl")]
    money = [piece for text in texts for piece, style in split_formulas(text) if style is not None]
    return {
        "formulas": len(sources),
        "drawn": len(sources) - len(refused),
        "shown as source": refused,
        "median_ms": statistics.median(times),
        "longest_ms": max(times),
        "texts with money": sum("$" in text for text in texts),
        "amounts taken for formulas": money,
    }


def message() -> str:
    """A message with 40 formulas, half of them in lines of their own."""
    shapes = (
        r"\frac{{x_{{{n}}} + {n}}}{{2}} = \sqrt{{y_{{{n}}}}}",
        r"\sum_{{i=1}}^{{{n}}} i^2 = \frac{{{n}(n+1)}}{{6}}",
        r"\begin{{pmatrix}}{n} & 2 \\ 3 & 4\end{{pmatrix}} \mathbf{{v}}_{{{n}}}",
        r"f_{{{n}}}(x) = \begin{{cases}}{n} & x > 0 \\ 0 & \text{{otherwise}}\end{{cases}}",
    )
    parts = []
    for number in range(20):
        source = shapes[number % len(shapes)].format(n=number + 1)
        parts.append(
            f"Step {number + 1} uses $a_{{{number}}}^2 + b_{{{number}}}^2$ in its line, and then:\n\n$${source}$$"
        )
    return "\n\n".join(parts)


def measure_scroll() -> dict[str, Any]:
    from PySide6.QtCore import QElapsedTimer, QEventLoop, Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from tests.ui.fake_front import FakeFront
    from tests.ui.fake_home import furnished_home
    from ui.bridge import Bridge
    from ui.components.formulas import OBJECT
    from ui.components.prose import Prose
    from ui.features.chat.page import ChatPage
    from ui.shell import Shell
    from ui.theme.theme import current_theme
    from workbench import calls
    from workbench.api.protocol import RequestContext
    from workbench.processes.host import WorkerHost
    from workbench.subjects.formulas.service import FormulaDrawing

    application = QApplication.instance() or QApplication([])
    current_theme()
    home = furnished_home()
    _, answer = home.begin_answer(calls.Ask(question="Derive it."))
    home.end_answer(answer, message())
    front = FakeFront(home)
    drawing = FormulaDrawing(WorkerHost("formulas"))
    front.answer(calls.DrawFormulas, lambda call: drawing.draw(call, RequestContext()))
    shell = Shell(Bridge(front), Path(tempfile.mkdtemp()) / "window.ini")
    shell.resize(1280, 800)
    shell.show()
    shell.start("chat")
    loop = QEventLoop()
    gaps: list[float] = []
    own: list[float] = []
    clock, whole = QElapsedTimer(), QElapsedTimer()
    spent = time.thread_time()

    def beat() -> None:
        nonlocal spent
        gaps.append(clock.nsecsElapsed() / 1e6)
        clock.start()
        before, spent = spent, time.thread_time()
        own.append(1000 * (spent - before))

    def settle(milliseconds: int) -> None:
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def drawn() -> int:
        page = shell.made_page("chat")
        found = page.parts.conversation.findChildren(Prose) if isinstance(page, ChatPage) else []
        return sum(prose.toPlainText().count(OBJECT) for prose in found)

    def figures(name: str) -> dict[str, float]:
        ordered = sorted(gaps)
        result = {
            f"{name}: longest gap, ms": ordered[-1],
            f"{name}: 99th percentile, ms": ordered[int(len(ordered) * 0.99)],
            f"{name}: most processor time of a turn, ms": max(own),
        }
        gaps.clear()
        own.clear()
        return result

    settle(3000)
    pulse = QTimer(interval=1, timerType=Qt.TimerType.PreciseTimer, timeout=beat)
    shell.open_page("chat", chat=answer.chat)
    settle(300)
    clock.start()
    spent = time.thread_time()
    pulse.start()
    began = time.monotonic()
    while drawn() < 40 and time.monotonic() - began < 60:
        settle(50)
    result: dict[str, Any] = {"drawn": drawn(), "seconds until all are drawn": time.monotonic() - began}
    result |= figures("coming")
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    bar = page.parts.conversation.verticalScrollBar()

    def scroll() -> None:
        share = whole.elapsed() / 1000 / SCROLL_S
        bar.setValue(round(abs(1 - 2 * min(1.0, share)) * bar.maximum()))
        if share >= 1.0:
            loop.quit()

    scrolling = QTimer(interval=16, timerType=Qt.TimerType.PreciseTimer, timeout=scroll)
    clock.start()
    whole.start()
    scrolling.start()
    loop.exec()
    scrolling.stop()
    pulse.stop()
    result |= figures("scrolling")
    shell.close()
    drawing.host.close()
    application.processEvents()
    return result


def rows(result: dict[str, Any]) -> Iterator[str]:
    for name, value in result.items():
        yield f"{name}: {value:.1f}" if isinstance(value, float) else f"{name}: {value}"


def main() -> None:
    parser = arguments(__doc__ or "", data=DATA)
    parser.add_argument("what", choices=("draw", "scroll"))
    given = parser.parse_args()
    result = measure_draw(given.data) if given.what == "draw" else measure_scroll()
    print("\n".join(rows(result)))


if __name__ == "__main__":
    main()
