"""The sandbox worker: programs, their limits and their failures, in real processes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from tests.fakes import FakeModelBackend, FakeServices, FakeToolServices
from workbench.api.answer_state import AnswerState
from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.processes.confinement import denied_system_calls, filter_of
from workbench.records.messages import Message
from workbench.records.recipes import PromptingPart, Recipe
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.techniques.tools.sandbox_calls import SandboxLimits
from workbench.techniques.tools.sandbox_host import Sandbox
from workbench.techniques.tools.services import PythonResult

LIMITS = SandboxLimits(seconds=1.0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()


def run(sandbox: Sandbox, code: str, limits: SandboxLimits = LIMITS, **inputs: object) -> PythonResult:
    return sandbox.run(code, inputs, RequestContext(), limits)


def test_a_program_prints_and_has_a_value(sandbox: Sandbox) -> None:
    assert run(sandbox, "print('a')\nx = [1, 2]\nx + [3]") == PythonResult(printed="a\n", value="[1, 2, 3]")
    assert run(sandbox, "sum(values) / n", values=[1, 2, 3], n=2) == PythonResult(value="3.0")


def test_programs_share_nothing(sandbox: Sandbox) -> None:
    run(sandbox, "x = 1")
    assert "name 'x' is not defined" in run(sandbox, "x").error


def test_randomness_is_the_same_each_time(sandbox: Sandbox) -> None:
    code = "import random\nrandom.random()"
    assert run(sandbox, code).value == run(sandbox, code).value != ""


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (line 1)"),
        ("x = 1\nx +", "line 2"),
        ("while True: pass", "ran longer than 1 s"),
        ("try:\n    while True: pass\nexcept BaseException: pass\nwhile True: pass", "ran longer than 1 s"),
        ("x = []\nwhile True: x.append('a' * 1_000_000)", "MemoryError"),
        ("while True: print('x' * 1000)", "printed more than 20,000 characters"),
        ("'x' * 300_000_000", "MemoryError"),
        ("def f(): return f()\nf()", "RecursionError"),
    ],
)
def test_a_failure_is_a_sentence(sandbox: Sandbox, code: str, error: str) -> None:
    assert error in run(sandbox, code).error


def test_a_value_that_is_too_large_is_cut(sandbox: Sandbox) -> None:
    assert run(sandbox, "'x' * 50_000").value.endswith("more characters)")
    assert run(sandbox, "2 ** 40_000").value == "(a value that is too large to show)"


def test_a_program_that_is_too_long_is_not_run(sandbox: Sandbox) -> None:
    assert "more than 10 characters" in run(sandbox, "1" * 11, SandboxLimits(code=10)).error


def test_a_cancelled_program_is_stopped_and_the_next_one_runs(sandbox: Sandbox) -> None:
    context = RequestContext()
    stopping = threading.Timer(0.2, context.cancel)
    stopping.start()
    with pytest.raises(Cancelled):
        sandbox.run("while True: pass", {}, context, SandboxLimits(seconds=60))
    stopping.join()
    assert run(sandbox, "1").value == "1"


def test_a_frozen_worker_is_ended_after_the_deadline_and_replaced(sandbox: Sandbox) -> None:
    run(sandbox, "1")
    frozen = psutil.Process(sandbox.host.pid)
    frozen.suspend()
    assert "ran longer than 0.5 s" in run(sandbox, "1", SandboxLimits(seconds=0.5)).error
    assert run(sandbox, "2").value == "2"
    assert sandbox.host.pid != frozen.pid


def test_the_worker_has_no_variables_of_ours(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    fresh = Sandbox()
    try:
        fresh.run("1", {}, RequestContext())
        if sys.platform == "linux":
            assert "SECRET_TOKEN" not in psutil.Process(fresh.host.pid).environ()
    finally:
        fresh.close()


def test_without_the_interpreter_the_sandbox_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.techniques.tools.sandbox_host.interpreter_file", lambda: None)
    sandbox = Sandbox()
    assert "pydantic-monty" in sandbox.problem()
    with pytest.raises(UserError, match="pydantic-monty"):
        run(sandbox, "1")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's protections are of Linux")
def test_linux_confines_the_worker(sandbox: Sandbox) -> None:
    assert {"resource limits", "no new privileges"} <= set(sandbox.protections())


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_refuses_sockets_and_fits_its_jumps(machine: str) -> None:
    denied = denied_system_calls(machine)
    assert {"socket", "connect", "ptrace", "mount", "bpf", "memfd_create", "execveat"} <= set(denied)
    assert len(set(denied.values())) == len(denied) < 250
    program = filter_of(1, sorted(denied.values()), x32=True)
    assert len(program) == 8 * (len(denied) + 7)


def test_it_checks_the_thoughts_of_a_tree(sandbox: Sandbox) -> None:
    model = FakeModelBackend(lambda _, part, __: "1. 2 + 2\n2. 5 - 1\n3. 9 * 9\n" if part.format == "regex" else "4")
    services = FakeServices(model)
    services.tool_services = FakeToolServices(python=lambda code, inputs: run(sandbox, code, **inputs))
    options = {"judge": "checker", "depth": 1, "test": "eval(thought) == 4 and '-' in thought"}
    recipe = Recipe(prompting=PromptingPart(technique="tree-of-thoughts", options=options))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", "What makes 4?"),))
    state = AnswerState.of(answer(request, services, RequestContext()))
    scores = {step.title: step.score for step in state.trace().steps if step.kind == "thought"}
    assert scores == {"2 + 2": 0.0, "5 - 1": 1.0, "9 * 9": 0.0}
