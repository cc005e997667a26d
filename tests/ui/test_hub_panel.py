"""Finding models on the hub: permission, search, fit before the download, downloads with Stop and Resume, the token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.features.models import hub_texts as texts
from ui.features.models.page import ModelsPage
from ui.texts import DOWNLOADED
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.fit import Fit, MemoryPart
from workbench.records.hub import HubCard, HubFile, HubFiles, HubModel, RemoteFile

REPOSITORY, GATED = "owner/small-GGUF", "owner/gated-GGUF"
SMALL = HubModel(
    repository=REPOSITORY, downloads=1200, licence="mit", updated="2026-05-04", architecture="llama",
    parameters=135_000_000,
)  # fmt: skip
FILES = HubFiles(
    repository=REPOSITORY,
    revision="c" * 40,
    files=tuple(
        HubFile(name=f"small-{kind}.gguf", bytes=size, quantization=kind, parts=(RemoteFile(url="x", name="x"),))
        for kind, size in (("Q4_K_M", 100_000_000), ("Q8_0", 180_000_000))
    ),
)
FITS = {
    "small-Q4_K_M.gguf": Fit(
        verdict="processor", context_tokens=8192, tokens_per_s=41.4, token_bytes=100_000_000, source="llama.cpp",
        parts=(MemoryPart(weights=100_000_000, cache=20_000_000, computing=5_000_000, free=900_000_000),),
    ),
    "small-Q8_0.gguf": Fit(
        verdict="too big", context_tokens=8192, reason="It needs 2 GB.", hint="A shorter context would fit.",
        parts=(MemoryPart(weights=180_000_000, free=100_000_000),), kind="Mixture of experts: a token uses 2 of 8.",
    ),
}  # fmt: skip


def answer_fit(call: c.FitHubFile) -> Iterable[events.Event]:
    return [finish(FITS[call.file])]


@pytest.fixture
def hub(front: FakeFront) -> FakeFront:
    gated = msgspec.structs.replace(SMALL, repository=GATED, gated=True, licence="")
    card = HubCard(repository=REPOSITORY, text="# Small\n\nA small model.", results=(("MMLU", "acc", "31.2"),))
    answers: dict[type[c.Call[Any]], Any] = {
        c.GetHubAccount: c.HubAccount(has_token=False),
        c.SearchHub: c.HubModels(models=(SMALL, gated)),
        c.ListHubFiles: FILES,
        c.ReadHubCard: card,
    }
    for call, result in answers.items():
        front.answer(call, lambda _, result=result: [finish(result)])
    front.answer(c.FitHubFile, answer_fit)
    return front


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, hub: FakeFront) -> ModelsPage:
    page = ModelsPage(bridge, shell)
    qtbot.addWidget(page)
    qtbot.addWidget(page.header())
    page.resize(1200, 800)
    page.show()
    page.show_section("hub")
    return page


def allowed(page: ModelsPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.hub.permission.isVisible())
    qtbot.mouseClick(page.hub.permission.action_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: REPOSITORY in page.hub.rows)


def opened(page: ModelsPage, qtbot: QtBot) -> None:
    allowed(page, qtbot)
    page.hub.rows[REPOSITORY].link.click()
    qtbot.waitUntil(lambda: page.hub.repository is not None and len(page.hub.repository.files) == 2)
    assert page.hub.repository is not None
    rows = page.hub.repository.files.values()
    qtbot.waitUntil(lambda: all(row.badge.fit is not None for row in rows))


def test_nothing_is_asked_before_it_is_allowed(page: ModelsPage, qtbot: QtBot, hub: FakeFront) -> None:
    qtbot.waitUntil(lambda: page.hub.permission.isVisible())
    assert "huggingface.co" in page.hub.permission.text
    page.hub.start_search()
    assert not hub.asked(c.SearchHub)
    allowed(page, qtbot)
    assert hub.asked(c.ChangeSettings)[-1].values == {"network": {"hub": True}, "general": {"offline": False}}
    assert not page.hub.permission.isVisible()
    assert hub.asked(c.SearchHub)


def test_a_search_takes_words_and_filters(page: ModelsPage, qtbot: QtBot, hub: FakeFront) -> None:
    allowed(page, qtbot)
    page.hub.size_choice.show_value("1-4")
    page.hub.access.show_value("open")
    page.hub.sort.show_value("likes")
    qtbot.keyClicks(page.hub.search, "qwen")
    qtbot.keyClick(page.hub.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: hub.asked(c.SearchHub)[-1].words == "qwen")
    filters = hub.asked(c.SearchHub)[-1].filters
    assert (filters.least_parameters, filters.most_parameters) == (1_000_000_000, 4_000_000_000)
    assert (filters.gated, filters.sort) == (False, "likes")
    assert "mit" in page.hub.rows[REPOSITORY].facts.full_text
    assert texts.NO_LICENCE in page.hub.rows[GATED].facts.full_text


def test_each_file_says_whether_it_fits_before_it_is_downloaded(page: ModelsPage, qtbot: QtBot) -> None:
    opened(page, qtbot)
    assert page.hub.repository is not None
    fits, big = page.hub.repository.files.values()
    assert "On the processor 125 MB with 8,192 tokens of context · up to ~41 tokens/s" in fits.badge.words
    assert "Memory: 100 MB weights, 20 MB cache" in fits.badge.chip.toolTip()
    assert "Too big" in big.badge.words
    assert "A shorter context would fit." in big.badge.words
    assert "Mixture of experts" in big.badge.words
    assert big.download_button.isEnabled()  # whatever the badge says


def test_a_download_is_followed_stopped_and_resumed(page: ModelsPage, qtbot: QtBot, hub: FakeFront) -> None:
    run = c.RunRecord(id="d1", kind="download", title="small-Q4_K_M.gguf", state="running", created=1.0)
    hub.answer(c.DownloadModel, lambda call: [finish(run)])
    following = hub.hold(c.FollowRun)
    again = hub.hold(c.FollowRun)
    hub.answer(c.StopRun, lambda call: [finish(msgspec.structs.replace(run, state="cancelled"))])
    hub.answer(c.ResumeRun, lambda call: [finish(run)])
    opened(page, qtbot)
    assert page.hub.repository is not None
    page.hub.repository.files["small-Q4_K_M.gguf"].download_button.click()
    downloads = page.hub.downloads
    qtbot.waitUntil(lambda: "d1" in downloads.lines)
    following.emit(events.Progress(stage="downloading", done=5e7, total=1e8, unit="bytes", seconds_left=12))
    qtbot.waitUntil(lambda: "50 MB of 100 MB" in downloads.lines["d1"].words)
    downloads.lines["d1"].stop_button.click()
    qtbot.waitUntil(lambda: bool(hub.asked(c.StopRun)))
    following.emit(events.Cancelled())
    qtbot.waitUntil(lambda: "d1" in downloads.messages)
    downloads.messages["d1"].action_button.click()
    qtbot.waitUntil(lambda: "d1" in downloads.lines)
    assert hub.asked(c.ResumeRun)[0].run == "d1"
    again.finish({"model": "Small", "path": "/x"})
    qtbot.waitUntil(lambda: "d1" in downloads.messages)
    assert downloads.messages["d1"].text == DOWNLOADED.format(model="Small")


def test_a_model_that_is_ready_is_asked_in_a_new_chat(page: ModelsPage, qtbot: QtBot, shell: RecordingShell) -> None:
    page.hub.downloads.wanted.emit("Small")
    name, target = shell.opened[-1]
    assert name == "chat"
    assert target["recipe"].model.name == "Small"


def test_what_the_hub_refuses_is_said(page: ModelsPage, qtbot: QtBot, hub: FakeFront) -> None:
    hub.refuse(c.ListHubFiles, UserError("It is gated (403).", "Enter an access token."))
    allowed(page, qtbot)
    page.hub.rows[GATED].link.click()
    qtbot.waitUntil(lambda: page.hub.repository is not None and page.hub.repository.problem.isVisible())
    assert page.hub.repository is not None
    assert "Enter an access token." in page.hub.repository.problem.text


def test_a_token_is_sent_once_and_not_shown(page: ModelsPage, qtbot: QtBot, hub: FakeFront) -> None:
    hub.answer(c.SetHubToken, lambda call: [finish(c.HubAccount(has_token=bool(call.token), kept=False))])
    allowed(page, qtbot)
    token = page.hub.token
    token.fold.click()
    qtbot.keyClicks(token.field, "hf_secret")
    token.save_button.click()
    qtbot.waitUntil(lambda: token.state.text() == texts.TOKEN_SESSION)
    assert hub.asked(c.SetHubToken)[0].token == "hf_secret"
    assert not token.field.text()
    token.forget_button.click()
    qtbot.waitUntil(lambda: token.state.text() == texts.TOKEN_NONE)
