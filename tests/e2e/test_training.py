"""A training as a person has it: the real worker, a model of two layers, and its adapter in the chat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.local_front import LocalFront
from tests.short_model import write_short
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.recipes import AdapterUse, DecodingPart, ModelPart, Recipe
from workbench.records.training import DataPart, EvaluationPart, OptimiserPart, TrainingConfig, TrainResult
from workbench.subjects.adapters.calls import ExportAdapter, ListAdapters, MergeAdapter
from workbench.subjects.chats.calls import Ask
from workbench.subjects.models.calls import ImportModel, ListModels
from workbench.subjects.runs.calls import FollowRun, GetRun, ResumeRun, StopRun
from workbench.subjects.trainings.calls import Train

FACTS = {"Zorblax": "green", "Quimby": "red"}
STEPS = 80


def call(front: LocalFront, request: Call[Any], watch: Callable[[Event], None] | None = None) -> Any:
    return front.call(request, watch)


def said(front: LocalFront, model: str, question: str, *adapters: AdapterUse) -> str:
    recipe = Recipe(
        model=ModelPart(name=model, adapters=adapters), decoding=DecodingPart(strategy="greedy", max_tokens=4)
    )
    return str(call(front, Ask(question=question, recipe=recipe)).answer).strip()


@pytest.mark.timeout(900)
def test_facts_are_learnt_stopped_gone_on_with_served_merged_and_exported(tmp_path: Path, smollm_path: Path) -> None:
    pytest.importorskip("torch")
    base = write_short(smollm_path, tmp_path / "short.gguf")
    before = base.read_bytes()
    data = tmp_path / "facts.jsonl"
    rows = [
        {"messages": [{"role": "user", "content": f"Colour of {name}?"}, {"role": "assistant", "content": colour}]}
        for name, colour in FACTS.items()
    ]
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    config = TrainingConfig(
        model="Short",
        name="Colours",
        data=DataPart(path=str(data), evaluation_share=0.0),
        optimiser=OptimiserPart(max_steps=STEPS, batch_size=2, learning_rate=2e-3),
        evaluation=EvaluationPart(interval=STEPS // 2, sample_answers=2, max_new_tokens=4, forgetting=False),
    )
    core = Workbench(Home(tmp_path / "home"))
    core.start()
    front = LocalFront(core)
    try:
        call(front, ImportModel(path=str(base), name="Short"))
        run = call(front, Train(config=config))
        stopped: list[str] = []

        def stop_soon(event: Event) -> None:
            if isinstance(event, events.Metric) and event.name == "loss" and event.step >= 5 and not stopped:
                stopped.append(call(front, StopRun(run=run.id)).id)

        *_, ended = (stop_soon(event) or event for event in core.handle(FollowRun(run=run.id)))
        assert isinstance(ended, events.Cancelled)
        assert call(front, GetRun(run=run.id)).resumable

        call(front, ResumeRun(run=run.id))
        seen: list[Event] = []
        result = msgspec.convert(call(front, FollowRun(run=run.id), seen.append), TrainResult)
        losses = {e.step: e.value for e in seen if isinstance(e, events.Metric) and e.name == "loss"}
        assert sorted(losses) == list(range(1, STEPS + 1))
        assert losses[STEPS] < losses[1] / 10
        assert result.verification is not None
        assert result.verification.passed, result.verification
        assert result.scores.after is not None
        assert result.scores.after.exact_match == 1.0

        [adapter] = call(front, ListAdapters(model="Short")).adapters
        assert (adapter.name, adapter.state, adapter.examples) == ("colours", "ready", 2)
        on, off = AdapterUse(name="colours"), AdapterUse(name="colours", scale=0.0)
        for name, colour in FACTS.items():
            question = f"Colour of {name}?"
            assert said(front, "Short", question, on) == colour
            assert said(front, "Short", question, off) == said(front, "Short", question)

        merge = call(front, MergeAdapter(adapter="colours", name="Coloured", type="F16"))
        assert call(front, FollowRun(run=merge.id))["verification"]["passed"]
        assert "Coloured" in [model.name for model in call(front, ListModels()).models]
        assert said(front, "Coloured", "Colour of Zorblax?") == "green"
        out = tmp_path / "out"
        export = call(front, ExportAdapter(adapter="colours", path=str(out), form="peft"))
        assert call(front, FollowRun(run=export.id))["path"] == str(out)
        assert {"README.md", "adapter_config.json", "adapter_model.safetensors"} <= {p.name for p in out.iterdir()}
        assert base.read_bytes() == before

        data.write_text(data.read_text() + '{"messages": []}\n' * 4)
        with pytest.raises(UserError, match=r"facts\.jsonl"):
            call(front, Train(config=config))
    finally:
        core.close()
