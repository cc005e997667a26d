"""Questions that show images: which methods look at them, and what becomes of the images of earlier questions."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.base.errors import UserError
from workbench.records.messages import ImagePart, Message
from workbench.records.methods import Method
from workbench.subjects.answering.request import AnswerRequest

EARLIER_IMAGES = "The model cannot see images: those of earlier questions were left out."


def shows_images(request: AnswerRequest) -> bool:
    """Whether the question that is asked shows images."""
    asks = request.prefix is None and request.task is None and bool(request.conversation)
    return asks and bool(request.conversation[-1].images)


def check_images(request: AnswerRequest, method: Method) -> None:
    """Raises UserError for a method that would answer without looking at the images of the question: one that writes
    the question anew, searches documents by it, or hands it to tools."""
    if "shows images" in method.traits and request.recipe.retrieval is None and request.recipe.agent is None:
        return
    if request.recipe.agent is not None:
        what, hint = "An agent does not look at images", "Ask about the image without an agent."
    elif request.recipe.retrieval is not None:
        what, hint = "Documents cannot be searched for an image", "Ask about the image without documents."
    else:
        what, hint = f"{method.title} does not show the image to the model", "Choose the technique Direct."
    raise UserError(f"{what}.", hint)


def without_images(conversation: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation without its images."""
    return tuple(
        Message.of_parts(one.role, [part for part in one.parts if not isinstance(part, ImagePart)])
        if one.images
        else one
        for one in conversation
    )
