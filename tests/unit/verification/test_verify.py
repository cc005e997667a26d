"""The gate: what says what was trained passes, what does not is stopped, and it says why."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit import tiny_models
from tests.unit.gguf.test_merging import IA3
from tests.unit.tiny_adapters import TinyAdapters, Trained
from tests.unit.tiny_models import VOCABULARY, write_gguf
from tests.unit.training.test_gguf_export import base_of, save_changed, with_virtual_tokens
from workbench.base import errors
from workbench.base.errors import UserError
from workbench.gguf import architectures as families
from workbench.records.training import MergedType, VerificationReport
from workbench.training.gguf_export import convert_trained, merge_trained
from workbench.training.protocol import Served
from workbench.verification import comparison as comparing
from workbench.verification import engine_model, torch_model
from workbench.verification import verify as gate
from workbench.verification import verify as verdict
from workbench.verification.comparison import AnswerCounts, Comparison, Pair
from workbench.verification.engine_model import EngineModel, Weights
from workbench.verification.probe_prompts import GENERAL, Prompt, chosen, read_prompts
from workbench.verification.verify import verify_trained

Floats = tiny_models.Floats


def write_questions(path: Path, model: Any, count: int = 12, *, of: int = 1) -> Path:
    """Prompts whose answers are what ``model``, in torch, would write: all of it is trained. ``of`` times as many are
    drawn, and those kept that it is surest of: rounding may turn over what is nearly level."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    found = []
    for _ in range(of * count):
        tokens = [int(token) for token in rng.integers(2, VOCABULARY, size=6)]
        gaps = []
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft 0.21 gives transformers a prefix under the name that it had
            for _new in range(4):
                best = model(input_ids=torch.tensor([tokens])).logits[0, -1].topk(2)
                gaps.append(float(best.values[0] - best.values[1]))
                tokens.append(int(best.indices[0]))
        found.append((min(gaps), tokens))
    surest = [tokens for _, tokens in (sorted(found, reverse=True) if of > 1 else found)[:count]]
    lines = [{"tokens": t, "trained": [0] * 6 + [1] * 4, "question": "?", "expected": "!"} for t in surest]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return path


def adapted_model(trained: Trained) -> Any:
    return with_folder(tiny_models.build(trained.family), trained.folder)


def with_folder(model: Any, folder: Path) -> Any:
    peft = pytest.importorskip("peft")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft 0.21 asks transformers 5 for what it renamed
        return peft.PeftModel.from_pretrained(model, str(folder)).eval()


@pytest.fixture
def lora(adapters: TinyAdapters) -> Trained:
    return adapters.make("llama", "llama-lora")


@pytest.fixture
def model(lora: Trained) -> Any:
    return adapted_model(lora)


@pytest.fixture
def questions(model: Any, tmp_path: Path) -> Path:
    return write_questions(tmp_path / "questions.jsonl", model)


def test_an_adapter_that_says_what_was_trained_passes(
    lora: Trained, model: Any, questions: Path, tmp_path: Path
) -> None:
    served = convert_trained(lora.folder, lora.base, tmp_path / "a.gguf")
    told: list[tuple[str, int, int]] = []
    model.train()
    found = verify_trained(
        lora.folder,
        lora.base,
        served,
        questions,
        model=model,
        threads=1,
        report=lambda *how_far: told.append(how_far),
    )
    assert model.training
    assert found.passed, found.reasons
    assert (found.metric, found.trained, found.served) == ("exact_match", 1.0, 1.0)
    assert found.base is not None
    assert found.base < 0.5
    assert [(one.first, one.second) for one in found.agreements] == [
        ("trained, in torch", "merged in float32, in llama.cpp"),
        ("merged in float32, in llama.cpp", "as served"),
        ("base, in torch", "base, in llama.cpp"),
    ]
    assert all(one.top1 > 0.99 and one.kl < 1e-6 and one.positions == 120 for one in found.agreements)
    assert {stage for stage, *_ in told} == {"merging", "checking"}
    assert [(done, total) for stage, done, total in told if stage == "checking"] == [(n, 12) for n in range(13)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gguf", "questions.jsonl"]


@pytest.mark.parametrize("kind", ["F16", "Q8_0"])
def test_a_merge_passes(kind: MergedType, lora: Trained, model: Any, tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "sure.jsonl", model, of=4)
    served = merge_trained(lora.folder, lora.base, tmp_path / "m.gguf", kind)
    found = verify_trained(lora.folder, lora.base, served, questions, model=model, threads=1)
    assert found.passed, found.reasons
    assert found.agreements[1].needed == pytest.approx({"F16": 0.9718, "Q8_0": 0.9102}[kind], abs=1e-4)
    assert found.agreements[1].kl > 0


def test_a_merge_that_lost_the_training_is_stopped(lora: Trained, model: Any, questions: Path, tmp_path: Path) -> None:
    served = merge_trained(lora.folder, lora.base, tmp_path / "m.gguf", scale=0.1)
    found = verify_trained(lora.folder, lora.base, served, questions, model=model, threads=1)
    assert not found.passed
    assert any("The training is lost" in reason for reason in found.reasons)
    assert found.served is not None
    assert found.served < 0.9


def wrong_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(families.FAMILIES, "llama", replace(families.FAMILIES["llama"], orders={}))


@pytest.mark.parametrize("merged", [False, True])
def test_a_wrong_order_of_rows_is_stopped(
    merged: bool, lora: Trained, model: Any, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong_order(monkeypatch)
    make: Callable[..., Served] = merge_trained if merged else convert_trained
    served = make(lora.folder, lora.base, tmp_path / "a.gguf")
    found = verify_trained(lora.folder, lora.base, served, questions, model=model, threads=1)
    assert not found.passed
    assert any("does not compute the trained model" in reason for reason in found.reasons)


@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize(("name", "options"), [("lora", {}), ("ia3", IA3)])
def test_other_changes_pass_and_at_another_strength_what_has_one(
    family: str, name: str, options: dict[str, Any], adapters: TinyAdapters, tmp_path: Path
) -> None:
    trained = adapters.make(family, f"{family}-{name}", **options)
    base = write_gguf(tiny_models.build(family), family, tmp_path / "base.gguf", tokenizer="gpt2")
    questions = write_questions(tmp_path / "questions.jsonl", adapted_model(trained))
    served = convert_trained(trained.folder, base, tmp_path / "a.gguf")
    found = verify_trained(trained.folder, base, served, questions, threads=1)
    assert found.passed, found.reasons
    assert (found.metric, found.trained, found.served) == ("exact_match", 1.0, 1.0)
    assert all(one.top1 > 0.99 and one.kl < 1e-4 for one in found.agreements)
    half = merge_trained(trained.folder, base, tmp_path / "half.gguf", "F16", scale=0.5)
    found = verify_trained(trained.folder, base, half, questions, scale=0.5, threads=1)
    if served.kind == "lora":
        assert found.agreements[0].first == "trained, in torch"
        assert found.agreements[0].top1 > 0.99
    else:
        assert any("at another strength" in note for note in found.notes)


@pytest.mark.parametrize("kind", ["prompt", "p-tuning", "prefix"])
def test_virtual_tokens_pass_and_others_do_not(kind: str, tmp_path: Path) -> None:
    plain, base = base_of("llama", tmp_path)
    with_virtual_tokens(plain, kind, tmp_path / "trained")
    adapted = with_folder(tiny_models.build("llama"), tmp_path / "trained")
    questions = write_questions(tmp_path / "questions.jsonl", adapted)
    served = convert_trained(tmp_path / "trained", base, tmp_path / "a.gguf")
    found = verify_trained(tmp_path / "trained", base, served, questions, model=adapted, threads=1)
    assert found.passed, found.reasons
    assert (found.trained, found.served) == (1.0, 1.0)
    plain, _base = base_of("llama", tmp_path)
    with_virtual_tokens(plain, kind, tmp_path / "other", seed=99)
    other = convert_trained(tmp_path / "other", base, tmp_path / "b.gguf")
    found = verify_trained(tmp_path / "trained", base, other, questions, model=adapted, threads=1)
    assert not found.passed


@pytest.mark.parametrize(("family", "method"), [("llama", "full"), ("gemma3", "norms"), ("qwen3moe", "full")])
def test_whole_tensors_pass(family: str, method: str, tmp_path: Path) -> None:
    other = tiny_models.build(family, seed=3)
    _plain, base = base_of(family, tmp_path)
    trained = save_changed(other, tmp_path / "trained", method, lambda name: method == "full" or "norm" in name)
    if method == "norms":
        plain = tiny_models.build(family)
        plain.load_state_dict({n: p for n, p in other.named_parameters() if "norm" in n}, strict=False)
        other = plain
    questions = write_questions(tmp_path / "questions.jsonl", other)
    served = convert_trained(trained, base, tmp_path / "m.gguf")
    found = verify_trained(trained, base, served, questions, model=other, threads=1)
    assert found.passed, found.reasons
    assert found.trained == 1.0


def test_the_trained_model_is_built_again_where_it_is_not_at_hand(
    lora: Trained, questions: Path, tmp_path: Path
) -> None:
    base = write_gguf(tiny_models.build("llama"), "llama", tmp_path / "base.gguf", tokenizer="gpt2")
    served = convert_trained(lora.folder, base, tmp_path / "a.gguf")
    found = verify_trained(lora.folder, base, served, questions, threads=1)
    assert found.passed, found.reasons
    assert found.trained == 1.0
    half = merge_trained(lora.folder, base, tmp_path / "half.gguf", "F16", scale=0.5)
    found = verify_trained(lora.folder, base, half, questions, scale=0.5, threads=1)
    assert found.passed, found.reasons
    assert found.agreements[0].top1 > 0.99


def test_an_adapter_without_torch_or_examples_is_compared_in_llama_cpp(
    lora: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write_gguf(tiny_models.build("llama"), "llama", tmp_path / "base.gguf", tokenizer="gpt2")
    convert_trained(lora.folder, base, tmp_path / "a.gguf")
    served = merge_trained(tmp_path / "a.gguf", base, tmp_path / "m.gguf", "F16")
    monkeypatch.setattr(EngineModel, "tokens_of", lambda _model, text: tuple(text.encode()[i] % 90 for i in range(9)))
    found = verify_trained(tmp_path / "a.gguf", base, served, None, threads=1)
    assert (found.metric, found.trained, found.served) == ("", None, None)
    assert [one.second for one in found.agreements] == ["as served"]
    assert len(found.notes) == 2


def test_general_texts_are_tokens(smollm_path: Path) -> None:
    with Weights(smollm_path) as weights, EngineModel(weights, 8) as model:
        assert model.tokens_of("The capital") == (504, 3575)


def test_without_room_for_a_float32_merge_torch_is_compared_directly(
    lora: Trained, model: Any, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "LARGEST_FLOAT32", 1000)
    served = merge_trained(lora.folder, lora.base, tmp_path / "m.gguf", "F16")
    found = verify_trained(lora.folder, lora.base, served, questions, model=model, threads=1)
    assert found.passed
    assert [(one.first, one.second) for one in found.agreements] == [("trained, in torch", "as served")]
    assert "No float32 merge" in found.notes[0]


def test_it_can_be_stopped_between_two_prompts(lora: Trained, model: Any, questions: Path, tmp_path: Path) -> None:
    served = convert_trained(lora.folder, lora.base, tmp_path / "a.gguf")
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(errors.Cancelled):
        verify_trained(lora.folder, lora.base, served, questions, model=model, threads=1, cancelled=cancelled)
    assert len(asked) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gguf", "questions.jsonl"]


def test_blocks_change_nothing(
    lora: Trained, model: Any, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = convert_trained(lora.folder, lora.base, tmp_path / "a.gguf")
    whole = verify_trained(lora.folder, lora.base, served, questions, model=model, threads=1)
    for module in (gate, engine_model):
        monkeypatch.setattr(module, "block_tokens", lambda vocabulary: 3)
    pieces = verify_trained(lora.folder, lora.base, served, questions, model=model, threads=1)
    assert [a.positions for a in pieces.agreements] == [a.positions for a in whole.agreements]
    assert (pieces.passed, pieces.served, pieces.trained) == (True, whole.served, whole.trained)


def test_a_model_in_16_bits_is_not_exact(model: Any) -> None:
    torch = pytest.importorskip("torch")
    from workbench.training.weights.packed_layers import hold_apart

    assert torch_model.is_exact(model)
    assert not torch_model.is_exact(tiny_models.build("llama").to(torch.bfloat16))
    held = hold_apart(tiny_models.build("llama").to(torch.bfloat16), torch.float32)
    assert next(held.parameters()).dtype == torch.float32
    assert not torch_model.is_exact(held)


def test_a_folder_of_safetensors_is_not_compared_and_that_is_said(lora: Trained, tmp_path: Path) -> None:
    served = convert_trained(lora.folder, lora.base, tmp_path / "a.gguf")
    found = verify_trained(lora.folder, tmp_path, served, None)
    assert not found.agreements
    assert "Not verified" in found.notes[0]


@pytest.mark.parametrize("kind", ["F32", "Q8_0"])
def test_what_was_trained_on_a_folder_is_checked_over_the_gguf_model_that_it_is_served_with(
    kind: MergedType, lora: Trained, model: Any, questions: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    tiny_models.build(lora.family).save_pretrained(folder)
    over = tmp_path / "over.gguf"
    if kind == "F32":
        over.write_bytes(lora.base.read_bytes())
    else:
        merge_trained(lora.folder, lora.base, over, kind, scale=1e-6)  # the base itself, rounded
    served = convert_trained(lora.folder, folder, tmp_path / "a.gguf")
    found = verify_trained(lora.folder, folder, served, questions, over=over, threads=1)
    assert found.passed, found.reasons
    assert [one.second for one in found.agreements] == [comparing.EXACT, comparing.SERVED, comparing.BASE]
    assert found.trained == 1.0
    assert "over.gguf" in found.notes[0]


def test_rows_in_a_wrong_order_of_what_was_trained_on_a_folder_are_stopped(
    lora: Trained, model: Any, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    tiny_models.build(lora.family).save_pretrained(folder)
    wrong_order(monkeypatch)
    served = convert_trained(lora.folder, folder, tmp_path / "a.gguf")
    found = verify_trained(lora.folder, folder, served, questions, over=lora.base, threads=1)
    assert not found.passed


@pytest.mark.parametrize(("same", "passes"), [(7700, True), (5600, False)])
def test_two_bases_are_held_to_agree_as_far_as_they_do_without_the_adapter(
    same: int, passes: bool, lora: Trained, tmp_path: Path
) -> None:
    found = counted(400, 900, 900)
    for first, second, agreed in (
        (comparing.TRAINED, comparing.EXACT, same),
        (comparing.PLAIN, comparing.BASE, 9000),
    ):
        pair = found.pairs[first, second] = Pair(first, second)
        pair.positions, pair.same, pair._divergence = 10_000, agreed, 10_000 * 0.2
    adapter = Served(kind="lora", path=str(tmp_path / "a.gguf"), bytes=1)
    asked = (found, adapter, lora.folder, lora.base, "exact_match", (), 1.0)
    verification = verdict.judge(*asked, apart=True)
    assert verification.passed == passes, verification.reasons
    if not passes:
        assert "On the GGUF model the adapter does not behave as trained on the folder" in verification.reasons[0]
        assert "Without the adapter the two agree at 90%" in verification.reasons[0]
    assert not verdict.judge(*asked).passed  # of one base nothing is allowed


def test_questions_are_read_and_damaged_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"tokens": [1, 2, 3], "trained": [1, 0, 1]}\n\n{"tokens": [4]}\n', "utf-8")
    assert read_prompts(path) == [Prompt((1, 2, 3), (False, False, True))]
    for line, reason in (("{", "Line 1 .* damaged"), ('{"tokens": [1, 2], "trained": [1]}', "more or fewer")):
        path.write_text(line, "utf-8")
        with pytest.raises(UserError, match=reason):
            read_prompts(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_prompts(tmp_path / "missing")


def test_prompts_are_chosen_over_all_of_them() -> None:
    prompts = [Prompt((number,) * 40, (False,) * 40) for number in range(1000)]
    kept = chosen(prompts)
    assert len(kept) == 200
    assert [kept[0].tokens[0], kept[-1].tokens[0]] == [0, 995]
    assert len(chosen([Prompt((1,) * 1000, (False,) * 1000)] * 100)) == 8


def test_a_large_model_is_compared_on_fewer_prompts(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    line = '{{"tokens": [{number}, {many}], "trained": []}}\n'
    path.write_text("".join(line.format(number=n, many=", ".join(["5"] * 49)) for n in range(100)), "utf-8")
    numbers = {size: [one.tokens[0] for one in read_prompts(path, size)] for size in (135_000_000, 8_000_000_000)}
    assert numbers[135_000_000] == list(range(100))
    assert numbers[8_000_000_000] == [0, 20, 40, 60, 80]


def test_the_plan_of_a_training_bounds_what_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(f'{{"tokens": [{n}, {", ".join(["5"] * 29)}]}}\n' for n in range(20)), "utf-8")
    assert [one.tokens[0] for one in read_prompts(path, 8_000_000_000, 96)] == [0, 7, 14]


def test_divergence_is_that_of_the_distributions() -> None:
    rng = np.random.default_rng(2)
    one, two = (rng.normal(size=(7, 50)).astype(np.float32) * 3 for _ in range(2))
    pair = Pair("a", "b")
    pair.add(one[:4], two[:4])
    pair.add(one[4:], two[4:])
    p, q = (np.exp(x.astype(np.float64)) / np.exp(x.astype(np.float64)).sum(1, keepdims=True) for x in (one, two))
    found = pair.agreement(0.5)
    assert found.kl == pytest.approx((p * np.log(p / q)).sum(1).mean(), rel=1e-5)
    assert found.top1 == (one.argmax(1) == two.argmax(1)).mean()
    assert not found.passed
    long = Pair("a", "b")
    long.positions, long.same = 10_000, 9_890
    assert long.agreement(0.99).passed
    long.same = 9_870
    assert not long.agreement(0.99).passed
    pair.add(np.full((1, 50), np.nan, np.float32), two[:1])
    assert not pair.agreement(0.0).passed


def test_what_is_trained_is_counted_by_tokens_and_by_answers() -> None:
    logits = np.eye(4, dtype=np.float32)
    counts = AnswerCounts()
    for tokens in ((0, 1, 2, 3), (0, 1, 2, 2)):
        prompt = Prompt(tokens, (False, False, True, True))
        counts.begin()
        counts.add(prompt, 0, logits[[3, 2]])
        counts.add(prompt, 2, logits[[3, 0]])
        counts.end(prompt)
    assert counts.count("token_accuracy") == (3, 4)
    assert counts.count("exact_match") == (1, 2)


def test_an_empty_comparison_compares_what_there_is() -> None:
    found = Comparison()
    found.served = lambda tokens: iter([np.eye(4, dtype=np.float32)[list(tokens)]])
    found.base = found.served
    found.compare(Prompt((1, 2), (False, True)))
    assert list(found.pairs) == [("base, in llama.cpp", "as served")]
    assert isinstance(found.pairs["base, in llama.cpp", "as served"].agreement(0.9).passed, bool)


def test_a_report_is_a_value(lora: Trained, model: Any, questions: Path, tmp_path: Path) -> None:
    import msgspec

    served = convert_trained(lora.folder, lora.base, tmp_path / "a.gguf")
    found = verify_trained(lora.folder, lora.base, served, questions, model=model, threads=1)
    assert msgspec.json.decode(msgspec.json.encode(found), type=VerificationReport) == found


def test_a_wrong_order_is_stopped_on_a_real_model(
    smollm_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SmolLM2 in 4 bits, a LoRA on the queries and keys of a few layers that changes what it says."""
    safetensors = pytest.importorskip("safetensors.numpy")
    pytest.importorskip("peft")
    rng = np.random.default_rng(4)
    folder = tmp_path / "trained"
    folder.mkdir()
    tensors: dict[str, Any] = {}
    for layer in range(12):
        for part, rows in (("q_proj", 576), ("k_proj", 192)):
            name = f"base_model.model.model.layers.{layer}.self_attn.{part}.lora_"
            tensors[f"{name}A.weight"] = rng.normal(size=(4, 576), scale=0.05).astype(np.float32)
            tensors[f"{name}B.weight"] = rng.normal(size=(rows, 4), scale=0.2).astype(np.float32)
    safetensors.save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "k_proj"], "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config | {"task_type": "CAUSAL_LM"}), "utf-8")
    with Weights(smollm_path) as weights, EngineModel(weights, 8) as model:
        lines = [{"tokens": model.tokens_of(text)[:16]} for text in GENERAL[:4]]
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    trained = torch_model.rebuild(smollm_path, folder)
    right = convert_trained(folder, smollm_path, tmp_path / "right.gguf")
    found = verify_trained(folder, smollm_path, right, questions, model=trained)
    assert found.agreements[0].top1 == 1.0
    assert found.agreements[0].kl < 1e-4
    assert not any("does not compute the trained model" in reason for reason in found.reasons)
    wrong_order(monkeypatch)
    wrong = convert_trained(folder, smollm_path, tmp_path / "wrong.gguf")
    found = verify_trained(folder, smollm_path, wrong, questions, model=trained)
    assert not found.passed
    assert any("does not compute the trained model" in reason for reason in found.reasons)


class Counted(AnswerCounts):
    """So many trained tokens said right, of 1,000; none of whole answers."""

    def __init__(self, right: int) -> None:
        super().__init__()
        self.tokens, self.tokens_right = 1000, right


def counted(base: int, trained: int, served: int, same: int = 9900, kl: float = 0.04) -> Comparison:
    found = Comparison()
    found.counts = {
        comparing.TRAINED: Counted(trained),
        comparing.SERVED: Counted(served),
        comparing.BASE: Counted(base),
    }
    pair = Pair(comparing.TRAINED, comparing.SERVED)
    pair.positions, pair.same, pair._divergence = 10_000, same, 10_000 * kl
    found.pairs = {(pair.first, pair.second): pair}
    return found


@pytest.mark.parametrize(("base", "trained", "served", "passes"), [
    (400, 900, 890, True),
    (400, 900, 840, False),  # a twentieth of all is gone
    (760, 800, 762, False),  # all that was added, but less than a twentieth of all
    (760, 800, 778, True),
    (795, 800, 792, True),  # less was added than chance turns over
    (800, 790, 788, True),  # the training made it worse, and the merge says so
])  # fmt: skip
def test_what_a_training_added_must_be_kept(
    base: int, trained: int, served: int, passes: bool, lora: Trained, tmp_path: Path
) -> None:
    adapter = Served(kind="lora", path=str(tmp_path / "a.gguf"), bytes=1)
    found = verdict.judge(counted(base, trained, served), adapter, lora.folder, lora.base, "exact_match", (), 1.0)
    assert found.passed == passes, found.reasons
    assert passes or "The training is lost" in found.reasons[0]


def test_an_adapter_that_can_only_be_compared_with_the_base_may_differ(lora: Trained, tmp_path: Path) -> None:
    found = counted(400, 900, 900)
    del found.counts[comparing.TRAINED]
    pair = Pair(comparing.BASE, comparing.SERVED)
    pair.positions, pair.same = 1000, 600
    found.pairs = {(pair.first, pair.second): pair}
    adapter = Served(kind="lora", path=str(tmp_path / "a.gguf"), bytes=1)
    verification = verdict.judge(found, adapter, lora.folder, lora.base, "exact_match", (), 1.0)
    assert verification.passed, verification.reasons
    assert "Only the base model" in verification.notes[0]


def test_what_is_no_number_is_not_near(lora: Trained, tmp_path: Path) -> None:
    found = counted(400, 900, 900, same=9980)
    adapter = Served(kind="lora", path=str(tmp_path / "a.gguf"), bytes=1)
    assert verdict.judge(found, adapter, lora.folder, lora.base, "exact_match", (), 1.0).passed
    pair = found.pairs[comparing.TRAINED, comparing.SERVED]
    pair.add(np.full((1, 50), np.nan, np.float32), np.ones((1, 50), np.float32))
    verification = verdict.judge(found, adapter, lora.folder, lora.base, "exact_match", (), 1.0)
    assert not verification.passed
    assert verification.agreements[0].kl == comparing.FARTHEST


def test_torch_agrees_less_with_a_merge_whose_other_weights_are_packed(
    lora: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = merge_trained(lora.folder, lora.base, tmp_path / "m.gguf", "F16")
    found = counted(400, 900, 900, same=9600)
    for packed in (False, True):
        monkeypatch.setattr(verdict, "_is_packed", lambda base, packed=packed: packed)
        verification = verdict.judge(found, served, lora.folder, lora.base, "exact_match", (), 1.0)
        assert verification.passed == packed, verification.reasons


def test_likeliest_tokens_that_were_nearly_level_are_no_fault(lora: Trained, tmp_path: Path) -> None:
    served = merge_trained(lora.folder, lora.base, tmp_path / "m.gguf", "F16")
    near, far = (
        verdict.judge(counted(400, 900, 900, same=9500, kl=kl), served, lora.folder, lora.base, "exact_match", (), 1.0)
        for kl in (0.005, 0.05)
    )
    assert near.passed
    assert near.agreements[0].why == (
        "Trained, in torch – as served: the same next token at 95% of 10,000 places, below the 98.8% that is "
        "enough by itself. It passes because the tokens that differ were about equally likely: KL divergence 0.005 "
        "nats, where at most 0.02 is allowed."
    )
    assert near.verdict == (
        "The exported file answers as the trained model does. Its most likely tokens match less often than would be "
        "enough by itself, but those that differ "
        "were about equally likely. Of 1,000 trained tokens the trained model says 900 right, as served 900 (at least "
        "854 needed), the base 400."
    )
    assert not far.passed
    assert "does not answer as in float32" in far.reasons[0]
    assert far.agreements[0].why.endswith("where at most 0.02 is allowed. That is not enough.")
    assert far.verdict.startswith(
        "The exported file does not answer as the trained model does. Merged as F16 the model does not answer as in "
        "float32"
    )
