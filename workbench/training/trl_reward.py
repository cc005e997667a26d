"""A reward model as TRL's trainer takes it: this program's score head over the same model, which scores an answer by
the states of its own tokens.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput
from trl.trainer.reward_trainer import DataCollatorForPreference

from workbench.training.losses import hidden_states
from workbench.training.peft_models import base_of
from workbench.training.reward_training import HEAD


class PairCollator(DataCollatorForPreference):  # type: ignore[misc]  # TRL is not followed
    """TRL's, with the length of each prompt: chosen answers first, then the rejected ones."""

    def torch_call(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        lengths = [example["prompt_tokens"] for example in examples]
        found: dict[str, Any] = super().torch_call(examples)
        return {**found, "prompt_tokens": torch.tensor([*lengths, *lengths])}


class ScoredAnswers(nn.Module):  # type: ignore[misc]  # torch is not followed
    """``model`` with its score head, as a model of one label. ``pooling`` as in ``reward_training``."""

    def __init__(self, model: Any, pooling: str) -> None:
        super().__init__()
        self.model, self._pooling = model, pooling
        self.config = copy.deepcopy(base_of(model).config)
        self.config.num_labels = 1

    def forward(self, input_ids: Any, attention_mask: Any, prompt_tokens: Any, **unused: Any) -> Any:
        """Scores (rows, 1) of texts (rows, longest) padded at the right; ``prompt_tokens`` is (rows,)."""
        hidden = hidden_states(self.model, input_ids, attention_mask=attention_mask)
        ends = attention_mask.sum(dim=1)
        if self._pooling == "last":
            states = hidden[torch.arange(len(hidden), device=hidden.device), ends - 1].float()
        else:
            places = torch.arange(hidden.shape[1], device=hidden.device)
            answers = ((places >= prompt_tokens[:, None]) & (places < ends[:, None])).float()
            states = (hidden.float() * answers[..., None]).sum(dim=1) / answers.sum(dim=1, keepdim=True)
        with torch.autocast(states.device.type, enabled=False):
            return SequenceClassifierOutput(logits=getattr(self.model, HEAD)(states))

    def add_model_tags(self, tags: Any) -> None:
        """TRL names itself in what it saves; nothing is saved by it here."""
