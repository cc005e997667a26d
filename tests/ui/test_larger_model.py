"""A larger model on the first page: asked for, allowed, offered with its size, downloaded beside everything else."""

from __future__ import annotations

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.features.welcome import texts
from ui.features.welcome.page import LargerModel, WelcomePage
from ui.texts import DOWNLOADED
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.base.errors import UserError
from workbench.records.fit import Fit, MemoryPart

SUGGESTION = c.ModelSuggestion(
    title="Qwen3 4B",
    repository="Qwen/Qwen3-4B-GGUF",
    revision="c" * 40,
    file="Qwen3-4B-Q4_K_M.gguf",
    bytes=2_500_000_000,
    licence="apache-2.0",
    fit=Fit(verdict="processor", tokens_per_s=11.6, parts=(MemoryPart(weights=2_500_000_000, cache=600_000_000),)),
)
RUN = c.RunRecord(id="d1", kind="download", title="Qwen3-4B-Q4_K_M.gguf", state="running", created=1.0)


@pytest.fixture
def home() -> FakeHome:
    return FakeHome()


@pytest.fixture
def larger(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> LargerModel:
    front.answer(c.SuggestModel, lambda call: [finish(SUGGESTION)])
    page = WelcomePage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1000, 800)
    page.show()
    qtbot.waitUntil(page.larger.find_button.isVisible)
    qtbot.waitUntil(lambda: bool(front.asked(c.GetSettings)))
    return page.larger


def offered(larger: LargerModel, qtbot: QtBot) -> None:
    larger.find_button.click()
    qtbot.waitUntil(larger.message.isVisible)
    larger.message.action_button.click()
    qtbot.waitUntil(lambda: larger.suggestion is not None)


def test_nothing_is_looked_up_before_it_is_allowed(larger: LargerModel, qtbot: QtBot, front: FakeFront) -> None:
    assert not front.asked(c.SuggestModel)
    larger.find_button.click()
    assert larger.message.text.startswith(texts.HUB_OFF.format(host="huggingface.co"))
    assert not larger.find_button.isVisible()
    front.wait_idle()
    assert not front.asked(c.SuggestModel)
    larger.message.action_button.click()
    qtbot.waitUntil(lambda: larger.suggestion is not None)
    assert front.asked(c.ChangeSettings)[-1].values == {"network": {"hub": True}, "general": {"offline": False}}
    assert "Licence apache-2.0, from Qwen/Qwen3-4B-GGUF" in larger.message.text
    assert "it needs 3.1 GB of memory" in larger.message.text
    assert larger.message.action_button.text() == texts.DOWNLOAD_IT.format(bytes="2.5 GB")
    assert not front.asked(c.DownloadModel)  # looking is one decision, downloading another


def test_a_refusal_closes_the_question_and_nothing_else(larger: LargerModel, qtbot: QtBot, front: FakeFront) -> None:
    larger.find_button.click()
    larger.message._on_close()
    qtbot.waitUntil(larger.find_button.isVisible)
    assert not front.asked(c.SuggestModel)
    assert not front.asked(c.ChangeSettings)


def test_it_downloads_while_documents_are_read_and_then_can_be_asked(
    larger: LargerModel, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    front.answer(c.DownloadModel, lambda call: [finish(RUN)])
    following = front.hold(c.FollowRun)
    offered(larger, qtbot)
    larger.message.action_button.click()
    qtbot.waitUntil(lambda: "d1" in larger.downloads.lines)
    asked = front.asked(c.DownloadModel)[0]
    assert (asked.repository, asked.file, asked.revision) == (SUGGESTION.repository, SUGGESTION.file, "c" * 40)
    qtbot.waitUntil(lambda: following.call is not None)
    page = larger.parent()
    assert isinstance(page, WelcomePage)
    page.sample_button.click()
    following.emit(events.Progress(stage="downloading", done=1.25e9, total=2.5e9, unit="bytes", seconds_left=60))
    qtbot.waitUntil(lambda: page.files.outcome == "8 files read")
    qtbot.waitUntil(lambda: "1.2 GB of 2.5 GB" in larger.downloads.lines["d1"].words)
    assert not larger.find_button.isVisible()
    following.finish({"model": "Qwen3 4B", "path": "/x"})
    qtbot.waitUntil(lambda: "d1" in larger.downloads.messages)
    assert larger.downloads.messages["d1"].text == DOWNLOADED.format(model="Qwen3 4B")
    larger.downloads.messages["d1"].action_button.click()
    name, target = shell.opened[-1]
    assert (name, target["recipe"].model.name) == ("chat", "Qwen3 4B")


def test_where_none_fits_it_says_why(larger: LargerModel, qtbot: QtBot, front: FakeFront) -> None:
    front.refuse(c.SuggestModel, UserError("No larger model fits this machine.", "It has 2 GB of memory."))
    larger.find_button.click()
    larger.message.action_button.click()
    qtbot.waitUntil(lambda: larger.message.text == "No larger model fits this machine. It has 2 GB of memory.")


def test_looking_can_be_stopped(larger: LargerModel, qtbot: QtBot, front: FakeFront) -> None:
    held = front.hold(c.SuggestModel)
    larger.find_button.click()
    larger.message.action_button.click()
    qtbot.waitUntil(lambda: held.call is not None)
    held.emit(events.Progress(stage="looking up", detail="Qwen3 4B"))
    qtbot.waitUntil(lambda: larger.progress.words == texts.LOOKING_UP.format(name="Qwen3 4B"))
    larger.progress.stop_button.click()
    qtbot.waitUntil(lambda: held.cancelled)
    held.emit(events.Cancelled())
    qtbot.waitUntil(larger.find_button.isVisible)


def test_who_has_a_large_model_is_not_asked(larger: LargerModel, qtbot: QtBot, front: FakeFront) -> None:
    small = front.home.starters[0]
    front.home.models["Big"] = msgspec.structs.replace(small, name="Big", parameters=4_000_000_000, kind="chat")
    front.announce("model", "Big")
    qtbot.waitUntil(lambda: not larger.find_button.isVisible())
