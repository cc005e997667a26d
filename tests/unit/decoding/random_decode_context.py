"""Jobs computed by a small random Llama in torch, step by step as the engine does, without a
memory to share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from workbench.engine.jobs import Branch, Job

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

torch.set_num_threads(1)  # so small a model is slower on several

VOCABULARY = 50
ENDINGS = (0, 7)


def random_llama(seed: int) -> Any:
    """A model whose distributions are sharp enough for sequences to differ in length and end early at times."""
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        bos_token_id=1,
        eos_token_id=list(ENDINGS),
        pad_token_id=2,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(12)
    return model


def random_prompt(seed: int) -> list[int]:
    tokens: list[int] = torch.randint(3, VOCABULARY, (6,), generator=torch.Generator().manual_seed(seed)).tolist()
    return tokens


def compute(model: Any, tokens: Sequence[int]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Logits and the last layer's states after its norm, of each place."""
    with torch.no_grad():
        made = model(torch.tensor([list(tokens)]), output_hidden_states=True)
    return made.logits[0].numpy().copy(), made.hidden_states[-1][0].numpy().copy()


class Letters:
    """A vocabulary of letters; ``ENDINGS`` end an answer."""

    size = VOCABULARY
    marks: frozenset[int] = frozenset()

    def ends_generation(self, token: int) -> bool:
        return token in ENDINGS

    def piece(self, token: int, *, special: bool = False) -> bytes:
        return b"" if token in ENDINGS else bytes([ord("A") + token])

    def text(self, tokens: Sequence[int]) -> str:
        return b"".join(self.piece(token) for token in tokens).decode()


class DecodeContext:
    """Runs one job. Refuses a fork of what isn't computed, and more branches or cells than were asked for."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._states: npt.NDArray[np.float32] = np.empty((0, 0), np.float32)
        self._numbers = 0
        self.most_cells = 0
        self.most_branches = 0

    def run(self, job: Job, steps: int = 1000) -> list[Any]:
        """The job's events. Cancels it after so many ``steps``."""
        self._job = job
        job.memory = self
        job.branches.append(Branch(0, list(job.prompt), 0, job.logits_from))
        job.begin()
        for _ in range(steps):
            if job.done:
                break
            self.step()
        if not job.done:
            job.cancel()
        return list(job.events())

    def step(self) -> None:
        job = self._job
        for branch in list(job.branches):
            first, branch.computed = branch.computed, len(branch.tokens)
            if first == branch.computed:
                continue
            logits, self._states = compute(self._model, branch.tokens)
            for place in range(max(first, branch.logits_from), branch.computed):
                if not job.done:
                    job.take(branch, None, place, logits[place])
        # cells shared by branches count once: a token's place with all that is before it
        cells = {tuple(b.tokens[:end]) for b in job.branches for end in range(1, len(b.tokens) + 1)}
        self.most_cells = max(self.most_cells, len(cells))
        self.most_branches = max(self.most_branches, len(job.branches))
        assert len(cells) <= job.room
        if not job.done and not any(branch.missing for branch in job.branches):
            job.settle()

    def fork(self, branch: Branch) -> Branch:
        assert not branch.missing
        assert branch in self._job.branches
        self._numbers += 1
        made = Branch(self._numbers, list(branch.tokens), branch.computed, branch.logits_from)
        self._job.branches.append(made)
        assert len(self._job.branches) <= self._job.width
        return made

    def drop(self, branch: Branch) -> None:
        self._job.branches.remove(branch)

    def rewind(self, branch: Branch, length: int) -> None:
        raise AssertionError("searches never go back")

    def states(self, row: int) -> npt.NDArray[np.float32]:
        return self._states[row]
