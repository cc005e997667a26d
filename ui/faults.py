"""What goes wrong in the window and was not expected: it is told to the person and written into a log.

Exceptions of slots, threads and listeners, and what Qt complains of, go into ``window.log`` of the home's logs; those
of the level of an error are told to the window. A crash in native code leaves the places of all threads in
``window-crash.log``, which the next start offers once.
"""

from __future__ import annotations

import collections
import faulthandler
import logging
import logging.handlers
import os
import platform
import re
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import shiboken6
from PySide6.QtCore import QMessageLogContext, QObject, QTimer, QtMsgType, Signal, qInstallMessageHandler, qVersion

from workbench import __version__

LOG, CRASH, EARLIER_CRASH = "window.log", "window-crash.log", "window-crash-earlier.log"
TOGETHER_MS = 250
"""Equal faults within this time are told at once."""

_log = logging.getLogger("ui")
_qt = logging.getLogger("qt")
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_DEADLY = re.compile(r"^(Fatal Python error|Windows fatal exception: (?!code 0x))", re.M)
"""Python writes of some exceptions that Windows goes on from, by their codes: no crash."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault: its kind and message in one line, its trace, and how often it came."""

    summary: str
    trace: str
    count: int = 1


def details_of(trace: str) -> str:
    """What helps to find the cause: the trace, and of what program on what system."""
    system = f"{platform.platform()}, Python {platform.python_version()}, Qt {qVersion()}"
    return f"LLM Workbench {__version__}\n{system}\n\n{trace.strip()}\n"


class FaultWatch(QObject):
    """Sees the faults of this process from ``install`` on. ``occurred`` sends each as a ``Fault`` on the GUI thread,
    with a higher count when the same one has come again."""

    occurred = Signal(object)
    _arrived = Signal(str, str)  # from any thread

    def __init__(self, logs: Path) -> None:
        super().__init__()
        self._logs = logs
        self._counts: collections.Counter[str] = collections.Counter()
        self._untold: dict[str, str] = {}  # traces by summary
        self._timer = QTimer(self, singleShot=True, interval=TOGETHER_MS, timeout=self._on_tell)
        self._crash: IO[str] | None = None
        self._handlers: list[logging.Handler] = []
        self._arrived.connect(self._on_arrived)

    def install(self) -> str:
        """Watch from now on; the trace of a crash that was not offered yet, "" without one."""
        earlier = ""
        self._handlers = [_Teller(self)]
        if sys.stderr is not None:
            self._handlers.append(logging.StreamHandler())
        try:
            to_file = logging.handlers.RotatingFileHandler(
                self._logs / LOG, maxBytes=1024 * 1024, backupCount=3, encoding="utf-8"
            )
            to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
            to_file.addFilter(_Seldom())
            self._handlers.append(to_file)
            earlier = self._watch_crashes()
        except OSError as error:  # a folder that cannot be written: what happens is told all the same
            _log.warning("%s cannot be written: %s", self._logs, error.strerror)
        for handler in self._handlers:
            logging.getLogger().addHandler(handler)
        sys.excepthook = _log_exception
        threading.excepthook = _log_thread_exception
        qInstallMessageHandler(_log_message)
        return earlier

    def close(self) -> None:
        """Watch no more."""
        qInstallMessageHandler(None)
        sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()
        if self._crash is not None:
            faulthandler.disable()
            self._crash.close()

    def tell(self, summary: str, trace: str) -> None:
        """Tell the window of a fault; from any thread."""
        if shiboken6.isValid(self):
            self._arrived.emit(summary, trace)

    def _watch_crashes(self) -> str:
        path, earlier = self._logs / CRASH, ""
        if path.exists() and path.stat().st_size:
            earlier = path.read_text("utf-8", "replace")
            os.replace(path, self._logs / EARLIER_CRASH)
        self._crash = path.open("a", encoding="utf-8")
        faulthandler.enable(self._crash)
        return earlier if _DEADLY.search(earlier) else ""

    def _on_arrived(self, summary: str, trace: str) -> None:
        self._counts[summary] += 1
        self._untold[summary] = trace
        if not self._timer.isActive():
            self._timer.start()

    def _on_tell(self) -> None:
        untold, self._untold = self._untold, {}
        for summary, trace in untold.items():
            self.occurred.emit(Fault(summary, trace, self._counts[summary]))


class _Teller(logging.Handler):
    """Tells a watch of each record of the level of an error."""

    def __init__(self, watch: FaultWatch) -> None:
        super().__init__(logging.ERROR)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        trace = ""
        if record.exc_info and record.exc_info[1] is not None:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
        self._watch.tell(_summary_of(record), trace or record.getMessage())


class _Seldom(logging.Filter):
    """Passes the first, second, fourth, eighth… of equal records: a fault of each painting does not fill the log."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: collections.Counter[str] = collections.Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        summary = _summary_of(record)
        self._counts[summary] += 1
        count = self._counts[summary]
        return count & (count - 1) == 0


def _summary_of(record: logging.LogRecord) -> str:
    """In one line: the exception, or without one what was logged."""
    if record.exc_info and record.exc_info[1] is not None:
        return traceback.format_exception_only(record.exc_info[1])[-1].strip().splitlines()[0]
    return record.getMessage()


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _log.error("Not expected", exc_info=(kind, error, trace))


def _log_thread_exception(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
        _log.error("Not expected", exc_info=(found.exc_type, found.exc_value, found.exc_traceback))


def _log_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    _qt.log(_LEVELS.get(kind, logging.WARNING), "%s", message)
