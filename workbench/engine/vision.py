"""Images for a model: a projector (mmproj file) turns them into embeddings, by llama.cpp's ``mtmd``.

``Vision`` reads an image's pixels, has ``mtmd`` cut them as the model wants them, and computes the embeddings on the
thread of the request, one image at a time, so that other answers go on meanwhile. The engine's loop then puts them into
a sequence in the place of tokens (``image_tokens``). No image file is decoded here: ``base.pixels`` are read.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from workbench.api.events import Event, Progress
from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.base.pixels import Pixels, read_pixels
from workbench.engine.image_tokens import MOST_EMBEDDINGS, image_number, image_numbers, image_token, number_of
from workbench.engine.library import LibraryLog, llama
from workbench.engine.memory_formulas import BATCH_TOKENS
from workbench.engine.mtmd_library import mtmd_library
from workbench.engine.parameters import log_reason
from workbench.engine.positions import Positions
from workbench.engine.vocabulary import Vocabulary
from workbench.gguf.projectors import describe_projector
from workbench.records.messages import ImagePart

Floats = npt.NDArray[np.float32]

MOST_KEPT_BYTES = 256 << 20
"""Embeddings and prepared pixels of images that may be asked about again."""
MOST_IMAGES = 16
"""In one conversation: what a request can hold in memory is bounded."""

_LOOK_S = 0.05


@dataclass(frozen=True)
class ImageRun:
    """Embeddings of an image that follow each other: ``count`` of them from ``start`` on. Where they are not
    ``causal``, each attends to all of them, so they are computed in one batch. ``places`` are their positions in four
    dimensions, shape (2, 4, count), where the model has those: of an image that begins at the position 0, and what is
    added to them for each position further on."""

    start: int
    count: int
    causal: bool
    places: npt.NDArray[np.int32] | None = None

    def places_from(self, position: int, first: int, count: int) -> npt.NDArray[np.int32] | None:
        """The positions of ``count`` embeddings from the ``first`` of the run on, shape (4, count), where the image
        begins at ``position``; None where a position is one number."""
        if self.places is None:
            return None
        found: npt.NDArray[np.int32] = (self.places[0] + position * self.places[1])[:, first : first + count]
        return found


class PreparedImage:
    """mtmd's pieces of a prompt with an image: its pixels, cut as the model wants them. Frees them with itself."""

    def __init__(self, mtmd: Any, size: int) -> None:
        self._free = mtmd.mtmd_input_chunks_free
        self.pointer: Any = mtmd.mtmd_input_chunks_init()
        self.size = size

    def __del__(self) -> None:
        self._free(self.pointer)


@dataclass(eq=False)
class ReadImage:
    """An image as a model reads it: its ``tokens`` are image tokens between the control tokens that the model has
    around images. ``embeddings`` has the shape (number of image tokens, width) once they are computed."""

    number: int
    identity: str
    tokens: list[int]
    runs: tuple[ImageRun, ...]
    embeddings: Floats | None = None
    prepared: PreparedImage | None = field(default=None, repr=False)  # until the embeddings are computed

    @property
    def size(self) -> int:
        """In bytes."""
        prepared = 0 if self.prepared is None else self.prepared.size
        return prepared + (0 if self.embeddings is None else self.embeddings.nbytes)

    def run_at(self, index: int) -> ImageRun:
        """The run that an embedding belongs to."""
        return next(run for run in self.runs if run.start <= index < run.start + run.count)


NO_IMAGES: Mapping[int, ReadImage] = {}


class Vision:
    """The projector of a loaded model. Thread-safe. Raises UserError when the projector is damaged or does not belong
    to the model, where it can be told before llama.cpp opens the file."""

    def __init__(self, path: str, model: Any, name: str, log: LibraryLog, *, threads: int, gpu: bool) -> None:
        mtmd = self._mtmd = mtmd_library()
        describe_projector(Path(path))
        self._path = path
        self._width: int = llama.llama_model_n_embd_inp(model)
        stat = Path(path).stat()
        self._identity = f"{path}\n{stat.st_size}\n{stat.st_mtime_ns}\n{self._width}"
        self._turn = threading.Lock()  # one image is encoded at a time
        self._known: OrderedDict[int, ReadImage] = OrderedDict()
        self._keeping = threading.Lock()  # guards ``_known``
        self._asked: RequestContext | None = None
        self._nodes = 0
        self.positions = Positions()
        parameters = mtmd.mtmd_context_params_default()
        parameters.use_gpu = gpu
        parameters.n_threads = threads
        parameters.print_timings = parameters.warmup = False
        self._goes_on = type(parameters.cb_eval)(self._on_node)  # must live as long as the projector
        parameters.cb_eval = self._goes_on
        mtmd.mtmd_log_set(log.callback, None)
        mtmd.mtmd_helper_log_set(log.callback, None)
        log.forget_errors()
        self._context: Any = mtmd.mtmd_init_from_file(path.encode(), model, parameters)
        if not self._context:
            raise UserError(
                f"The projector {Path(path).name} does not work with {name}: {log_reason(log)}",
                "Get the projector (mmproj) file that was published with this model.",
            )
        with ExitStack() as undo:
            undo.callback(self.close)
            if not mtmd.mtmd_support_vision(self._context):
                raise UserError(
                    f"The projector {Path(path).name} has no image encoder.",
                    "Get the projector (mmproj) file that was published with this model.",
                )
            self._has_places: bool = mtmd.mtmd_decode_use_mrope(self._context)
            undo.pop_all()

    def close(self) -> None:
        """Free the projector; no image may be encoded any more."""
        with self._keeping:
            self._known.clear()
        if self._context:
            self._mtmd.mtmd_free(self._context)
            self._context = None

    def read(self, part: ImagePart) -> ReadImage:
        """The image as the model reads it; its embeddings are not computed yet. Raises UserError when the image's
        pixels are missing or damaged, or the model cannot take it."""
        identity = f"{self._identity}\n{part.sha256 or part.path}"
        number = image_number(identity)
        with self._keeping:
            known = self._known.get(number)
            if known is not None and known.identity == identity:
                self._known.move_to_end(number)
                return known
        image = self._prepare(number, identity, read_pixels(Path(part.path)))
        with self._keeping:
            image = self._known.setdefault(number, image)
        self._forget_oldest()
        return image

    def images_of(self, tokens: Sequence[int]) -> Mapping[int, ReadImage]:
        """The images of the image tokens in a sequence, by their numbers. Raises UserError for one that is not known
        (any more)."""
        if not tokens or min(tokens) >= 0:
            return NO_IMAGES
        found = {}
        with self._keeping:
            for number in image_numbers(tokens):
                image = self._known.get(number)
                if image is None:
                    raise UserError(
                        "The answer is about an image that is no longer in the model's memory.",
                        "Ask the question again instead of continuing its answer.",
                    )
                found[number] = image
        if len(found) > MOST_IMAGES:
            raise UserError(
                f"The conversation has {len(found)} images; at most {MOST_IMAGES} can be read at once.",
                "Start a new chat, or ask about fewer images.",
            )
        return found

    def encode(self, image: ReadImage, context: RequestContext) -> None:
        """Compute the image's embeddings unless they are known. Raises errors.Cancelled soon after ``context`` is
        cancelled, and UserError when the projector fails."""
        while not self._turn.acquire(timeout=_LOOK_S):
            context.raise_if_cancelled()
        try:
            if image.embeddings is None:
                image.embeddings = self._encoded(image, context)
                image.prepared = None
        finally:
            self._turn.release()

    def _prepare(self, number: int, identity: str, pixels: Pixels) -> ReadImage:
        mtmd = self._mtmd
        with ExitStack() as freeing:
            data = (ctypes.c_uint8 * len(pixels.rgb)).from_buffer_copy(pixels.rgb)
            bitmap = mtmd.mtmd_bitmap_init(pixels.width, pixels.height, data)
            freeing.callback(mtmd.mtmd_bitmap_free, bitmap)
            marker: bytes = mtmd.mtmd_default_marker()
            text = mtmd.mtmd_input_text()
            text.text, text.text_len, text.add_special, text.parse_special = marker, len(marker), False, True
            # mtmd keeps what it has cut as numbers of four bytes
            prepared = PreparedImage(mtmd, 4 * len(pixels.rgb))
            chunks = prepared.pointer
            status = mtmd.mtmd_tokenize(self._context, chunks, ctypes.byref(text), (ctypes.c_void_p * 1)(bitmap), 1)
            if status:
                raise UserError(
                    f"The projector {Path(self._path).name} cannot read an image of {pixels.width} x {pixels.height} "
                    f"pixels (llama.cpp status {status}).",
                    "Use an image with other proportions.",
                )
            tokens: list[int] = []
            runs: list[ImageRun] = []
            for place in range(mtmd.mtmd_input_chunks_size(chunks)):
                chunk = mtmd.mtmd_input_chunks_get(chunks, place)
                count: int = mtmd.mtmd_input_chunk_get_n_tokens(chunk)
                if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT:
                    size = ctypes.c_size_t()
                    written = mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(size))
                    tokens += written[: size.value]
                    continue
                start = runs[-1].start + runs[-1].count if runs else 0
                causal = not mtmd.mtmd_decode_use_non_causal(self._context, chunk)
                self._check_run(start + count, count, causal=causal)
                runs.append(ImageRun(start, count, causal, self._places(chunk, count) if self._has_places else None))
                if self._has_places:
                    if len(runs) > 1:
                        raise UserError(
                            f"The projector {Path(self._path).name} cuts an image into pieces, and numbers their "
                            "positions in two dimensions: this program does not support both together.",
                            "Use a smaller image, or choose another vision model.",
                        )
                    self.positions.add(number, count, mtmd.mtmd_input_chunk_get_n_pos(chunk))
                tokens += [image_token(number, start + index) for index in range(count)]
        return ReadImage(number, identity, tokens, tuple(runs), prepared=prepared)

    def _places(self, chunk: Any, count: int) -> npt.NDArray[np.int32]:
        """llama.cpp's positions of an image's embeddings at the position 0, and how they grow with it; its order in a
        batch is time, row, column."""
        mtmd = self._mtmd
        image = mtmd.mtmd_input_chunk_get_tokens_image(chunk)
        found = []
        for position in (0, 1):
            places = (mtmd.mtmd_decoder_pos * count)()
            mtmd.mtmd_helper_image_get_decoder_pos(image, position, places)
            found.append([[getattr(one, name) for one in places] for name in ("t", "y", "x", "z")])
        at_0, at_1 = np.array(found, np.int32)
        return np.stack([at_0, at_1 - at_0])

    def _check_run(self, total: int, count: int, *, causal: bool) -> None:
        if not count or total > MOST_EMBEDDINGS:
            raise UserError(f"The projector makes {total:,} embeddings of one image.", "Use a smaller image.")
        if not causal and count > BATCH_TOKENS:
            raise UserError(
                f"The projector makes {count:,} embeddings of an image that must be computed at once; at most "
                f"{BATCH_TOKENS:,} can be.",
                "Choose another vision model.",
            )

    def _encoded(self, image: ReadImage, context: RequestContext) -> Floats:
        assert image.prepared is not None
        mtmd, chunks = self._mtmd, image.prepared.pointer
        found = np.empty((sum(run.count for run in image.runs), self._width), np.float32)
        runs = iter(image.runs)
        self._asked = context
        try:
            for place in range(mtmd.mtmd_input_chunks_size(chunks)):
                chunk = mtmd.mtmd_input_chunks_get(chunks, place)
                if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT:
                    continue
                context.raise_if_cancelled()
                status = mtmd.mtmd_encode_chunk(self._context, chunk)
                context.raise_if_cancelled()  # what was computed until then means nothing
                if status:
                    raise UserError(
                        f"The projector {Path(self._path).name} does not compute (llama.cpp status {status}).",
                        "Download or copy the projector file again.",
                    )
                run = next(runs)
                output = mtmd.mtmd_get_output_embd(self._context)
                values = np.ctypeslib.as_array(output, (run.count * self._width,))
                found[run.start : run.start + run.count] = values.reshape(run.count, self._width)
        finally:
            self._asked = None
        if not np.isfinite(found).all():
            raise UserError(
                f"The projector {Path(self._path).name} computes numbers that are not finite.",
                "Download or copy the projector file again.",
            )
        return found

    def _on_node(self, _tensor: Any, asks: bool, _user_data: Any) -> bool:
        """Called by ggml before and after operations. Asked, True has each computed by itself, after which the answer
        False ends the computation: in groups of eight a stop took up to 1.5 s on busy cores."""
        if asks:
            self._nodes += 1
            return True
        return self._asked is None or not self._asked.cancelled

    def _forget_oldest(self) -> None:
        """Forget the images that have not been read for the longest time. Jobs that use one hold it themselves."""
        with self._keeping:
            total = sum(image.size for image in self._known.values())
            while total > MOST_KEPT_BYTES and len(self._known) > MOST_IMAGES:
                total -= self._known.popitem(last=False)[1].size


class CannotSee(UserError):
    """The model has no projector."""


def require_vision(vision: Vision | None, name: str, problem: UserError | None = None) -> Vision:
    """The projector of the loaded model. Raises UserError where it has none, or the ``problem`` for which it was not
    loaded."""
    if problem is not None:
        raise CannotSee(problem.message, problem.hint)
    if vision is None:
        raise CannotSee(
            f"{name} cannot see images: it was loaded without a projector (mmproj file).",
            "Import the projector that was published with the model, or choose a vision model.",
        )
    return vision


class Seeing(Protocol):
    """A loaded model (``loading.Model``)."""

    name: str
    vision: Vision | None
    vision_problem: UserError | None


def see(
    tokens: Sequence[int], model: Seeing, context: RequestContext
) -> Generator[Event, None, Mapping[int, ReadImage]]:
    """The images of a prompt, with their embeddings, which are computed here. Streams Progress in images. Raises
    UserError where the model cannot see them, errors.Cancelled."""
    if not tokens or min(tokens) >= 0:
        return NO_IMAGES
    vision = require_vision(model.vision, model.name, model.vision_problem)
    images = vision.images_of(tokens)
    new = [image for image in images.values() if image.embeddings is None]
    for done, image in enumerate(new):
        yield Progress(stage="reading", done=done, total=len(new), unit="images", detail="the images")
        vision.encode(image, context)
    return images


def with_image_marks(tokens: Sequence[int], vocabulary: Vocabulary) -> str:
    """A prompt as the model reads it, with the names of control tokens, and a mark in the place of each image."""
    texts = []
    for number, run in itertools.groupby(tokens, lambda token: number_of(token) if token < 0 else None):
        held = list(run)
        texts.append(vocabulary.text(held, special=True) if number is None else f"[image: {len(held):,} embeddings]")
    return "".join(texts)
