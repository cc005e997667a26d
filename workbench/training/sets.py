"""The set of a training: read, written in the model's own tokens, told about, and the questions that are asked of it.

Needs the model's vocabulary and chat template, not its weights. Importing this loads neither torch nor llama.cpp.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal, overload

import msgspec

from workbench.engine.template import TemplateRenderer
from workbench.errors import UserError
from workbench.models.inspection import inspect_path
from workbench.records.training import (
    DataPart,
    DataReport,
    LengthBin,
    Preview,
    PreviewPiece,
    SideReport,
    TrainingConfig,
)
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.data.documents import Window, pack, take_apart
from workbench.training.data.examples import Example, Source
from workbench.training.data.formats import ROWS_LOOKED_AT, ColumnMapping, Shape, recognise
from workbench.training.data.packed_tokens import PackedTokens
from workbench.training.data.preparation import LoadedSet, TrainingSet, load_set, prepare
from workbench.training.data.reading import find_splits, read_rows
from workbench.training.data.statistics import Overlap, SetStatistics
from workbench.training.data.tokenization import ExampleWriter, WrittenExample, pieces_of
from workbench.training.data.vocabularies import open_vocabulary
from workbench.training.protocol import BaseModel

WINDOW_TOKENS = 512
"""The window of continued pre-training where the config leaves it open."""

MOST_REFUSED_TOLD = 50
_LONGEST_PREVIEW = 4_000  # characters of a piece


class TokenSequence(msgspec.Struct, frozen=True):
    """What is trained on: ``tokens`` and, of the same length, whether each is learnt. ``starts`` are the places, but
    for the first one, at which another text begins, which does not see those before it."""

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    starts: tuple[int, ...] = ()

    def texts(self) -> list[TokenSequence]:
        """Each text by itself."""
        borders = pairwise((0, *self.starts, len(self.tokens)))
        return [TokenSequence(self.tokens[start:end], self.trained[start:end]) for start, end in borders]


class TokenSequences(Sequence[TokenSequence]):
    """Many of them, held packed: one is made when it is asked for."""

    def __init__(self, packed: PackedTokens | None = None) -> None:
        """Those of ``packed``, each one text."""
        self._packed = packed if packed is not None else PackedTokens()
        self._starts: dict[int, tuple[int, ...]] = {}

    def append(self, one: TokenSequence) -> None:
        if one.starts:
            self._starts[len(self)] = one.starts
        self._packed.append(one.tokens, one.trained)

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, place: int) -> TokenSequence: ...
    @overload
    def __getitem__(self, place: slice) -> list[TokenSequence]: ...
    def __getitem__(self, place: int | slice) -> TokenSequence | list[TokenSequence]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        return TokenSequence(*self._packed[place], self._starts.get(place, ()))

    def lengths(self) -> array[int]:
        return self._packed.lengths()

    def learnt(self) -> array[int]:
        return self._packed.learnt(skipped=1)


def lengths_of(texts: Sequence[TokenSequence]) -> array[int]:
    """How many tokens each has."""
    return texts.lengths() if isinstance(texts, TokenSequences) else array("i", (len(one.tokens) for one in texts))


def learnt_of(texts: Sequence[TokenSequence]) -> array[int]:
    """How many tokens of each are learnt; the first one of a text is not foretold."""
    return texts.learnt() if isinstance(texts, TokenSequences) else array("i", (sum(one.trained[1:]) for one in texts))


def longest_of(texts: Sequence[TokenSequence]) -> TokenSequence:
    lengths = lengths_of(texts)
    return texts[max(range(len(lengths)), key=lengths.__getitem__)]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the model is asked: ``prompt`` in tokens, the question and the expected answer in words."""

    prompt: tuple[int, ...]
    question: str
    expected: str


@dataclass(frozen=True)
class Writing:
    """What writing for one model takes. ``context_tokens`` 0: not known."""

    tokenizer: Tokenizer
    template: str
    renderer: TemplateRenderer
    context_tokens: int

    def writer(self, *, loss_on: Literal["answers", "all"] = "answers", longest_tokens: int = 0) -> ExampleWriter:
        return ExampleWriter(
            self.template, self.tokenizer, self.renderer, loss_on=loss_on, longest_tokens=longest_tokens
        )


@dataclass(frozen=True)
class ReadySet:
    """A set that can be trained on. ``evaluation`` is what is evaluated on; where nothing is ``held_out``, that are
    training examples. ``questions`` are its conversations' last answers."""

    train: TokenSequences
    evaluation: TokenSequences
    held_out: bool
    questions: tuple[Question, ...]
    report: DataReport


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
    writing: Writing,
    *,
    previews: int = 20,
    first: int = 0,
    check: Callable[[], None] = lambda: None,
) -> DataReport:
    """What is in the set and what the model will be shown of it. Raises UserError for bad data, with row and reason."""
    shape = _shape_of(Path(config.data.path), _mapping(config.data))
    if shape.mapping is None and _mapping(config.data) is None:
        return DataReport(path=config.data.path, shape="unknown", why=shape.why, columns=shape.columns)
    loaded, prepared, longest = _prepare(config, writing, check)
    return _report(config, loaded, prepared, longest, writing.tokenizer, previews, first)


def ready_set(config: TrainingConfig, writing: Writing, check: Callable[[], None] = lambda: None) -> ReadySet:
    """The set as it is trained on: for a domain in packed windows. Raises UserError for bad data."""
    loaded, prepared, longest = _prepare(config, writing, check)
    report = _report(config, loaded, prepared, longest, writing.tokenizer, 0, 0)
    if config.objective == "domain":
        train, evaluation = (_windows(side, longest) for side in (prepared.train, prepared.evaluation))
        if not train:
            raise UserError(f"{config.data.path} is too short to learn from.", "Add text.")
        return ReadySet(train, evaluation or train, bool(evaluation), (), report)
    train, evaluation = (TokenSequences(side.packed) for side in (prepared.train, prepared.evaluation))
    asked, shown = prepared.evaluation_examples, prepared.evaluation
    if not evaluation:
        asked, shown = prepared.train_examples, prepared.train
    writer = writing.writer(longest_tokens=longest)
    same: dict[int, int] = {}  # one object for each number in all of the prompts
    questions = (
        question_of(one, shown_one, writer, writing.tokenizer, same) for one, shown_one in _pairs(asked, shown)
    )
    found = tuple(question for question in questions if question is not None)
    return ReadySet(train, evaluation or train, bool(evaluation), found, report)


def _windows(written: Sequence[WrittenExample], longest: int) -> TokenSequences:
    found = TokenSequences()
    for window in pack(written, longest):
        found.append(_sequence_of(window))
    return found


def _sequence_of(window: Window) -> TokenSequence:
    """A window whose texts are kept apart: what one begins with cannot be told from the one before."""
    starts = tuple(start for start in window.starts if start)
    trained = tuple(learnt and place not in starts for place, learnt in enumerate(window.trained))
    return TokenSequence(window.tokens, trained, starts)


def question_of(
    example: Example,
    written: WrittenExample,
    writer: ExampleWriter,
    tokenizer: Tokenizer,
    same: dict[int, int] | None = None,
) -> Question | None:
    """The last answer of a conversation as a question, None of a text or where the answer was cut off. The numbers of
    its prompt are those of ``same``, which gets what it lacks."""
    same = {} if same is None else same
    if not example.messages or not written.tokens:
        return None
    marked = written if not all(written.trained[1:]) else writer.write(example)
    if marked.cut_tokens or not marked.trained[-1]:
        return None
    start = len(marked.trained)
    while start and marked.trained[start - 1]:
        start -= 1
    return Question(
        prompt=tuple(same.setdefault(token, token) for token in marked.tokens[:start]),
        question=next((m.content for m in reversed(example.messages) if m.role == "user"), ""),
        expected=answer_text(marked.tokens[start:], tokenizer),
    )


def answer_text(tokens: Sequence[int], tokenizer: Tokenizer) -> str:
    """What an answer's tokens say, up to the token that ends it."""
    said: list[int] = []
    for token in tokens:
        if tokenizer.ends_generation(token):
            break
        said.append(token)
    return tokenizer.text(said).strip()


# -- reading ----------------------------------------------------------------------------------------


def _prepare(config: TrainingConfig, writing: Writing, check: Callable[[], None]) -> tuple[LoadedSet, TrainingSet, int]:
    part = config.data
    mapping = _mapping(part)
    loaded = load_set(Path(part.path), mapping)
    check()
    if part.evaluation_path:
        held_out = load_set(Path(part.evaluation_path), mapping)
        loaded = msgspec.structs.replace(loaded, evaluation=held_out.examples + held_out.evaluation)
    domain = config.objective == "domain"
    if domain and len(loaded.examples) == 1 and not loaded.evaluation:
        loaded = msgspec.structs.replace(loaded, examples=tuple(take_apart(loaded.examples[0])))
    longest = part.longest_tokens
    if writing.context_tokens:
        longest = min(longest or writing.context_tokens, writing.context_tokens)
    if domain:
        longest = min(part.longest_tokens or WINDOW_TOKENS, longest or WINDOW_TOKENS)
    writer = writing.writer(loss_on="all" if domain else part.loss_on, longest_tokens=0 if domain else longest)
    prepared = prepare(loaded, writer, evaluation_share=part.evaluation_share, seed=config.optimiser.seed, check=check)
    if part.evaluation_path and not prepared.evaluation:
        raise UserError(
            f"{part.evaluation_path} holds nothing that could be evaluated on: its examples are empty or too long.",
            "Choose another file, or none: then some of the training examples are set aside.",
        )
    if not domain:
        longest = max(max(side.packed.lengths(), default=0) for side in (prepared.train, prepared.evaluation))
    return loaded, prepared, longest


def _mapping(part: DataPart) -> ColumnMapping | None:
    if not (part.turns or part.question or part.answer or part.text):
        return None
    return ColumnMapping(
        turns=part.turns, question=part.question, answer=part.answer, system=part.system, text=part.text
    )


def _shape_of(path: Path, mapping: ColumnMapping | None) -> Shape:
    split = next(iter(find_splits(path).splits), None) if path.is_dir() else None
    shape = recognise(islice(read_rows(path, None, split), ROWS_LOOKED_AT))
    return shape if mapping is None else msgspec.structs.replace(shape, mapping=mapping)


def _pairs(examples: Sequence[Example], written: Sequence[WrittenExample]) -> Iterator[tuple[Example, WrittenExample]]:
    by_source: dict[Source, Example] = {example.source: example for example in examples}
    for one in written:
        if (example := by_source.get(one.source)) is not None:
            yield example, one


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
        shape=loaded.shape.name if _mapping(config.data) is None else "columns",
        why=loaded.shape.why,
        columns=loaded.shape.columns,
        left_out=loaded.shape.left_out,
        train=_side(prepared.train_statistics, prepared.train),
        evaluation=_side(prepared.evaluation_statistics, prepared.evaluation),
        overlap=prepared.overlap.examples,
        refused=tuple(f"{one.source}: {one.reason}" for one in prepared.refused[:MOST_REFUSED_TOLD]),
        notes=(*prepared.notes, *_asked_twice(prepared.overlap)),
        previews=tuple(_preview(one, side, tokenizer) for side, one in shown),
        longest_tokens=longest,
    )


def _asked_twice(overlap: Overlap) -> list[str]:
    """Splitting keeps the same examples on one side, and not the same questions with other answers."""
    count = overlap.questions - overlap.examples
    if count <= 0:
        return []
    number = "One question that is evaluated on is" if count == 1 else f"{count:,} questions that are evaluated on are"
    return [f"{number} trained on as well, with another answer."]


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
    pieces = (PreviewPiece(_shortened(piece.text), piece.trained) for piece in pieces_of(written, tokenizer))
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
