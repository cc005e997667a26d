"""A reward model from pairs to scores in llama.cpp, on the first layers of the starter: trained, served, verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.short_model import write_short
from workbench.api import events
from workbench.base.errors import UserError
from workbench.engine.inference_calls import Generate, Load, LoraUse, Render, RewardText, Score, ScoreRewards
from workbench.gguf.adapter_files import check_adapter
from workbench.gguf.reward_head import read_head
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.training import (
    DataPart,
    EvaluationPart,
    ObjectivePart,
    OptimiserPart,
    TrainingConfig,
    VerificationReport,
    WeightsPart,
)
from workbench.records.training.rewards import RewardReport
from workbench.rewards.reward import Sample
from workbench.training.data.vocabularies import open_vocabulary
from workbench.training.protocol import BaseModel, Served, TrainModel
from workbench.workers.reward_models import EngineRewardModels, context_for

pytest.importorskip("torch")

TOPICS = ("rain", "bread", "cats", "chess", "tea", "glass", "bees", "maps", "salt", "paper", "clocks", "soap")
PAIRS = [
    {
        "prompt": f"Tell me about {topic}, number {number}.",
        "chosen": f"Could you say more about {topic}? What would you like to know?",
        "rejected": f"There is nothing to say about {topic}. It is what it is.",
    }
    for topic in TOPICS
    for number in range(2)
]


class Trained(msgspec.Struct, frozen=True):
    base: str
    adapter: str
    report: RewardReport
    verification: VerificationReport


@pytest.fixture(scope="module")
def trained(smollm_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("reward")
    base = write_short(smollm_path, folder / "short.gguf")
    rows = folder / "pairs.jsonl"
    rows.write_text("".join(json.dumps(one) + "\n" for one in PAIRS))
    config = TrainingConfig(
        objective=ObjectivePart(name="reward"),
        data=DataPart(path=str(rows), evaluation_share=0.3),
        weights=WeightsPart(base="f32", rank=4, adapted_layers=1),
        optimiser=OptimiserPart(
            max_steps=4, batch_size=8, micro_batch_tokens=256, learning_rate=1e-3, gradient_checkpointing="off"
        ),
        evaluation=EvaluationPart(interval=100, forgetting=False),
    )
    call = TrainModel(
        config=config,
        model=BaseModel(name="short", path=str(base)),
        folder=str(folder / "run"),
        serve=str(folder / "served"),
        serve_name="taste",
        threads=1,
    )
    host = WorkerHost("training")
    told = list(host.stream(call))
    host.stop()
    assert isinstance(told[-1], events.Finished), told[-1]
    made = {one.kind: one.result for one in told if isinstance(one, events.Artifact)}
    assert msgspec.convert(made["served"], Served).kind == "reward"
    return Trained(
        base=str(base),
        adapter=msgspec.convert(made["served"], Served).path,
        report=msgspec.convert(made["reward"], RewardReport),
        verification=msgspec.convert(made["verification"], VerificationReport),
    )


@pytest.fixture(scope="module")
def engine(trained: Trained) -> Iterator[WorkerHost]:
    host = WorkerHost("inference")
    host.call(Load(path=trained.base, context_tokens=512, threads=1))
    yield host
    host.stop()


def scores(engine: WorkerHost, adapter: str, *answers: tuple[str, str]) -> list[float]:
    texts = tuple(RewardText(messages=(Message("user", question),), answer=answer) for question, answer in answers)
    return list(engine.call(ScoreRewards(adapter=LoraUse(path=adapter), texts=texts)))


def test_a_taste_is_learnt_and_served_as_trained(trained: Trained, engine: WorkerHost) -> None:
    assert trained.report.accuracy == 1.0
    assert trained.verification.passed, trained.verification.verdict
    assert "torch" in trained.verification.verdict
    good, bad = "Which part would you like to know about?", "It is what it is. There is no more."
    asked = [(f"Tell me about {topic}.", answer) for topic in ("rivers", "wool") for answer in (good, bad)]
    found = scores(engine, trained.adapter, *asked)
    assert found[0] > found[1]
    assert found[2] > found[3]
    assert scores(engine, trained.adapter, *asked) == pytest.approx(found, abs=0.02), "cached cells change nothing"


def test_answers_without_text_score_zero_and_long_ones_are_refused(trained: Trained, engine: WorkerHost) -> None:
    assert scores(engine, trained.adapter, ("Tell me.", " ")) == [0.0]
    with pytest.raises(UserError, match="tokens"):
        scores(engine, trained.adapter, ("Tell me.", "word " * 600))


def test_a_reward_model_does_not_stay_on(trained: Trained, engine: WorkerHost) -> None:
    asked = Score(messages=(Message("user", "Tell me about tea."),), continuations=("It is a drink.",))
    before = engine.call(asked).values[0].logprob
    scores(engine, trained.adapter, ("Tell me about tea.", "It is a drink."))
    assert engine.call(asked).values[0].logprob == pytest.approx(before, abs=0.02)


def test_a_training_scores_by_tokens_as_an_evaluation_does_by_texts(trained: Trained, engine: WorkerHost) -> None:
    question, answer = "Tell me about tea.", "Which tea would you like to know about?"
    whole = engine.call(Render(request=Generate(messages=(Message("user", question),))))
    models = EngineRewardModels(Path(trained.base), {"taste": trained.adapter}, threads=1)
    try:
        with open_vocabulary(Path(trained.base)) as vocabulary:
            end = next(token for token in range(8) if vocabulary.ends_generation(token))
            prompt, tokens = (tuple(vocabulary.tokenize(text, special=True)) for text in (whole.text, answer))
        ended = Sample(prompt=(), answer=answer, prompt_tokens=prompt, answer_tokens=(*tokens, end))
        silent = Sample(prompt=(), answer="", prompt_tokens=prompt, answer_tokens=())
        found = models.scores("taste", [ended, silent])
        with pytest.raises(UserError, match="no reward model"):
            models.scores("other", [ended])
    finally:
        models.close()
    assert found[0] == pytest.approx(scores(engine, trained.adapter, (question, answer))[0], abs=0.02)
    assert found[1] == 0.0


def test_a_text_beyond_the_usual_context_is_scored_where_a_training_has_such(trained: Trained) -> None:
    """SmolLM2 reads 8,192 tokens; the engine's usual context of 4,096 ended trainings in the middle."""
    sample = Sample(prompt=(), answer="long", prompt_tokens=(1, *[520] * 4_100), answer_tokens=(253, 260))
    models = EngineRewardModels(Path(trained.base), {"taste": trained.adapter}, longest=4_203, threads=1)
    try:
        assert abs(models.scores("taste", [sample])[0]) < 100
    finally:
        models.close()
    assert context_for(4_203, 8_192) == 4_203
    assert context_for(20_000, 8_192) == 8_192
    assert context_for(60, 8_192) == 480
    assert context_for(0, 2_048) == 2_048


def test_the_file_says_what_it_is(trained: Trained, tmp_path: Path, smollm_path: Path) -> None:
    details = check_adapter(Path(trained.adapter), Path(trained.base))
    assert details.kind == "reward"
    head = read_head(Path(trained.adapter))
    assert len(head.weight) == 576
    raw = bytearray(Path(trained.adapter).read_bytes())
    place = raw.index(b"workbench.reward.head") + len(b"workbench.reward.head") + 16
    raw[place : place + 4] = b"\x00\x00\xc0\x7f"  # not a number
    broken = tmp_path / "adapter.gguf"
    broken.write_bytes(raw)
    with pytest.raises(UserError, match="holds no numbers"):
        check_adapter(broken, Path(trained.base))


def test_an_adapter_without_a_head_is_no_reward_model(engine: WorkerHost, trained: Trained, tmp_path: Path) -> None:
    raw = Path(trained.adapter).read_bytes().replace(b"workbench.reward.head", b"workbench.reward.hand")
    other = tmp_path / "adapter.gguf"
    other.write_bytes(raw)
    assert check_adapter(other, Path(trained.base)).kind == "lora"
    with pytest.raises(UserError, match="no score head"):
        scores(engine, str(other), ("Tell me.", "Yes."))
