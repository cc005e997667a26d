"""The model card of an adapter: README.md with the front matter that the Hugging Face hub reads.

It states base, licence, data, method, metrics and verification (Mitchell et al. 2019, "Model Cards for Model
Reporting", arXiv:1810.03993); what is not known is not claimed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import PurePath
from typing import Literal

from workbench.base.fields import fields_of
from workbench.gguf.licences import hub_licence
from workbench.records.methods import Method, Methods
from workbench.records.training import (
    AdapterRecord,
    Scores,
    ScoresPair,
    TrainingConfig,
    VerificationReport,
    WeightsPart,
)
from workbench.records.training.measured import explain_measured, measured_heading
from workbench.records.training.outcomes import learnt_words, lost_words, outcome_warning
from workbench.records.training.verdicts import describe_forgetting, verdict_words, why

Form = Literal["peft", "gguf", "merged"]


def model_card(record: AdapterRecord, methods: Methods[Method], form: Form, file: str = "") -> str:
    """The text of a README.md. ``file`` is the name of the GGUF file beside it, if there is one."""
    sections = [
        _front_matter(record, form),
        f"# {record.name}",
        _what(record, form, file),
        _use(record, form, file),
        _training(record, methods),
        _metrics(record),
        _verification(record.verification),
        _licence(record),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


_HUB_MODEL = re.compile(r"[\w.-]+/[\w.-]+")


def _front_matter(record: AdapterRecord, form: Form) -> str:
    """Only what the hub takes: of a base that has no name there the text tells."""
    lines = ["---"]
    if known := hub_licence(record.licence):
        lines.append(f"license: {known}")
    elif record.licence:
        lines += ["license: other", f"license_name: {_quoted(record.licence)}"]
    if _HUB_MODEL.fullmatch(record.base):
        merged = form == "merged" or record.kind == "merged"
        lines += [f"base_model: {record.base}", f"base_model_relation: {'finetune' if merged else 'adapter'}"]
    lines.append(f"library_name: {'peft' if form == 'peft' else 'gguf'}")
    lines += ["tags:", "- llm-workbench", f"- {record.kind}", "---"]
    return "\n".join(lines)


def _what(record: AdapterRecord, form: Form, file: str) -> str:
    base = f" of {record.base}" if record.base else ""
    kinds = {
        "lora": "A LoRA adapter",
        "soft-prompt": "A soft prompt",
        "prefix": "A prefix",
        "reward": "A reward model (a LoRA with a score head)",
        "merged": "A fine-tuned copy",
    }
    what = kinds["merged" if form == "merged" else record.kind]
    named = f" `{file}` holds it." if file else ""
    imported = record.origin == "imported"
    made = "" if imported and form != "merged" else ", made with LLM Workbench"
    origin = " It was imported; how it was trained is not known." if imported else ""
    return f"{what}{base}{made}.{named}{origin}"


def _use(record: AdapterRecord, form: Form, file: str) -> str:
    if form == "peft":
        base = record.base or "the base model"
        return f"## Use\n\nLoad it over {base} with `peft.PeftModel.from_pretrained(model, folder)`."
    if form == "merged" or record.kind == "merged":
        return f"## Use\n\n`llama-cli -m {file}`, or import the file into LLM Workbench." if file else ""
    if record.kind == "lora":
        base = f"{record.base}.gguf" if record.base else "base.gguf"
        return f'## Use\n\n`llama-cli -m "{base}" --lora {file}`, or import the file into LLM Workbench.'
    return "## Use\n\nImport the file into LLM Workbench; other programs do not know this form."


def _training(record: AdapterRecord, methods: Methods[Method]) -> str:
    config = record.config
    rows = [("Base model", record.base), ("SHA-256 of the base", record.base_sha256)]
    if config is not None:
        rows += _settings(config, methods)
    if record.data:
        rows.append(("Data", PurePath(record.data).name))
    rows += [
        ("Examples", f"{record.examples:,}" if record.examples else ""),
        ("Steps", f"{record.steps:,}" if record.steps else ""),
        ("Time", f"{record.seconds / 60:,.1f} minutes" if record.seconds else ""),
        ("Date", time.strftime("%Y-%m-%d", time.gmtime(record.created)) if record.created else ""),
        ("Note", record.note),
    ]
    return _table("## Training", ("", ""), [row for row in rows if row[1]])


def _settings(config: TrainingConfig, methods: Methods[Method]) -> list[tuple[str, str]]:
    weights, optimiser = config.weights, config.optimiser
    objective, method = methods.get(config.objective.name, "objective"), methods.row(weights.method, "weights")
    rows = [
        ("Objective", objective.title if objective is not None else config.objective.name),
        ("Trained weights", method.title),
    ]
    for field in fields_of(WeightsPart):  # those that only some methods read
        if field.group and field.group in method.groups and (value := getattr(weights, field.name)):
            rows.append((field.title, value if isinstance(value, str) else f"{value:g}"))
    if objective is not None:
        for field in fields_of(objective.config):
            rows.append((field.title, str(config.objective.options.get(field.name, field.default))))
    rate = f"{optimiser.learning_rate:g}, {optimiser.schedule}" if optimiser.learning_rate else ""
    rows += [
        ("Optimiser", optimiser.optimiser),
        ("Learning rate", rate),
        ("Batch size", str(optimiser.batch_size) if optimiser.batch_size else ""),
        ("Seed", str(optimiser.seed)),
    ]
    return rows


def _metrics(record: AdapterRecord) -> str:
    parts = [
        "\n\n".join(f"**{words}**" for words in _outcome(record) if words),
        _scores(f"### {measured_heading(record.scores.measured)}", record.scores),
        explain_measured(record.scores.measured) if record.scores != ScoresPair() else "",
        _scores("### On general texts and questions (forgetting)", record.forgetting),
        describe_forgetting(record.forgetting),
    ]
    found = [part for part in parts if part]
    return "\n\n".join(["## Metrics", *found]) if found else ""


def _outcome(record: AdapterRecord) -> tuple[str, ...]:
    """What it learnt and what it lost; that it is no success, where it is none."""
    return (
        learnt_words(record.scores),
        lost_words(record.forgetting),
        outcome_warning(record.scores, record.forgetting, record.kind),
    )


def _scores(title: str, pair: ScoresPair) -> str:
    if pair.before is None and pair.after is None:
        return ""
    names = {
        "loss": "Loss",
        "perplexity": "Perplexity",
        "token_accuracy": "Token accuracy",
        "exact_match": "Exact match",
        "rouge_l": "ROUGE-L",
    }
    rows = []
    for field, name in names.items():
        before, after = _number(pair.before, field), _number(pair.after, field)
        if before or after:
            rows.append((name, before or "", after or ""))
    answers = max((scores.answers for scores in (pair.before, pair.after) if scores is not None), default=0)
    table = _table(title, ("", "before", "after"), rows)
    return f"{table}\n\nExact match and ROUGE-L are of {answers:,} generated answers." if answers else table


def _number(scores: Scores | None, field: str) -> str:
    value = getattr(scores, field, None)
    return "" if value is None else f"{value:.3f}"


def _verification(verification: VerificationReport | None) -> str:
    if verification is None:
        return ""
    what = "The converted file was compared with what was trained, over all positions of the same prompts."
    text = f"## Conversion\n\n{what + ' ' if verification.agreements else ''}{verdict_words(verification)}"
    said = [*map(why, verification.agreements), *verification.notes]
    return "\n\n".join(part for part in (text, "\n".join(f"- {line}" for line in said)) if part)


def _licence(record: AdapterRecord) -> str:
    if not record.licence:
        return "## Licence\n\nThe base model's files name no licence: find out under which terms it may be used."
    whose = f"{record.base} is" if record.base else "The base model is"
    return (
        f"## Licence\n\n{whose} under {record.licence}, and what is derived from it is bound by those terms. "
        "The data may have terms of its own."
    )


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    table = "\n".join(lines)
    return f"{title}\n\n{table}" if title else table


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
