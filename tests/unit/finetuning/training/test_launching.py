"""Processes that train together: how their end is waited for."""

from __future__ import annotations

import sys

import pytest

from workbench import events
from workbench.errors import UserError
from workbench.techniques.finetuning.training import launching
from workbench.workers.process import spawn

SAYS_AND_STAYS = r"""
import sys, time
sys.stdout.buffer.write(b"\x1e" + sys.argv[1].encode() + b"\n")
sys.stdout.flush()
time.sleep(600)  # as a process does that waits for one that has left
"""


def test_processes_that_wait_for_one_that_has_left_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "_END_S", 0.2)
    said = events.encode(events.Failed(message="No room.", hint="Free some.")).decode()
    with spawn([sys.executable, "-c", SAYS_AND_STAYS, said], {}) as process:
        with pytest.raises(UserError, match="No room"):
            launching._follow(process, lambda event: None)
        assert process.poll() is not None
