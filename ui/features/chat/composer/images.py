"""Images that are pasted, dropped or chosen for the next question: kept by the core, then shown as chips."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QBuffer, QIODevice, QObject
from PySide6.QtGui import QImage

from ui.bridge import Bridge
from ui.features.chat import texts
from ui.features.chat.composer.one_question import ChosenChips
from workbench.records.messages import ImagePart
from workbench.records.visible import visible_name
from workbench.subjects.images.calls import MOST_IMAGES, AddImage

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")


def are_images(paths: Sequence[str]) -> bool:
    """Whether all files are images by their names."""
    return bool(paths) and all(path.lower().endswith(ENDINGS) for path in paths)


class ImageTaker(QObject):
    """Adds images to the next question of the shown chat, which is ``temporary`` or not. ``say`` tells what is wrong
    with one."""

    def __init__(
        self,
        bridge: Bridge,
        chips: ChosenChips,
        say: Callable[[str], None],
        parent: QObject,
        temporary: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(parent)
        self._temporary = temporary
        self._bridge, self._chips, self._say = bridge, chips, say
        self._waiting: list[tuple[AddImage, str]] = []  # one after the other, so that they stay in their order

    def take_files(self, paths: Sequence[str]) -> None:
        self._add(
            *(
                (AddImage(path=path, temporary=self._temporary()), visible_name(path) or path)
                for path in paths[:MOST_IMAGES]
            )
        )
        if len(paths) > MOST_IMAGES:
            self._say(texts.MOST_IMAGES.format(most=MOST_IMAGES))

    def take_copied(self, image: QImage) -> None:
        """An image from the clipboard, of which there is no file."""
        held = QBuffer()
        held.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(held, "PNG")  # type: ignore[call-overload]  # Qt's stubs want bytes
        name = texts.COPIED_IMAGE
        call = AddImage(data=bytes(held.data().data()), name=name, temporary=self._temporary())
        self._add((call, name))

    def _add(self, *several: tuple[AddImage, str]) -> None:
        idle = not self._waiting
        self._waiting += several
        if idle:
            self._send_next()

    def _send_next(self) -> None:
        if not self._waiting:
            return
        call, name = self._waiting[0]

        def take(image: ImagePart) -> None:
            self._chips.add_image(image)
            self._waiting.pop(0)
            self._send_next()

        def fail(error: Exception) -> None:
            self._say(texts.NOT_SHOWN_IMAGE.format(name=name, reason=error))
            self._waiting.pop(0)
            self._send_next()

        self._bridge.call(call, take, fail, self)
