"""The model card says what is known, and no more."""

from __future__ import annotations

import msgspec
import pytest

from workbench.records.training import (
    AdapterRecord,
    Agreement,
    DataPart,
    OptimiserPart,
    Scores,
    ScoresPair,
    TrainingConfig,
    VerificationReport,
    WeightsPart,
)
from workbench.techniques.registry import METHODS
from workbench.training.model_card import model_card

BEFORE = Scores(loss=2.5, perplexity=12.2, token_accuracy=0.4, tokens=50, exact_match=0.0, answers=16)
RECORD = AdapterRecord(
    name="facts",
    kind="lora",
    base="Smol | LM",
    base_sha256="ab12",
    architecture="llama",
    licence="Apache-2.0",
    created=1_800_000_000.0,
    config=TrainingConfig(
        data=DataPart(path="/secret/place/facts.jsonl"),
        weights=WeightsPart(rank=8),
        optimiser=OptimiserPart(learning_rate=3e-4, batch_size=8),
    ),
    data="/secret/place/facts.jsonl",
    examples=64,
    steps=120,
    seconds=90.0,
    scores=ScoresPair(before=BEFORE, after=msgspec.structs.replace(BEFORE, loss=0.125, exact_match=0.975)),
    forgetting=ScoresPair(before=msgspec.structs.replace(BEFORE, exact_match=None, answers=0)),
    verification=VerificationReport(
        passed=True,
        agreements=(Agreement(first="trained", second="merged", top1=0.998, kl=0.0002, positions=1234),),
        metric="exact_match",
        trained=0.98,
        served=0.97,
        base=0.0,
        notes=("A note.",),
    ),
)


def test_base_licence_data_method_metrics_and_gate_are_told() -> None:
    card = model_card(RECORD, METHODS, "gguf", "facts.gguf")
    assert card.startswith("---\nlicense: apache-2.0\nlibrary_name: gguf\n")
    for said in (
        "--lora facts.gguf",
        "| SHA-256 of the base | ab12 |",
        "| Objective | Supervised |",
        "| Trained weights | LoRA |",
        "| Loss on | answers |",
        "| LoRA rank | 8 |",
        "| Target modules | all |",
        "| Data | facts.jsonl |",
        "| Examples | 64 |",
        "| Exact match | 0.000 | 0.975 |",
        "| Loss | 2.500 | 0.125 |",
        "of 16 generated answers",
        "| Loss | 2.500 |  |",
        "The exported file answers as the trained model does. Right of all answers: as trained 98%, as served 97%, "
        "base 0%.",
        "- Trained – merged: the same next token at 99.8% of 1,234 places; KL divergence 0.0002 nats.",
        "- A note.",
        "Smol | LM is under Apache-2.0",
    ):
        assert said in card
    assert "/secret" not in card
    assert "| Base model | Smol \\| LM |" in card


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        ("Apache-2.0", "license: apache-2.0"),
        ("CC-BY-NC-4.0", "license: cc-by-nc-4.0"),
        ("Llama 3.2 Community Licence", "license: llama3.2"),
        ('My "own"', 'license: other\nlicense_name: "My \\"own\\""'),
        ("", ""),
    ],
)
def test_the_front_matter_is_what_the_hub_takes(licence: str, told: str) -> None:
    known = msgspec.structs.replace(RECORD, base="HuggingFaceTB/SmolLM2-135M", licence=licence)
    told = f"{told}\nbase_model: HuggingFaceTB/SmolLM2-135M\nbase_model_relation: ".lstrip()
    assert model_card(known, METHODS, "gguf").startswith(f"---\n{told}adapter\nlibrary_name: gguf\n")
    assert model_card(known, METHODS, "merged").startswith(f"---\n{told}finetune\n")
    # a name of this catalogue is none of the hub's, which refuses a card with it
    assert "base_model" not in model_card(RECORD, METHODS, "gguf").split("---")[1]


@pytest.mark.parametrize(("form", "said"), [("peft", "PeftModel"), ("merged", "llama-cli -m facts.gguf")])
def test_how_it_is_used_depends_on_its_form(form: str, said: str) -> None:
    assert said in model_card(RECORD, METHODS, form, "facts.gguf")  # type: ignore[arg-type]


def test_a_gate_that_refused_says_why() -> None:
    verification = VerificationReport(passed=False, reasons=("It lost what was learnt.",))
    card = model_card(msgspec.structs.replace(RECORD, verification=verification), METHODS, "gguf")
    assert "The exported file does not answer as the trained model does. It lost what was learnt." in card


def test_of_what_was_imported_nothing_is_claimed() -> None:
    card = model_card(AdapterRecord(name="style", kind="soft-prompt", origin="imported"), METHODS, "gguf", "style.gguf")
    assert "how it was trained is not known" in card
    assert "name no licence" in card
    assert "made with LLM Workbench" not in card
    for absent in ("## Metrics", "## Conversion", "license:", "base_model:"):
        assert absent not in card
