"""The data set of a training: loaded, tokenised with the model's vocabulary, reported on, with its sample questions.

Needs the model's vocabulary and chat template, not its weights. Importing this loads neither torch nor llama.cpp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from workbench.base.errors import UserError
from workbench.engine.template import TemplateRenderer
from workbench.gguf.inspection import inspect_path
from workbench.records.methods import Method, Methods
from workbench.records.training import (
    DataReport,
    LengthBin,
    Measured,
    Preview,
    PreviewPiece,
    QuestionFingerprints,
    SideReport,
    TrainingConfig,
)
from workbench.records.training.fingerprints import FINGERPRINTS
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.data.columns import ColumnMapping
from workbench.training.data.examples import Example
from workbench.training.data.formats import ROWS_LOOKED_AT, Shape, recognise
from workbench.training.data.preparation import LoadedSet, TrainingSet, load_set, prepare
from workbench.training.data.reading import find_splits, read_rows
from workbench.training.data.statistics import Overlap, SetStatistics
from workbench.training.data.tokenization import ExampleWriter, WrittenExample, pieces_of
from workbench.training.data.trained_questions import TrainedQuestions, fingerprints_of
from workbench.training.data.vocabularies import open_vocabulary
from workbench.training.objectives.objective import Objective
from workbench.training.objectives.supervised import SMALL_SET
from workbench.training.protocol import BaseModel
from workbench.training.sequences import Question, TokenSequences

MOST_REFUSED_TOLD = 50
MOST_HELD_NAMED = 5
MOST_COMPARED = 1_000
"""Evaluation examples whose questions are looked for among those that are trained."""
ALL_TRAINED = (
    "All {count:,} examples are trained, since in a set of fewer than {few} each one that is kept apart is a fact that "
    "the model does not learn. So the result is measured on what was trained: to measure something else, set the "
    "evaluation split, or choose evaluation examples that ask the same in other words."
)
_LONGEST_PREVIEW = 4_000  # characters of a piece


@dataclass(frozen=True)
class Writing:
    """The tokenizer, template and renderer of one model. ``context_tokens`` 0: not known."""

    tokenizer: Tokenizer
    template: str
    renderer: TemplateRenderer
    context_tokens: int

    def writer(self, *, loss_on: Literal["answers", "all"] = "answers", max_length: int = 0) -> ExampleWriter:
        return ExampleWriter(self.template, self.tokenizer, self.renderer, loss_on=loss_on, max_length=max_length)


@dataclass(frozen=True)
class ReadySet:
    """A set that can be trained on. ``evaluation`` is what is evaluated on; where nothing is ``held_out``, that are
    training examples. ``questions`` are its conversations' last answers, ``fingerprints`` those of all questions that
    are trained."""

    train: TokenSequences
    evaluation: TokenSequences
    held_out: bool
    questions: tuple[Question, ...]
    report: DataReport
    fingerprints: QuestionFingerprints


@contextmanager
def open_writing(model: BaseModel) -> Iterator[Writing]:
    """Open the model's vocabulary and template. Raises UserError when there is no sound model at the path."""
    details = inspect_path(Path(model.path))
    renderer = TemplateRenderer()
    renderer.start()
    try:
        with open_vocabulary(Path(details.model.path)) as tokenizer:
            yield Writing(tokenizer, details.chat_template, renderer, details.model.context_tokens)
    finally:
        renderer.close()


def inspect_set(
    config: TrainingConfig,
    objective: Objective,
    writing: Writing,
    *,
    previews: int = 20,
    first: int = 0,
    earlier: Mapping[str, str] = {},
    check: Callable[[], None] = lambda: None,
) -> DataReport:
    """The report on the set, with previews as the model sees them. ``earlier`` are the fingerprints of the adapters
    that the base model comes from, files by their names, "" for one without. Raises UserError for bad data, with row
    and reason."""
    mapping = objective.mapping(config.data.columns)
    shape = _shape_of(Path(config.data.path), mapping)
    if shape.mapping is None and mapping is None:
        return DataReport(
            path=config.data.path,
            shape="unknown",
            why=shape.why,
            columns=shape.columns,
            roles=objective.roles,
            role_sets=objective.role_sets,
        )
    loaded, prepared, longest = _prepare(config, objective, writing, check)
    report = _report(config, loaded, prepared, longest, writing.tokenizer, previews, first)
    measured = _measured(loaded, prepared, fingerprints_of(trained_questions(prepared)), earlier)
    return msgspec.structs.replace(report, roles=objective.roles, role_sets=objective.role_sets, measured=measured)


def suited(path: str, methods: Methods[Method]) -> str:
    """The objective that the data at ``path`` is for, by the roles of its columns; "" where that is not clear."""
    mapping = _shape_of(Path(path), None).mapping
    roles = mapping.roles if mapping is not None else frozenset()
    fitting = [
        (max(len(one) for one in row.load().role_sets if roles >= set(one)), row.name)
        for row in methods.of("objective")
        if any(roles >= set(one) for one in row.load().role_sets)
    ]
    return max(fitting, key=lambda one: one[0], default=(0, ""))[1]  # the one that uses most of the columns


def ready_set(
    config: TrainingConfig,
    objective: Objective,
    writing: Writing,
    check: Callable[[], None] = lambda: None,
    earlier: Mapping[str, str] = {},
) -> ReadySet:
    """The set as it is trained on; ``earlier`` as in ``inspect_set``. Raises UserError for bad data."""
    loaded, prepared, longest = _prepare(config, objective, writing, check)
    fingerprints = fingerprints_of(trained_questions(prepared))
    report = _report(config, loaded, prepared, longest, writing.tokenizer, 0, 0)
    measured = _measured(loaded, prepared, fingerprints, earlier)
    report = msgspec.structs.replace(report, measured=measured)
    train, evaluation = (objective.sequences(side, longest) for side in (prepared.train, prepared.evaluation))
    if not train:
        raise UserError(f"{config.data.path} is too short to train on.", "Add text.")
    questions = objective.questions(prepared, writing, longest)
    return ReadySet(train, evaluation or train, bool(evaluation), questions, report, fingerprints)


def trained_questions(prepared: TrainingSet) -> Iterator[str]:
    """The questions of the examples that are trained on; of a plain text nothing."""
    return (text for example in prepared.train_examples for text in _asked(example))


def fingerprint_set(
    config: TrainingConfig, objective: Objective, writing: Writing, check: Callable[[], None] = lambda: None
) -> tuple[QuestionFingerprints, int]:
    """The fingerprints of a set that was trained on before there were any, and the number of its examples."""
    _, prepared, _ = _prepare(config, objective, writing, check)
    return fingerprints_of(trained_questions(prepared)), len(prepared.train)


# -- reading ----------------------------------------------------------------------------------------


def _prepare(
    config: TrainingConfig, objective: Objective, writing: Writing, check: Callable[[], None]
) -> tuple[LoadedSet, TrainingSet, int]:
    part = config.data
    mapping = objective.mapping(part.columns)
    loaded = load_set(Path(part.path), mapping)
    check()
    if part.evaluation_path:
        held_out = load_set(Path(part.evaluation_path), mapping)
        loaded = msgspec.structs.replace(loaded, evaluation=held_out.examples + held_out.evaluation)
    loaded = objective.loaded(loaded)
    limit = objective.limit(part.max_length, writing.context_tokens)
    writer = objective.writer(writing, limit)
    share = objective.evaluation_share(part.evaluation_share, len(loaded.examples))
    prepared = prepare(loaded, writer, evaluation_share=share, seed=config.optimiser.seed, check=check)
    if part.evaluation_path and not prepared.evaluation:
        raise UserError(
            f"{part.evaluation_path} has no examples for evaluation: they are empty or too long.",
            "Choose another file, or none: then some of the training examples are held out.",
        )
    return loaded, prepared, objective.longest(prepared, limit)


def _shape_of(path: Path, mapping: ColumnMapping | None) -> Shape:
    split = next(iter(find_splits(path).splits), None) if path.is_dir() else None
    shape = recognise(islice(read_rows(path, None, split), ROWS_LOOKED_AT))
    return shape if mapping is None else msgspec.structs.replace(shape, mapping=mapping)


# -- what is measured on ----------------------------------------------------------------------------


def _measured(
    loaded: LoadedSet, prepared: TrainingSet, trained: QuestionFingerprints, earlier: Mapping[str, str]
) -> Measured | None:
    """The relation of the evaluation examples to the model that is trained; of many the questions of the first ones are
    looked at. None where it is not known what an earlier training of the base had."""
    looked_at = prepared.evaluation_examples[:MOST_COMPARED]
    if not prepared.evaluation:
        count = len(prepared.train)
        return Measured(on="trained", examples=count, shared=count)
    count = len(looked_at)
    before = {name: FINGERPRINTS.load(Path(path)) if path else None for name, path in earlier.items()}
    for name, known in {"": trained, **before}.items():
        if not isinstance(known, QuestionFingerprints):
            continue
        questions = TrainedQuestions([known])
        shared = sum(any(text in questions for text in _asked(one)[-1:]) for one in looked_at)
        if shared:
            return Measured(on="trained", examples=count, shared=shared, earlier=name)
    if shared := prepared.overlap.examples:  # plain texts, which ask nothing, and examples behind the first ones
        return Measured(on="trained", examples=len(prepared.evaluation_examples), shared=shared)
    if before and not all(isinstance(one, QuestionFingerprints) for one in before.values()):
        return None
    if before and not any(map(_asked, looked_at)):
        return None  # fingerprints tell nothing of plain texts
    return Measured(on="unseen" if loaded.evaluation else "held out", examples=count)


def _asked(example: Example) -> list[str]:
    return [message.content for message in example.messages if message.role == "user"]


# -- telling ----------------------------------------------------------------------------------------


def _report(
    config: TrainingConfig,
    loaded: LoadedSet,
    prepared: TrainingSet,
    longest: int,
    tokenizer: Tokenizer,
    previews: int,
    first: int,
) -> DataReport:
    count = len(prepared.train)
    shown: list[tuple[Literal["train", "evaluation"], WrittenExample]] = [
        *(("train", one) for one in prepared.train[first : first + previews]),
        *(("evaluation", one) for one in prepared.evaluation[max(0, first - count) : max(0, first + previews - count)]),
    ]
    return DataReport(
        path=config.data.path,
        shape=loaded.shape.name if not config.data.columns else "columns",
        why=loaded.shape.why,
        columns=loaded.shape.columns,
        left_out=loaded.shape.left_out,
        train=_side(prepared.train_statistics, prepared.train),
        evaluation=_side(prepared.evaluation_statistics, prepared.evaluation),
        overlap=prepared.overlap.examples,
        refused=tuple(f"{one.source}: {one.reason}" for one in prepared.refused[:MOST_REFUSED_TOLD]),
        notes=(*prepared.notes, *_asked_twice(prepared.overlap), *_held_back(config, loaded, prepared)),
        previews=tuple(_preview(one, side, tokenizer) for side, one in shown),
        max_length=longest,
    )


def _held_back(config: TrainingConfig, loaded: LoadedSet, prepared: TrainingSet) -> list[str]:
    """Which examples ``evaluation_share`` holds back; of a small set, that their facts are not learnt."""
    held = prepared.evaluation_examples
    if loaded.evaluation or (not held and config.data.evaluation_share is not None):
        return []
    if not held:
        return [ALL_TRAINED.format(count=len(prepared.train_examples), few=SMALL_SET)]
    name, count = f"{config.data.path}, ", len(held) + len(prepared.train_examples)
    places = [str(one.source).removeprefix(name) for one in held]
    named = ", ".join(places[:MOST_HELD_NAMED]) + (", and others" if len(places) > MOST_HELD_NAMED else "")
    said = f"Held out for evaluation: {len(held):,} of {count:,} examples ({named})."
    if count >= SMALL_SET or prepared.train_statistics.trained_tokens <= len(prepared.train):  # prompts alone
        return [said]
    if held[0].rejected is not None or held[0].desirable is not None:
        return [f"{said} They show whether the model prefers what you preferred; what they say is not learnt."]
    return [
        f"{said} In a set this small each held-back example is a fact that the model does not learn: to train on all, "
        "leave the evaluation split empty, or choose evaluation examples that ask the same in other words."
    ]


def _asked_twice(overlap: Overlap) -> list[str]:
    """Splitting keeps the same examples on one side, and not the same questions with other answers."""
    count = overlap.questions - overlap.examples
    if count <= 0:
        return []
    number = "One evaluation question is" if count == 1 else f"{count:,} evaluation questions are"
    return [f"{number} also in the training data, with another answer."]


def _side(statistics: SetStatistics, written: Sequence[WrittenExample]) -> SideReport:
    lengths = statistics.lengths
    return SideReport(
        examples=len(written),
        tokens=statistics.tokens,
        trained_tokens=statistics.trained_tokens,
        shortest=lengths.shortest if lengths else 0,
        median=lengths.median if lengths else 0,
        longest=lengths.longest if lengths else 0,
        truncated=statistics.truncated,
        duplicates=statistics.near_duplicates,
        empty=statistics.empty,
        lengths=tuple(LengthBin(one.start, one.end, one.count) for one in lengths.histogram) if lengths else (),
    )


def _preview(written: WrittenExample, side: Literal["train", "evaluation"], tokenizer: Tokenizer) -> Preview:
    pieces = (
        PreviewPiece(_shortened(piece.text), piece.trained, piece.rejected) for piece in pieces_of(written, tokenizer)
    )
    return Preview(
        source=str(written.source),
        pieces=tuple(pieces),
        tokens=len(written.tokens),
        whole_tokens=written.whole_tokens,
        trained_tokens=written.trained_tokens,
        side=side,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_PREVIEW else f"{text[:_LONGEST_PREVIEW]} ..."
