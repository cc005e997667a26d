"""Ctrl+C at the seam between two calls of one command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.api.events import Event, Finished
from workbench.api.protocol import Call
from workbench.base.paths import Home
from workbench.cli.session import Session, Stopped
from workbench.subjects.runs.calls import FollowRun, GetRun


class Front:
    """Answers at once; the first call is interrupted while it is being answered."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.asked: list[Call[Any]] = []

    def start(self, call: Call[Any], on_event: Callable[[Event], None]) -> Front:
        self.asked.append(call)
        if len(self.asked) == 1 and self.session is not None:
            self.session.interrupt()
        record = {"id": "r", "kind": "train", "title": "x", "state": "queued", "created": 0.0}
        on_event(Finished(result=record))
        return self

    def cancel(self) -> None:
        """It came too late: what was asked for is done."""

    def close(self) -> None:
        pass


def test_a_run_that_was_queued_as_ctrl_c_was_pressed_is_stopped(tmp_path: Path) -> None:
    front = Front()
    front.session = session = Session(Home(tmp_path), lambda home: front)  # type: ignore[arg-type, return-value]
    stopped: list[str] = []
    assert list(session.call(GetRun(run="r"))) == []
    with pytest.raises(Stopped):
        list(session.call(FollowRun(run="r"), lambda: stopped.append("r")))
    assert stopped == ["r"]
    assert front.asked == [GetRun(run="r")]
