"""Data of benchmarks for clients: recognised in a file of the person, or downloaded from the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.api import events
from workbench.api.calls import FetchBenchmark, InspectBenchmark
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.core.runs.kinds.download import download_folder
from workbench.core.streams import Handlers
from workbench.errors import UserError
from workbench.evaluation.benchmark_data import inspect_benchmark
from workbench.evaluation.benchmarks import find_benchmark
from workbench.models.download import download
from workbench.models.hub import Hub
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.paths import Home, absolute_path
from workbench.records.evaluation import BenchmarkData

LARGEST_BYTES = 500_000_000


@dataclass(frozen=True, eq=False)
class BenchmarkFiles:
    _home: Home
    _gate: Gate
    _hub: Callable[[], Hub]

    def handlers(self) -> Handlers:
        return {InspectBenchmark: self.inspect, FetchBenchmark: self.fetch}

    def inspect(self, call: InspectBenchmark, context: RequestContext) -> Iterator[Event]:
        if not call.path:
            raise UserError("No file is named.", "Choose a file or a folder.")
        path = absolute_path(call.path)
        examples = absolute_path(call.examples) if call.examples else None
        yield finish((yield from with_progress(lambda report: _inspect(path, examples, context, report))))

    def fetch(self, call: FetchBenchmark, context: RequestContext) -> Iterator[Event]:
        benchmark = find_benchmark(call.benchmark)

        def work(report: Callable[[Event], None]) -> BenchmarkData:
            revision, files = self._hub().data_files(benchmark.hub.repository, benchmark.hub.folder, context=context)
            whole = sum(file.bytes for file in files)
            if not files:
                raise UserError(
                    f"{benchmark.hub.repository} has no files of {benchmark.title}.", "Import a file instead."
                )
            if whole > LARGEST_BYTES:
                raise UserError(f"The files of {benchmark.title} have {whole:,} bytes.", "Import a file instead.")
            folder = self._home.benchmarks / download_folder(benchmark.hub.repository, revision)
            before = 0

            def progress(done: int, total: int) -> None:
                report(events.Progress(stage="downloading", done=before + done, total=whole, unit="bytes"))

            with open_client(self._gate, "hub", context=context) as client:
                for file in files:
                    download(file, folder, client, context, progress=progress, headers=self._hub().headers())
                    before += file.bytes
            return _inspect(folder, None, context, report)

        yield finish((yield from with_progress(work)))


def _inspect(
    path: Path, examples: Path | None, context: RequestContext, report: Callable[[Event], None]
) -> BenchmarkData:
    def tell(rows: int) -> None:
        context.raise_if_cancelled()
        report(events.Progress(stage="reading", done=rows, unit="rows"))

    return inspect_benchmark(path, examples, tell)
