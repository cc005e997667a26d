"""Low-rank changes beside the linear layers: LoRA (Hu et al. 2021, arXiv:2106.09685), rsLoRA (Kalajdzievski 2023,
arXiv:2312.03732), DoRA (Liu et al. 2024, arXiv:2402.09353), VeRA (Kopiczko et al. 2023, arXiv:2310.11454), MiSS (Kang
and Yin 2024, arXiv:2409.15371)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.gguf.peft_kinds import WIDE_RANK
from workbench.records.training import ArtifactKind
from workbench.training.methods.weights_method import WeightsMethod, layers_above, targets

if TYPE_CHECKING:
    from workbench.training.model_shape import ModelShape


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


class VeRA(LoRA):
    """VeRA: two random matrices that all layers share stay, vectors between them learn; 4e-3 at 7 billion in the paper.
    Its trainable weights are few hundredths of LoRA's at 16."""

    default_rank: ClassVar[int] = 256

    def trainable(self, shape: ModelShape) -> int:
        return sum(self.rank + one.outputs for one in targets(shape, self.weights))

    def learning_rate(self, full: float) -> float:
        return 300 * full

    def backward_parameters(self, shape: ModelShape) -> int:
        return 2 * self._matrices(shape)

    def block_bytes(self, shape: ModelShape, number: int) -> float:
        outputs = sum(one.outputs for one in targets(shape, self.weights)) // max(1, shape.layers)
        return 4 * (2 * self._stems(shape) * self.rank + outputs)  # before and after each of its vectors

    def served_bytes(self, shape: ModelShape) -> int:
        return _written_as_lora(self._matrices(shape), self.rank)

    def peft_config(self, model: Any) -> Any:
        import peft

        from workbench.training.peft_models import adapted_layers, is_transposed, target_names

        return peft.VeraConfig(
            r=self.rank,
            vera_dropout=self.weights.dropout,
            target_modules=target_names(model, self.weights.targets),
            fan_in_fan_out=is_transposed(model),
            layers_to_transform=adapted_layers(model, self.weights.adapted_layers),
            task_type="CAUSAL_LM",
        )


class MiSS(LoRA):
    """MiSS: one thin matrix, used for all parts of what a layer reads; about as many trainable weights as LoRA's at
    16."""

    default_rank: ClassVar[int] = 32

    def check(self, shape: ModelShape) -> None:
        super().check(shape)
        check_linear(shape)

    def trainable(self, shape: ModelShape) -> int:
        return sum(self.rank * one.outputs for one in targets(shape, self.weights))

    def learning_rate(self, full: float) -> float:
        return 3 * full

    def backward_parameters(self, shape: ModelShape) -> int:
        return 3 * self.trainable(shape)

    def served_bytes(self, shape: ModelShape) -> int:
        return _written_as_lora(self._matrices(shape), self.rank)

    def peft_config(self, model: Any) -> Any:
        import peft

        from workbench.training.peft_models import adapted_layers, refuse_transposed, target_names

        refuse_transposed(model)
        return peft.MissConfig(
            r=self.rank,
            miss_dropout=self.weights.dropout,
            target_modules=target_names(model, self.weights.targets),
            layers_to_transform=adapted_layers(model, self.weights.adapted_layers),
            task_type="CAUSAL_LM",
        )


def check_linear(shape: ModelShape) -> None:
    """peft 0.21 adapts transformers' Conv1D by LoRA, VeRA and IA3 only."""
    from workbench.base.errors import UserError

    if shape.architecture == "gpt2":
        raise UserError(
            f"The layers of {shape.architecture} are of a kind (Conv1D) that PEFT does not adapt by this method.",
            "Train a LoRA instead.",
        )


def _written_as_lora(matrices: int, rank: int) -> int:
    return (2 if rank >= WIDE_RANK else 4) * matrices
