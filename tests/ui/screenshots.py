"""Take a picture of every page in both themes, into docs/screenshots.

``python -m tests.ui.screenshots [--out DIR] [--home DIR] [--size WxH] [--only NAME]``. Without ``--home`` the pages
show the furnished fake home; with it the real program on that home.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import msgspec
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from tests.ui.fake_adapters import BASE, furnish_adapters, mark_answers
from tests.ui.fake_engines import CRASHED, engine
from tests.ui.fake_evaluation import furnish_evaluation
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SAMPLES, FakeHome, furnished_home, running_ingest
from tests.ui.fake_ladder import furnish_ladder, measured, under_way
from tests.ui.fake_machine import GPU, SLOW, UPDATE, WORKS, pack
from tests.ui.fake_training import furnish_training
from tests.ui.judged_home import furnish_judgements, furnish_queue
from ui.bridge import Bridge
from ui.components.basics import ElidedLabel
from ui.components.merge_dialog import MergeDialog
from ui.components.page_view import PageView
from ui.components.reward_list import RewardsRow
from ui.components.set_builder.dialog import SetBuilder
from ui.features.adapters.page import AdaptersPage
from ui.features.agents.agents_page import AgentsPage
from ui.features.chat.comparison.opponents import BASE as BASE_MODEL
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.page import ChatPage
from ui.features.documents.page import DocumentsPage
from ui.features.evaluation.page import EvaluatePage
from ui.features.feedback.blind_tests import BlindTestsPage
from ui.features.feedback.page import FeedbackPage
from ui.features.ladder.page import LadderPage
from ui.features.models.page import ModelsPage
from ui.features.settings.page import SettingsPage
from ui.features.training.page import TrainPage
from ui.features.welcome.page import WelcomePage
from ui.finder import Finder
from ui.shell import Shell
from ui.theme.theme import current_theme
from workbench.api.client import Front
from workbench.api.events import Progress
from workbench.base.settings import Settings
from workbench.records.agents import Fact
from workbench.records.demonstrations import Demonstration, DemonstrationStep
from workbench.records.ladder import RungReport
from workbench.records.mcp import McpAgreement, McpServer, McpTool, digest_of
from workbench.records.messages import Usage
from workbench.records.models import Device
from workbench.records.optimisation import OptimisationResult
from workbench.records.prompts import content_hash
from workbench.records.recipes import (
    AdapterUse,
    AgentPart,
    DecodingPart,
    ModelPart,
    PromptingPart,
    PromptSource,
    Recipe,
)
from workbench.records.runtime import RuntimeChoice
from workbench.records.trace import Trace, TraceStep
from workbench.subjects.chats.calls import GetChat, ListChats
from workbench.subjects.documents.calls import GetDocumentText, ListCollections, ListDocuments
from workbench.subjects.judgements.calls import ChangeJudgement
from workbench.subjects.machine.calls import ChangeSettings, InstallPack, RuntimeState
from workbench.subjects.prompts.calls import SavePrompt

SETTLE_MS = 700
_WARRANTY = """{
  "type": "object",
  "properties": {
    "months": {"type": "integer"},
    "in_writing": {"type": "boolean"},
    "covers": {
      "type": "array",
      "items": {"enum": ["pump", "motor", "cable"]},
      "maxItems": 3
    }
  },
  "required": ["months", "in_writing", "covers"],
  "additionalProperties": false
}
"""
ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--home", help="show this home through the real program")
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--only", default="", help="only the picture of this name, or those that hold it")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    width, _, height = arguments.size.partition("x")
    application = QApplication(sys.argv[:1])
    current_theme()  # before any widget is made, as the program does
    named = [scene for scene in SCENES if scene[0] == arguments.only]
    wanted = named or [scene for scene in SCENES if arguments.only in scene[0]]
    for scheme in ("light", "dark"):
        for name, page, furnish, act in wanted:
            home = furnish()
            home.settings = _themed(home, scheme)
            front = _front(arguments.home, home)
            if arguments.home is not None:  # the program follows what the home's settings say
                front.call(ChangeSettings(values={"general": {"theme": scheme}}))
            with tempfile.TemporaryDirectory() as folder:
                shell = Shell(Bridge(front), Path(folder) / "window.ini")
                current_theme().choose("dark" if scheme == "dark" else "light")
                shell.resize(int(width), int(height))
                shell.show()
                shell.start(page)
                _wait_for(partial(shell.made_page, page))
                settle()
                if act is not None:
                    act(shell, front)
                    settle()
                _leave_folders_out(shell)
                _grab(shell).save(str(arguments.out / f"{name}-{scheme}.png"))
                shell.close()
                shell.deleteLater()
                settle(10)
    application.quit()


def _grab(shell: Shell) -> QPixmap:
    """The window, with the dialog that stands over it."""
    picture = shell.grab()
    for dialog in shell.findChildren(QDialog):
        if dialog.isVisible():
            painter = QPainter(picture)
            painter.fillRect(picture.rect(), QColor(0, 0, 0, 70))
            left, top = (shell.width() - dialog.width()) // 2, (shell.height() - dialog.height()) // 2
            painter.drawPixmap(left, top, dialog.grab())
            painter.end()
    return picture


def settle(milliseconds: int = SETTLE_MS) -> None:
    """Let the window live for a while. (QTest.qWait would keep Python's lock from the front's thread.)"""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _front(home: str | None, fake: FakeHome) -> Front:
    if home is None:
        return FakeFront(fake)
    from workbench.api.client import Client
    from workbench.base.paths import find_home

    return Client(find_home(home))


def _leave_folders_out(shell: Shell) -> None:
    """No picture shows where things lie on the machine that it was taken on."""
    for label in shell.findChildren(ElidedLabel):
        if label.isVisible() and Path(label.full_text).is_absolute():
            label.set_full_text(f"…/{Path(label.full_text).name}")


def _home_with_packs() -> FakeHome:
    """A GPU that a pack computes on, another pack that is slower, and a newer version."""
    home = furnished_home()
    gpu = Device(name="Vulkan0", description=GPU, kind="gpu", memory_bytes=12_900_000_000)
    home.machine = msgspec.structs.replace(home.machine, devices=(*home.machine.devices, gpu))
    reason = f"Vulkan on {GPU} computes: 142.3 tokens per second, the processor 31.8."
    choice = RuntimeChoice(pack="vulkan-0.3.16", reason=reason, trials={"vulkan-0.3.16": WORKS, "rocm-0.3.16": SLOW})
    packs = (pack("vulkan-0.3.16"), pack("rocm-0.3.16", "rocm"), pack("cuda-0.3.16", "cuda"))
    home.runtime = RuntimeState(packs=packs, choice=choice)
    home.update = UPDATE
    return home


def _home_with_engines() -> FakeHome:
    """An engine that computes, one that did not pass, and one whose test is of an older program."""
    home = furnished_home()
    engines = (engine("0.3.37"), engine("0.3.38", CRASHED), engine("0.3.35", outdated=True))
    reason = "Models are computed by the engine 0.3.37 (llama-cpp-python 0.3.37)."
    home.engines = msgspec.structs.replace(home.engines, engines=engines, chosen="0.3.37", used="0.3.37", reason=reason)
    return home


def _engines(shell: Shell, front: Front) -> None:
    """The section on engines, from its top."""
    shell.open_page("settings", section="engines")
    settle()
    page = _settings_page(shell)
    page._area.verticalScrollBar().setValue(page.engines.y())


def _offered_engines(shell: Shell, front: Front) -> None:
    front.call(ChangeSettings(values={"network": {"packages": True}}))
    settle()
    page = _settings_page(shell)
    page.engines.offers.find_button.click()
    settle()
    page._area.verticalScrollBar().setValue(page.engines.y())


def _settings_page(shell: Shell) -> SettingsPage:
    page = shell.made_page("settings")
    assert isinstance(page, SettingsPage)
    return page


def _machine(shell: Shell, front: Front) -> None:
    """The section on the machine, from its top."""
    shell.open_page("settings", section="machine", field="report")
    settle()
    page = _settings_page(shell)
    page._area.verticalScrollBar().setValue(page.machine.y())


def _update(shell: Shell, front: Front) -> None:
    page = _settings_page(shell)
    front.call(ChangeSettings(values={"network": {"updates": True}}))
    settle()
    page.machine.updates.check_button.click()
    page.machine.report.fold.setChecked(True)
    page.machine.report.save_to(str(Path(tempfile.gettempdir()) / "report.zip"))
    settle()
    page._area.verticalScrollBar().setValue(page.machine.y() + page.machine.updates.y() - 40)


def _trying(shell: Shell, front: Front) -> None:
    assert isinstance(front, FakeFront)
    held = front.hold(InstallPack)
    page = _settings_page(shell)
    page.machine.packs.install("/home/ada/Downloads/vulkan-0.3.16.pack")
    held.emit(Progress(stage="trying Vulkan"))
    page.machine.packs.rows["rocm-0.3.16"].confirm.ask()
    page.machine.report.save_to("/nowhere/at/all/report.zip")
    page.machine.updates.check_button.click()
    settle()
    page._area.verticalScrollBar().setValue(page.machine.y())


def _themed(home: FakeHome, scheme: str) -> Settings:
    general = msgspec.structs.replace(home.settings.general, theme=scheme)
    return msgspec.structs.replace(home.settings, general=general)


def _busy_home() -> FakeHome:
    home = furnished_home()
    running_ingest(home)
    return home


def _trained_home() -> FakeHome:
    home = furnished_home()
    furnish_adapters(home)
    return home


def _marked_home() -> FakeHome:
    home = _trained_home()
    mark_answers(home)
    return home


def _latest_chat(shell: Shell, front: Front) -> None:
    chats = front.call(ListChats()).chats
    if chats:
        shell.open_page("chat", chat=chats[0].id)


def _cited_source(shell: Shell, front: Front) -> None:
    """The newest answer that names a source, with that source open beside it."""
    chats = front.call(ListChats()).chats
    cited = [
        (-chat.updated, chat.id, citation)
        for chat in chats
        for message in front.call(GetChat(chat=chat.id)).messages
        for citation in message.citations
    ]
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    if cited:
        _, chat_id, citation = min(cited, key=lambda row: row[0])
        shell.open_page("chat", chat=chat_id)
        settle()
        page.open_source(citation)


def _ask(shell: Shell, decoding: DecodingPart) -> AnswerView:
    """Ask the sample documents and wait for the answer."""
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    settle()
    recipe = msgspec.structs.replace(page.parts.recipe.recipe, decoding=decoding)
    page.parts.recipe.changed.emit(recipe)
    page.session.ask("How long is the warranty, and how do I claim?", recipe)
    settle()
    while page.session.busy:
        settle(100)
    settle()
    view = page.parts.conversation.views[-1]
    assert isinstance(view, AnswerView)
    return view


def _columns(shell: Shell, front: Front) -> None:
    _ask(shell, DecodingPart(temperature=0.7, min_p=0.1, n=2, max_tokens=120, seed=1))


def _tokens(shell: Shell, front: Front) -> None:
    view = _ask(shell, DecodingPart(max_tokens=200))
    view.footer.menu.tokens.trigger()
    while not view.inspection.text.isVisible():
        settle(100)
    settle()
    view.inspection.text.point_at(3)


def _steps(shell: Shell, front: Front) -> None:
    """The steps of an answer, the search selected."""
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    settle()
    view = _ask(shell, DecodingPart(max_tokens=200))
    view.footer.menu.steps.trigger()
    settle()
    view.inspection.steps.tree.setCurrentItem(view.inspection.steps.tree.topLevelItem(0))


def _agent(*tools: str) -> Callable[[Shell, Front], None]:
    """An agent with these tools has answered, or waits."""

    def act(shell: Shell, front: Front) -> None:
        page = shell.made_page("chat")
        assert isinstance(page, ChatPage)
        shell.open_page("chat", new=True)
        settle()
        recipe = msgspec.structs.replace(
            page.parts.recipe.recipe, agent=AgentPart(tools=tools, folder="/home/ada/notes")
        )
        page.bench.choose(recipe)
        page.session.ask("How many months of the warranty are left? Write it down.", recipe)
        settle()

    return act


def _agent_card(shell: Shell, front: Front) -> None:
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    settle()
    agent = AgentPart(tools=("calculator", "search_documents", "write_file"))
    page.bench.choose(msgspec.structs.replace(page.parts.recipe.recipe, agent=agent))
    page.parts.recipe.agent.open()
    page.parts.recipe.agent_form.set_allowed_here(("write_file",))


def _remembering_home() -> FakeHome:
    home = furnished_home()
    now = time.time()
    for number, (text, source, days) in enumerate(
        (
            ("I write to clients in formal German.", "you", 40),
            ("The pump of the Brunnen site was delivered on 3 March.", "an agent in “How long is the warranty?”", 3),
            ("Answer with figures first, then the reasons.", "you", 1),
        )
    ):
        when = now - days * 86_400
        home.facts[f"f{number}"] = Fact(id=f"f{number}", text=text, source=source, created=when, changed=when)
    return home


def _home_with_demonstrations() -> FakeHome:
    home = furnished_home()
    think, multiply = (
        DemonstrationStep(tool="think", input="There are 3 boxes with 12 pencils each."),
        DemonstrationStep(tool="calculator", input="3 * 12", result="36"),
    )
    add = DemonstrationStep(tool="calculator", input="36 + 5", result="41")
    boxes = "Ida has 3 boxes with 12 pencils each and 5 loose ones. How many pencils are there?"
    search = DemonstrationStep(
        tool="search_documents", input="warranty of the pump", result="[1] 36 months from March."
    )
    for number, (question, steps, answer) in enumerate(
        ((boxes, (think, multiply, add), "41"), ("How long is the warranty?", (search,), "36 months"))
    ):
        when = time.time() - 86_400 * (9 - number)
        home.demonstrations[f"d{number}"] = Demonstration(
            id=f"d{number}", created=when, question=question, steps=steps, answer=answer
        )
    return home


def _home_with_server() -> FakeHome:
    home = furnished_home()
    server = home.servers["files"] = McpServer(name="files", command=("npx", "server-filesystem", "notes"))
    read, move = (
        McpTool(name="read_file", description="Reads a file.", parameters={"properties": {"path": {}}}),
        McpTool(name="move_file", description="Moves a file.", parameters={"properties": {"source": {}, "target": {}}}),
    )
    home.offered["files"] = (read, move)
    home.agreements["files"] = (
        McpAgreement(tool="read_file", digest=digest_of(server, read), reads=True),
        McpAgreement(tool="move_file", digest="another"),
    )
    return home


def _simple_home() -> FakeHome:
    """As a person sees it who wants answers from documents."""
    home = furnished_home()
    general = msgspec.structs.replace(home.settings.general, all_techniques=False)
    home.settings = msgspec.structs.replace(home.settings, general=general)
    return home


def _first_home() -> FakeHome:
    home = FakeHome()
    general = msgspec.structs.replace(home.settings.general, all_techniques=False)
    home.settings = msgspec.structs.replace(home.settings, general=general)
    return home


def _recommended(shell: Shell, front: Front) -> None:
    shell.open_page("models", section="recommended")


def _new_agent(shell: Shell, front: Front) -> None:
    page = shell.made_page("agents")
    assert isinstance(page, AgentsPage)
    dialog = page.begin()
    dialog.name.setText("Clerk")


def _tree(shell: Shell, front: Front) -> None:
    """The tree of the newest answer that has one."""
    _latest_chat(shell, front)
    settle(1_500)
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    if isinstance(front, FakeFront):
        front.home.answer_text = "(10 - 4) * (13 - 9) = 24"
        part = PromptingPart(technique="tree-of-thoughts")
        recipe = msgspec.structs.replace(page.parts.recipe.recipe, prompting=part, retrieval=None)
        page.session.ask("Make 24 from 4 9 10 13.", recipe)
        settle()
        _wait_for(lambda: not page.session.busy)
        view = page.parts.conversation.views[-1]
        assert isinstance(view, AnswerView)
        view.inspection.open_steps()
        view.inspection.show_trace(Trace(steps=tuple(_thoughts_of_24())))
    else:
        view = next(view for view in reversed(page.parts.conversation.views) if isinstance(view, AnswerView))
        view.footer.menu.steps.trigger()
    _wait_for(lambda: view.inspection.steps.drawn)
    settle()
    page.parts.conversation.ensureWidgetVisible(view.inspection, 0, 0)


def _thoughts_of_24() -> Iterator[TraceStep]:
    """Invented scores of possible steps; the second column names the thought before."""
    yield TraceStep(id="1", kind="tree", title="Tree of thoughts", seconds=21.4)
    for number, (text, before, score, became) in enumerate(
        (
            ("9 + 4 = 13", "1", 0.41, ""), ("13 - 9 = 4", "1", 0.86, ""), ("13 * 9 = 117", "1", 0.02, "dead end"),
            ("10 - 4 = 6", "1", 0.74, ""), ("4 + 4 = 8", "3", 0.44, ""), ("10 - 4 = 6", "3", 0.97, ""),
            ("10 * 4 = 40", "3", 0.04, "dead end"), ("4 - 10 = -6", "3", 0.52, "prune"), ("9 - 6 = 3", "5", 0.38, ""),
            ("13 - 6 = 7", "5", 0.31, ""), ("6 + 4 = 10", "7", 0.01, "dead end"), ("6 * 4 = 24", "7", 1.0, "solved"),
            ("6 - 4 = 2", "7", 0.01, "dead end"),
        ),
        2,
    ):  # fmt: skip
        edited = became == "prune"
        yield TraceStep(
            id=str(number), kind="thought", parent=before, title=text, score=score, seconds=0.9,
            output="" if edited else became,
        )  # fmt: skip
        inside, usage = f"{number}-1", Usage(prompt_tokens=80, new_tokens=6)
        if edited:
            yield TraceStep(id=inside, kind="edit", parent=str(number), title="Pruned by you", output=became)
        else:
            yield TraceStep(id=inside, kind="score", parent=str(number), title="Judge", usage=usage)


def _beams(shell: Shell, front: Front) -> None:
    _ask(shell, DecodingPart(strategy="beam", max_tokens=200))


def _decoding(shell: Shell, front: Front) -> None:
    """The decoding card with the curve of the answer's last token."""
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    page.parts.recipe.decoding.open()
    _ask(shell, DecodingPart(temperature=0.8, top_p=0.9, max_tokens=60, seed=3))
    curve = page.parts.recipe.decoding_form.distribution
    _wait_for(lambda: curve.shows_tokens)


_LETTER = PromptingPart(
    instructions="Write letters to customers in a kind and plain tone.",
    context="The customer has had a {{product}} for {{months}} months.",
    input="Question of the customer: {{question}}",
    output="One paragraph, no salutation.",
    variables=("product=garden pump", "months=7"),
    technique="self-consistency",
    options={"samples": 5},
)


def _prompt(shell: Shell, front: Front) -> None:
    """The prompt in its four parts, with a strategy of reasoning."""
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    panel = page.parts.recipe
    panel.prompting.open()
    panel._on_prompting(_LETTER)
    panel.prompt_form.parts.fold.click()


def _library(shell: Shell, front: Front) -> None:
    """The library, with the differences between two versions."""
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    earlier = msgspec.structs.replace(_LETTER, instructions="Write short letters to customers.")
    front.call(SavePrompt(name="Customer letter", part=earlier, note="A first draft.", tags=("office",)))
    front.call(SavePrompt(name="Customer letter", part=_LETTER, note="Kinder; says how long the product was used."))
    front.call(SavePrompt(name="Vote of five", part=_LETTER, kind="reasoning", tags=("slow",)))
    dialog = page.library.open()
    _wait_for(lambda: dialog.versions.count() == 2)
    dialog.view.buttons["changes"].click()


def _form(shell: Shell, front: Front) -> None:
    """The editor of the form of the answer, with an answer that obeys it."""
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    pane = page.parts.format
    page.parts.show_side(pane)
    _ask(shell, DecodingPart(format="json_schema", grammar=_WARRANTY, max_tokens=200))
    _wait_for(lambda: pane.verdict.isVisible())


def _wait_for(there: Callable[[], object], most_ms: int = 10_000) -> None:
    for _ in range(most_ms // 100):
        if there():
            break
        settle(100)
    settle()


def _open_document(ending: str) -> Callable[[Shell, Front], None]:
    """Open the indexed document of a kind that has the most chunks, and wait for a page to be drawn."""

    def act(shell: Shell, front: Front) -> None:
        fitting = [
            (document.chunks, collection.id, document.id)
            for collection in front.call(ListCollections()).collections
            for document in front.call(ListDocuments(collection=collection.id)).documents
            if document.path.endswith(ending) and document.state != "failed"
        ]
        if fitting:
            _, collection, document = max(fitting)
            chunk = front.call(GetDocumentText(collection=collection, document=document)).chunks[-1]
            shell.open_page("documents", collection=collection, document=document, start=chunk.start, end=chunk.end)
            if ending == ".pdf":
                _wait_for(lambda: any(view.shows_page for view in shell.findChildren(PageView)))

    return act


def _model_details(shell: Shell, front: Front) -> None:
    page = shell.made_page("models")
    assert isinstance(page, ModelsPage)
    settle()
    shell.open_page("models", add=True)
    next(iter(page.cards.values())).details_button.click()


def _adapter(name: str) -> Callable[[Shell, Front], None]:
    return lambda shell, front: shell.open_page("adapters", adapter=name)


def _home_with_pdf() -> FakeHome:
    home = furnished_home()
    text = (SAMPLES / "AquaLift-300-manual.md").read_text("utf-8")
    home.put_document("Brunnen pumps", "/home/ada/papers/AquaLift-300-manual.pdf", text, pages=2)
    return home


def _training_home() -> FakeHome:
    home = furnished_home()
    furnish_adapters(home)
    furnish_training(home)
    return home


def _train_setup(shell: Shell, front: Front) -> None:
    page = _train_page(shell)
    page.show_setup()
    page.setup.choose_data("pump questions")
    _wait_for(lambda: page.setup.plan.plan is not None)


def _train_settings(shell: Shell, front: Front) -> None:
    _train_setup(shell, front)
    page = _train_page(shell)
    page.setup.show_place(page.setup.settings)


def _train_plan(shell: Shell, front: Front) -> None:
    _train_setup(shell, front)
    page = _train_page(shell)
    page.setup.show_place(page.setup.plan)


def _train_mapping(shell: Shell, front: Front) -> None:
    page = _train_page(shell)
    page.show_setup()
    page.setup.choose_data("/home/ada/sets/odd.csv")
    _wait_for(lambda: page.setup.report.report is not None)


def _show_training(title: str) -> Callable[[Shell, Front], None]:
    def act(shell: Shell, front: Front) -> None:
        page = _train_page(shell)
        _wait_for(lambda: bool(page.trainings))
        page.show_run(next(run.id for run in page.trainings if run.title.startswith(title)))
        settle()

    return act


def _train_compare(shell: Shell, front: Front) -> None:
    page = _train_page(shell)
    _wait_for(lambda: bool(page.trainings))
    page.runs.tick([run.id for run in page.trainings[:4]])
    settle()


def _train_page(shell: Shell) -> TrainPage:
    page = shell.made_page("train")
    assert isinstance(page, TrainPage)
    return page


def _tuned_recipe() -> Recipe:
    uses = (AdapterUse(name="my-notes", scale=0.8), AdapterUse(name="house-style"))
    return Recipe(model=ModelPart(name=BASE, adapters=uses))


def _chat_adapters(shell: Shell, front: Front) -> None:
    """Two adapters on, their card open, and an answer that was rated and edited."""
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    settle()
    page.parts.recipe.adapters.open()
    page.parts.recipe.changed.emit(_tuned_recipe())
    page.session.ask("How long is the warranty?", _tuned_recipe())
    settle()
    view = page.parts.conversation.views[-1]
    assert isinstance(view, AnswerView)
    view.rated.emit(view.message_id, 1)
    view.rewritten.emit(view.message_id, "36 months from delivery; claim in writing within 14 days.")
    settle()
    view.edited_note.original_button.click()


def _edit(shell: Shell, front: Front) -> None:
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    settle()
    page.session.ask("How long is the warranty?", Recipe(model=ModelPart(name=BASE)))
    settle()
    view = page.parts.conversation.views[-1]
    assert isinstance(view, AnswerView)
    view.footer.menu.edit.trigger()


def _compare(shell: Shell, front: Front) -> None:
    """Base and tuned side by side."""
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    settle()
    page.parts.recipe.changed.emit(_tuned_recipe())
    page.compare.opponents.choose(BASE_MODEL)
    page.parts.composer.asked.emit("How long is the warranty?")


def _compared(shell: Shell, front: Front) -> None:
    """The same, once the person has chosen."""
    _compare(shell, front)
    settle()
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    view = page.parts.conversation.views[-1]
    assert isinstance(view, AnswerView)
    view.comparison.bar.buttons["left"].click()


def _judged_home() -> FakeHome:
    home = _trained_home()
    furnish_judgements(home)
    furnish_queue(home)
    return home


def _feedback(shell: Shell) -> FeedbackPage:
    page = shell.made_page("feedback")
    assert isinstance(page, FeedbackPage)
    settle()
    return page


def _review(shell: Shell, front: Front) -> None:
    """A judgement beside the table."""
    page = _feedback(shell)
    page.review.grid.setCurrentIndex(page.review.table.index(2, 2))
    page.review.show_judgement(page.review.table.row(2))


def _label(shell: Shell, front: Front) -> None:
    _feedback(shell).open_target("label")


def _new_queue(shell: Shell, front: Front) -> None:
    page = _feedback(shell)
    page.open_target("label")
    page.label.begin()


def _path(shell: Shell, front: Front) -> None:
    _feedback(shell).open_target("path")


def _learn(shell: Shell, front: Front) -> None:
    _feedback(shell).open_target("learn")


def _tested_home() -> FakeHome:
    """A blind test that is half done, and one that has not begun."""
    home = _judged_home()
    room = home.judgements
    for name, judged in (("Short titles against the base", 17), ("Polite tone", 0)):
        queue = furnish_queue(home, 24, running=False, purpose="verdict", name=name)
        for number in range(judged):
            pair = room.store.next_waiting(queue.id)
            assert pair is not None
            verdict = "tie" if number == 5 else "a" if number % 6 == 0 else "b"
            room.judgements.change(ChangeJudgement(judgement=pair.id, verdict=verdict))  # type: ignore[arg-type]
    return home


def _let_judge(shell: Shell, front: Front) -> None:
    page = shell.made_page("blind-tests")
    assert isinstance(page, BlindTestsPage)
    settle()
    page.cards[next(iter(page.cards))].let_button.click()


def _rewards(shell: Shell, front: Front) -> None:
    """Rewards of reinforcement learning, in cards."""
    page = shell.made_page("train")
    assert isinstance(page, TrainPage)
    page.show_setup()
    page.setup.choose_objective("grpo" if "grpo" in page.setup.objective.buttons else "dpo")
    settle()
    row = page.setup.settings.rows.get("objective.rewards")
    if isinstance(row, RewardsRow):
        row.list.add("letter-share")
        row.list.add("length-range")
        settle()
        page.setup.show_place(row)


def _import(shell: Shell, front: Front) -> None:
    dialog = _feedback(shell).review.begin_import()
    dialog.choose("/home/ada/pairs.jsonl")
    dialog.go.click()


def _gone(shell: Shell, front: Front) -> None:
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    settle()
    page.parts.recipe.adapters.open()
    gone = ModelPart(name=BASE, adapters=(AdapterUse(name="old-notes"),))
    page.parts.recipe.changed.emit(Recipe(model=gone))


def _unfinished_home() -> FakeHome:
    """A collection whose reading was stopped in the middle of a file, with two folders."""
    home = _home_with_pdf()
    known = home.collection("Brunnen pumps")
    folders = ("/home/ada/papers", "/home/ada/manuals/2025")
    home.collections[known.id] = msgspec.structs.replace(known, unfinished=True, folders=folders, watched=folders[1:])
    documents = home.documents_of(known.id)
    pdf = next(document for document in documents.values() if document.path.endswith(".pdf") and document.pages == 2)
    reason = "3 of 9 passages were read. Resume, or add the file again, for the rest."
    documents[pdf.id] = msgspec.structs.replace(pdf, unfinished=True, reason=reason)
    running_ingest(home, state="cancelled", config={"collection": known.id})
    return home


def _names(shell: Shell, front: Front) -> None:
    """The names of the samples, with the passages of the first one."""
    page = shell.made_page("documents")
    assert isinstance(page, DocumentsPage)
    _wait_for(lambda: page.parts.table.rowCount() > 0)
    page.parts.sides.buttons["names"].click()
    _wait_for(lambda: page.parts.names.table.rowCount() > 0)
    page.parts.names.view.selectRow(0)
    _wait_for(lambda: bool(page.parts.names.passages.cards))


def _passage_length(shell: Shell, front: Front) -> None:
    page = shell.made_page("documents")
    assert isinstance(page, DocumentsPage)
    settle()
    page.ask_for_index()


def _merge(shell: Shell, front: Front) -> None:
    page = shell.made_page("adapters")
    assert isinstance(page, AdaptersPage)
    settle()
    page.open_target(adapter="my-notes")
    settle()
    page.begin_merge()


def _merged(shell: Shell, front: Front) -> None:
    _merge(shell, front)
    dialog = next(dialog for dialog in shell.findChildren(MergeDialog) if dialog.isVisible())
    dialog.type.chosen.emit("same")
    dialog.go.click()


def _builder(source: str, build: bool = False) -> Callable[[Shell, Front], None]:
    def act(shell: Shell, front: Front) -> None:
        page = shell.made_page("adapters")
        assert isinstance(page, AdaptersPage)
        settle()
        page.build_button.click()
        settle()
        dialog = next(dialog for dialog in shell.findChildren(SetBuilder) if dialog.isVisible())
        dialog.source.chosen.emit(source)
        if build:
            dialog.go.click()

    return act


def _runs(shell: Shell, front: Front) -> None:
    shell.show_runs()


def _finder(shell: Shell, front: Front) -> None:
    shell.show_finder()


def _term(shell: Shell, front: Front) -> None:
    """A term of the course in the finder, with what it means."""
    shell.show_finder()
    finder = shell.findChild(Finder)
    assert finder is not None
    finder.field.setText("tree of thoughts")


def _map(shell: Shell, front: Front) -> None:
    shell.open_page("map")


def _map_of_answer(shell: Shell, front: Front) -> None:
    """What each technique did in the last answer of a chat that has passages."""
    for chat in front.call(ListChats()).chats:
        messages = front.call(GetChat(chat=chat.id)).messages
        answers = [message for message in messages if message.passages and message.recipe is not None]
        if answers:
            shell.open_page("map", chat=chat.id, answer=answers[-1].id)
            return


def _similarity(shell: Shell, front: Front) -> None:
    (collection, *_) = front.call(ListCollections()).collections
    shell.open_page("map", collection=collection.id, question="How long is the warranty of the pump?")


def _completion(shell: Shell, front: Front) -> None:
    """A document stands as a chip, and a second one is being chosen."""
    _wait_for(lambda: isinstance(shell.made_page("chat"), ChatPage))
    page = shell.made_page("chat")
    assert isinstance(page, ChatPage)
    (collection, *_) = front.call(ListCollections()).collections
    page.open_target(new=True, collection=collection.name)
    field = page.parts.composer.field
    field.setFocus()
    for keys in ("How long is the warranty? #", "terms"):
        QTest.keyClicks(field, keys)
        settle(400)
    QTest.keyClick(field, Qt.Key.Key_Return)
    QTest.keyClicks(field, "#")


def _shortcuts(shell: Shell, front: Front) -> None:
    shell.show_shortcuts()


def _first_steps(shell: Shell, front: Front) -> None:
    page = shell.made_page("welcome")
    assert isinstance(page, WelcomePage)
    page.starter_button.click()
    page.sample_button.click()


def _dead_worker(shell: Shell, front: Front) -> None:
    if isinstance(front, FakeFront):
        front.home.dead_workers.add("inference")
        front.announce("worker", "inference")


Scene = tuple[str, str, Callable[[], FakeHome], Callable[[Shell, Front], None] | None]


def _measured_home() -> FakeHome:
    home = furnished_home()
    furnish_evaluation(home)
    return home


def _measuring_home() -> FakeHome:
    """An evaluation of which two fifths are answered."""
    home = furnished_home()
    run = home.runs[furnish_evaluation(home, answered=0.4).run]
    home.runs[run.id] = msgspec.structs.replace(run, state="running")
    going = Progress(stage="answering", done=288, total=720, unit="answers", seconds_left=415, detail="With examples")
    home.run_events[run.id] = [msgspec.structs.replace(going, seq=1)]
    return home


def _evaluate_page(shell: Shell) -> EvaluatePage:
    page = shell.made_page("evaluate")
    assert isinstance(page, EvaluatePage)
    _wait_for(lambda: page.results.table.total > 0)
    return page


def _evaluation_cell(shell: Shell, front: Front) -> None:
    """An answer beside the grid, compared with another recipe's."""
    page = _evaluate_page(shell)
    page.results.grid.clicked.emit(page.results.table.index(2, 4))
    settle()
    compare = page.results.cell.compare
    compare.setCurrentIndex(2)
    compare.chosen.emit(compare.value)


def _new_evaluation(shell: Shell, front: Front) -> None:
    for text in ("Answer briefly.", "Answer with the shortest phrase of the manual that answers the question."):
        front.call(SavePrompt(name="Brief", part=PromptingPart(instructions=text)))
    dialog = _evaluate_page(shell).begin_evaluation()
    settle()
    dialog.recipes.add_prompt("Brief")
    settle()


def _optimise(shell: Shell, front: Front) -> None:
    page = _evaluate_page(shell)
    page.open_target(question_set="q1")
    page.begin_search()


def _searched_home() -> FakeHome:
    """A search that has ended, on top."""
    home = _measured_home()
    evaluation = home.evaluations["e2"]
    columns = tuple(
        msgspec.structs.replace(column, name=name)
        for column, name in zip(evaluation.columns, ("Before", "Instruction 1", "Instruction 2"), strict=True)
    )
    evaluation = home.evaluations["e2"] = msgspec.structs.replace(evaluation, columns=columns, search=True, part="tune")
    instructions = "Answer with the shortest phrase of the manual that answers the question, and nothing else."
    prompting = PromptingPart(instructions=instructions)
    source = PromptSource(kind="prompt", name="Brief optimised", version=1, hash=content_hash(prompting, "prompt"))
    prompting = msgspec.structs.replace(prompting, sources=(source,))
    recipe = msgspec.structs.replace(columns[0].recipe, prompting=prompting)
    found = OptimisationResult(
        evaluation=evaluation.id, recipe=recipe, candidate="Instruction 2", before=0.42, after=0.66, questions=52,
        candidates=16, asked=386, answered=386, held_out="e1",
        sentence="After is better than Before by 14 points (5 to 23).",
    )  # fmt: skip
    run = msgspec.structs.replace(home.runs[evaluation.run], kind="optimise", result=msgspec.to_builtins(found))
    home.runs[run.id] = run
    return home


def _ladder_home(**furnished: Any) -> Callable[[], FakeHome]:
    def furnish() -> FakeHome:
        home = furnished_home()
        furnish_ladder(home, **furnished)
        return home

    return furnish


def _running_ladder() -> FakeHome:
    home = furnished_home()
    found = furnish_ladder(home, under_way(), "running", "")
    home.run_events[found.ladder.run] = [
        Progress(stage="Chain of thought", done=430, total=1_260, unit="answers", seconds_left=1_130)
    ]
    return home


def _failed_ladder() -> FakeHome:
    """One rung has failed, one was left out, one was trained on the questions, and titles are long."""
    home = furnished_home()
    rungs = list(measured())
    rungs[3] = _renamed(rungs[3], "Three similar examples out of the forty thousand answers of the archive")
    lost = {5: "skipped", 12: "failed"}
    why = {5: "It was far behind on the tuning questions.", 12: "Training ran out of memory. A smaller batch may fit."}
    for place, state in lost.items():
        rungs[place] = RungReport(offer=rungs[place].offer, state=state, reason=why[place])  # type: ignore[arg-type]
    rungs[11] = msgspec.structs.replace(rungs[11], leak="It was trained on 12 of the held-out questions.")
    furnish_ladder(
        home, rungs, more=240, notes=("Only 90 questions are held out: differences below 10 points stay open.",)
    )
    return home


def _renamed(rung: RungReport, title: str) -> RungReport:
    return msgspec.structs.replace(rung, offer=msgspec.structs.replace(rung.offer, title=title))


def _ladder_page(shell: Shell) -> LadderPage:
    page = shell.made_page("ladder")
    assert isinstance(page, LadderPage)
    return page


def _ladder_result(shell: Shell, front: Front) -> None:
    _wait_for(lambda: _ladder_page(shell).shown is not None)


def _plan_ladder(shell: Shell, front: Front) -> None:
    page = _ladder_page(shell)
    page.show_setup()
    _wait_for(lambda: "departments" in page.setup.questions.samples)
    page.setup.questions.samples["departments"].button.click()
    _wait_for(lambda: page.setup.plan is not None)


def _add_rungs(shell: Shell, front: Front) -> None:
    page = _ladder_page(shell)
    dialog = page.begin_adding()
    assert dialog is not None
    _wait_for(lambda: not dialog.missing() or bool(dialog.picker.rows))


SCENES: tuple[Scene, ...] = (
    ("ladder", "ladder", _ladder_home(), _ladder_result),
    ("ladder-empty", "ladder", furnished_home, None),
    ("ladder-plan", "ladder", furnished_home, _plan_ladder),
    ("ladder-running", "ladder", _running_ladder, _ladder_result),
    ("ladder-stopped", "ladder", _ladder_home(rungs=under_way(), state="stopped"), _ladder_result),
    ("ladder-failed", "ladder", _failed_ladder, _ladder_result),
    ("ladder-add", "ladder", _ladder_home(rungs=measured()[:9]), _add_rungs),
    ("welcome", "welcome", FakeHome, None),
    ("first-steps", "welcome", FakeHome, _first_steps),
    ("chat", "chat", furnished_home, _cited_source),
    ("decoding", "chat", furnished_home, _decoding),
    ("prompt", "chat", furnished_home, _prompt),
    ("library", "chat", furnished_home, _library),
    ("answers", "chat", furnished_home, _columns),
    ("steps", "chat", furnished_home, _steps),
    ("agent", "chat", furnished_home, _agent("search_documents", "calculator")),
    ("agent-approval", "chat", furnished_home, _agent("search_documents", "write_file")),
    ("agent-question", "chat", furnished_home, _agent("ask_person")),
    ("agent-card", "chat", furnished_home, _agent_card),
    ("models-recommended", "models", furnished_home, _recommended),
    ("tools", "tool-list", furnished_home, None),
    ("tools-servers", "servers", _home_with_server, None),
    ("tools-memory", "memory", _remembering_home, None),
    ("tools-memory-empty", "memory", furnished_home, None),
    ("tools-demonstrations", "demonstrations", _home_with_demonstrations, None),
    ("tools-demonstrations-empty", "demonstrations", furnished_home, None),
    ("tools-agents-empty", "agents", furnished_home, None),
    ("tools-new-agent", "agents", furnished_home, _new_agent),
    ("simple", "chat", _simple_home, _latest_chat),
    ("welcome-first", "welcome", _first_home, None),
    ("tokens", "chat", furnished_home, _tokens),
    ("tree", "chat", furnished_home, _tree),
    ("beams", "chat", furnished_home, _beams),
    ("form", "chat", furnished_home, _form),
    ("document", "documents", furnished_home, _open_document(".md")),
    ("pdf", "documents", _home_with_pdf, _open_document(".pdf")),
    ("chat-new", "chat", furnished_home, None),
    ("documents", "documents", furnished_home, None),
    ("names", "documents", furnished_home, _names),
    ("passage-length", "documents", furnished_home, _passage_length),
    ("documents-unfinished", "documents", _unfinished_home, None),
    ("adapters", "adapters", _trained_home, _adapter("my-notes")),
    ("adapter-failed", "adapters", _trained_home, _adapter("four-bit-try")),
    ("adapters-empty", "adapters", furnished_home, None),
    ("evaluate", "evaluate", _measured_home, lambda shell, _: _evaluate_page(shell)),
    ("evaluate-running", "evaluate", _measuring_home, lambda shell, _: _evaluate_page(shell)),
    ("evaluate-cell", "evaluate", _measured_home, _evaluation_cell),
    ("evaluate-new", "evaluate", _measured_home, _new_evaluation),
    ("evaluate-set", "evaluate", _measured_home, lambda shell, _: _evaluate_page(shell).open_target(question_set="q1")),
    ("evaluate-found", "evaluate", _searched_home, lambda shell, _: _evaluate_page(shell)),
    ("evaluate-optimise", "evaluate", _measured_home, _optimise),
    ("evaluate-empty", "evaluate", furnished_home, None),
    ("data", "data", _training_home, None),
    ("data-empty", "data", furnished_home, None),
    ("leaderboard", "leaderboard", furnished_home, None),
    ("exam", "exam", furnished_home, None),
    ("train", "train", _training_home, _train_setup),
    ("train-empty", "train", FakeHome, None),
    ("train-settings", "train", _training_home, _train_settings),
    ("train-plan", "train", _training_home, _train_plan),
    ("train-mapping", "train", _training_home, _train_mapping),
    ("train-running", "train", _training_home, _show_training("pump-answers")),
    ("train-finished", "train", _training_home, _show_training("my-notes")),
    ("train-failed", "train", _training_home, _show_training("all-weights")),
    ("train-stopped", "train", _training_home, _show_training("polite")),
    ("train-compare", "train", _training_home, _train_compare),
    ("merge", "adapters", _trained_home, _merge),
    ("merge-failed", "adapters", _trained_home, _merged),
    ("set-chats", "adapters", _marked_home, _builder("chats")),
    ("set-pairs", "adapters", _trained_home, _builder("pairs")),
    ("set-pairs-made", "adapters", _trained_home, _builder("pairs", build=True)),
    ("chat-adapters", "chat", _trained_home, _chat_adapters),
    ("compare", "chat", _trained_home, _compare),
    ("feedback", "feedback", _judged_home, _review),
    ("feedback-empty", "feedback", furnished_home, None),
    ("feedback-label", "feedback", _judged_home, _label),
    ("feedback-new", "feedback", _judged_home, _new_queue),
    ("feedback-learn", "feedback", _judged_home, _learn),
    ("feedback-path", "feedback", _judged_home, _path),
    ("feedback-import", "feedback", _judged_home, _import),
    ("feedback-verdict", "blind-tests", _tested_home, None),
    ("feedback-judge", "blind-tests", _tested_home, _let_judge),
    ("compared", "chat", _trained_home, _compared),
    ("train-rewards", "train", _training_home, _rewards),
    ("edit-answer", "chat", _trained_home, _edit),
    ("adapter-gone", "chat", _trained_home, _gone),
    ("models", "models", furnished_home, None),
    ("models-empty", "models", FakeHome, None),
    ("model-details", "models", furnished_home, _model_details),
    ("settings", "settings", furnished_home, None),
    ("settings-machine", "settings", furnished_home, _machine),
    ("settings-packs", "settings", _home_with_packs, _machine),
    ("settings-engines", "settings", _home_with_engines, _engines),
    ("settings-engines-offered", "settings", _home_with_engines, _offered_engines),
    ("settings-update", "settings", _home_with_packs, _update),
    ("settings-trying", "settings", _home_with_packs, _trying),
    ("runs", "models", _busy_home, _runs),
    ("shortcuts", "models", furnished_home, _shortcuts),
    ("finder", "models", furnished_home, _finder),
    ("chat-completion", "chat", furnished_home, _completion),
    ("term", "chat", furnished_home, _term),
    ("map", "chat", furnished_home, _map),
    ("map-answer", "chat", furnished_home, _map_of_answer),
    ("map-similarity", "chat", furnished_home, _similarity),
    ("banner", "models", furnished_home, _dead_worker),
)


if __name__ == "__main__":
    main()
