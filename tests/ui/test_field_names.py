"""Names of fields that the window holds as strings, which no type checker sees: each is a field of its value."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from ui.features.training.settings import LEFT_OUT, value_of
from workbench.records.recipes import AgentPart, DecodingPart, ModelPart, PromptingPart, RetrievalPart
from workbench.records.training import Scores, SideReport, TrainingConfig

ROOT = Path(__file__).parents[2]
PUT = r'_put\("(\w+)"'
STRINGS: tuple[tuple[str, str, tuple[type[msgspec.Struct], ...]], ...] = (
    ("ui/components/recipe/decoding_form.py", PUT, (DecodingPart,)),
    ("ui/components/recipe/prompt_form.py", PUT, (PromptingPart,)),
    (
        "ui/components/recipe/recipe_panel.py",
        r'^ {12}"(\w+)": self\.',
        (ModelPart, RetrievalPart, PromptingPart, AgentPart),
    ),
    ("ui/components/recipe/agent_form.py", r'fields\["(\w+)"\]', (AgentPart,)),
    ("ui/features/training/data_report.py", r'_sum\(both, "(\w+)"', (SideReport,)),
    ("ui/components/adapter_texts.py", r'^ +\(?"([a-z_]+)",\s+(?:\*right|"[A-Z]|[A-Z_]+,)', (Scores,)),
)


@pytest.mark.parametrize(("file", "pattern", "values"), STRINGS, ids=[file for file, _, _ in STRINGS])
def test_strings_name_fields(file: str, pattern: str, values: tuple[type[msgspec.Struct], ...]) -> None:
    names = re.findall(pattern, (ROOT / file).read_text("utf-8"), re.M)
    assert names
    assert set(names) <= {name for value in values for name in value.__struct_fields__}


def test_settings_left_out_of_the_form_are_settings() -> None:
    for name in LEFT_OUT:
        value_of(TrainingConfig(), name)
