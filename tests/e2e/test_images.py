"""Images over the whole program: kept, asked about, exported with the home, deleted with what shows them, and asked
about by other programs."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.api_server import KEY, serving
from tests.documents import write_pdf
from tests.e2e.test_core import call
from tests.picture_documents import docx, drawing, paragraph
from tests.projectors import EMBEDDINGS, draw_pictures, encoded, write_projector
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.base.pixels import unpack_pixels
from workbench.records.answers import AskResult
from workbench.records.messages import ImagePart
from workbench.records.recipes import AgentPart, DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart
from workbench.records.recipes.parts import PagePictures
from workbench.subjects.chats.calls import Ask, Chat, DeleteChat, ExportChat, ExportChats, GetChat
from workbench.subjects.documents.calls import (
    AddDocuments,
    CreateCollection,
    DrawPage,
    GetDocumentText,
    ListDocuments,
)
from workbench.subjects.endpoints.calls import AddEndpoint, ChangeEndpoint
from workbench.subjects.images.calls import AddImage, GetImage, ImagePixels
from workbench.subjects.machine.calls import ChangeSettings
from workbench.subjects.models.calls import ImportModel, ListModels
from workbench.subjects.runs.calls import FollowRun
from workbench.subjects.serving.http.running import RunningServer
from workbench.subjects.trash.calls import EmptyTrash, ListTrash, RestoreDeleted

SEEING = Recipe(model=ModelPart(name="Seeing"), decoding=DecodingPart(temperature=0.0, max_tokens=6))
BLIND = Recipe(model=ModelPart(name="Blind"), decoding=DecodingPart(temperature=0.0, max_tokens=6))


@pytest.fixture(scope="module")
def workbench(smollm_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """One with a model that has a projector beside it, and one without."""
    root = tmp_path_factory.mktemp("images")
    for name in ("seeing", "blind"):
        (root / name).mkdir()
        shutil.copy(smollm_file, root / name / "smollm.gguf")
    write_projector(root / "seeing" / "mmproj-smollm-f16.gguf", 576)
    made = Workbench(Home(root / "home"))
    made.start()
    call(made, ImportModel(path=str(root / "seeing" / "smollm.gguf"), name="Seeing", copy=True))
    call(made, ImportModel(path=str(root / "blind" / "smollm.gguf"), name="Blind"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(workbench: Workbench) -> Iterator[RunningServer]:
    with serving(workbench.handle) as running:
        yield running


def added(workbench: Workbench, number: int, form: str = "PNG") -> ImagePart:
    image: ImagePart = call(workbench, AddImage(data=encoded(draw_pictures()[number], form), name=f"{number}.png"))
    return image


def asked(workbench: Workbench, *images: ImagePart, recipe: Recipe = SEEING, **more: Any) -> AskResult:
    answer: AskResult = call(workbench, Ask(question="What does it show?", images=images, recipe=recipe, **more))
    return answer


def kept(workbench: Workbench) -> set[str]:
    return {path.stem for path in workbench.home.images.glob("*.pixels")}


def test_the_projector_beside_a_model_comes_with_it(workbench: Workbench) -> None:
    models = {model.name: model for model in call(workbench, ListModels()).models}
    assert Path(models["Seeing"].projector).name == "mmproj-smollm-f16.gguf"
    assert Path(models["Seeing"].projector).is_relative_to(workbench.home.models)  # copied with the model
    assert models["Seeing"].projector not in models["Seeing"].files
    assert models["Blind"].projector == ""


def test_a_question_shows_an_image_and_the_chat_keeps_it(workbench: Workbench) -> None:
    image = added(workbench, 0)
    assert (image.path, image.name, image.media_type) == ("", "0.png", "image/png")
    first = asked(workbench, image)
    assert first.trace is not None
    assert first.usage.prompt_tokens > EMBEDDINGS
    chat: Chat = call(workbench, GetChat(chat=first.chat))
    question = chat.messages[0]
    assert question.text == "What does it show?"
    assert [part.sha256 for part in question.parts if isinstance(part, ImagePart)] == [image.sha256]
    whole: ImagePixels = call(workbench, GetImage(sha256=image.sha256, whole=True))
    assert (whole.width, whole.height) == draw_pictures()[0].size
    assert whole.rgb == draw_pictures()[0].tobytes()
    # the next question and another answer see it as well
    second = asked(workbench, chat=first.chat)
    assert second.usage.prompt_tokens > first.usage.prompt_tokens
    again: AskResult = call(workbench, Ask(regenerate=first.message, recipe=SEEING))
    assert again.usage.prompt_tokens == first.usage.prompt_tokens
    assert again.answer == first.answer


def test_an_image_stays_as_long_as_a_chat_shows_it(workbench: Workbench) -> None:
    image, other = added(workbench, 1), added(workbench, 2)
    one, two = asked(workbench, image, other), asked(workbench, image)
    call(workbench, DeleteChat(chat=one.chat, forever=True))
    assert image.sha256 in kept(workbench)
    assert other.sha256 not in kept(workbench)
    call(workbench, DeleteChat(chat=two.chat))  # into the trash
    assert image.sha256 in kept(workbench)
    [entry] = [entry for entry in call(workbench, ListTrash()).entries if entry.item == two.chat]
    call(workbench, RestoreDeleted(item=entry.id))
    assert call(workbench, GetChat(chat=two.chat)).messages[0].parts
    call(workbench, DeleteChat(chat=two.chat))
    call(workbench, EmptyTrash())
    assert image.sha256 not in kept(workbench)
    assert not list(workbench.home.images.glob(f"{image.sha256}*"))


def test_images_that_no_question_shows_are_deleted_after_a_day(smollm_file: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    first = Workbench(home)
    images = [added(first, number) for number in (3, 4)]
    first.close()
    old = time.time() - 25 * 3600
    os.utime(home.images / f"{images[0].sha256}.pixels", (old, old))
    (home.images / ".unfinished-passing-1.pixels").write_bytes(b"x")
    os.utime(home.images / ".unfinished-passing-1.pixels", (old, old))
    second = Workbench(home)
    second.start()
    second.close()  # waits for what goes on beside the calls
    assert {path.name for path in home.images.iterdir()} == {f"{images[1].sha256}.{end}" for end in ("pixels", "small")}


def test_a_model_without_a_projector_refuses_before_anything_is_stored(workbench: Workbench) -> None:
    image = added(workbench, 5)
    with pytest.raises(UserError) as refusal:
        asked(workbench, image, recipe=BLIND)
    assert refusal.value.message == "Blind cannot see images."
    assert "mmproj" in refusal.value.hint


def test_a_model_that_cannot_see_goes_on_with_a_chat_without_its_images(workbench: Workbench) -> None:
    first = asked(workbench, added(workbench, 6))
    second = asked(workbench, chat=first.chat, recipe=BLIND)
    assert second.usage.prompt_tokens < first.usage.prompt_tokens + 40
    assert any("were left out" in notice for notice in second.notices)


@pytest.mark.parametrize(
    ("recipe", "match"),
    [
        (Recipe(model=SEEING.model, agent=AgentPart()), "An agent does not look at images"),
        (Recipe(model=SEEING.model, prompting=PromptingPart(technique="least-to-most")), "does not show the image"),
    ],
)
def test_a_method_that_would_not_look_at_it_is_refused(workbench: Workbench, recipe: Recipe, match: str) -> None:
    with pytest.raises(UserError, match=match):
        asked(workbench, added(workbench, 7), recipe=recipe)


def test_what_is_not_kept_or_not_to_be_kept_is_refused(workbench: Workbench) -> None:
    with pytest.raises(UserError, match="not kept any more"):
        asked(workbench, ImagePart(sha256="0" * 64))
    with pytest.raises(UserError, match="not the name of an image"):
        asked(workbench, ImagePart(sha256="../../../etc/passwd"))
    with pytest.raises(UserError, match="at most 8 images"):
        asked(workbench, *[added(workbench, 0)] * 9)
    with pytest.raises(UserError):
        call(workbench, AddImage(path=str(workbench.home.database)))


def passing(workbench: Workbench) -> list[Path]:
    """The files of images that are not kept."""
    folders = [
        *Path("/dev/shm").glob("llm-workbench-images-*"),
        *Path(tempfile.gettempdir()).glob("llm-workbench-images-*"),
    ]
    return [path for folder in folders if f"-{os.getpid()}-" in folder.name for path in folder.iterdir()]


def test_a_chat_that_is_not_kept_shows_images_and_leaves_no_file(workbench: Workbench) -> None:
    before, others = kept(workbench), passing(workbench)
    data = encoded(draw_pictures()[13])
    image: ImagePart = call(workbench, AddImage(data=data, name="13.png", temporary=True))
    first = asked(workbench, image, temporary=True)
    assert first.usage.prompt_tokens > EMBEDDINGS
    assert kept(workbench) == before
    assert {path.suffix for path in passing(workbench) if path not in others} == {".pixels", ".small"}
    assert call(workbench, GetImage(sha256=image.sha256)).width == image.width
    chat: Chat = call(workbench, GetChat(chat=first.chat))
    assert [part.sha256 for part in chat.messages[0].parts if isinstance(part, ImagePart)] == [image.sha256]
    second = asked(workbench, chat=first.chat)
    assert second.usage.prompt_tokens > first.usage.prompt_tokens
    again: AskResult = call(workbench, Ask(regenerate=first.message, recipe=SEEING))
    assert again.answer == first.answer
    call(workbench, DeleteChat(chat=first.chat))
    assert passing(workbench) == others
    with pytest.raises(UserError, match="missing"):
        call(workbench, GetImage(sha256=image.sha256))


def test_an_image_that_is_kept_stays_when_a_chat_that_is_not_kept_has_shown_it(workbench: Workbench) -> None:
    image = added(workbench, 14)
    kept_chat = asked(workbench, image)
    others = passing(workbench)
    first = asked(workbench, image, temporary=True)
    call(workbench, DeleteChat(chat=kept_chat.chat, forever=True))
    assert image.sha256 not in kept(workbench)
    again: AskResult = call(workbench, Ask(regenerate=first.message, recipe=SEEING))  # it has one of its own
    assert again.answer == first.answer
    call(workbench, DeleteChat(chat=first.chat))
    assert passing(workbench) == others


def test_a_chat_that_is_kept_keeps_an_image_that_was_added_for_one_that_is_not(workbench: Workbench) -> None:
    others = passing(workbench)
    data = encoded(draw_pictures()[6], "BMP")
    image: ImagePart = call(workbench, AddImage(data=data, name="6.bmp", temporary=True))
    assert image.sha256 not in kept(workbench)
    answer = asked(workbench, image)
    assert image.sha256 in kept(workbench)
    first = asked(workbench, temporary=True)
    call(workbench, DeleteChat(chat=first.chat))  # with what was added for such chats
    assert passing(workbench) == others
    again: AskResult = call(workbench, Ask(regenerate=answer.message, recipe=SEEING))
    # what is known of the prompt may be rounded otherwise, and all tokens after such a picture are about as probable
    assert again.usage.prompt_tokens == answer.usage.prompt_tokens
    assert call(workbench, GetImage(sha256=image.sha256, whole=False)).width


def test_an_image_of_a_question_that_was_not_asked_goes_with_the_chat_that_is_not_kept(workbench: Workbench) -> None:
    others = passing(workbench)
    first = asked(workbench, temporary=True)
    for number in (4, 5):
        call(workbench, AddImage(data=encoded(draw_pictures()[number]), name="a.png", temporary=True))
    assert len(passing(workbench)) == len(others) + 4
    call(workbench, DeleteChat(chat=first.chat))
    assert passing(workbench) == others


def test_images_can_be_added_after_the_system_has_cleared_the_folder_of_those_not_kept(workbench: Workbench) -> None:
    image: ImagePart = call(workbench, AddImage(data=encoded(draw_pictures()[3]), name="3.png", temporary=True))
    for folder in {path.parent for path in passing(workbench)}:
        shutil.rmtree(folder)
    with pytest.raises(UserError, match="Add it again"):
        asked(workbench, image, temporary=True)
    assert added(workbench, 2).width
    again: ImagePart = call(workbench, AddImage(data=encoded(draw_pictures()[3]), name="3.png", temporary=True))
    call(workbench, DeleteChat(chat=asked(workbench, again, temporary=True).chat))


def test_the_pictures_of_cited_pages_are_shown_and_not_kept(workbench: Workbench, tmp_path: Path) -> None:
    write_pdf(tmp_path / "terms.pdf", [["The pump is heavy."], ["The warranty of the pump runs for 36 months."]])
    call(workbench, CreateCollection(name="terms"))
    run = call(workbench, AddDocuments(collection="terms", paths=(str(tmp_path),)))
    call(workbench, FollowRun(run=run.id))
    before, others = kept(workbench), passing(workbench)

    def ask(pictures: PagePictures, recipe: Recipe = SEEING, tokens: int = 0) -> AskResult:
        part = RetrievalPart(collection="terms", mode="own-words", pictures=pictures, passages=1, road="place")
        model = ModelPart(name=recipe.model.name, context_tokens=tokens)
        asking = Recipe(model=model, decoding=SEEING.decoding, retrieval=part)
        found: AskResult = call(workbench, Ask(question="How long does the warranty of the pump run?", recipe=asking))
        return found

    def shown(answer: AskResult) -> list[str]:
        assert answer.trace is not None
        return [step.output for step in answer.trace.steps if step.kind == "pages"]

    text, seen = ask("off"), ask("pages")
    # the text around an image is tokenised in two pieces, which may take a token more
    assert seen.usage.prompt_tokens - text.usage.prompt_tokens in (EMBEDDINGS, EMBEDDINGS + 1)
    [output] = shown(seen)
    assert output.startswith("1 picture shown\n")
    assert "terms, page 1 (918 x 1188 pixels)" in output
    assert shown(text) == shown(ask("scans")) == shown(ask("pages", BLIND)) == []  # its text was not recognised
    assert kept(workbench) == before
    assert passing(workbench) == others


def test_the_pictures_in_a_word_document_are_shown_and_not_kept(workbench: Workbench, tmp_path: Path) -> None:
    file = docx(
        tmp_path / "terms.docx",
        paragraph("The pump is heavy.") + paragraph("The warranty of the pump runs for 36 months.", drawing("label")),
        label=encoded(draw_pictures()[2]),
    )
    call(workbench, CreateCollection(name="letters"))
    run = call(workbench, AddDocuments(collection="letters", paths=(str(file),)))
    call(workbench, FollowRun(run=run.id))
    before, others = kept(workbench), passing(workbench)

    def ask(pictures: PagePictures, recipe: Recipe = SEEING) -> AskResult:
        part = RetrievalPart(collection="letters", mode="own-words", pictures=pictures, passages=1, road="place")
        asking = Recipe(model=recipe.model, decoding=SEEING.decoding, retrieval=part)
        found: AskResult = call(workbench, Ask(question="How long does the warranty of the pump run?", recipe=asking))
        return found

    text, seen = ask("off"), ask("scans")
    assert seen.usage.prompt_tokens - text.usage.prompt_tokens in (EMBEDDINGS, EMBEDDINGS + 1)
    assert seen.trace is not None
    [step] = [one for one in seen.trace.steps if one.kind == "pages"]
    width, height = draw_pictures()[2].size
    assert step.output == f"1 picture shown\nterms, picture 1 ({width} x {height} pixels)"
    blind = ask("scans", BLIND)
    assert blind.trace is not None
    assert not [one for one in blind.trace.steps if one.kind == "pages"]
    assert kept(workbench) == before
    assert passing(workbench) == others
    document = call(workbench, ListDocuments(collection="letters")).documents[0].id
    shown = call(workbench, GetDocumentText(collection="letters", document=document))
    assert [one.part for one in shown.pictures] == ["word/media/label.png"]
    drawn = call(workbench, DrawPage(collection="letters", document=document, picture=1))
    assert (drawn.page, drawn.pages, drawn.width) == (1, 1, width)
    with pytest.raises(UserError, match="has no picture 2"):
        call(workbench, DrawPage(collection="letters", document=document, picture=2))
    file.write_bytes(file.read_bytes() + b" ")
    changed = ask("scans")
    assert "Picture 1 of terms was not shown to the model: The file has changed since it was read" in (
        " ".join(changed.notices)
    )


def test_exports_have_the_images_of_a_chat(workbench: Workbench, tmp_path: Path) -> None:
    answer = asked(workbench, added(workbench, 15))
    for form, mark in (
        ("html", b"data:image/png;base64,"),
        ("markdown", b"data:image/png;base64,"),
        ("docx", b"word/media/"),
    ):
        path = tmp_path / f"chat.{form}"
        call(workbench, ExportChats(path=str(path), form=form, chats=(answer.chat,)))
        assert mark in path.read_bytes()
    assert "The question shows the image 15.png." in call(workbench, ExportChat(chat=answer.chat))


def test_the_place_of_an_image_is_not_the_clients_to_say(workbench: Workbench, tmp_path: Path) -> None:
    image = added(workbench, 8)
    elsewhere = tmp_path / "other.pixels"
    elsewhere.write_bytes(b"secret")
    first = asked(workbench, ImagePart(sha256=image.sha256, path=str(elsewhere)))
    stored = call(workbench, GetChat(chat=first.chat)).messages[0].parts[0]
    assert stored == ImagePart(sha256=image.sha256)


def url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def test_openais_client_shows_images(workbench: Workbench, server: RunningServer) -> None:
    before = kept(workbench)
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key=KEY, max_retries=0) as client:

        def ask(*urls: str, model: str = "Seeing") -> Any:
            content: Any = [
                {"type": "text", "text": "What does it show?"},
                *({"type": "image_url", "image_url": {"url": one, "detail": "low"}} for one in urls),
            ]
            messages: Any = [{"role": "user", "content": content}]
            return client.chat.completions.create(model=model, messages=messages, max_tokens=4, temperature=0)

        text = ask()
        for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP"):
            shown = ask(url(encoded(draw_pictures()[9], form), f"image/{form.lower()}"))
            assert shown.usage.prompt_tokens > text.usage.prompt_tokens + EMBEDDINGS - 1
        two = ask(url(encoded(draw_pictures()[9])), url(encoded(draw_pictures()[10])))
        assert two.usage.prompt_tokens > text.usage.prompt_tokens + 2 * EMBEDDINGS - 1
        item: Any = [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What?"},
                    {"type": "input_image", "image_url": url(encoded(draw_pictures()[9]))},
                ],
            }
        ]
        response = client.responses.create(model="Seeing", input=item, max_output_tokens=4)
        assert response.usage is not None
        assert response.usage.input_tokens > EMBEDDINGS
        for address, match in (
            ("http://127.0.0.1:1/picture.png", "not fetched"),
            ("https://example.org/picture.png", "not fetched"),
            ("file:///etc/passwd", "not fetched"),
            ("data:image/png;base64,%%%", "not valid base64"),
            ("data:image/png;base64,", "is empty"),
            ("data:text/html;base64,aGk=", "not fetched"),
            (url(b"no image at all"), "not a picture"),
            (url(encoded(draw_pictures()[9])[:60]), "damaged"),
        ):
            with pytest.raises(openai.BadRequestError, match=match):
                ask(address)
        with pytest.raises(openai.BadRequestError, match="cannot see images"):
            ask(url(encoded(draw_pictures()[9])), model="Blind")
        with pytest.raises(openai.BadRequestError, match="at most 8 images"):
            ask(*(url(encoded(draw_pictures()[number])) for number in range(9)))
    assert kept(workbench) == before  # nothing is stored
    assert not list(workbench.home.images.glob(".*"))


def test_anthropics_client_shows_images(workbench: Workbench, server: RunningServer) -> None:
    with anthropic.Anthropic(base_url=server.address, api_key=KEY, max_retries=0) as client:

        def blocks(source: dict[str, Any]) -> Any:
            return [
                {"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "What?"}]}
            ]

        data = base64.b64encode(encoded(draw_pictures()[11])).decode()
        messages = blocks({"type": "base64", "media_type": "image/png", "data": data})
        counted = client.messages.count_tokens(model="Seeing", messages=messages)
        used = client.messages.create(model="Seeing", messages=messages, max_tokens=3).usage
        assert counted.input_tokens == used.input_tokens + (used.cache_read_input_tokens or 0)
        assert counted.input_tokens > EMBEDDINGS
        with pytest.raises(anthropic.BadRequestError, match="not fetched"):
            client.messages.create(
                model="Seeing", messages=blocks({"type": "url", "url": "https://example.org/a.png"}), max_tokens=1
            )


def test_an_endpoint_that_sees_is_shown_images(workbench: Workbench, server: RunningServer) -> None:
    """The served model itself, asked as another machine would ask it."""
    call(workbench, ChangeSettings(values={"network": {"endpoints": True}}))
    records = {
        name: call(
            workbench, AddEndpoint(address=f"{server.address}/v1", model=name, name=f"{name} elsewhere", key=KEY)
        )
        for name in ("Seeing", "Blind")
    }
    assert {name: record.model.sees_images for name, record in records.items()} == {"Seeing": True, "Blind": False}
    image = added(workbench, 16)
    recipe = Recipe(model=ModelPart(name="Seeing elsewhere"), decoding=DecodingPart(temperature=0.0, max_tokens=4))
    shown = asked(workbench, image, recipe=recipe)
    assert shown.usage.prompt_tokens > EMBEDDINGS
    with pytest.raises(UserError, match="Blind elsewhere cannot see images"):
        asked(workbench, image, recipe=Recipe(model=ModelPart(name="Blind elsewhere")))
    changed = call(workbench, ChangeEndpoint(name="Seeing elsewhere", images="no"))
    assert not changed.model.sees_images
    with pytest.raises(UserError, match="cannot see images"):
        asked(workbench, image, recipe=recipe)
    assert call(workbench, ChangeEndpoint(name="Seeing elsewhere", images="automatic")).model.sees_images


def test_what_is_kept_is_plain_pixels(workbench: Workbench) -> None:
    """No decoder of images runs on what a stranger's file has left behind."""
    image = added(workbench, 12, "JPEG")
    for ending in ("pixels", "small"):
        unpack_pixels((workbench.home.images / f"{image.sha256}.{ending}").read_bytes())
