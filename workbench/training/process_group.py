"""Training in several processes, led by the worker, which alone reads requests of the parent.

``torch.distributed.run`` starts one process for each share (gloo on processors, nccl on GPUs). They receive orders to
wait or to stop by files in the run's folder; process 0's events come back through its stdout. They share no stdin.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import msgspec

from workbench.api import events
from workbench.api.protocol import error_of, failure_of, finish
from workbench.base.errors import Cancelled, UserError, WorkerDied
from workbench.base.launching import child_environment, python_command
from workbench.processes.process import kill_tree, spawn
from workbench.records.methods import Method, Methods
from workbench.training.control import FileControl, Switch
from workbench.training.protocol import Trained, TrainModel

Emit = Callable[[events.Event], None]
RewardsOf = Callable[[TrainModel], Any]
"""What rewards ask for within a training (``rewards.reward.RewardContext``), to be closed."""

_LOOPBACK = {"linux": "lo", "darwin": "lo0"}
_LOOK_S = 0.2
_LEAVE_S = 100.0
_END_S = 10.0
"""How long the processes have to end once process 0 has said how it ended."""
_TOLD = "processes-"
_CALL, _LEADER = "call.json", "leader"
_MARK = b"\x1e"  # begins a line of process 0 that is an event


def train_together(call: TrainModel, switch: Switch, emit: Emit) -> Trained:
    """Train in ``call.config.processes`` processes of this machine; gives what process 0 left.

    Raises what process 0 raises, and WorkerDied when one of them went without a word.
    """
    folder = Path(call.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_TOLD}*"):  # of a killed leader: its processes leave without it as well
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_TOLD, dir=folder) as shared:
        (Path(shared) / _CALL).write_bytes(msgspec.json.encode(call))
        (Path(shared) / _LEADER).write_text(str(os.getpid()))
        process = _launch(call.config.processes, Path(shared))
        done = threading.Event()
        leader = threading.Thread(target=_lead, args=(switch, FileControl(Path(shared)), done, process), daemon=True)
        leader.start()
        try:
            return _follow(process, emit)
        finally:
            done.set()
            kill_tree(process)
            process.wait()
            leader.join()


def _launch(count: int, folder: Path) -> subprocess.Popen[bytes]:
    import psutil
    import torch

    cores = psutil.cpu_count(logical=False) or 1
    environment = {**child_environment(), "OMP_NUM_THREADS": str(max(1, cores // count)), "PYTHONUNBUFFERED": "1"}
    if torch.cuda.device_count() < count:
        environment["CUDA_VISIBLE_DEVICES"] = ""  # not one for each: all compute on the processor
    command = python_command("workbench.workers", "--worker", "process-group")
    # as --standalone does, which hangs where the machine's name does not resolve
    command += ["--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"]
    command += ["--nnodes=1", f"--nproc-per-node={count}", "--max-restarts=0"]
    command += ["--no-python", *python_command("workbench.workers", "--worker", "rank"), str(folder)]
    if loopback := _LOOPBACK.get(sys.platform):
        environment |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
    process = spawn(command, environment)
    assert process.stdin is not None
    process.stdin.close()
    return process


def _lead(switch: Switch, control: FileControl, done: threading.Event, process: subprocess.Popen[bytes]) -> None:
    """Pass on what the parent says."""
    paused = False
    while not done.wait(_LOOK_S):
        if switch.stopping:
            control.tell(stop=True)
            if not done.wait(_LEAVE_S):
                kill_tree(process)
            return
        if switch.paused != paused:
            paused = switch.paused
            control.tell(pause=paused)


def _follow(process: subprocess.Popen[bytes], emit: Emit) -> Trained:
    assert process.stdout is not None
    assert process.stderr is not None
    tail: deque[str] = deque(maxlen=60)
    listener = threading.Thread(target=_keep, args=(process.stderr, tail), daemon=True)
    listener.start()
    ending: events.Event | None = None
    for line in process.stdout:
        if not line.startswith(_MARK):
            continue
        event = events.decode(line[1:])
        if isinstance(event, events.TERMINAL):
            ending = event
            break
        if event is not None:
            emit(event)
    try:
        code = process.wait(None if ending is None else _END_S)
    except subprocess.TimeoutExpired:  # the others wait for one that has left
        kill_tree(process)
        code = process.wait()
    listener.join(2.0)
    if isinstance(ending, events.Finished):
        return msgspec.convert(ending.result, Trained)
    if isinstance(ending, events.Failed | events.Cancelled):
        raise error_of(ending)
    raise WorkerDied("training", code, "\n".join(tail))


def _keep(stream: IO[bytes], tail: deque[str]) -> None:
    for line in stream:
        tail.append(line.decode("utf-8", "replace").rstrip()[:2000])
        sys.stderr.write(tail[-1] + "\n")


# -- in each of the processes -----------------------------------------------------------------------------


def run_share(folder: Path, methods: Methods[Method], rewards_of: RewardsOf) -> int:
    """One process's part. Only process 0 says anything, unless another one has no memory left. ``rewards_of`` gives
    what the rewards of sampled answers ask for."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # so that no library's print can get between the events
    call = msgspec.json.decode((folder / _CALL).read_bytes(), type=TrainModel)
    by_trl = call.config.trainer == "trl"
    if not by_trl and (visible := _own_gpu()):
        os.environ["CUDA_VISIBLE_DEVICES"] = visible  # before torch is imported
    leads = os.environ.get("RANK", "0") == "0"
    lock = threading.Lock()

    def say(event: events.Event) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            out.write(_MARK + events.encode(event) + b"\n")

    def emit(event: events.Event) -> None:
        if leads:
            say(event)

    try:
        with _group(call.config.processes, by_trl) as ranks, contextlib.closing(rewards_of(call)) as rewards:
            from workbench.training.run import train

            control = FileControl(folder, int((folder / _LEADER).read_text()))
            live = train(call, methods, control, emit, ranks, rewards)
            if live is not None:
                emit(finish(live.trained))
    except (Cancelled, UserError) as error:
        emit(failure_of(error))  # all come to the same
    except MemoryError as error:
        say(failure_of(error))  # perhaps of this one alone
        return 1
    return 0


def _own_gpu() -> str:
    """The one GPU that this process sees, "" where it sees none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    local = int(os.environ["LOCAL_RANK"])
    if visible is None:
        return str(local)
    devices = [device for device in visible.split(",") if device]
    return devices[local] if local < len(devices) else ""


@contextlib.contextmanager
def _group(expected: int, by_trl: bool = False) -> Iterator[Any]:
    """Join the others. Raises RuntimeError unless all that were asked for are there."""
    import torch
    from torch import distributed

    from workbench.training.ranks import Ranks

    backend = "nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, timeout=timedelta(days=30))  # one may be told to wait
    try:
        ranks = Ranks(distributed.get_rank(), distributed.get_world_size())
        if ranks.count != expected:
            raise RuntimeError(f"{ranks.count} processes train instead of {expected}")
        if by_trl:  # TRL finds the others as torchrun has them, and every GPU under its own number
            if torch.cuda.is_available():
                torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        else:
            # transformers must not divide the steps a second time: they are shared out here
            for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
                os.environ.pop(name, None)
        yield ranks
    finally:
        distributed.destroy_process_group()
