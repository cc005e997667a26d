"""Changes beside the linear layers: low-rank ones, LoRA (Hu et al. 2021, arXiv:2106.09685), rsLoRA (Kalajdzievski 2023,
arXiv:2312.03732) and DoRA (Liu et al. 2024, arXiv:2402.09353), and scalings, IA3 (Liu et al. 2022,
arXiv:2205.05638)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.base.errors import UserError
from workbench.records.training import ArtifactKind
from workbench.training.methods.weights_method import WeightsMethod, layers_above, targets

if TYPE_CHECKING:
    from workbench.training.model_shape import ModelShape

_IA3_OUT = ("attn_k", "attn_v", "attn_qkv")
_IA3_IN = ("ffn_down",)


class LoRA(WeightsMethod):
    """LoRA: two thin matrices beside each linear layer; ten times the rate of all weights (Schulman et al. 2025, LoRA
    Without Regret; 2e-4 at 7 billion in Dettmers et al. 2023, arXiv:2305.14314)."""

    artifact: ClassVar[ArtifactKind] = "lora"
    default_rank: ClassVar[int] = 16
    use_rslora: ClassVar[bool] = False
    use_dora: ClassVar[bool] = False

    def trainable(self, shape: ModelShape) -> int:
        return self._matrices(shape)

    def learning_rate(self, full: float) -> float:
        return 10 * full

    def backward_parameters(self, shape: ModelShape) -> int:
        return self._matrices(shape)

    def block_bytes(self, shape: ModelShape, number: int) -> float:
        return 4 * self._stems(shape) * self.rank

    def layers_with_gradients(self, shape: ModelShape) -> int:
        return layers_above(shape, self.weights)

    def peft_config(self, model: Any) -> Any:
        import peft

        from workbench.training.peft_models import adapted_layers, is_transposed, target_names

        return peft.LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.weights.dropout,
            target_modules=target_names(model, self.weights.targets),
            use_rslora=self.use_rslora,
            use_dora=self.use_dora,
            fan_in_fan_out=is_transposed(model),
            layers_to_transform=adapted_layers(model, self.weights.adapted_layers),
            task_type="CAUSAL_LM",
        )

    def _matrices(self, shape: ModelShape) -> int:
        return sum(self.rank * (one.inputs + one.outputs) for one in targets(shape, self.weights))

    def _stems(self, shape: ModelShape) -> int:
        return len(shape.linears) // max(1, shape.layers)


class RsLoRA(LoRA):
    """rsLoRA divides by the root of the rank only, so that the same step counts that much more."""

    use_rslora: ClassVar[bool] = True

    def learning_rate(self, full: float) -> float:
        return 10 * full / math.sqrt(self.rank)


class DoRA(LoRA):
    """DoRA learns the length of each row apart; its change cannot be switched on over a running model."""

    artifact: ClassVar[ArtifactKind] = "merged"
    use_dora: ClassVar[bool] = True
    heavy: ClassVar[bool] = True

    def trainable(self, shape: ModelShape) -> int:
        return self._matrices(shape) + sum(one.outputs for one in targets(shape, self.weights))

    def block_bytes(self, shape: ModelShape, number: int) -> float:
        inner = max(shape.inner, shape.width)
        return super().block_bytes(shape, number) + number * (4 * shape.width + 3 * inner)


class IA3(WeightsMethod):
    """IA3: keys, values and the inner layer are scaled; 3e-3 at 3 to 11 billion in the paper."""

    def trainable(self, shape: ModelShape) -> int:
        return sum(
            one.outputs if one.stem in _IA3_OUT else one.inputs if one.stem in _IA3_IN else 0 for one in shape.linears
        )

    def learning_rate(self, full: float) -> float:
        return 100 * full

    def block_bytes(self, shape: ModelShape, number: int) -> float:
        return number * (max(shape.inner, shape.width) + shape.keys // max(1, shape.layers))

    def peft_config(self, model: Any) -> Any:
        import peft

        from workbench.training.peft_models import is_transposed, scaled_layers

        both, out = scaled_layers(model)
        if not out or len(both) == len(out):
            raise UserError(
                f"Which layers of a {model.config.model_type} IA3 scales is unknown.", "Choose LoRA instead."
            )
        return peft.IA3Config(
            target_modules=both, feedforward_modules=out, fan_in_fan_out=is_transposed(model), task_type="CAUSAL_LM"
        )
