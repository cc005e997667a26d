"""The loss in chunks is the model's own, values and gradients, for families that treat logits otherwise as well."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.unit.training.tiny_training import apply_method, loaded, sequences  # noqa: E402
from workbench.records.training import WeightsPart  # noqa: E402
from workbench.training import losses  # noqa: E402
from workbench.training.losses import choose_loss, chunked_loss, keeps_apart, own_loss, positions_of, tensors_of  # noqa: E402  # noqa: E402
from workbench.training.peft_models import trainable_parameters  # noqa: E402
from workbench.training.sequences import TokenSequence  # noqa: E402

SHAPE = {
    "vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
}  # fmt: skip


def test_the_output_layer_gets_contiguous_states() -> None:
    """Of a view torch would multiply each row by a copy of its own of a 16-bit output layer."""
    model = loaded("llama").model
    given: list[Any] = []
    model.lm_head.register_forward_pre_hook(lambda module, arguments: given.append(arguments[0]))
    tokens, _ = tensors_of(sequences(3), "cpu")
    losses.hidden_states(model, tokens)
    assert given[0].shape[:2] == (3, 1)
    assert given[0].is_contiguous()


def capped() -> Any:
    torch.manual_seed(0)
    config = transformers.Gemma2Config(**SHAPE, head_dim=16, final_logit_softcapping=2.0, query_pre_attn_scalar=16)
    return transformers.Gemma2ForCausalLM(config).eval()


def scaled() -> Any:
    torch.manual_seed(0)
    return transformers.GraniteForCausalLM(transformers.GraniteConfig(**SHAPE, logits_scaling=0.25)).eval()


@pytest.mark.parametrize("family", ["llama", "qwen2", "gemma3", "gpt2"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_it_is_the_models_own(family: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "CHUNK_BYTES", 1)  # so that several chunks of 16 positions are taken
    model = apply_method(loaded(family), WeightsPart(method=method, rank=4))
    tokens, labels = tensors_of(sequences(12), "cpu")
    gradients = []
    for loss_of in (own_loss, chunked_loss):
        model.zero_grad()
        found = loss_of(model, tokens, labels)
        (found.total * 0.5).backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in trainable_parameters(model).items()})
        assert found.tokens == int((labels[:, 1:] != -100).sum()) > 32
        if loss_of is own_loss:
            own = found
    torch.testing.assert_close(found.total.detach(), own.total.detach(), rtol=1e-5, atol=1e-4)
    assert found.right == own.right
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("build", [capped, scaled])
def test_caps_and_scales_of_logits_are_known(build: Any) -> None:
    model = build()
    tokens, labels = tensors_of(sequences(4), "cpu")
    with torch.no_grad():
        own, ours = own_loss(model, tokens, labels), chunked_loss(model, tokens, labels)
    assert float(ours.total) == pytest.approx(float(own.total), rel=1e-5)
    assert choose_loss(model, range(20)) is chunked_loss


def test_a_model_that_does_something_else_to_its_logits_computes_its_own_loss() -> None:
    model = loaded().model
    forward = model.forward

    def sharper(*arguments: Any, **options: Any) -> Any:
        found = forward(*arguments, **options)
        found.logits = found.logits * 3
        return found

    assert choose_loss(model, range(20)) is chunked_loss
    model.forward = sharper
    assert choose_loss(model, range(20)) is own_loss


def test_padding_changes_nothing() -> None:
    model = loaded().model
    rows = sequences(5)
    with torch.no_grad():
        together = chunked_loss(model, *tensors_of(rows, "cpu"))
        apart = [chunked_loss(model, *tensors_of([row], "cpu")) for row in rows]
    assert float(together.total) == pytest.approx(sum(float(one.total) for one in apart), rel=1e-5)
    assert together.right == sum(one.right for one in apart)


@pytest.mark.parametrize("family", ["llama", "gemma3", "qwen3moe"])
@pytest.mark.parametrize("loss_of", [own_loss, chunked_loss])
def test_texts_in_one_row_do_not_see_each_other(family: str, loss_of: Any) -> None:
    model = loaded(family).model
    assert keeps_apart(model)
    texts = [TokenSequence(one.tokens, (False, *[True] * (len(one.tokens) - 1))) for one in sequences(5, longest=12)]
    window = TokenSequence(
        tuple(token for text in texts for token in text.tokens),
        tuple(learnt for text in texts for learnt in text.trained),
        tuple(sum(len(text.tokens) for text in texts[:number]) for number in range(1, len(texts))),
    )
    rows = [window, texts[0]]
    with torch.no_grad():
        together = loss_of(model, *tensors_of(rows, "cpu"), positions_of(rows, "cpu"))
        apart = [loss_of(model, *tensors_of([one], "cpu"), positions_of([one], "cpu")) for one in (*texts, texts[0])]
        mixed_up = loss_of(model, *tensors_of(rows, "cpu"))
    assert float(together.total) == pytest.approx(sum(float(one.total) for one in apart), rel=1e-5)
    assert together.tokens == sum(one.tokens for one in apart)
    assert abs(float(mixed_up.total) - float(together.total)) > 1e-2
    assert positions_of(texts, "cpu") is None


def test_what_cannot_keep_texts_apart_is_not_asked_to() -> None:
    assert not keeps_apart(apply_method(loaded(), WeightsPart(method="prompt", virtual_tokens=3)))
    bloom = transformers.BloomForCausalLM(transformers.BloomConfig(vocab_size=96, hidden_size=32, n_layer=2, n_head=4))
    assert not keeps_apart(bloom.eval())
    assert keeps_apart(loaded().model.to(torch.bfloat16), torch.bfloat16)
