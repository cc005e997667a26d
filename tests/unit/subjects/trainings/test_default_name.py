"""The name of an adapter where the person gave none."""

from __future__ import annotations

from workbench.records.training import DataPart, ObjectivePart, TrainingConfig
from workbench.subjects.trainings.runs import default_name


def test_examples_name_the_adapter_and_other_objectives_name_it_themselves() -> None:
    data = DataPart(path="/home/me/data/Preferences 26 Nov 18-02-11/data.jsonl")
    assert default_name(TrainingConfig(data=DataPart(path="/data/pump.jsonl")), "smol") == "smol-pump"
    assert default_name(TrainingConfig(data=data, objective=ObjectivePart(name="dpo")), "smol") == "smol-dpo"
