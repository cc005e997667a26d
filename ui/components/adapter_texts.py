"""Adapters in words: what each kind is, how it was made, what it changed in numbers, how its file compares.

Everything here is text made of an ``AdapterRecord``; nothing is drawn.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ui.components.wording import describe_count, describe_large, describe_seconds
from workbench.base.catalogue import _
from workbench.records.methods import Methods
from workbench.records.recipes import AdapterUse, Recipe
from workbench.records.training import AdapterRecord, ArtifactKind, Scores, ScoresPair

KINDS: dict[ArtifactKind, tuple[str, str]] = {
    "lora": (_("LoRA"), _("A small change of the weights, added to its base model at an adjustable strength.")),
    "merged": (_("Merged model"), _("The change is written into the weights; listed under Models.")),
    "soft-prompt": (_("Soft prompt"), _("Trained tokens stand before every text. It is on or off.")),
    "prefix": (_("Prefix"), _("Trained keys and values stand before every text in each layer. It is on or off.")),
    "reward": (
        _("Reward model"),
        _("It scores answers in evaluations, best-of-n and policy training, and writes none."),
    ),
    "unknown": (_("Unknown"), _("The adapter's card cannot be read. It is left unchanged and cannot be used.")),
}
EXACT_MATCH, TOKEN_ACCURACY = _("Exact match"), _("Token accuracy")
VERIFYING = _(
    "The exported file is being compared with the trained model. The adapter can be used already; it is withdrawn if "
    "they do not agree."
)
VERIFIED = _("The exported file answers as the trained model does.")
VERIFIED_SCORES = _("The exported file gives the scores that the trained model gives.")
UNVERIFIED = _("The exported file was not compared with the trained model.")
IMPORTED_UNVERIFIED = _("The adapter was imported: there is no trained model here to compare it with.")
VERIFICATION_FAILED = _("The exported file does not answer as the trained model does.")
MISSING_OR_UNFIT = _("The adapter {name} is missing, or does not fit {model}.")
UNUSABLE = _("The adapter {name} cannot be used: {why}")
FAILED_VERIFICATION = _("The adapter {name} does not answer as the trained model does: {why}")
STRENGTH_STEP = 0.05
MOST_STRENGTH = 2.0


@dataclass(frozen=True)
class ScoreRow:
    """One measure before and after. ``better`` says whether the change is one for the better, None: there is none."""

    name: str
    help: str
    before: str
    after: str
    change: str
    better: bool | None


def takes_strength(kind: ArtifactKind) -> bool:
    """Whether it can be on by a part; the others are on or off."""
    return kind == "lora"


def describe_use(use: AdapterUse) -> str:
    """``my-notes 0.8``; at full strength the name alone."""
    return use.name if use.scale == 1 else f"{use.name} {use.scale:.4g}"


def describe_asked(recipe: Recipe, most: int = 2) -> str:
    """The model with what is on over it: ``SmolLM2 + my-notes 0.8``; more than ``most`` are counted."""
    name, uses = recipe.model.name, recipe.model.adapters
    if not name or not uses:
        return name
    if len(uses) > most:
        return f"{name} + {describe_count(len(uses), 'adapter')}"
    return " + ".join([name, *map(describe_use, uses)])


def describe_date(seconds: float) -> str:
    """``24 Nov 2026, 14:02``"""
    return time.strftime("%d %b %Y, %H:%M", time.localtime(seconds)).lstrip("0") if seconds else ""


def describe_day(seconds: float) -> str:
    """``24 Nov``; with the year when it is another one."""
    if not seconds:
        return ""
    day = time.localtime(seconds)
    this_year = day.tm_year == time.localtime().tm_year
    return time.strftime("%d %b" if this_year else "%d %b %Y", day).lstrip("0")


def describe_origin(record: AdapterRecord, methods: Methods[Any]) -> list[tuple[str, str]]:
    """Name and value of each thing that is known of how it came to be."""
    config = record.config
    pairs = [(_("Base model"), record.base or _("unknown"))]
    if record.origin == "imported":
        pairs.append((_("Origin"), _("imported; how it was trained is unknown")))
    elif record.origin == "merged":
        pairs.append((_("Origin"), _("an adapter merged into its base model")))
    if config is not None:
        weights = config.weights
        row = methods.row(weights.method, "weights")
        where = weights.targets if weights.targets != "all" else _("all linear layers")
        layers = (
            _("layers {layers}").format(layers=weights.layers)
            if weights.layers
            else describe_count(weights.last_layers, "layer")
        )
        by_group = {  # by the groups of settings that the method reads
            "low-rank": _("rank {rank}").format(rank=weights.rank) if weights.rank else "",
            "targets": where,
            "selection": layers,
            "soft prompts": describe_count(weights.virtual_tokens, "virtual token"),
        }
        method = ", ".join([row.title, *(words for group, words in by_group.items() if words and group in row.groups)])
        pairs += [(_("Method"), method)]
    data = record.data or (config.data.path if config is not None else "")
    if data:
        counted = f" ({describe_count(record.examples, 'example')})" if record.examples else ""
        pairs.append((_("Trained on"), f"{data}{counted}"))
    if record.steps:
        took = _(" in {time}").format(time=describe_seconds(record.seconds)) if record.seconds else ""
        pairs.append((_("Steps"), f"{record.steps:,}{took}"))
    if record.created:
        pairs.append((_("Created"), describe_date(record.created)))
    if record.licence:
        pairs.append((_("Licence"), record.licence))
    notes = record.verification.notes if record.verification is not None else ()
    if record.note and not (
        notes and all(note in record.note for note in notes)
    ):  # else they are listed under Verification
        pairs.append((_("Note"), record.note))
    return pairs


def score_rows(pair: ScoresPair, general: bool = False) -> list[ScoreRow]:
    """The measures that are known, before and after, with the difference. Answers to ``general`` questions count as
    right when they contain the expected words."""
    before, after = pair.before, pair.after
    known = after or before
    if known is None:
        return []
    answers = describe_count(known.answers, "answer")
    right = (
        (_("Answer accuracy"), _("Share of {answers} that contain the expected words.").format(answers=answers))
        if general
        else (EXACT_MATCH, _("Share of {answers} that equal the expected answer.").format(answers=answers))
    )
    measures = (
        ("exact_match", *right, "share", True),
        (
            "rouge_l",
            _("Similarity (ROUGE-L)"),
            _("Similarity of {answers} to the expected ones.").format(answers=answers),
            "share",
            True,
        ),
        ("token_accuracy", TOKEN_ACCURACY, _("Share of tokens that the model ranked first."), "share", True),
        (
            "loss",
            _("Loss"),
            _("Mean negative log-probability of the expected tokens, in nats; lower is better."),
            "number",
            False,
        ),
        (
            "perplexity",
            _("Perplexity"),
            _("exp(loss): the effective number of choices per token; lower is better."),
            "number",
            False,
        ),
    )
    rows = []
    for name, title, help, form, more_is_better in measures:
        old, new = _value(before, name), _value(after, name)
        if old is None and new is None:
            continue
        change, better = "", None
        if old is not None and new is not None:
            change = _describe_change(new - old, form)
            changed = abs(new - old) >= (0.0005 if form == "share" else 0.005)
            better = ((new > old) is more_is_better) if changed else None
        rows.append(ScoreRow(title, help, _describe(old, form), _describe(new, form), change, better))
    return rows


def gate_verdict(record: AdapterRecord) -> str:
    """The result of verification in a sentence."""
    if record.state == "unreadable":
        return record.note
    if record.state == "checking":
        return record.note or VERIFYING
    verification = record.verification
    if verification is None:
        return IMPORTED_UNVERIFIED if record.origin == "imported" else UNVERIFIED
    if verification.passed and record.kind == "reward":
        return VERIFIED_SCORES
    if verification.passed:
        return VERIFIED if verification.agreements else UNVERIFIED
    return VERIFICATION_FAILED


def why_failed(record: AdapterRecord) -> str:
    """Why it is not available."""
    reasons = record.verification.reasons if record.verification is not None else ()
    return " ".join(sentence_of(reason) for reason in reasons) or sentence_of(record.note) or VERIFICATION_FAILED


def find_problem(uses: Sequence[AdapterUse], known: Mapping[str, AdapterRecord], model: str) -> tuple[str, str]:
    """The first adapter of a recipe that cannot be used with ``model``, and why; two empty words when all can.

    ``known`` are the adapters that fit the model, failed ones included; a path of a file is not judged here.
    """
    for use in uses:
        if use.name.lower().endswith(".gguf"):
            continue
        record = known.get(use.name)
        if record is None:
            return use.name, MISSING_OR_UNFIT.format(name=use.name, model=model)
        if record.state == "unreadable":
            return use.name, UNUSABLE.format(name=use.name, why=record.note)
        if record.state == "failed":
            return use.name, FAILED_VERIFICATION.format(name=use.name, why=why_failed(record))
    return "", ""


def _value(scores: Scores | None, name: str) -> float | None:
    value: float | None = getattr(scores, name) if scores is not None else None
    return value


def _describe(value: float | None, form: str) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}".replace(".0%", "%") if form == "share" else describe_large(value)


def _describe_change(change: float, form: str) -> str:
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    if form == "share":
        points = f"{sign}{abs(change) * 100:.1f}".removesuffix(".0")
        return _("{points} points").format(points=points)
    return f"{sign}{describe_large(abs(change))}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def sentence_of(text: str) -> str:
    return _capital(text) if not text or text[-1] in ".!?" else f"{_capital(text)}."


# details
EXPORT_GGUF, EXPORT_PEFT = _("GGUF adapter (llama.cpp)…"), _("PEFT folder (transformers, further training)…")
EXPORT_MERGED = _("Merged GGUF model…")
NEW_NAME = _("New name of the adapter")
BEFORE_AND_AFTER = _("Before and after")
VERIFICATION = _("Exported file")
ORIGIN = _("Origin")
FILE = _("File")
OPEN_TRAINING = _("Open the training")
SHOW_MODEL = _("Show {model} under Models")
SIZE = _("Size")
ARCHITECTURE = _("Architecture")
BASE_SHA256 = _("Base SHA-256")
MODEL_IS_KEPT = _(" The model {model} is kept.")
ASK_DELETE = _("Move {name} to the trash, with its file and its scores?{stays}")
DELETE = _("Delete")
USE_IN_CHAT = _("Use in chat")
MERGE_BUTTON, MERGE_HELP = _("Merge…"), _("Write the adapter into its base model, as a new model")
EXPORT_BUTTON = _("Export…")
RENAME = _("Rename")
CANNOT_MERGE_KIND = _("A {what} is separate from the weights and cannot be merged.")
CANNOT_MERGE = _("Cannot be merged: it was imported as a GGUF file, or its base model is missing.")
TRAINED_TASK = _("Trained task")
GENERAL_HELP = _("General texts and questions measure what was forgotten.")
GENERAL = _("General texts")
NOTHING_MEASURED = _("No scores were measured.")
VERIFIED_IN = _("The comparison took {seconds}.")

# import panel
IMPORT_ADAPTER = _("Import an adapter")
IMPORT_HELP = _(
    "An adapter is a LoRA in a GGUF file, or a PEFT folder (adapter_config.json with safetensors). Pickled files "
    "(.bin, .pt) are refused because they can run code."
)
IMPORT = _("Import")
CHOOSE_FILE, CHOOSE_FOLDER = _("Choose a file…"), _("Choose a folder…")
BASE_MODEL = _("Base model")
NAME_OF_FILE = _("Name of the file")
ADAPTER = _("Adapter")
BASE_MODEL_HELP = _("The model that the adapter was trained on.")
NAME = _("Name")
NAME_HELP = _("The adapter's name in this program.")
NOTHING_CHOSEN = _("Nothing selected")
CHOOSE_ADAPTER = _("Choose an adapter")
FILTER_GGUF, FILTER_ALL = _("GGUF adapters (*.gguf)"), _("All files (*)")
CHOOSE_FIRST = _("Choose an adapter first")
NO_MODEL = _("There is no model that it fits")
IMPORTING_STAGE = _("Importing")
READING_ADAPTER = _("Reading the adapter")

# list
STATE_NOT_OFFERED, STATE_CHECKING, STATE_FAILED = _("Not available"), _("Comparing"), _("Failed")
STATE_UNREADABLE = _("Unreadable")
ADAPTERS = _("Adapters")
STATE_NOT_CHECKED = _("Not compared")

# merge dialog
TYPE_Q8 = _("8 bits (Q8_0)")
TYPE_Q8_HELP = _("This keeps what was learned. The weights most sensitive to rounding stay at 16 bits.")
TYPE_F16 = _("16 bits (F16)")
TYPE_F16_HELP = _("This is closest to the adapter. The changed weights take twice the size of 8 bits.")
TYPE_F32, TYPE_F32_HELP = (
    _("32 bits (F32)"),
    _("This is exact. The changed weights take four times the size of 8 bits."),
)
TYPE_SAME = _("As in the base model")
TYPE_SAME_HELP = _("This is the smallest. With a 4-bit base, it is likely to erase the adapter.")
WHY_TYPE = _(
    "Merging in 4 bits erases a small adapter, because its change is smaller than the steps between 4-bit numbers. "
    "The changed weights are therefore written with more bits; the rest of the model is copied."
)
QUANTIZE_NOT, QUANTIZE_Q8, QUANTIZE_Q6 = _("Leave the rest as it is"), _("Q8_0, 8 bits"), _("Q6_K, about 6.6 bits")
QUANTIZE_Q5, QUANTIZE_Q4 = _("Q5_K_M, about 5.7 bits"), _("Q4_K_M, about 4.9 bits: may lose what was learned")
MERGE_INTO, MERGE_TITLE = _("Writes the adapter into {value}, as a new model."), _("Merge {name}")
MERGE = _("Merge")
MERGED_TYPE = _("Format of the changed weights")
QUANTIZATION = _("Quantisation of the new model")
NEW_MODEL_NAME = _("Name of the new model")
STRENGTH = _("Strength")
STRENGTH_HELP = _("At 1 the adapter acts as trained.")
QUANTIZATION_HELP = _("The whole model can be written in a smaller format.")
MERGING_NOW = _("Merging…")
NAME_FIRST = _("Enter a name for the new model first")
MERGING = _("Merging")
VERIFIED_MERGE = _("It behaves as trained and")
UNVERIFIED_MERGE = _("It")
MERGED_SHOWN = _("{model} was created. {checked} is listed under Models.")
MERGE_STOPPED = _("Stopped. No model was created.")
BETTER_THAN_SAME = _("8 bits (Q8_0) or 16 bits (F16)")
ADVICE_TYPE = _(" Choose {better} for the changed weights")
ITS_MODEL, AND_LEAVE, LEAVE = _("the model that it fits"), _(", and leave"), _(" Leave")
ADVICE_QUANTIZATION = _("{value} the rest of the model as it is")
MERGE_LOST = _("The merged model lost what was learned and was deleted.{advice}{value}")

# page
MERGING_STATE = _("Merging")
EXPORTING_STATE = _("Exporting")
IMPORT_BUTTON, IMPORT_BUTTON_HELP = _("Import…"), _("Import a GGUF LoRA or a PEFT folder")
NO_ADAPTERS = _("No adapters yet")
NO_ADAPTERS_HELP = _(
    "Training produces an adapter: a small file that changes how a model answers, and that can be switched on and "
    "off in the chat. Train one on your own examples, or on answers that you rated or edited."
)
TRAIN = _("Train a model")
BUILD_DATA = _("Build a data set…")
IMPORT_ADAPTER_BUTTON = _("Import an adapter…")
EXPORTED = _("Exported to {value}, with a model card.")
SHOW = _("Show")
MERGED_VERIFIED = _("{model} was created. It answers as the trained model does.")
CHOOSE_EXPORT_FOLDER = _("Choose a destination folder")


STATES = {
    "checking": (STATE_CHECKING, "attention"),
    "ready": ("", "muted"),
    "failed": (STATE_FAILED, "danger"),
    "unreadable": (STATE_UNREADABLE, "danger"),
}


def state_of(record: AdapterRecord) -> tuple[str, str]:
    """Its state in a word, with a tone."""
    return (STATE_NOT_CHECKED, "attention") if record.state == "checking" and record.note else STATES[record.state]
