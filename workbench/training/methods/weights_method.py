"""The interface of weights methods: the trainable weights, their memory, and the torch model with them.

Plan, memory, worker and export ask the method; nothing else compares names. Importing the methods loads no torch: what
computes with it imports it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.base.errors import UserError
from workbench.records.methods import Method, Methods
from workbench.records.training import ArtifactKind, BaseForm, OptimiserPart, WeightsPart

if TYPE_CHECKING:
    from workbench.training.model_shape import Linear, ModelShape
    from workbench.training.weights.loading import LoadedBase

SERVED_BYTES = 2.0
"""Of each weight of a merged model's linear layers: F16 at most."""
HIGH_RANK = 8


class WeightsMethod:
    """``artifact`` is what the engine is given. ``default_rank`` is above 0 where the method has a rank.
    ``own_weights``: it trains weights of the model itself, whose new values it leaves. ``heavy``: it takes much more
    memory than the default method. ``can_checkpoint``: activations can be computed twice instead of stored.
    ``pass_share``: what a pass takes of one of the default method, with its products beside each layer."""

    artifact: ClassVar[ArtifactKind] = "merged"
    default_rank: ClassVar[int] = 0
    own_weights: ClassVar[bool] = False
    heavy: ClassVar[bool] = False
    can_checkpoint: ClassVar[bool] = True
    trains_output: ClassVar[bool] = False
    pass_share: ClassVar[float] = 1.0

    def __init__(self, weights: WeightsPart) -> None:
        self.weights = weights

    @property
    def rank(self) -> int:
        """The rank of a low-rank change, as asked for or as it suits the method; 0 where there is none."""
        return (self.weights.rank or self.default_rank) if self.default_rank else 0

    @property
    def alpha(self) -> float:
        return self.weights.alpha or 2.0 * self.rank

    # -- what it takes -------------------------------------------------------------------------------

    def check(self, shape: ModelShape) -> None:
        """Raises UserError with the reason when the engine could not be given what it makes of such a model."""
        if self.artifact == "merged" and not shape.is_gguf:
            raise UserError(
                "This method produces a merged GGUF model, and the base is a folder of safetensors.",
                "Choose the same model as a GGUF file, or train a LoRA.",
            )

    def trainable(self, shape: ModelShape) -> int:
        """The number of trainable weights. Raises UserError where the model has none of the kind."""
        raise NotImplementedError

    def learning_rate(self, full: float) -> float:
        """For AdamW, where training all weights of the same model wants ``full``."""
        raise NotImplementedError

    def backward_parameters(self, shape: ModelShape) -> int:
        """The number of weights of linear layers that get gradients in the backward pass. Products
        that are computed beside a layer's count as well where they are large."""
        return 0

    def base_forms(self, fast_bf16: bool) -> tuple[BaseForm, ...]:
        """The forms in which the model's weights can be held."""
        return ("f32", "bf16", "packed", "4bit")

    def block_bytes(self, shape: ModelShape, number: int) -> float:
        """The bytes per token in a block beyond the activations of its layers; ``number`` is the size of a number."""
        return 0

    def layers_with_gradients(self, shape: ModelShape) -> int:
        """The number of layers that store activations for the backward pass."""
        return shape.layers

    @property
    def virtual_tokens(self) -> int:
        """The number of virtual tokens before every text."""
        return 0

    @property
    def computed_tokens(self) -> int:
        """The number of virtual tokens that are computed with every sequence."""
        return 0

    def served_bytes(self, shape: ModelShape) -> int:
        """The size of the file that the engine is given."""
        if self.artifact == "merged":
            return int(shape.rest_bytes + SERVED_BYTES * shape.linear_parameters)
        return 4 * self.trainable(shape)

    def lower(self, optimiser: OptimiserPart, default: str) -> list[str]:
        """Settings of the method that would take less memory; ``default`` is the title of the default method."""
        found = [f"the method {default}, which takes far less"] if self.heavy else []
        if self.rank > HIGH_RANK:
            found.append(f"a lower rank (now {self.rank})")
        return found

    # -- the model -----------------------------------------------------------------------------------

    def apply(self, loaded: LoadedBase) -> Any:
        """The model with exactly that set to be trained which the method trains: a PEFT model around the base, or the
        base itself. All else requires no gradient; what does is float32, whatever the base is held in.

        Draws from torch's random state. Raises UserError where the model has nothing for the method to train.
        """
        from workbench.training.peft_models import adapt, freeze, make_trainable

        freeze(loaded.model)
        adapted = adapt(loaded.model, self.peft_config(loaded.model))
        self.initialise(adapted)
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                make_trainable(parameter)
        return adapted

    def export(self, model: Any, architecture: str, folder: Path) -> dict[str, Any]:
        """Write to ``folder`` (new) what peft needs to train so again, and give the settings that say the rest.
        ``model`` is on the meta device."""
        self.peft_config(model).save_pretrained(str(folder))
        return {}

    def peft_config(self, model: Any) -> Any:
        """Of PEFT, for a method that trains weights beside the model's own. ``model`` may be on the meta device."""
        raise NotImplementedError

    def initialise(self, adapted: Any) -> None:
        """Set the first values where they are not PEFT's."""


def method_of(weights: WeightsPart, methods: Methods[Method]) -> WeightsMethod:
    """The weights method of a training. Raises UserError for one that there is not."""
    found: WeightsMethod = methods.find(weights.method, "weights").load()(weights)
    return found


def layers_above(shape: ModelShape, weights: WeightsPart) -> int:
    """The number of layers from the first adapted one on: those below store nothing for gradients."""
    return min(weights.adapted_layers, shape.layers) or shape.layers


def targets(shape: ModelShape, weights: WeightsPart) -> list[Linear]:
    """The linear layers that are adapted. Raises UserError where there are none."""
    first = shape.layers - weights.adapted_layers if weights.adapted_layers else 0
    chosen = [
        one
        for one in shape.linears
        if (weights.targets == "all" or (weights.targets == "attention") == one.stem.startswith("attn_"))
        and one.layer >= first
    ]
    if not chosen:
        raise UserError(f"{shape.name} has no linear layers of the kind {weights.targets}.", "Set the targets to all.")
    return chosen
