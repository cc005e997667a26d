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

REWARD_SEQUENCES, USUAL_REWARD_TOKENS = 8, 4096
"""Texts that a reward model scores at once, and the tokens that all of them have together as a rule."""

ENGINE_BYTES = 36_000_000
"""llama.cpp, and its buffers of a pass: measured with two layers of the starter, without the file that is mapped."""
_HALF, _FLOAT, _DOUBLE = 2, 4, 8
_SLACK = 1.15  # as of the other parts (``training.memory``)
_INNER_COPIES = 4
"""Of a token's feed-forward states in a pass without gradient: gate, up, their product, and the input."""


def engine_cells(longest_prompt: int, new_tokens: int) -> int:
    """The tokens for which the engine's context has room: of all answers at once, and of four prompts."""
    return MOST_SEQUENCES * new_tokens + 4 * longest_prompt + CONTEXT_SLACK


def unpacked_bytes(shape: ModelShape) -> int:
    """Of the copy of a model in 16 bits that the engine samples by, on the disk and in memory."""
    return _HALF * shape.parameters


def unpacked_memory(shape: ModelShape, longest_prompt: int, new_tokens: int) -> MemoryPart:
    """Of the engine that samples by the copy."""
    cells = engine_cells(longest_prompt, new_tokens)
    return MemoryPart("rollouts (unpacked)", ENGINE_BYTES + unpacked_bytes(shape) + _HALF * shape.keys * cells)


def reward_model_memory(shape: ModelShape, longest: int) -> MemoryPart:
    """Of the engine that scores texts of at most ``longest`` tokens by reward models of the same base."""
    cells = max(longest, min(USUAL_REWARD_TOKENS, REWARD_SEQUENCES * longest))
    return MemoryPart("reward models", ENGINE_BYTES + shape.file_bytes + _HALF * shape.keys * cells)


def rollout_memory(
    shape: ModelShape, *, prompt: int, new_tokens: int, answers: int, frozen_layers: bool, updating: int = 0
) -> tuple[MemoryPart, ...]:
    """Of a step with ``answers`` answers of at most ``new_tokens`` tokens after prompts of at most ``prompt``.
    ``frozen_layers``: some blocks lie below the first trained one. ``updating`` are the bytes that an update takes for
    activations and loss: no answers are sampled meanwhile, and half of these bytes is counted on for sampling, since
    what is freed cannot all be used again.

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
        MemoryPart("rollouts (torch)", max(0, int(_SLACK * (cache + logits + first_pass)) - updating // 2)),
        MemoryPart("answers of a step", recorded + of_tokens),
    )
