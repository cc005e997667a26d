"""The embedder that llama.cpp computes: a sentence-transformers folder, without torch."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workbench.engine.vector_encoder import VectorEncoder
from workbench.gguf.embedder_file import read_layout, write_layers
from workbench.gguf.folder_weights import FolderWeights
from workbench.gguf.sentence_folder import read_sentence_folder
from workbench.techniques.retrieval import cross_encoder, question_encoder
from workbench.techniques.retrieval.cross_encoder import Reader
from workbench.techniques.retrieval.embedding import ThreadChoice, Vectors
from workbench.techniques.retrieval.preparation import LAYERS, open_tokens, prepare
from workbench.techniques.retrieval.shipped_lora import EMBEDDER, ShippedLora, layer_format


class EngineEmbedder:
    """A sentence-transformers folder on the processor; ``place`` is the folder for what is prepared of it.

    Raises NotForEngineError when llama.cpp cannot compute the model, UserError when something is wrong with its files.
    """

    def __init__(self, folder: Path, place: Path) -> None:
        prepared = prepare(folder, place)
        sentence = read_sentence_folder(folder)
        weights = FolderWeights(sentence.main, sentence.config)
        self._prompts = sentence.query_prompt, sentence.passage_prompt
        self._longest = prepared.longest
        self.fingerprint, self.unrelated = prepared.source, prepared.unrelated
        self.tokens = open_tokens(sentence, prepared.pieces, place)
        self.max_tokens = prepared.longest - self.tokens.special
        self._weights, self._layout = weights, read_layout(sentence, weights)
        self._words = weights.rows(self._layout.words)
        self._encoder = VectorEncoder(place / LAYERS, prepared.longest)
        self.dimensions = self._encoder.width
        self._place = place
        self.has_loras = self.fingerprint == EMBEDDER
        self._asking: VectorEncoder | None = None
        self._crossing: dict[Reader, VectorEncoder] = {}
        self._lora_format = layer_format(prepared.number_format)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._threads, self._crossing_threads = ThreadChoice(cores), ThreadChoice(cores)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        threads = self._threads.choose()
        began = time.perf_counter()
        vectors = self._embed(self._encoder, texts, self._prompts[1], threads)
        self._threads.note(threads, sum(map(len, texts)) / max(1e-9, time.perf_counter() - began))
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(self._encoder, texts, self._prompts[0], self._threads.fewest)

    def embed_searches(self, texts: Sequence[str], plain: Vectors) -> Vectors:
        if not self.has_loras:
            return plain
        if self._asking is None:
            self._asking = VectorEncoder(self._with_lora(question_encoder.LORA), self._longest)
        return question_encoder.mixed(plain, self._embed(self._asking, texts, self._prompts[0], self._threads.fewest))

    def cross_encode(
        self, question: str, passages: Sequence[Sequence[str]], reader: Reader = "sentences"
    ) -> tuple[tuple[float, ...], ...]:
        if not self.has_loras:
            return ()
        if reader not in self._crossing:
            layers = self._with_lora(cross_encoder.LORAS[reader])
            self._crossing[reader] = VectorEncoder(layers, self._longest, of_tokens=True)
        asked = self.tokens.plain_ids(self._prompts[0] + question)
        return tuple(self._read_passage(asked, passage, reader) for passage in passages)

    def _read_passage(self, asked: Sequence[int], passage: Sequence[str], reader: Reader) -> tuple[float, ...]:
        context, *parts = passage
        ids = [self.tokens.plain_ids(part) for part in parts]
        above, around = self.tokens.plain_ids(self._prompts[1] + context), self.tokens.ids("", self.tokens.special)
        head = cross_encoder.read_head(reader)
        scores = [cross_encoder.EMPTY_PART] * len(parts)
        for text in cross_encoder.read_together(asked, above, ids, around):
            threads = self._crossing_threads.choose()
            self._crossing[reader].use_threads(threads)
            began = time.perf_counter()
            states = self._crossing[reader].encode_tokens(self._words.read(text.ids))
            self._crossing_threads.note(threads, len(text.ids) / max(1e-9, time.perf_counter() - began))
            for number, start, end in text.parts:
                scores[number] = head.score(states[start:end])
        return tuple(scores)

    def close(self) -> None:
        for encoder in (self._encoder, self._asking, *self._crossing.values()):
            if encoder is not None:
                encoder.close()
        self._words.close()

    def _embed(self, encoder: VectorEncoder, texts: Sequence[str], prompt: str, threads: int) -> Vectors:
        encoder.use_threads(threads)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        ids = [self.tokens.ids(prompt + text, self._longest) for text in texts]
        # of a text without tokens the vector is zero: it is like nothing
        rows = [row for row, of_text in enumerate(ids) if of_text]
        found = encoder.encode_all([self._words.read(ids[row]) for row in rows])
        for row, vector in zip(rows, found, strict=True):
            vectors[row] = vector / np.float32(np.linalg.norm(vector) or 1.0)
        return vectors

    def _with_lora(self, lora: ShippedLora) -> Path:
        """The file of the layers with a LoRA in them, written on first use."""

        def write(out: Path) -> None:
            write_layers(self._weights, self._layout, out, self._lora_format, lora.added)

        return lora.prepared(self._place, self._lora_format, write)
