"""How many answers are sampled at once, and the memory that takes. Importing this loads neither torch nor llama.cpp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.records.training import MemoryPart

if TYPE_CHECKING:
    from workbench.training.model_shape import ModelShape

MOST_AT_ONCE = 32
"""Answers that torch samples in one batch, fewer where their prompts are long."""
TOKENS_AT_ONCE = 16_384
MOST_SEQUENCES = 16
"""Answers that the engine computes at once; more are no faster on a processor."""
CONTEXT_SLACK = 64
MOST_RECORDED_BYTES = 256 << 20
"""Of the output of the frozen blocks, which is kept for the passes of a step."""

ENGINE_BYTES = 36_000_000
"""llama.cpp, and its buffers of a pass: measured with two layers of the starter, without the file that is mapped."""
_HALF, _FLOAT, _DOUBLE = 2, 4, 8
_SLACK = 1.15  # as of the other parts (``training.memory``)
_INNER_COPIES = 4
"""Of a token's feed-forward states in a pass without gradient: gate, up, their product, and the input."""


def engine_cells(longest_prompt: int, new_tokens: int) -> int:
    """The tokens for which the engine's context has room: of all answers at once, and of four prompts."""
    return MOST_SEQUENCES * new_tokens + 4 * longest_prompt + CONTEXT_SLACK


def rollout_memory(
    shape: ModelShape, *, prompt: int, new_tokens: int, answers: int, frozen_layers: bool
) -> tuple[MemoryPart, ...]:
    """Of a step with ``answers`` answers of at most ``new_tokens`` tokens after prompts of at most ``prompt``.
    ``frozen_layers``: some blocks lie below the first trained one.

    Engine and torch are both there at the beginning, when their speeds are compared. The model file is mapped: its
    pages count as memory, and the system can drop them.
    """
    length = prompt + new_tokens
    cells = engine_cells(prompt, new_tokens)
    engine = ENGINE_BYTES + shape.file_bytes + _HALF * shape.keys * cells
    rows = max(1, min(MOST_AT_ONCE, TOKENS_AT_ONCE // max(1, length)))
    cache = 2 * _FLOAT * shape.keys * rows * length  # a token longer each time: the old and the new one
    logits = 3 * _FLOAT * shape.vocabulary * rows + 4 * _DOUBLE * shape.vocabulary  # as computed, tempered; one drawn
    first_pass = _FLOAT * _INNER_COPIES * shape.inner * rows * prompt
    recorded = min(MOST_RECORDED_BYTES, _FLOAT * shape.width * answers * length) if frozen_layers else 0
    of_tokens = 10 * _FLOAT * answers * new_tokens  # log-probabilities of three, values, advantages, weights, masks
    return (
        MemoryPart("rollouts (engine)", engine),
        MemoryPart("rollouts (torch)", int(_SLACK * (cache + logits + first_pass))),
        MemoryPart("answers of a step", recorded + of_tokens),
    )
