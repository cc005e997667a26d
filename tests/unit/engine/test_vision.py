"""Images through a tiny projector and the starter, compared with llama.cpp's own way from a file to its embeddings."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.projectors import EMBEDDINGS, draw_pictures, encoded, write_projector
from tests.unit.engine.test_prompt import InProcess
from workbench.api.events import Finished
from workbench.api.protocol import RequestContext, read_result
from workbench.base.errors import Cancelled, UserError
from workbench.base.pixels import pack_pixels
from workbench.engine.batch import EmbeddingBatch, check
from workbench.engine.encoder_prompts import writer_for
from workbench.engine.image_tokens import image_number, image_token, index_of, number_of
from workbench.engine.inference_calls import Generate, Generated
from workbench.engine.library import llama
from workbench.engine.loading import Model
from workbench.engine.loop import Engine
from workbench.engine.vision import CannotSee, ReadImage, Vision
from workbench.reading.images import decode_image
from workbench.records.messages import ImagePart, Message, TextPart
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.strategies import Strategies

GREEDY = DecodingPart(temperature=0.0, max_tokens=8)


@pytest.fixture
def image(tmp_path: Path) -> Callable[[int], ImagePart]:
    """A generated picture, stored as the core stores it."""

    def store(number: int) -> ImagePart:
        data = encoded(draw_pictures()[number])
        pixels, _, _ = decode_image(data)
        path = tmp_path / f"{number}.pixels"
        path.write_bytes(pack_pixels(pixels))
        return ImagePart(path=str(path), sha256=f"{number:064x}")

    return store


def own_embeddings(model: Model, projector: Path, file: Path) -> np.ndarray[Any, Any]:
    """A picture's embeddings by llama.cpp alone: its own decoder of files, its own cutting and encoder."""
    from llama_cpp import mtmd_cpp as mtmd

    parameters = mtmd.mtmd_context_params_default()
    parameters.use_gpu, parameters.warmup, parameters.n_threads = False, False, 1
    context: Any = mtmd.mtmd_init_from_file(str(projector).encode(), model.pointer, parameters)
    bitmap: Any = mtmd.mtmd_helper_bitmap_init_from_file(context, str(file).encode(), False)
    text, marker = mtmd.mtmd_input_text(), mtmd.mtmd_default_marker()
    text.text, text.text_len, text.parse_special = marker, len(marker), True
    chunks: Any = mtmd.mtmd_input_chunks_init()
    assert mtmd.mtmd_tokenize(context, chunks, ctypes.byref(text), (ctypes.c_void_p * 1)(bitmap), 1) == 0
    found = []
    for place in range(mtmd.mtmd_input_chunks_size(chunks)):
        chunk: Any = mtmd.mtmd_input_chunks_get(chunks, place)
        if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE:
            assert mtmd.mtmd_encode_chunk(context, chunk) == 0
            count = mtmd.mtmd_input_chunk_get_n_tokens(chunk)
            output: Any = mtmd.mtmd_get_output_embd(context)
            found.append(np.ctypeslib.as_array(output, (count * 576,)).reshape(count, 576).copy())
    mtmd.mtmd_input_chunks_free(chunks)
    mtmd.mtmd_bitmap_free(bitmap)
    mtmd.mtmd_free(context)
    return np.concatenate(found)


def vision_of(engine: Engine) -> Vision:
    assert engine.model.vision is not None
    return engine.model.vision


def computed(engine: Engine, part: ImagePart) -> ReadImage:
    read = vision_of(engine).read(part)
    vision_of(engine).encode(read, RequestContext())
    return read


def asked(question: str, *images: ImagePart) -> Message:
    return Message.of_parts("user", [*images, TextPart(question)])


def answer(engine: Engine, *messages: Message, decoding: DecodingPart = GREEDY) -> Generated:
    """As the inference worker answers."""
    writer = writer_for(engine.model, InProcess())
    prompt = writer.write(messages)
    images = vision_of(engine).images_of(prompt.tokens)
    for one in images.values():
        vision_of(engine).encode(one, RequestContext())
    call = Generate(messages=messages, decoding=decoding)
    job = Strategies().make_job(call, prompt, engine, RequestContext(), 0.0)
    job.images = images
    end = list(engine.submit(job).events())[-1]
    assert isinstance(end, Finished)
    return read_result(call, end.result)


def test_the_embeddings_of_twenty_pictures_are_llama_cpps_own(seeing: Engine, projector: Path, tmp_path: Path) -> None:
    pictures = draw_pictures(20)
    seen = set()
    for number, picture in enumerate(pictures):
        file, stored = tmp_path / f"{number}.png", tmp_path / f"{number}.pixels"
        file.write_bytes(encoded(picture))
        stored.write_bytes(pack_pixels(decode_image(file.read_bytes())[0]))
        ours = computed(seeing, ImagePart(path=str(stored), sha256=f"{number}")).embeddings
        theirs = own_embeddings(seeing.model, projector, file)
        assert ours is not None
        assert ours.shape == (EMBEDDINGS, 576)
        np.testing.assert_array_equal(ours, theirs, err_msg=f"picture {number}")
        seen.add(ours.tobytes())
    assert len(seen) == len(pictures)  # each picture is told from the others


def test_the_loop_computes_what_llama_cpp_computes(seeing: Engine, image: Callable[[int], ImagePart]) -> None:
    part = image(1)
    made = answer(seeing, asked("What does it show?", part))
    read = computed(seeing, part)
    assert read.embeddings is not None
    # the same prompt, by hand: text, embeddings, text, in one context of its own
    context = seeing.model.make_context()

    def decode(tokens: list[int]) -> None:
        held = (llama.llama_token * len(tokens))(*tokens)
        check(llama.llama_decode(context, llama.llama_batch_get_one(held, len(tokens))))

    try:
        position, batch = 0, EmbeddingBatch(64, 576)
        tokens = list(made.prompt)
        first = next(place for place, token in enumerate(tokens) if token < 0)
        head, tail = tokens[:first], tokens[first + EMBEDDINGS :]
        assert all(token >= 0 for token in [*head, *tail])
        decode(head)
        position = len(head)
        batch.set(0, read.embeddings, position, EMBEDDINGS)
        check(llama.llama_decode(context, batch.struct))
        chosen: list[int] = []
        for _ in range(len(made.sequences[0].tokens)):
            step = [*tail, *chosen][-1:] if chosen else tail
            decode(step)
            row = np.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), (seeing.model.vocabulary.size,))
            chosen.append(int(row.argmax()))
        batch.close()
    finally:
        llama.llama_free(context)
    assert tuple(chosen) == made.sequences[0].tokens


def test_what_an_image_shows_changes_the_answer_and_it_is_read_once(
    seeing: Engine, image: Callable[[int], ImagePart]
) -> None:
    first, second = image(2), image(3)
    seeing.forget()
    a = answer(seeing, asked("What does it show?", first))
    again = answer(seeing, asked("What colour is it?", first))
    b = answer(seeing, asked("What does it show?", second))
    before = next(place for place, token in enumerate(a.prompt) if token < 0)
    assert a.usage.cached_tokens == 0
    assert a.usage.prompt_tokens == len(a.prompt)  # an image counts with its embeddings
    assert sum(token < 0 for token in a.prompt) == EMBEDDINGS
    assert again.usage.cached_tokens >= before + EMBEDDINGS
    assert b.usage.cached_tokens == before  # another image begins otherwise
    assert a.sequences[0].spelled != b.sequences[0].spelled


def test_two_images_and_a_text_that_looks_like_a_mark(seeing: Engine, image: Callable[[int], ImagePart]) -> None:
    first, second = image(0), image(1)
    message = Message.of_parts("user", [first, TextPart("<__media__> and "), second, TextPart("compare them")])
    made = answer(seeing, Message("system", "Be brief."), message)
    order = list(dict.fromkeys(number_of(token) for token in made.prompt if token < 0))
    vision = vision_of(seeing)
    assert order == [vision.read(first).number, vision.read(second).number]


@pytest.mark.parametrize(
    "decoding",
    [
        DecodingPart(temperature=1.0, n=3, max_tokens=6, seed=1),
        DecodingPart(
            temperature=0.0, max_tokens=12, speculation="ngram", repetition_penalty=1.3, no_repeat_ngram_size=2
        ),
        DecodingPart(strategy="beam", num_beams=3, max_tokens=6, repetition_penalty=1.3, no_repeat_ngram_size=2),
    ],
    ids=("three answers", "drafts", "beams"),
)
def test_every_way_of_decoding_reads_images(
    seeing: Engine, image: Callable[[int], ImagePart], decoding: DecodingPart
) -> None:
    made = answer(seeing, asked("What does it show?", image(4)), decoding=decoding)
    assert made.sequences
    assert all(token >= 0 for one in made.sequences for token in one.tokens)


def test_contrastive_search_says_why_it_cannot(seeing: Engine, image: Callable[[int], ImagePart]) -> None:
    with pytest.raises(UserError, match="an image has none"):
        answer(seeing, asked("What?", image(4)), decoding=DecodingPart(strategy="contrastive", max_tokens=4))


def test_an_exact_model_gives_the_same_answer_from_memory(
    smollm_file: Path, projector: Path, load_now: Callable[..., Model], image: Callable[[int], ImagePart]
) -> None:
    engine = Engine(load_now(smollm_file, projector=str(projector), deterministic=True))
    try:
        question = asked("word " * 300, image(5))
        made = [answer(engine, question).sequences[0].spelled for _ in range(2)]
    finally:
        engine.close()
    assert made[0] == made[1]


def test_embeddings_that_attend_to_each_other_are_computed_at_once(
    smollm_file: Path, tmp_path: Path, load_now: Callable[..., Model], image: Callable[[int], ImagePart]
) -> None:
    path = write_projector(tmp_path / "mmproj.gguf", 576, kind="gemma3")
    engine = Engine(load_now(smollm_file, projector=str(path)))
    try:
        read = computed(engine, image(6))
        made = answer(engine, asked("What does it show?", image(6)))
    finally:
        engine.close()
    assert [run.causal for run in read.runs] == [False]
    assert sum(token < 0 for token in made.prompt) == read.runs[0].count
    assert [token for token in read.tokens if token >= 0]  # Gemma's marks around an image


def test_an_image_is_not_encoded_any_further_once_its_request_is_cancelled(
    seeing: Engine, image: Callable[[int], ImagePart]
) -> None:
    class CancelledMeanwhile(RequestContext):
        """Cancelled once the encoder has looked at it."""

        looks = 0

        @property
        def cancelled(self) -> bool:
            self.looks += 1
            if self.looks == 2:
                self.cancel()
            return super().cancelled

    vision = vision_of(seeing)
    read = vision.read(image(7))
    before = vision._nodes
    with pytest.raises(Cancelled):
        vision.encode(read, CancelledMeanwhile())
    assert 0 < vision._nodes - before < 57 / 2  # of the encoder's operations
    assert read.embeddings is None
    vision.encode(read, RequestContext())
    assert read.embeddings is not None


def test_a_model_without_a_projector_says_what_to_do(smollm: Engine, image: Callable[[int], ImagePart]) -> None:
    writer = writer_for(smollm.model, InProcess())
    with pytest.raises(CannotSee) as refusal:
        writer.write([asked("What?", image(0))])
    assert "without a projector" in refusal.value.message
    assert "Import the projector" in refusal.value.hint


def test_a_projector_of_another_width_is_refused(
    smollm_file: Path, tmp_path: Path, load_now: Callable[..., Model]
) -> None:
    path = write_projector(tmp_path / "mmproj.gguf", 640)
    with pytest.raises(UserError) as refusal:
        load_now(smollm_file, projector=str(path))
    assert "mmproj.gguf does not work with" in refusal.value.message
    assert "640" in refusal.value.message
    assert "published with this model" in refusal.value.hint


@pytest.mark.parametrize("damage", ["a model", "cut off", "no numbers", "text"])
def test_what_is_no_sound_projector_is_refused(
    smollm_file: Path, projector: Path, tmp_path: Path, load_now: Callable[..., Model], damage: str
) -> None:
    path = tmp_path / "mmproj.gguf"
    whole = projector.read_bytes()
    if damage == "a model":
        path = smollm_file
    elif damage == "cut off":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "no numbers":
        path.write_bytes(whole.replace(b"clip.vision.patch_size", b"clip.vision.patch_sizX"))
    else:
        path.write_bytes(b"no file of this kind" * 100)
    with pytest.raises(UserError):
        load_now(smollm_file, projector=str(path))


def test_a_prompt_with_an_image_that_is_not_known_is_refused(seeing: Engine) -> None:
    with pytest.raises(UserError, match="no longer in the model's memory"):
        vision_of(seeing).images_of([1, 2, image_token(image_number("elsewhere"), 0)])


def test_image_tokens_carry_their_numbers() -> None:
    number = image_number("an image")
    token = image_token(number, 4095)
    assert token < 0
    assert (number_of(token), index_of(token)) == (number, 4095)
    assert -(2**63) <= image_token((1 << 40) - 1, (1 << 16) - 1) < 0
