"""Positions in two dimensions (Qwen-VL): an image takes fewer of them than embeddings, and the loop computes what
llama.cpp's own way from a prompt to its logits does."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.projectors import draw_pictures, encoded, write_projector
from tests.unit.engine.test_vision import GREEDY, answer, asked, vision_of
from tests.vision_models import write_qwen2vl
from workbench.base.pixels import pack_pixels
from workbench.engine.image_tokens import image_token
from workbench.engine.inference_calls import Generated
from workbench.engine.library import llama
from workbench.engine.loading import Model
from workbench.engine.loop import Engine
from workbench.engine.positions import Positions
from workbench.reading.images import decode_image
from workbench.records.messages import ImagePart, Message, TextPart
from workbench.records.recipes import DecodingPart

A, B = 7, 8
TOLERANCE = 0.01
"""Of log-probabilities: a prompt in other slices has other last bits."""


def tokens_of(number: int, count: int) -> list[int]:
    return [image_token(number, index) for index in range(count)]


def test_an_image_takes_its_longer_side_of_positions() -> None:
    positions = Positions()
    positions.add(A, 6, 3)
    tokens = [1, 2, *tokens_of(A, 6), 3, 4, *tokens_of(A, 6), 5]
    at = [index - positions.lost(tokens, index) for index in range(len(tokens) + 1)]
    assert at == [0, 1, *[2] * 6, 5, 6, *[7] * 6, 10, 11]
    assert positions.lost([1, 2, *tokens_of(B, 6), 3], 9) == 0  # of a model that numbers its embeddings
    assert positions.lost([1, 2, 3], 3) == 0


def test_a_sequence_is_not_cut_within_an_image() -> None:
    positions = Positions()
    positions.add(A, 6, 3)
    tokens = [1, 2, *tokens_of(A, 6), 3]
    assert [positions.whole(tokens, length) for length in range(10)] == [0, 1, 2, 2, 2, 2, 2, 2, 8, 9]
    assert positions.has_images(tokens)
    assert not positions.has_images(tokens[:2])


@pytest.fixture(scope="module")
def files(smollm_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("qwen2vl")
    model = write_qwen2vl(smollm_file, folder / "model.gguf")
    return model, write_projector(folder / "mmproj.gguf", 576, kind="qwen2vl_merger")


@pytest.fixture(scope="module")
def qwen(files: tuple[Path, Path], request: pytest.FixtureRequest) -> Iterator[Engine]:
    from tests.unit.engine.conftest import _load

    engine = Engine(_load(files[0], projector=str(files[1])))
    yield engine
    engine.close()


@pytest.fixture
def image(tmp_path: Path) -> Callable[[int], ImagePart]:
    def store(number: int) -> ImagePart:
        path = tmp_path / f"{number}.pixels"
        path.write_bytes(pack_pixels(decode_image(encoded(draw_pictures()[number]))[0]))
        return ImagePart(path=str(path), sha256=f"{number:064x}")

    return store


def own_answer(
    files: tuple[Path, Path], model: Model, prompt: tuple[int, ...], picture: int, new: int
) -> tuple[list[int], list[float]]:
    """A greedy answer by llama.cpp's helper, in a context of its own, with its log-probabilities: text, image and text
    of a prompt."""
    from llama_cpp import mtmd_cpp as mtmd

    parameters = mtmd.mtmd_context_params_default()
    parameters.use_gpu, parameters.warmup, parameters.n_threads = False, False, 1
    encoder: Any = mtmd.mtmd_init_from_file(str(files[1]).encode(), model.pointer, parameters)
    pixels = decode_image(encoded(draw_pictures()[picture]))[0]
    bitmap: Any = mtmd.mtmd_bitmap_init(pixels.width, pixels.height, (ctypes.c_uint8 * len(pixels.rgb))(*pixels.rgb))
    text, marker = mtmd.mtmd_input_text(), mtmd.mtmd_default_marker()
    text.text, text.text_len, text.parse_special = marker, len(marker), True
    chunks: Any = mtmd.mtmd_input_chunks_init()
    assert mtmd.mtmd_tokenize(encoder, chunks, ctypes.byref(text), (ctypes.c_void_p * 1)(bitmap), 1) == 0
    context = model.make_context()

    def decode(tokens: list[int], position: int) -> int:
        batch = llama.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for row, token in enumerate(tokens):
            batch.token[row], batch.pos[row], batch.n_seq_id[row] = token, position + row, 1
            batch.seq_id[row][0], batch.logits[row] = 0, row == len(tokens) - 1
        assert llama.llama_decode(context, batch) == 0
        llama.llama_batch_free(batch)
        return position + len(tokens)

    first = next(place for place, token in enumerate(prompt) if token < 0)
    count = sum(token < 0 for token in prompt)
    try:
        position = decode(list(prompt[:first]), 0)
        for place in range(mtmd.mtmd_input_chunks_size(chunks)):
            chunk: Any = mtmd.mtmd_input_chunks_get(chunks, place)
            if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE:
                after = llama.llama_pos(0)
                status = mtmd.mtmd_helper_eval_chunk_single(
                    encoder, context, chunk, position, 0, 512, False, ctypes.byref(after)
                )
                assert status == 0
                assert after.value - position < count
                position = after.value
        chosen: list[int] = []
        logprobs: list[float] = []
        step = list(prompt[first + count :])
        for _ in range(new):
            position = decode(step, position)
            row = np.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), (model.vocabulary.size,))
            step = [int(row.argmax())]
            chosen += step
            logprobs.append(float(row.max() - np.logaddexp.reduce(row.astype(np.float64))))
    finally:
        llama.llama_free(context)
        mtmd.mtmd_input_chunks_free(chunks)
        mtmd.mtmd_bitmap_free(bitmap)
        mtmd.mtmd_free(encoder)
    return chosen, logprobs


def logprobs_of(made: Generated) -> list[float]:
    return [logprob for _, logprob in made.sequences[0].spelled]


@pytest.mark.parametrize("picture", [0, 1, 2, 3, 9])
def test_the_loop_computes_what_llama_cpps_helper_computes(
    files: tuple[Path, Path], qwen: Engine, image: Callable[[int], ImagePart], picture: int
) -> None:
    qwen.forget()
    made = answer(qwen, asked("What does it show?", image(picture)))
    answered = made.sequences[0].tokens
    tokens, logprobs = own_answer(files, qwen.model, made.prompt, picture, len(answered))
    assert list(answered) == tokens
    assert logprobs_of(made) == pytest.approx(logprobs, abs=TOLERANCE)
    read = vision_of(qwen).read(image(picture))
    assert read.runs[0].places is not None


def test_the_places_matter(files: tuple[Path, Path], qwen: Engine, image: Callable[[int], ImagePart]) -> None:
    """The same embeddings in another order of rows are another answer: a test that could not fail would prove
    nothing."""
    qwen.forget()
    read = vision_of(qwen).read(image(1))
    first = answer(qwen, asked("What does it show?", image(1)), decoding=GREEDY)
    places = read.runs[0].places
    assert places is not None
    columns = len(np.unique(places[0, 2]))
    assert len(np.unique(places[0, 1])) * columns == read.runs[0].count
    places[0, 2] = places[0, 2][::-1].copy()
    try:
        qwen.forget()
        other = answer(qwen, asked("What does it show?", image(1)), decoding=GREEDY)
    finally:
        places[0, 2] = places[0, 2][::-1].copy()
        qwen.forget()
    differences = np.abs(np.subtract(logprobs_of(first), logprobs_of(other)))
    assert differences.max() > 5 * TOLERANCE


def test_what_was_read_before_is_used_again_and_answers_the_same(
    qwen: Engine, image: Callable[[int], ImagePart]
) -> None:
    qwen.forget()
    asks = [asked("What does it show?", image(2)), asked("What colour is it?", image(2)), asked("And?", image(3))]
    fresh = []
    for one in asks:
        qwen.forget()
        fresh.append(answer(qwen, one))
    qwen.forget()
    again = [answer(qwen, one) for one in asks]
    assert [one.sequences[0].tokens for one in again] == [one.sequences[0].tokens for one in fresh]
    count = sum(token < 0 for token in again[1].prompt)
    assert again[1].usage.cached_tokens > count  # the image is not computed again
    assert again[2].usage.cached_tokens < count


def test_two_images_and_a_conversation_about_them(qwen: Engine, image: Callable[[int], ImagePart]) -> None:
    both = Message.of_parts("user", [image(0), TextPart("and "), image(1), TextPart("compare them")])
    qwen.forget()
    first = answer(qwen, both)
    talk = (both, Message("assistant", "They differ."), Message("user", "How?"))
    cached = answer(qwen, *talk)
    qwen.forget()
    assert answer(qwen, *talk).sequences[0].tokens == cached.sequences[0].tokens
    assert cached.usage.cached_tokens > sum(token < 0 for token in first.prompt)


@pytest.mark.parametrize(
    "decoding",
    [
        DecodingPart(temperature=1.0, n=3, max_tokens=6, seed=1),
        DecodingPart(temperature=0.0, max_tokens=12, speculation="ngram", repetition_penalty=1.3),
        DecodingPart(strategy="beam", num_beams=3, max_tokens=6),
    ],
    ids=("three answers", "drafts", "beams"),
)
def test_every_way_of_decoding_answers_the_same_from_memory(
    qwen: Engine, image: Callable[[int], ImagePart], decoding: DecodingPart
) -> None:
    qwen.forget()
    first = answer(qwen, asked("What does it show?", image(4)), decoding=decoding)
    again = answer(qwen, asked("What does it show?", image(4)), decoding=decoding)
    assert [one.tokens for one in again.sequences] == [one.tokens for one in first.sequences]
