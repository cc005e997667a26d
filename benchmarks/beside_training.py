"""A chat beside a training that uses all cores.

    python benchmarks/beside_training.py [--model FILE.gguf] [--rounds 5] [--training-threads 2]

Another process trains a small network in torch on as many threads as there are cores, without a pause. Measured in
turns with it stopped (SIGSTOP) and running: tokens a second of a chat answer of 150 tokens, as the window would see
them, and the longest gap between two pieces of text. What the plain C loop (loop.c) makes beside the same training is
told as well.
POSIX only.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from decode import CLoop, Ours, read_vocabulary, starter_model

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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--training-threads", type=int, default=2)
    options = parser.parse_args()
    path = (options.model or starter_model()).resolve()
    ours = Ours(path, 0)
    question, _, ends = read_vocabulary(path)
    decoding = DecodingPart(max_tokens=150, repetition_penalty=1.0, logit_bias=ends)
    training = subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(options.training_threads)], stdout=subprocess.PIPE, text=True
    )
    assert training.stdout is not None
    training.stdout.readline()
    quiet, beside, gaps, plain = list[float](), list[float](), list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        loop = CLoop(path, ours.loaded.threads, question, Path(folder))
        try:
            for number in range(-1, options.rounds):
                for running in (False, True) if number % 2 else (True, False):
                    training.send_signal(signal.SIGCONT if running else signal.SIGSTOP)
                    time.sleep(1.5)
                    speed, gap = ours.stream(decoding)
                    if number >= 0:
                        (beside if running else quiet).append(speed)
                        if running:
                            gaps.append(gap)
                if 0 <= number < 2:  # it takes long
                    training.send_signal(signal.SIGCONT)
                    plain.append(loop.ask("one 30")[0])
        finally:
            training.send_signal(signal.SIGCONT)
            training.kill()
            loop.close()
            ours.worker.stop()
    alone, together = statistics.median(quiet), statistics.median(beside)
    print(f"{path.name}, training on {options.training_threads} threads, median of {options.rounds}")
    print(f"chat, quiet machine     {alone:6.1f} tok/s  ({min(quiet):.1f}-{max(quiet):.1f})")
    print(
        f"chat, beside training   {together:6.1f} tok/s  ({min(beside):.1f}-{max(beside):.1f})"
        f"  ratio {together / alone:.2f}"
    )
    print(f"longest gap beside it   {max(gaps) * 1000:6.0f} ms")
    print(f"C loop beside training  {statistics.median(plain):6.1f} tok/s")


if __name__ == "__main__":
    main()
