"""The pictures of pages beside their passages: which pages, within which limits, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, FakeServices, passage
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.base.errors import ContextExceeded, UserError
from workbench.engine.inference_calls import Generate, Rendered
from workbench.records.answers import AskResult
from workbench.records.capabilities import LOCAL, Capabilities
from workbench.records.messages import ImagePart, Message, Passage
from workbench.records.recipes import PromptingPart, Recipe, RetrievalPart
from workbench.records.recipes.parts import PagePictures
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest, Resolved
from workbench.techniques.embedding_calls import Retriever
from workbench.techniques.retrieval.shown_pages import MOST_PAGES, NONE_SHOWN, pictures_to_show
from workbench.techniques.services import Helpers

SEES = LOCAL | Capabilities(vision=True)
QUESTION = "How long does the warranty of the pump run?"


def scan(text: str, page: int | None = 1, path: str = "/scans/terms.pdf", *, recognised: bool = True) -> Passage:
    found = passage(text)
    return msgspec.structs.replace(found, path=path, title="Terms", page=page, recognised=recognised, document=path)


SCAN = scan("The warranty of the pump runs for 36 months.")
TYPED = scan("The warranty of the pump excludes the seal.", 2, "/typed.pdf", recognised=False)


class Seeing(FakeModelBackend):
    """A model that sees, with room for so many pictures."""

    def __init__(self, room: int = 8, **fields: Any) -> None:
        super().__init__(["36 months."], **{"capabilities": SEES, **fields})
        self.room = room

    def render(self, request: Generate) -> Rendered:
        if len(request.messages[-1].images) > self.room:
            raise ContextExceeded("The question is too long.", "Shorten it.", tokens=9, context_tokens=8)
        return super().render(request)


class Drawing(FakeServices):
    """Draws pages. ``there`` are the pictures that exist now, ``drawn`` all that were made."""

    broken = ""

    def __init__(self, model: FakeModelBackend, found: Sequence[Passage]) -> None:
        super().__init__(model, FakeRetriever(list(found)))
        self.there: set[str] = set()
        self.drawn: list[str] = []

    def helpers(
        self, resolved: Resolved, retriever: Retriever | None, context: RequestContext, chat: str = ""
    ) -> Helpers:
        @contextmanager
        def draw(one: Passage, number: int) -> Iterator[ImagePart]:
            if one.path == self.broken:
                raise UserError("The file has changed since it was read.", "Add it again.")
            name = f"{one.path} picture {number}" if number else f"{one.path} {one.page}"
            self.drawn.append(name)
            self.there.add(name)
            try:
                yield ImagePart(path=name, sha256=name, width=900, height=1200)
            finally:
                self.there.remove(name)

        return replace(super().helpers(resolved, retriever, context, chat), page_picture=draw)


def ask(
    model: FakeModelBackend,
    found: Sequence[Passage],
    pictures: PagePictures = "scans",
    technique: str = "",
    broken: str = "",
) -> tuple[Drawing, AskResult]:
    services = Drawing(model, found)
    services.broken = broken
    part = RetrievalPart(mode="own-words", decline=False, pictures=pictures, passages=5, road="place")
    prompting = PromptingPart(technique=technique) if technique else PromptingPart()
    request = AnswerRequest(
        recipe=Recipe(retrieval=part, prompting=prompting), conversation=(Message("user", QUESTION),)
    )
    made = list(answer(request, services, RequestContext()))
    assert isinstance(made[-1], events.Finished), made[-1]
    return services, msgspec.convert(made[-1].result, AskResult)


def shown_in(model: FakeModelBackend) -> list[str]:
    return [image.path for image in model.requests[-1][-1].images]


def test_a_scan_is_shown_with_its_passage_and_gone_after_the_answer() -> None:
    model = Seeing()
    services, result = ask(model, [SCAN, TYPED])
    assert shown_in(model) == ["/scans/terms.pdf 1"]
    assert SCAN.text in model.requests[-1][-1].content
    assert services.there == set()
    assert result.trace is not None
    [step] = [one for one in result.trace.steps if one.kind == "pages"]
    assert step.output == "1 picture shown\nTerms, page 1 (900 x 1200 pixels)"
    kinds = [one.kind for one in result.trace.steps]
    assert kinds.index("search") < kinds.index("pages") < kinds.index("generation")
    assert result.citations[0].path == SCAN.path


@pytest.mark.parametrize(("pictures", "shown"), [("off", []), ("pages", ["/scans/terms.pdf 1", "/typed.pdf 2"])])
def test_the_recipe_says_which_pages(pictures: PagePictures, shown: list[str]) -> None:
    model = Seeing()
    ask(model, [SCAN, TYPED], pictures)
    assert sorted(shown_in(model)) == shown


def test_each_page_is_shown_once_and_at_most_two() -> None:
    found = [scan("a"), scan("b"), scan("c", 2), scan("d", 3), scan("e", None, "/letter.docx")]
    assert [one.text for one, _ in pictures_to_show(found, "scans")] == ["a", "c"]
    assert len(pictures_to_show(found, "pages")) == MOST_PAGES
    assert pictures_to_show([scan("e", None, "/letter.docx")], "pages") == []
    assert pictures_to_show([scan("f", None, "/photo.JPG")], "scans")


LETTER = msgspec.structs.replace(
    scan("The warranty of the pump, see the label.", None, "/letter.docx", recognised=False), pictures=(2, 3)
)


def test_pictures_within_a_document_are_shown_with_their_passage() -> None:
    model = Seeing()
    services, result = ask(model, [LETTER, SCAN])
    assert shown_in(model) == ["/letter.docx picture 2", "/letter.docx picture 3"]
    assert services.there == set()
    assert result.trace is not None
    [step] = [one for one in result.trace.steps if one.kind == "pages"]
    assert step.input == "Terms, picture 2\nTerms, picture 3"
    services, _ = ask(Seeing(), [LETTER], "off")
    assert services.drawn == []


def test_a_picture_within_a_document_is_shown_once() -> None:
    again = msgspec.structs.replace(LETTER, start=90, end=120, pictures=(3, 4))
    assert [number for _, number in pictures_to_show([LETTER, again], "pages")] == [2, 3]
    assert [number for _, number in pictures_to_show([again, LETTER], "scans")] == [3, 4]
    assert pictures_to_show([msgspec.structs.replace(SCAN, pictures=(1,))], "scans") == [
        (msgspec.structs.replace(SCAN, pictures=(1,)), 0)
    ]


def test_a_picture_within_a_document_that_cannot_be_drawn_is_named() -> None:
    model = Seeing()
    _, result = ask(model, [LETTER], broken="/letter.docx")
    assert "Picture 2 of Terms was not shown to the model: The file has changed since it was read." in (result.notices)
    assert shown_in(model) == []


def test_a_model_that_cannot_see_and_a_technique_that_shows_no_images_get_text_alone() -> None:
    for model, technique in ((Seeing(capabilities=LOCAL), ""), (Seeing(), "step-back")):
        if technique:
            model.replies = lambda messages, decoding, start: "36 months."
        services, result = ask(model, [SCAN], technique=technique)
        assert services.drawn == []
        assert result.trace is not None
        assert not [one for one in result.trace.steps if one.kind == "pages"]


def test_a_large_model_is_told_which_passages_the_pictures_belong_to() -> None:
    model = Seeing(parameters=7_000_000_000)
    ask(model, [SCAN])
    assert model.requests[-1][-1].content.startswith("The pictures show the pages of the passages [1].\n\nPassages:")


def test_pictures_that_do_not_fit_are_left_out_the_last_one_first() -> None:
    model = Seeing(room=1)
    _, result = ask(model, [SCAN, TYPED], "pages")
    assert len(shown_in(model)) == 1
    [note] = [one for one in result.notices if "picture" in one]
    assert "does not fit into its context" in note
    model = Seeing(room=0)
    services, result = ask(model, [SCAN, TYPED], "pages")
    assert shown_in(model) == []
    assert len([one for one in result.notices if "does not fit" in one]) == 2
    assert services.there == set()


def test_pictures_that_would_be_more_than_an_endpoint_takes_are_not_sent() -> None:
    class Remote(Seeing):
        """As an endpoint: a prompt is counted, and is not refused before it was sent."""

        def render(self, request: Generate) -> Rendered:
            found = super().render(request)
            return msgspec.structs.replace(found, tokens=found.tokens + 1_500 * len(request.messages[-1].images))

    model = Remote(context_tokens=1_024)
    _, result = ask(model, [SCAN, TYPED], "pages")
    assert shown_in(model) == []
    assert len([one for one in result.notices if "does not fit" in one]) == 2
    assert result.trace is not None
    [step] = [one for one in result.trace.steps if one.kind == "pages"]
    assert step.error == NONE_SHOWN
    model = Remote(context_tokens=2_048)
    ask(model, [SCAN, TYPED], "pages")
    assert len(shown_in(model)) == 1


def test_a_page_that_cannot_be_drawn_is_named_and_the_answer_goes_on() -> None:
    model = Seeing()
    _, result = ask(model, [SCAN], broken=SCAN.path)
    assert shown_in(model) == []
    assert result.answer
    assert "The picture of Terms, page 1 was not shown to the model: The file has changed since it was read." in (
        result.notices
    )
