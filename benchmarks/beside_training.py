"""A chat beside a training that uses all cores.

    python benchmarks/beside_training.py

Another process trains a small network in torch on as many threads as there are cores, without a pause. Measured in
turns with it stopped (SIGSTOP) and running: tokens a second of a chat answer of 150 tokens, as the window would see
them, and the longest gap between two pieces of text. What the plain C loop (loop.c) makes beside the same training is
told as well.
POSIX only.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from decode import CLoop, Ours, read_vocabulary
from harness import arguments, in_turns, show, starter_model

from workbench.records.recipes import DecodingPart

TRAINING = """
import sys, torch
torch.set_num_threads(int(sys.argv[1]))
net = torch.nn.Sequential(torch.nn.Linear(576, 1536), torch.nn.ReLU(), torch.nn.Linear(1536, 576))
optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4)
x = torch.randn(512, 576)
print("training", flush=True)
while True:
    loss = (net(x) - x).pow(2).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
"""


def main() -> None:
    options = arguments(__doc__, "model", rounds=5, training_threads=2).parse_args()
    path = (options.model or starter_model()).resolve()
    ours = Ours(path, 0)
    question, _, ends = read_vocabulary(path)
    decoding = DecodingPart(max_tokens=150, repetition_penalty=1.0, logit_bias=ends)
    training = subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(options.training_threads)], stdout=subprocess.PIPE, text=True
    )
    assert training.stdout is not None
    training.stdout.readline()
    with tempfile.TemporaryDirectory() as folder:
        loop = CLoop(path, ours.loaded.threads, question, Path(folder))

        def answer(way: str, _round: int) -> tuple[float, float]:
            training.send_signal(signal.SIGCONT if way == "beside" else signal.SIGSTOP)
            time.sleep(1.5)
            return ours.stream(decoding)

        try:
            found = in_turns(options.rounds, ("quiet", "beside"), answer)
            training.send_signal(signal.SIGCONT)
            plain = [loop.ask("one 30")[0] for _ in range(2)]  # it takes long
        finally:
            training.send_signal(signal.SIGCONT)
            training.kill()
            loop.close()
            ours.worker.stop()
    speeds = {f"chat, {name}": [speed for speed, _ in values] for name, values in found.items()}
    title = f"{path.name}, training on {options.training_threads} threads, median of {options.rounds}"
    show(speeds | {"C loop, beside": plain}, "chat, quiet", "tok/s", title)
    print(f"longest gap beside it: {max(gap for _, gap in found['beside']) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
