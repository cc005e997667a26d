"""Files of judgements: imported, with bad rows named, and exported whole or not at all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.durability import written_beside
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.streams import Handlers
from workbench.records.judgement_reports import ExportReport, ImportReport, LeftOut
from workbench.records.judgements import JudgementFilter
from workbench.subjects.judgements.calls import ExportJudgements, ImportJudgements
from workbench.subjects.judgements.reading import ReadFile, place_in, read_judgements
from workbench.subjects.judgements.service import Judgements, check_judgement
from workbench.subjects.judgements.statistics import statement_of
from workbench.subjects.judgements.writing import rows_of

MOST_REFUSED_NAMED = 50
_NAMED_IDS = 100


@dataclass(frozen=True, eq=False)
class JudgementFiles:
    _judgements: Judgements

    def handlers(self) -> Handlers:
        return {ImportJudgements: self.import_file, ExportJudgements: self.export}

    def import_file(self, call: ImportJudgements, context: RequestContext) -> Iterator[Event]:
        path = absolute_path(call.path)
        if call.limit < 0 or call.margin < 0:
            raise UserError("The limit and the margin are 0 or more.")

        def read(emit: Callable[[Event], None]) -> ReadFile:
            def tell(rows: int) -> None:
                context.raise_if_cancelled()
                emit(events.Progress(stage="reading", done=rows, unit="rows"))

            return read_judgements(
                path,
                form=call.form,
                columns=call.columns,
                counts_from=call.counts_from,
                margin=call.margin,
                limit=call.limit,
                check=check_judgement,
                report=tell,
            )

        found = yield from with_progress(read)
        refused = [f"{place_in(one.source)}: {one.reason}" for one in found.refused]
        if not found.judgements:
            raise UserError(
                f"{path.name} holds no judgements: {refused[0] if refused else 'it is empty.'}",
                "Correct its rows, or name the columns.",
            )
        known = {statement_of(one) for one in self._judgements.each(JudgementFilter())}
        fresh = [one for one in found.judgements if statement_of(one) not in known]
        now = time.time()
        ids = self._judgements.put(
            [msgspec.structs.replace(one, id="", created=one.created or now, changed=now, origins=()) for one in fresh],
            f"Import of {path.name}",
        )
        yield finish(
            ImportReport(
                path=str(path),
                form=found.table.form,
                why=found.table.why,
                rows=found.rows,
                added=len(ids),
                duplicates=len(found.judgements) - len(fresh),
                refused=tuple(refused[:MOST_REFUSED_NAMED]),
                more_refused=max(0, len(refused) - MOST_REFUSED_NAMED),
                ids=tuple(ids[:_NAMED_IDS]),
            )
        )

    def export(self, call: ExportJudgements, context: RequestContext) -> Iterator[Event]:
        path = absolute_path(call.path)
        left_out: Counter[str] = Counter()
        written = 0
        with written_beside(path) as beside:
            with beside.open("wb") as file:
                for number, judgement in enumerate(self._judgements.each(call.which)):
                    if number % 500 == 0:
                        context.raise_if_cancelled()
                        yield events.Progress(stage="writing", done=number, unit="judgements")
                    try:
                        rows = rows_of(judgement, call.form)
                    except UserError as error:
                        left_out[error.message] += 1
                        continue
                    for row in rows:
                        file.write(msgspec.json.encode(row) + b"\n")
                    written += len(rows)
            if not written:
                reasons = " ".join(f"{count:,}: {reason}" for reason, count in left_out.most_common())
                raise UserError(f"There is nothing to export. {reasons}".strip(), "Choose others, or another format.")
        counted = tuple(LeftOut(reason=reason, count=count) for reason, count in left_out.most_common())
        yield finish(ExportReport(path=str(path), form=call.form, rows=written, left_out=counted))
