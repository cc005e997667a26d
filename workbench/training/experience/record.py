"""The answers of a step on disk: written before the weights are updated by them, read back when the step is computed
again. So a resumed training updates by the same answers, independently of what sampled them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from workbench.base.durability import written_beside
from workbench.training.experience.rollouts import Sampled

POLICY_FOLDER = "policy"
"""In a run's folder, while it trains: the policy as the engine is given it."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a step's file. ``prompt`` and ``response`` are texts, ``prompt_tokens`` and ``tokens`` what was
    computed. ``logprobs`` are those of what sampled it (``by``). ``kl`` is the answer's log-ratio to the reference,
    None until it is known."""

    prompt: str
    response: str
    prompt_tokens: tuple[int, ...]
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    finished: bool
    reward: float
    parts: dict[str, float] = {}
    by: str = ""
    kl: float | None = None

    @property
    def sampled(self) -> Sampled:
        return Sampled(self.tokens, self.logprobs, self.finished)


class StepRecord:
    """The files of a run, ``rollouts/000001.jsonl`` and on; ``rollouts/held-out-000005.jsonl`` are the answers to
    held-out prompts after step 5, by the weights of the latest evaluation then."""

    def __init__(self, run: Path) -> None:
        self._folder = run / "rollouts"

    def path(self, step: int) -> Path:
        return self._folder / f"{step:06}.jsonl"

    def read(self, step: int, prompts: Sequence[Sequence[int]]) -> list[Answer] | None:
        """The answers of a step to these prompts, None where there are none. A file of other prompts, or one that is
        damaged, is passed over."""
        try:
            lines = self.path(step).read_bytes().splitlines()
            found = [msgspec.json.decode(line, type=Answer) for line in lines]
        except (OSError, msgspec.DecodeError):
            return None
        same = [one.prompt_tokens for one in found] == [tuple(prompt) for prompt in prompts]
        return found if same else None

    def add_held_out(self, step: int, answers: Sequence[Answer]) -> None:
        """Add the answers to some prompts, in place of earlier ones to these."""
        path = self._folder / f"held-out-{step:06}.jsonl"
        known: dict[tuple[int, ...], Answer] = {}
        if path.is_file():
            for line in path.read_bytes().splitlines():
                one = msgspec.json.decode(line, type=Answer)
                known[one.prompt_tokens] = one
        known |= {one.prompt_tokens: one for one in answers}
        self._write(path, list(known.values()))

    def write(self, step: int, answers: Sequence[Answer]) -> None:
        """Complete or not at all. Raises UserError where there is no room."""
        self._write(self.path(step), answers)

    def _write(self, path: Path, answers: Sequence[Answer]) -> None:
        raw = b"".join(msgspec.json.encode(one) + b"\n" for one in answers)
        with written_beside(path) as beside:
            beside.write_bytes(raw)
