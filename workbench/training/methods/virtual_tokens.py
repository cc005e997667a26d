"""Trained vectors that stand before every text: prompt tuning (Lester et al. 2021, arXiv:2104.08691), P-tuning (Liu et
al. 2021, arXiv:2103.10385) and prefix tuning (Li and Liang 2021, arXiv:2101.00190)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.base.errors import UserError
from workbench.records.training import ArtifactKind
from workbench.training.methods.weights_method import WeightsMethod

if TYPE_CHECKING:
    from workbench.training.model_shape import ModelShape

_WINDOWED = ("gemma2", "gemma3")
"""A prefix on them was compared with torch."""
_RECURRENT = ("lfm2",)


class PromptTuning(WeightsMethod):
    """Embeddings of virtual tokens. They want the largest rate, 0.3 with Adafactor in the paper, a tenth of it with
    AdamW."""

    artifact: ClassVar[ArtifactKind] = "soft-prompt"
    pass_share: ClassVar[float] = 0.6
    """A step of the starter took 2.1 s of a processor, with 20 virtual tokens to 100, where one of LoRA took 3.1."""

    def trainable(self, shape: ModelShape) -> int:
        return self.weights.virtual_tokens * shape.width

    def learning_rate(self, full: float) -> float:
        return 3e-2

    @property
    def virtual_tokens(self) -> int:
        return self.weights.virtual_tokens

    @property
    def computed_tokens(self) -> int:
        return self.weights.virtual_tokens

    def peft_config(self, model: Any) -> Any:
        import peft

        # it begins with the embeddings of tokens drawn at random, which learns faster than noise (section 3.2)
        tokens = self.weights.virtual_tokens
        return peft.PromptTuningConfig(
            num_virtual_tokens=tokens, prompt_tuning_init="SAMPLE_VOCAB", task_type="CAUSAL_LM"
        )


class PTuning(PromptTuning):
    """P-tuning: the embeddings are made by a small network, whose layers are trained with them."""

    pass_share: ClassVar[float] = 1.0

    def trainable(self, shape: ModelShape) -> int:
        # an embedding of each virtual token, and three layers that mix it
        width = shape.width
        return self.weights.virtual_tokens * width + 3 * (width * width + width)

    def learning_rate(self, full: float) -> float:
        return 1e-3

    def peft_config(self, model: Any) -> Any:
        import peft

        width = model.get_input_embeddings().weight.shape[1]
        tokens = self.weights.virtual_tokens
        return peft.PromptEncoderConfig(num_virtual_tokens=tokens, encoder_hidden_size=width, task_type="CAUSAL_LM")

    def initialise(self, adapted: Any) -> None:
        """Tokens' embeddings are what the network is fed, scaled to them."""
        import torch

        from workbench.training.peft_models import draw_embeddings

        encoder = adapted.prompt_encoder[adapted.active_adapter]
        rows = draw_embeddings(adapted, encoder.embedding.weight.shape[0])
        with torch.no_grad():
            encoder.embedding.weight.data = rows / rows.std()
            last = encoder.mlp_head[-1]
            made = encoder.mlp_head(encoder.embedding.weight)
            last.weight.mul_(rows.std() / made.std())
            last.bias.mul_(rows.std() / made.std())


class PrefixTuning(PromptTuning):
    """Keys and values of virtual tokens in each layer; they are not computed, and activations cannot be computed twice
    with them."""

    artifact: ClassVar[ArtifactKind] = "prefix"
    can_checkpoint: ClassVar[bool] = False

    def check(self, shape: ModelShape) -> None:
        super().check(shape)
        window, tokens = shape.sliding_window, self.weights.virtual_tokens
        if window and shape.architecture not in _WINDOWED:
            raise UserError(
                f"Some layers of this model have a sliding window of {window:,} tokens, and its layout in llama.cpp is "
                f"unknown for the architecture {shape.architecture}: prefixes are not supported.",
                "Train prompt tuning or P-tuning instead.",
            )
        if 0 < window < tokens:
            raise UserError(
                f"Some layers of this model have a sliding window of {window:,} tokens, and the prefix has {tokens:,}.",
                f"Set at most {window:,} tokens.",
            )
        if shape.architecture in _RECURRENT:
            raise UserError(
                f"Some layers of this model ({shape.architecture}) have no keys and values, which a prefix "
                "consists of.",
                "Train prompt tuning or P-tuning instead.",
            )

    def trainable(self, shape: ModelShape) -> int:
        return self.weights.virtual_tokens * shape.keys

    def learning_rate(self, full: float) -> float:
        return 1e-2

    @property
    def computed_tokens(self) -> int:
        return 0

    def peft_config(self, model: Any) -> Any:
        import peft

        return peft.PrefixTuningConfig(num_virtual_tokens=self.weights.virtual_tokens, task_type="CAUSAL_LM")

    def initialise(self, adapted: Any) -> None:
        """Begin with the keys and values of real tokens (the paper's section 7.5)."""
        import torch

        from workbench.training.peft_models import states_of_drawn_tokens

        encoder = adapted.prompt_encoder[adapted.active_adapter]
        with torch.no_grad():
            encoder.embedding.weight.data = states_of_drawn_tokens(adapted, self.weights.virtual_tokens)
