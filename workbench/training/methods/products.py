"""Changes of linear layers that llama.cpp can only be given merged: LoHa (Hyeon-Woo et al. 2021, arXiv:2108.06098),
LoKr (Yeh et al. 2023, arXiv:2309.14859), OFT (Qiu et al. 2023, arXiv:2306.07280), IA3 (Liu et al. 2022,
arXiv:2205.05638)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.base.errors import UserError
from workbench.records.training import BaseForm, OptimiserPart
from workbench.training.methods.low_rank import check_linear
from workbench.training.methods.weights_method import LARGE_BLOCK, WeightsMethod, layers_above, targets

if TYPE_CHECKING:
    from workbench.training.model_shape import Linear, ModelShape

KRONECKER_FACTOR = 8
"""LoKr's left matrix has so many rows and columns where the layer's widths can be divided by it."""
ROTATION_COPIES = 6
"""Of OFT's blocks: the skew-symmetric matrix, what is solved, the rotation, and what their gradients need."""

_IA3_OUT = ("attn_k", "attn_v", "attn_qkv")
_IA3_IN = ("ffn_down",)


class Product(WeightsMethod):
    """The change of a layer is built in its full size for every micro-batch, ``copies`` times at the peak, as
    measured. The rate was found at 135 million parameters, where 20 steps teach what LoRA learns in them, or more."""

    heavy: ClassVar[bool] = True
    copies: ClassVar[float] = 1.0

    def check(self, shape: ModelShape) -> None:
        super().check(shape)
        check_linear(shape)

    def learning_rate(self, full: float) -> float:
        return 100 * full

    def backward_parameters(self, shape: ModelShape) -> int:
        # another product of the layer's size, and the gradients of what is multiplied
        return 3 * sum(one.inputs * one.outputs for one in targets(shape, self.weights))

    def base_forms(self, fast_bf16: bool) -> tuple[BaseForm, ...]:
        return ("f32", "bf16", "packed")  # PEFT takes the shape of weights in 4 bits for the layer's

    def built_bytes(self, shape: ModelShape, number: int) -> int:
        return int(self.copies * number * sum(one.inputs * one.outputs for one in targets(shape, self.weights)))

    def layers_with_gradients(self, shape: ModelShape) -> int:
        return layers_above(shape, self.weights)

    def _options(self, model: Any) -> dict[str, Any]:
        from workbench.training.peft_models import adapted_layers, refuse_transposed, target_names

        refuse_transposed(model)
        return {
            "r": self.rank,
            "layers_to_transform": adapted_layers(model, self.weights.adapted_layers),
            "alpha": self.alpha,
            "rank_dropout": self.weights.dropout,
            "target_modules": target_names(model, self.weights.targets),
            "task_type": "CAUSAL_LM",
        }


class LoHa(Product):
    """LoHa: two thin products, multiplied number by number."""

    default_rank: ClassVar[int] = 8

    def trainable(self, shape: ModelShape) -> int:
        return sum(2 * self.rank * (one.inputs + one.outputs) for one in targets(shape, self.weights))

    def peft_config(self, model: Any) -> Any:
        import peft

        return peft.LoHaConfig(**self._options(model))


class LoKr(Product):
    """LoKr: a small matrix, repeated at the strengths of a smaller one; an eighth of LoRA's weights at most."""

    default_rank: ClassVar[int] = 16
    copies: ClassVar[float] = 1.75

    def trainable(self, shape: ModelShape) -> int:
        return sum(self._matrices(one) for one in targets(shape, self.weights))

    def peft_config(self, model: Any) -> Any:
        import peft

        options = {"decompose_factor": KRONECKER_FACTOR, "rank_dropout_scale": True}
        return peft.LoKrConfig(**options, **self._options(model))

    def _matrices(self, one: Linear) -> int:
        (left_in, right_in), (left_out, right_out) = factors(one.inputs), factors(one.outputs)
        thin = self.rank < max(right_in, right_out) / 2
        return left_in * left_out + (self.rank * (right_in + right_out) if thin else right_in * right_out)


class OFT(WeightsMethod):
    """OFT: what each layer reads is rotated, block by block."""

    heavy: ClassVar[bool] = True

    def check(self, shape: ModelShape) -> None:
        super().check(shape)
        check_linear(shape)

    def trainable(self, shape: ModelShape) -> int:
        sizes = ((one.inputs, block_size(one.inputs, self.weights.block_size)) for one in targets(shape, self.weights))
        return sum(inputs // size * (size * (size - 1) // 2) for inputs, size in sizes)

    def learning_rate(self, full: float) -> float:
        return 2 * full

    def backward_parameters(self, shape: ModelShape) -> int:
        wished = self.weights.block_size
        return 3 * sum(block_size(one.inputs, wished) * one.inputs for one in targets(shape, self.weights))

    def block_bytes(self, shape: ModelShape, number: int) -> float:
        if number >= 4:
            return 0
        # what is rotated is made float32
        return 4 * sum(one.inputs for one in targets(shape, self.weights)) // max(1, shape.layers)

    def built_bytes(self, shape: ModelShape, number: int) -> int:
        size = self.weights.block_size
        return 4 * ROTATION_COPIES * sum(one.inputs * size for one in targets(shape, self.weights))

    def lower(self, optimiser: OptimiserPart, default: str) -> list[str]:
        size = self.weights.block_size
        return [f"smaller blocks (now {size})"] if size > LARGE_BLOCK else []

    def peft_config(self, model: Any) -> Any:
        import peft

        from workbench.training.peft_models import refuse_transposed, target_names

        refuse_transposed(model)
        # Cayley's form is a rotation exactly, and the inverses of such small blocks cost little
        return peft.OFTConfig(
            oft_block_size=self.weights.block_size,
            use_cayley_neumann=False,
            target_modules=target_names(model, self.weights.targets),
            task_type="CAUSAL_LM",
        )


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


def factors(width: int) -> tuple[int, int]:
    """The widths of the two matrices that make LoKr's Kronecker product, as PEFT's ``factorization`` finds them: the
    first is ``KRONECKER_FACTOR``, or the largest smaller divisor of ``width`` that is not beyond its root."""
    if width % KRONECKER_FACTOR == 0:
        return KRONECKER_FACTOR, width // KRONECKER_FACTOR
    small = next(size for size in range(KRONECKER_FACTOR, 0, -1) if width % size == 0 and size * size <= width)
    return small, width // small


def block_size(inputs: int, wished: int) -> int:
    """The block size of OFT: PEFT takes the nearest divisor of a layer's width."""
    if wished >= inputs:
        return inputs
    lower = next(size for size in range(wished, 0, -1) if inputs % size == 0)
    higher = next(size for size in range(wished, inputs + 1) if inputs % size == 0)
    return lower if wished - lower <= higher - wished else higher
