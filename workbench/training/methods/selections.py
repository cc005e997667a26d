"""Methods that train weights of the model itself: all, the last layers, biases (BitFit, Ben Zaken et al. 2021,
arXiv:2106.10199) or norms (Zhao et al. 2023, arXiv:2312.11420)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.base.errors import UserError
from workbench.records.training import BaseForm, OptimiserPart, layers_of
from workbench.training.methods.weights_method import WeightsMethod

if TYPE_CHECKING:
    from workbench.training.model_shape import ModelShape
    from workbench.training.weights.loading import LoadedBase

_PACKED_APART = ("granitemoe", "gpt-oss")
_OWN_BIASES = ("bloom", "gpt2", "gptneox", "starcoder", "starcoder2", "phi2", "qwen2", "qwen2moe", "gpt-oss")


class Selection(WeightsMethod):
    own_weights: ClassVar[bool] = True

    def apply(self, loaded: LoadedBase) -> Any:
        from workbench.training.peft_models import freeze, make_trainable

        freeze(loaded.model)
        for parameter in self.select(loaded.model, loaded.base.architecture):
            make_trainable(parameter)
        return loaded.model

    def export(self, model: Any, architecture: str, folder: Path) -> dict[str, Any]:
        before = {name for name, _ in model.named_parameters()}
        chosen = {id(parameter) for parameter in self.select(model, architecture)}
        trainable = [name for name, parameter in model.named_parameters() if id(parameter) in chosen]
        new = [name.removesuffix(".bias") for name in trainable if name not in before]
        return {"trainable": trainable, "new_biases": new}

    def select(self, model: Any, architecture: str) -> list[Any]:
        """The parameters that are trained. Raises UserError where there are none."""
        raise NotImplementedError


class AllWeights(Selection):
    """Everything learns (ULMFiT, Howard and Ruder 2018, arXiv:1801.06146)."""

    heavy: ClassVar[bool] = True
    trains_output: ClassVar[bool] = True

    def check(self, shape: ModelShape) -> None:
        super().check(shape)
        _check_experts(shape)

    def trainable(self, shape: ModelShape) -> int:
        return shape.parameters

    def learning_rate(self, full: float) -> float:
        return full

    def backward_parameters(self, shape: ModelShape) -> int:
        return shape.parameters

    def base_forms(self, fast_bf16: bool) -> tuple[BaseForm, ...]:
        return ("f32",)

    def lower(self, optimiser: OptimiserPart, default: str) -> list[str]:
        lighter = ["the optimiser adafactor"] if optimiser.optimiser == "adamw" else []
        return [*lighter, *super().lower(optimiser, default)]

    def select(self, model: Any, architecture: str) -> list[Any]:
        from workbench.training.peft_models import unpacked

        return unpacked(model, [name for name, _ in model.named_parameters()])


class LastLayers(Selection):
    """The last layers, or chosen ones (Lee et al. 2019, arXiv:1911.03090): gradients go back to the first of them."""

    heavy: ClassVar[bool] = True
    pass_share: ClassVar[float] = 0.7

    def check(self, shape: ModelShape) -> None:
        super().check(shape)
        _check_experts(shape)

    def trainable(self, shape: ModelShape) -> int:
        return sum(shape.by_layer[number] for number in layers_of(self.weights, shape.layers))

    def learning_rate(self, full: float) -> float:
        return 2 * full

    def backward_parameters(self, shape: ModelShape) -> int:
        return self.trainable(shape)

    def base_forms(self, fast_bf16: bool) -> tuple[BaseForm, ...]:
        return ("f32", "bf16") if fast_bf16 else ("f32",)

    def layers_with_gradients(self, shape: ModelShape) -> int:
        return shape.layers - layers_of(self.weights, shape.layers)[0]

    def lower(self, optimiser: OptimiserPart, default: str) -> list[str]:
        lighter = "the optimiser adafactor" if optimiser.optimiser == "adamw" else "fewer layers"
        return [lighter, *super().lower(optimiser, default)]

    def select(self, model: Any, architecture: str) -> list[Any]:
        from workbench.training.peft_models import blocks_of, unpacked

        blocks = list(blocks_of(model))
        chosen = {id(p) for number in layers_of(self.weights, len(blocks)) for p in blocks[number].parameters()}
        return unpacked(model, [name for name, p in model.named_parameters() if id(p) in chosen])


class BitFit(Selection):
    """The biases; where layers have none, zeros are put beside them if llama.cpp reads them there."""

    own_weights: ClassVar[bool] = False  # most of them are new

    def check(self, shape: ModelShape) -> None:
        super().check(shape)
        if not shape.new_biases and shape.architecture not in _OWN_BIASES:
            raise UserError(
                f"Models of the architecture {shape.architecture} have no biases, and llama.cpp has no place for new "
                "ones.",
                "Train the norms instead.",
            )

    def trainable(self, shape: ModelShape) -> int:
        if not shape.biases + shape.new_biases:
            raise UserError(f"{shape.name} has no biases.", "Choose another method, such as norms or LoRA.")
        return shape.biases + shape.new_biases

    def learning_rate(self, full: float) -> float:
        return 40 * full

    def select(self, model: Any, architecture: str) -> list[Any]:
        from workbench.gguf.architectures import new_biases
        from workbench.training.peft_models import add_biases

        add_biases(model, new_biases(architecture))
        found = [p for name, p in model.named_parameters() if name.endswith(".bias")]
        if not found:
            raise UserError(
                f"A {model.config.model_type} has no biases, and llama.cpp has no place for new ones.",
                "Choose another method, for example norms or LoRA.",
            )
        return found


class Norms(Selection):
    def trainable(self, shape: ModelShape) -> int:
        return shape.norms

    def learning_rate(self, full: float) -> float:
        return 40 * full

    def select(self, model: Any, architecture: str) -> list[Any]:
        from workbench.training.peft_models import is_norm

        found = [m.weight for m in model.modules() if is_norm(m) and getattr(m, "weight", None) is not None]
        if not found:
            raise UserError(f"A {model.config.model_type} has no norms that can be trained.", "Choose another method.")
        return found


def _check_experts(shape: ModelShape) -> None:
    if shape.architecture in _PACKED_APART:
        raise UserError(
            f"The experts of {shape.architecture} are packed in a different way in llama.cpp.",
            "Train a LoRA of the attention instead.",
        )
