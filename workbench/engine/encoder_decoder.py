"""Encoder-decoder models (T5; Raffel et al. 2020, arXiv:1910.10683): an encoder reads the question as a whole, and a
decoder writes the answer, attending to all of the encoder's output with every token.

Their prompts are token ids as those of other models are: the encoder's tokens, the decoder's start token, then the
answer as far as it has begun. llama.cpp holds one encoded text per context. The decoder's cells depend on it, so that
no other prompt can reuse them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.base.errors import UserError
from workbench.engine.library import llama
from workbench.engine.memory_formulas import BATCH_TOKENS

ENCODER_TOKENS = BATCH_TOKENS
"""Maximum number of tokens that the encoder reads: it cannot read in parts. T5 was trained with 512."""


def find_start(pointer: Any, vocabulary: Any) -> int:
    """The token with which the decoder begins: the model's own, else the one that begins texts, else padding."""
    for token in (
        llama.llama_model_decoder_start_token(pointer),
        llama.llama_vocab_bos(vocabulary),
        llama.llama_vocab_pad(vocabulary),
    ):
        if token >= 0:
            return int(token)
    raise UserError("The model file does not say with which token an answer begins.", "Get it from another source.")


def encoded_length(prompt: Sequence[int], start: int) -> int:
    """Number of a prompt's tokens that the encoder reads. Raises UserError for a prompt without a question or without
    the beginning of an answer, and for one that is too long."""
    if start not in prompt[1:]:
        raise UserError(
            "These tokens are no prompt of an encoder-decoder model.", "Answer the question again with this model."
        )
    length = list(prompt).index(start, 1)
    if length > ENCODER_TOKENS:
        raise UserError(
            f"The question has {length:,} tokens; the encoder of this model reads at most {ENCODER_TOKENS:,}.",
            "Shorten the question or the documents.",
        )
    return length


def encode(context: Any, tokens: Sequence[int], sequences: int) -> int:
    """Encode a text for all sequences of a context; returns llama.cpp's status (``batch.DONE``, ...)."""
    batch = llama.llama_batch_init(len(tokens), 0, sequences)
    try:
        for row, token in enumerate(tokens):
            batch.token[row], batch.pos[row], batch.logits[row] = token, row, True
            batch.n_seq_id[row] = sequences
            for sequence in range(sequences):
                batch.seq_id[row][sequence] = sequence
        batch.n_tokens = len(tokens)
        return int(llama.llama_encode(context, batch))
    finally:
        llama.llama_batch_free(batch)
