"""The hub, the fit of models and benchmarks of the fake core: one small repository, in which one model fits."""

from __future__ import annotations

from typing import Any

from tests.ui.fake_home import FakeHome
from workbench import calls as c
from workbench.base.errors import UserError
from workbench.records.evaluation import Leaderboard
from workbench.records.fit import Fit, MemoryPart
from workbench.records.hub import HubCard, HubFile, HubFiles, HubModel, RemoteFile
from workbench.subjects.models.suggesting import read_offers, recommended

REPOSITORY = "owner/small-GGUF"
FILE = HubFile(
    name="small-Q4_K_M.gguf", bytes=100_000_000, quantization="Q4_K_M",
    parts=(RemoteFile(url="https://hub.example/small", name="small-Q4_K_M.gguf", bytes=100_000_000),),
)  # fmt: skip
FIT = Fit(
    verdict="processor", context_tokens=8192, trained_tokens=8192, source="llama.cpp",
    parts=(MemoryPart(weights=100_000_000, cache=20_000_000, computing=5_000_000, free=900_000_000),),
)  # fmt: skip


def do(home: FakeHome, call: Any) -> tuple[Any, list[tuple[str, str]]] | None:
    """The result of a call, and what it changed; None for calls of others."""
    known = _answer(home, call)
    return None if known is None else (known, [])


def _answer(home: FakeHome, call: Any) -> Any:
    match call:
        case c.GetHubAccount():
            return c.HubAccount(has_token=False)
        case c.SetHubToken():
            return c.HubAccount(has_token=bool(call.token), kept=True)
        case c.SearchHub():
            return c.HubModels(models=(HubModel(repository=REPOSITORY, licence="mit", parameters=135_000_000),))
        case c.ListHubFiles():
            return HubFiles(repository=call.repository, revision="c" * 40, files=(FILE,))
        case c.ReadHubCard():
            return HubCard(repository=call.repository, text="# Small")
        case c.FitModel():
            home.model(call.name)
            return FIT
        case c.BenchModel():
            home.model(call.name)
            return c.Benchmark(
                model=call.name, prompt=1234.5, alone=50.0, together=110.0, sequences=call.sequences,
                prompt_tokens=call.prompt_tokens, new_tokens=call.new_tokens, load_seconds=0.4, device="CPU",
                threads=8, choice="", engine="llama.cpp",
            )  # fmt: skip
        case c.FitHubFile():
            return FIT
        case c.ListRecommended():
            return recommended(read_offers(), home.machine)
        case c.SuggestModel():
            return c.ModelSuggestion(
                title="Small", repository=REPOSITORY, revision="c" * 40, file=FILE.name, bytes=FILE.bytes,
                licence="mit", fit=FIT,
            )  # fmt: skip
        case c.FindLocalModels():
            return c.LocalModels(models=())
        case c.GetLeaderboard():
            return Leaderboard()
        case c.RunBenchmark() | c.DownloadModel() | c.InspectBenchmark() | c.FetchBenchmark() | c.MeasureVerification():
            raise UserError("There is no network and no benchmark here.")
    return None
