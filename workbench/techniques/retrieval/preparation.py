"""Prepares a sentence-transformers folder for llama.cpp, once: its layers as GGUF in the number format that is the
fastest on this machine, the pieces of a large vocabulary, and how similar unrelated texts are to it.

It runs in a process of its own (``python -m workbench.workers embedder FOLDER PLACE``), which takes memory that the
embedding worker would keep, and in which a model that llama.cpp aborts on ends nothing else. What is prepared is a
folder that is whole or absent, beside those of the other embedders of a home.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.base.durability import folder_beside
from workbench.base.errors import UserError
from workbench.base.files import open_regular, refuse_special_files
from workbench.base.launching import child_environment, python_command
from workbench.base.stored import Stored
from workbench.engine.library import describe_features, describe_library, start_library
from workbench.engine.machine import read_machine
from workbench.engine.vector_encoder import VectorEncoder
from workbench.gguf.embedder_file import NumberFormat, read_layout, write_layers
from workbench.gguf.embedder_layout import Layout
from workbench.gguf.folder_weights import Floats, FolderWeights
from workbench.gguf.sentence_folder import TOKENIZER, NotForEngineError, SentenceFolder, read_sentence_folder
from workbench.techniques.retrieval.json_tokens import JsonTokens, read_tokenizer
from workbench.techniques.retrieval.pieces import PROBES, PieceSettings, PieceTokens, write_pieces
from workbench.techniques.retrieval.sentence_features import BACKGROUND
from workbench.techniques.retrieval.tokens import Tokens

LAYERS, PIECES, PREPARED_FILE, SPEEDS_FILE = "layers.gguf", "pieces.model", "prepared.json", "number_formats.json"

FORMATS: tuple[NumberFormat, ...] = ("F32", "F16", "BF16")
LEAST_COSINE = 0.9999
"""A format is used for an embedder only if its vectors are as near to those of F32: collections that were embedded in
another one keep their vectors."""

PREPARE_WITHIN_S = 1_800
ROUNDS = 5
TEXTS = ("".join(PROBES[3:6] * 3), *PROBES[3:8], "".join(PROBES))
"""Texts that are embedded in each format. The first one is timed."""

_REASON = "reason"


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """``source`` is the fingerprint of the folder. ``longest``: the most tokens of a text, special ones included.
    ``unrelated``: how similar unrelated texts are, a cosine."""

    source: str
    number_format: NumberFormat
    longest: int
    unrelated: float
    pieces: PieceSettings | None = None


class Speeds(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens per second of processor time on one thread by number format, as measured on a ``machine``."""

    machine: str
    rates: dict[NumberFormat, float]


PREPARED = Stored("prepared embedder", Prepared)
SPEEDS = Stored("speed of number formats", Speeds)


def fingerprint(folder: Path) -> str:
    """A hash of the small files whole, and of the ends and size of the big ones: the same for the same weights,
    wherever their folder is, and whatever computes them."""
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.suffix in (".json", ".txt", ".model", ".safetensors", ".bin")):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()} {size}\n".encode())
        with open_regular(file) as opened:
            digest.update(opened.read(1 << 20))
            if size > 1 << 20:
                opened.seek(-(1 << 20), 2)
                digest.update(opened.read())
    return digest.hexdigest()[:32]


def prepare(folder: Path, place: Path) -> Prepared:
    """What is prepared of a model in ``place``, made where it is missing or the model has changed. Raises
    NotForEngineError when llama.cpp cannot compute the model, UserError when something is wrong with its files or the
    disk is full."""
    sentence = read_sentence_folder(folder)
    for inner in (folder, *folder.glob("*/")):
        refuse_special_files(inner)
    read_layout(sentence, FolderWeights(sentence.main, sentence.config))
    source = fingerprint(folder)
    known = PREPARED.load(place / PREPARED_FILE)
    if isinstance(known, Prepared) and known.source == source and (place / LAYERS).is_file():
        return known
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        run = subprocess.run(
            [*python_command("workbench.workers", "--worker", "embedder"), str(folder), str(place)],
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
            timeout=PREPARE_WITHIN_S,
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"{folder} could not be prepared within {PREPARE_WITHIN_S // 60} minutes.", "Choose a smaller embedder."
        ) from error
    made = PREPARED.load(place / PREPARED_FILE)
    if isinstance(made, Prepared):
        return made
    _raise_as_said(run.stdout, run.returncode)
    raise UserError(f"{folder} could not be prepared.", "Import it again.")


def main() -> None:
    """The child process: prepares ``sys.argv[1]`` in ``sys.argv[2]``; a failure is a line of JSON on stdout."""
    folder, place = map(Path, sys.argv[1:3])
    try:
        _make(folder, place)
    except NotForEngineError as error:
        print(msgspec.json.encode({_REASON: str(error)}).decode())  # noqa: T201 - its protocol
    except UserError as error:
        print(msgspec.json.encode({"message": error.message, "hint": error.hint}).decode())  # noqa: T201


def _raise_as_said(said: bytes, status: int) -> None:
    with contextlib.suppress(msgspec.DecodeError):
        plain = msgspec.json.decode(said.strip().rpartition(b"\n")[2], type=dict[str, str])
        if _REASON in plain:
            raise NotForEngineError(plain[_REASON])
        raise UserError(plain.get("message", ""), plain.get("hint", ""))
    if status:
        raise NotForEngineError("llama.cpp ended while it computed it")


def _make(folder: Path, place: Path) -> None:
    start_library()
    sentence = read_sentence_folder(folder)
    weights = FolderWeights(sentence.main, sentence.config)
    layout = read_layout(sentence, weights)
    longest = min(sentence.longest or layout.positions, layout.positions)
    with folder_beside(place, place.name) as beside:
        # the normalisation of the pieces is the file's own, which does not lower what the folder wants lowered
        pieces = None if sentence.lower_case else write_pieces(sentence.main / TOKENIZER, beside / PIECES)
        if pieces is None:
            (beside / PIECES).unlink(missing_ok=True)
        tokens = open_tokens(sentence, pieces, beside)
        with weights.rows(layout.words) as words:
            if tokens.size > words.words:
                raise NotForEngineError("its tokenizer has more tokens than it has word vectors")

            def read(text: str) -> Floats:
                return words.read(tokens.ids(sentence.passage_prompt + text, longest))

            with tempfile.TemporaryDirectory(dir=beside) as trials:
                trial = _Trial(weights, layout, longest, list(map(read, TEXTS)), Path(trials))
                number_format = trial.choose(place.parent / SPEEDS_FILE)
                os.replace(trial.file(number_format), beside / LAYERS)
            with contextlib.closing(VectorEncoder(beside / LAYERS, longest)) as encoder:
                background = np.stack([encoder.encode(read(text)) for text in BACKGROUND])
        made = Prepared(
            source=fingerprint(folder),
            number_format=number_format,
            longest=longest,
            unrelated=unrelated_cosine(background),
            pieces=pieces,
        )
        PREPARED.save(beside / PREPARED_FILE, made)


def unrelated_cosine(vectors: NDArray[np.float32]) -> float:
    """The mean cosine of vectors of length 1, (n, width), each with the others."""
    n = len(vectors)
    return float(((vectors @ vectors.T).sum() - n) / (n * (n - 1)))


def open_tokens(sentence: SentenceFolder, pieces: PieceSettings | None, place: Path) -> Tokens:
    """The tokenizer of a folder, of which ``pieces`` were prepared in ``place`` where its vocabulary is large."""
    if pieces is not None:
        return PieceTokens(place / PIECES, pieces)
    return JsonTokens(read_tokenizer(sentence.main / TOKENIZER, sentence.lower_case))


class _Trial:
    """A model in several number formats, each written when it is needed, in ``folder``. ``texts`` are the vectors of
    their tokens, the first one the text that is timed."""

    def __init__(
        self, weights: FolderWeights, layout: Layout, longest: int, texts: Sequence[Floats], folder: Path
    ) -> None:
        self._weights, self._layout, self._longest = weights, layout, longest
        self._texts, self._folder = texts, folder

    def file(self, number_format: NumberFormat) -> Path:
        return self._folder / f"{number_format}.gguf"

    def choose(self, speeds: Path) -> NumberFormat:
        """The fastest format that is as exact as F32."""
        with self._encoder("F32") as whole:
            exact = [whole.encode(text) for text in self._texts]
        for kind in self._fastest_first(speeds):
            try:
                with self._encoder(kind) as encoder:
                    cosines = [float(a @ encoder.encode(text)) for a, text in zip(exact, self._texts, strict=True)]
            except NotForEngineError:  # its weights are too large for F16
                continue
            if min(cosines) >= LEAST_COSINE:
                return kind
        return "F32"

    def _fastest_first(self, speeds: Path) -> list[NumberFormat]:
        """The formats by their speed on this machine, which is measured once."""
        machine = f"{read_machine(speeds.parent).processor}; {describe_library()}; {describe_features()}"
        known = SPEEDS.load(speeds)
        if not isinstance(known, Speeds) or known.machine != machine:
            known = Speeds(machine=machine, rates=self._measure())
            SPEEDS.save(speeds, known)
        return sorted(known.rates, key=known.rates.__getitem__, reverse=True)

    def _measure(self) -> dict[NumberFormat, float]:
        """In turns, so that what else the machine does meets all alike; the median of each."""
        text = self._texts[0]
        with contextlib.ExitStack() as open_encoders:
            encoders: dict[NumberFormat, VectorEncoder] = {}
            for kind in FORMATS:
                with contextlib.suppress(NotForEngineError):
                    encoders[kind] = open_encoders.enter_context(self._encoder(kind))
            for encoder in encoders.values():
                encoder.encode(text)  # the first one reads the file
            seconds: dict[NumberFormat, list[float]] = {kind: [] for kind in encoders}
            for _ in range(ROUNDS):
                for kind, encoder in encoders.items():
                    began = time.process_time()
                    encoder.encode(text)
                    seconds[kind].append(time.process_time() - began)
        return {kind: len(text) / max(1e-9, statistics.median(found)) for kind, found in seconds.items()}

    def _encoder(self, number_format: NumberFormat) -> contextlib.closing[VectorEncoder]:
        if not self.file(number_format).exists():
            write_layers(self._weights, self._layout, self.file(number_format), number_format)
        return contextlib.closing(VectorEncoder(self.file(number_format), self._longest))
