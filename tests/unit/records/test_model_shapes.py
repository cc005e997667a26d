from __future__ import annotations

from typing import Any

import pytest

from workbench.records.model_shapes import describe_shape, shape_title
from workbench.records.models import ModelDetails, ModelRecord


def details(architecture: str = "llama", kind: str = "chat", format: str = "gguf", **metadata: Any) -> ModelDetails:
    model = ModelRecord(
        name="m", kind=kind, format=format, path="/m.gguf", architecture=architecture, parameters=1, quantization="",  # type: ignore[arg-type]
        context_tokens=1, bytes=1,
    )  # fmt: skip
    return ModelDetails(model=model, metadata={name.replace("__", "."): value for name, value in metadata.items()})


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (details(), "Decoder"),
        (details("t5"), "Encoder-decoder"),
        (details("bert", "embedder"), "Encoder"),
        (details(format="endpoint"), ""),
    ],
)
def test_the_shape_of_a_model_has_a_name_and_a_sentence(found: ModelDetails, title: str) -> None:
    assert shape_title(found.model) == title
    assert describe_shape(found).startswith(title)
    assert "experts" not in describe_shape(found)


@pytest.mark.parametrize(
    "metadata",
    [
        {"qwen3moe__expert_count": 128, "qwen3moe__expert_used_count": 8},
        {"num_experts": 128, "num_experts_per_tok": 8},
    ],
)
def test_a_mixture_of_experts_says_how_many_are_used_for_each_token(metadata: dict[str, int]) -> None:
    words = describe_shape(details("qwen3moe", **metadata))
    assert words.startswith("Mixture of experts: each layer has 128 experts")
    assert "a small router uses 8 for each token" in words
    assert "Decoder." in words


def test_a_count_of_one_expert_is_no_mixture() -> None:
    assert describe_shape(details(llama__expert_count=0)) == describe_shape(details())
