"""The images of a home: files of plain pixels, named by the SHA-256 of the file that was given.

Images that are not to be kept (of temporary chats, of requests to the API, of pages) are files in a folder in memory,
where the system has that, which goes with this process.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.base.durability import written_beside
from workbench.base.errors import UserError
from workbench.base.memory_folders import delete_left, new_memory_folder
from workbench.base.pixels import Pixels, pack_pixels, read_pixels
from workbench.reading.process import ReaderProcess
from workbench.reading.reader_calls import ReadLimits
from workbench.records.messages import ImagePart

LARGEST_MB = 50
LIMITS = ReadLimits(seconds=20.0, memory_mb=900, largest_file_mb=LARGEST_MB)
UNUSED_S = 24 * 3600.0
"""An image that was added and not asked about is kept so long."""
_WHOLE, _SMALL, _PASSING = ".pixels", ".small", ".unfinished-passing-"
_NAME = "llm-workbench-images"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ImageStore:
    """Thread-safe. Files are decoded in a reader process."""

    def __init__(self, folder: Path, log: Path | None = None) -> None:
        self._folder = folder
        self._reader = ReaderProcess(log)
        self._passing: Path | None = None  # the folder for images of chats that are not kept
        self._making = threading.Lock()  # guards ``_passing``

    def add(self, source: Path, name: str, cancelled: Callable[[], bool], *, kept: bool = True) -> ImagePart:
        """Store an image file; one that is not ``kept`` until it is deleted, or this process ends. Raises UserError
        when it is no image, errors.Cancelled."""
        digest = _sha256_of(source)
        pixels, small, decoded = self._reader.decode_image(source, LIMITS, cancelled, self._passing_folder())
        folder = self._folder if kept else self._passing_folder()
        folder.mkdir(parents=True, exist_ok=True)
        for ending, content in ((_SMALL, small), (_WHOLE, pixels)):  # an image is stored once the second is there
            place = folder / f"{digest}{ending}"
            place.unlink(missing_ok=True)
            with written_beside(place) as beside:
                beside.write_bytes(pack_pixels(content))
        return ImagePart(
            sha256=digest, media_type=decoded.media_type, name=name[:200], width=pixels.width, height=pixels.height
        )

    def add_bytes(self, data: bytes, name: str, cancelled: Callable[[], bool], *, kept: bool = True) -> ImagePart:
        """As ``add``, of a file's content."""
        with self._written(data) as source:
            return self.add(source, name, cancelled, kept=kept)

    def keep(self, sha256: str) -> None:
        """Have an image kept, also one that was added as one that is not. Raises UserError when there is none."""
        self.require(sha256)
        if not (self._folder / f"{sha256}{_WHOLE}").is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            for held in (self._place(sha256, _SMALL), self._place(sha256, _WHOLE)):
                with written_beside(self._folder / held.name) as beside:
                    shutil.copyfile(held, beside)

    def hold(self, sha256: str) -> None:
        """Have an image without keeping it, whatever becomes of the one that is kept. Raises UserError when there is
        none."""
        whole = self._place(sha256, _WHOLE)
        if whole.parent == self._folder:
            self.require(sha256)
            for place in (self._place(sha256, _SMALL), whole):
                with written_beside(self._passing_folder() / place.name) as beside:
                    shutil.copyfile(place, beside)

    @contextmanager
    def passing(self, data: bytes, cancelled: Callable[[], bool]) -> Iterator[ImagePart]:
        """An image that is there within the block only: what a program asks about is not kept."""
        with self._written(data) as source:
            digest = _sha256_of(source)
            pixels, _, decoded = self._reader.decode_image(source, LIMITS, cancelled, self._passing_folder())
            place = self._passing_folder() / f"{secrets.token_hex(8)}{_WHOLE}"
            place.write_bytes(pack_pixels(pixels))
        try:
            yield ImagePart(
                path=str(place), sha256=digest, media_type=decoded.media_type, width=pixels.width, height=pixels.height
            )
        finally:
            place.unlink(missing_ok=True)

    def path_of(self, part: ImagePart) -> str:
        """The file of an image's pixels, which need not be there."""
        if part.path:
            return part.path
        return str(self._place(part.sha256, _WHOLE))

    def pixels_of(self, sha256: str, *, whole: bool) -> Pixels:
        """Raises UserError when the image is not kept."""
        return read_pixels(self._place(sha256, _WHOLE if whole else _SMALL))

    def require(self, sha256: str) -> None:
        """Raises UserError when the image is not kept, nor held."""
        if not self._place(sha256, _WHOLE).is_file():
            raise UserError("The image is not kept any more.", "Add it again.")

    def kept(self) -> dict[str, float]:
        """When each image was added, in seconds since the epoch, by its SHA-256."""
        return _added_in(self._folder)

    def held(self) -> dict[str, float]:
        """As ``kept``, of the images that are not kept."""
        return _added_in(self._passing) if self._passing is not None else {}

    def delete(self, images: Iterable[str], *, kept: bool = True) -> None:
        """Delete images that are kept, or that are not; those that are not there are passed over."""
        folder = self._folder if kept else self._passing
        if folder is None:
            return
        for sha256 in images:
            for ending in (_WHOLE, _SMALL):
                (folder / f"{_checked(sha256)}{ending}").unlink(missing_ok=True)

    def delete_passing(self) -> None:
        """Delete what a core of an earlier version that has died left of images that were not to be kept."""
        delete_left(_NAME)
        for path in _files(self._folder, f"{_PASSING}*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - UNUSED_S:
                    path.unlink()

    def close(self) -> None:
        """End the reader process, and delete what is not kept."""
        self._reader.close()
        with self._making:
            if self._passing is not None:
                shutil.rmtree(self._passing, ignore_errors=True)
                self._passing = None

    def _passing_folder(self) -> Path:
        with self._making:
            if self._passing is None or not self._passing.is_dir():  # systems clear such folders: one of days ago
                self._passing = new_memory_folder(_NAME)
            return self._passing

    def _place(self, sha256: str, ending: str) -> Path:
        """The file of an image, which need not be there: the one that is held before the one that is kept."""
        name = f"{_checked(sha256)}{ending}"
        held = self._passing / name if self._passing is not None else None
        return held if held is not None and held.is_file() else self._folder / name

    @contextmanager
    def _written(self, data: bytes) -> Iterator[Path]:
        """A file with this content, for the reader process."""
        if len(data) > LARGEST_MB * 1_000_000:
            raise UserError(
                f"The image has {len(data) / 1e6:.0f} MB; the limit is {LARGEST_MB} MB.", "Use a smaller one."
            )
        source = self._passing_folder() / f"{secrets.token_hex(8)}.image"
        source.write_bytes(data)
        try:
            yield source
        finally:
            source.unlink(missing_ok=True)


def _added_in(folder: Path) -> dict[str, float]:
    found = {}
    for path in _files(folder, f"*{_WHOLE}"):
        if _SHA256.fullmatch(path.stem):
            with contextlib.suppress(OSError):
                found[path.stem] = path.stat().st_mtime
    return found


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern)) if folder.is_dir() else []


def _sha256_of(path: Path) -> str:
    digest, left = hashlib.sha256(), LARGEST_MB * 1_000_000 + 1
    try:
        with path.open("rb") as file:
            while left > 0 and (block := file.read(min(1 << 20, left))):
                digest.update(block)
                left -= len(block)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.", "Choose another file.") from error
    if left <= 0:
        raise UserError(f"{path.name} is larger than {LARGEST_MB} MB.", "Save a smaller copy.")
    return digest.hexdigest()


def _checked(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise UserError("This is not the name of an image.", "Add the image again.")
    return sha256
