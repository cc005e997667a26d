"""Models of the hub in a whole core: whether one fits is told from its header, and a download makes it a model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fake_hub import FakeHub, serving
from tests.projectors import write_projector
from tests.synthetic_models import write_synthetic
from workbench import calls
from workbench.api import events
from workbench.api.protocol import Call, drain, follow, result_type
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.engine.trial_models import WIDTH, write_generator
from workbench.subjects.models.suggesting import Offers

REPOSITORY, NAME = "owner/model-GGUF", "model-Q8_0.gguf"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeHub]:
    hub = FakeHub()
    with serving(hub):
        path = write_synthetic(tmp_path / "there.gguf", "qwen3moe", layers=2, vocabulary=20_000)
        hub.add_repository(REPOSITORY, {NAME: path.read_bytes(), "README.md": b"---\nlicense: mit\n---\n# A model\n"})
        yield hub


@pytest.fixture
def core(tmp_path: Path, fake: FakeHub) -> Iterator[Workbench]:
    core = Workbench(Home(tmp_path / "home"))
    core.start()
    ask(core, calls.ChangeSettings(values={"network": {"hub_address": fake.url}}))
    yield core
    core.close()


def ask(core: Workbench, call: Call[Any]) -> Any:
    return drain(follow(result_type(type(call)), core.handle(call)))


def test_a_model_of_the_hub_is_measured_by_its_header_and_then_downloaded(core: Workbench, fake: FakeHub) -> None:
    before = ask(core, calls.FitHubFile(repository=REPOSITORY, file="Q8_0"))
    assert before.verdict == "processor"
    assert "4 of 16 experts, 58.8 of 96.6 million parameters" in before.kind
    assert before.tokens_per_s > 0
    whole = len(fake.files[f"/{REPOSITORY}/resolve/{fake.commit}/{NAME}"])
    assert 0 < sum(fake.sent) - fake.sent[0] < whole / 10
    run = ask(core, calls.DownloadModel(repository=REPOSITORY, file=NAME))
    ends = [event for event in core.handle(calls.FollowRun(run=run.id)) if isinstance(event, events.TERMINAL)]
    assert isinstance(ends[-1], events.Finished)
    after = ask(core, calls.FitModel(name=ends[-1].result["model"]))
    assert [(part.device, part.total) for part in after.parts] == [(part.device, part.total) for part in before.parts]
    asked = len(fake.asked)
    ask(core, calls.FitHubFile(repository=REPOSITORY, file="Q8_0"))
    assert len(fake.asked) == asked + 1  # the repository is looked up again, the header is there


def test_the_projector_of_a_model_of_the_hub_counts_in_its_fit(core: Workbench, fake: FakeHub, tmp_path: Path) -> None:
    model, projector = write_generator(tmp_path / "sees.gguf"), write_projector(tmp_path / "mmproj.gguf", WIDTH)
    totals = []
    contents = (model.read_bytes(), projector.read_bytes())
    for names in (("blind-Q8_0.gguf",), ("sees-Q8_0.gguf", "mmproj-sees.gguf")):
        fake.add_repository(f"owner/{names[0]}", dict(zip(names, contents, strict=False)))
        fit = ask(core, calls.FitHubFile(repository=f"owner/{names[0]}", file="Q8_0"))
        totals.append(sum(part.total for part in fit.parts))
    assert totals[1] - totals[0] == projector.stat().st_size + (128 << 20)


def test_the_projector_of_a_vision_model_comes_with_it(core: Workbench, fake: FakeHub, tmp_path: Path) -> None:
    model, projector = write_generator(tmp_path / "sees.gguf"), write_projector(tmp_path / "mmproj.gguf", WIDTH)
    names = ("Sees-4B-Q4_K_M.gguf", "mmproj-Sees-4B-f16.gguf")
    files = dict(zip(names, (model.read_bytes(), projector.read_bytes()), strict=True))
    fake.add_repository("owner/sees-GGUF", {**files, "mmproj-Sees-4B-f32.gguf": b"x" * 10})
    listed = ask(core, calls.ListHubFiles(repository="owner/sees-GGUF"))
    assert [one.name for one in listed.files] == [names[0]]
    run = ask(core, calls.DownloadModel(repository="owner/sees-GGUF", file=names[0]))
    ends = [event for event in core.handle(calls.FollowRun(run=run.id)) if isinstance(event, events.TERMINAL)]
    assert isinstance(ends[-1], events.Finished)
    (found,) = ask(core, calls.ListModels()).models
    assert (Path(found.path).name, Path(found.projector).name) == names
    assert Path(found.projector).read_bytes() == projector.read_bytes()
    parts = ask(core, calls.FitModel(name=found.name)).parts
    ask(core, calls.SetProjector(name=found.name))
    without = ask(core, calls.FitModel(name=found.name)).parts
    assert sum(part.total for part in parts) > sum(part.total for part in without) + len(projector.read_bytes())


def test_a_card_is_read_without_its_front_matter(core: Workbench) -> None:
    assert ask(core, calls.ReadHubCard(repository=REPOSITORY)).text == "# A model"


def test_offline_nothing_is_asked(core: Workbench, fake: FakeHub) -> None:
    ask(core, calls.ChangeSettings(values={"network": {"hub_address": "https://hub.example.org"}}))
    for call in (calls.SearchHub(words="x"), calls.FitHubFile(repository=REPOSITORY, file="Q8_0")):
        with pytest.raises(UserError, match="switched off"):
            ask(core, call)
    assert not fake.asked


def test_a_header_on_which_llama_cpp_ends_is_unknown(core: Workbench, tmp_path: Path, monkeypatch: Any) -> None:
    from workbench.base.errors import WorkerDied
    from workbench.subjects.models import fitting

    def die(*arguments: Any, **options: Any) -> Any:
        raise WorkerDied("fitting", -6)

    monkeypatch.setattr(fitting.WorkerHost, "call", die)
    fit = ask(core, calls.FitModel(name=str(tmp_path / "there.gguf")))
    assert (fit.verdict, fit.source) == ("unknown", "estimate")
    assert json.dumps(fit.reason)


def offer(monkeypatch: pytest.MonkeyPatch, fake: FakeHub, *repositories: str, licence: str = "apache-2.0") -> None:
    """Offer these repositories in this order."""
    from workbench.subjects.models import suggesting

    about = {"licence": licence, "purpose": "It answers.", "languages": "English", "context_tokens": 8_192}
    models = tuple(
        suggesting.Offer(title=one, repository=one, file="Q8_0", bytes=1_000_000 - place, **about)
        for place, one in enumerate(repositories)
    )
    offers = Offers(models=models, processor_bytes=5_000_000_000, checked="2026-11-30")
    monkeypatch.setattr(suggesting, "read_offers", lambda: offers)


def test_the_first_offer_that_is_free_and_fits_is_suggested_and_downloads_beside_the_reading(
    core: Workbench, fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = (tmp_path / "there.gguf").read_bytes()
    fake.add_repository("owner/gated", {NAME: model}, gated="manual")
    fake.add_repository("owner/changed", {NAME: model}, licence="other")
    fake.add_repository("owner/other", {"model-Q4_0.gguf": model})
    fake.add_repository("owner/good", {NAME: model})
    offer(monkeypatch, fake, "owner/gated", "owner/changed", "owner/other", "owner/good", "owner/never")
    found = ask(core, calls.SuggestModel())
    assert (found.repository, found.file, found.licence) == ("owner/good", NAME, "apache-2.0")
    assert (found.bytes, found.fit.verdict, found.revision) == (len(model), "processor", fake.commit)
    assert not any("never" in path for path, *_ in fake.asked)
    fake.block_s = 0.2  # the download lasts longer than the reading
    run = ask(core, calls.DownloadModel(repository=found.repository, file=found.file, revision=found.revision))
    (tmp_path / "pump.txt").write_text("The warranty of the pump runs for 36 months.")
    ask(core, calls.RegisterStarter())
    collection = ask(core, calls.CreateCollection(name="Pumps"))
    reading = ask(core, calls.AddDocuments(collection=collection.id, paths=(str(tmp_path / "pump.txt"),)))
    read = [event for event in core.handle(calls.FollowRun(run=reading.id)) if isinstance(event, events.TERMINAL)]
    assert isinstance(read[-1], events.Finished)
    assert ask(core, calls.GetRun(run=run.id)).state == "running"
    fake.block_s = 0.0
    ends = [event for event in core.handle(calls.FollowRun(run=run.id)) if isinstance(event, events.TERMINAL)]
    assert isinstance(ends[-1], events.Finished)
    assert {one.name for one in ask(core, calls.ListModels()).models} >= {ends[-1].result["model"]}


def test_nothing_is_suggested_that_does_not_fit_or_while_the_hub_is_off(
    core: Workbench, fake: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, fake, REPOSITORY)  # its licence is another one there
    fake.add_repository(REPOSITORY, {NAME: b"x"}, licence="other")
    with pytest.raises(UserError, match="No larger model"):
        ask(core, calls.SuggestModel())
    ask(core, calls.ChangeSettings(values={"network": {"hub_address": "https://hub.example.org"}}))
    before = len(fake.asked)
    with pytest.raises(UserError, match="switched off"):
        ask(core, calls.SuggestModel())
    assert len(fake.asked) == before
