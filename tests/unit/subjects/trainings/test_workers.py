"""When the training worker's processes come and go, with hosts that only keep count."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from workbench.processes.host import State
from workbench.training.worker_host import TrainingWorkers

WAIT_S = 10.0


class Host:
    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.closed = False
        self.pid = 1
        self.memory_bytes = 100

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        self.closed = True
        self.pid = 0


def workers(idle_s: float) -> tuple[TrainingWorkers, list[Host]]:
    hosts: list[Host] = []

    def make(on_state: Callable[[State], None], **graces: float) -> Any:
        hosts.append(Host())
        return hosts[-1]

    return TrainingWorkers(make, lambda: None, idle_s), hosts


def test_the_one_that_looks_is_let_go_when_it_is_idle() -> None:
    some, [looking] = workers(0.01)
    with some.shared(), some.shared():
        assert not looking.stopped.wait(0.1)
    assert looking.stopped.wait(WAIT_S)
    some.close()


def test_it_makes_room_for_one_that_works_unless_it_is_asked_something() -> None:
    some, hosts = workers(1000)
    with some.shared(), some.dedicated():
        assert not hosts[0].stopped.is_set()
    with some.dedicated() as host:
        assert hosts[0].stopped.is_set()
        assert host in some.hosts
        assert some.memory_bytes == 100
    assert [h.closed for h in hosts] == [False, True, True]
    assert some.memory_bytes == 0
    some.close()
    assert hosts[0].closed
