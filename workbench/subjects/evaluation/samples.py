"""The question sets that are shipped (``resources/questions``), so that a first comparison needs no file.

A sample has a fixed id in the home: it is added once, and is the same set after it was edited.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, follow
from workbench.base.errors import UserError
from workbench.base.naming import free_name
from workbench.base.paths import RESOURCES
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.documents import SAMPLE_COLLECTION, SAMPLE_FILES, AddResult
from workbench.records.evaluation import QuestionSet
from workbench.subjects.documents.calls import AddDocuments, CreateCollection, ListCollections
from workbench.subjects.documents.service import Documents
from workbench.subjects.evaluation.calls import AddSampleSet, ListSampleSets, SampleSet, SampleSetList
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.questions import draw_splits, read_questions
from workbench.subjects.runs.calls import FollowRun
from workbench.subjects.runs.queue import Runs

SAMPLE_SETS = (
    SampleSet(
        name="departments",
        title="Customers' messages",
        sentence="Each message of a customer goes to one of six departments.",
        questions=180,
        task="choice",
        minutes=15,
    ),
    SampleSet(
        name="sums",
        title="One-step sums",
        sentence="Each question is a small sum in words, whose answer is a number.",
        questions=200,
        task="number",
    ),
    SampleSet(
        name="sample-documents",
        title="Questions on the sample documents",
        sentence="Customers ask about pumps, prices and the warranty; nine of the questions have no answer there.",
        questions=52,
        task="documents",
        collection=SAMPLE_COLLECTION,
    ),
)
"""The sample sets, the simplest first."""
TUNE_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class SampleSets:
    _store: QuestionStore
    _documents: Documents
    _runs: Runs
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            ListSampleSets: unary(lambda call: SampleSetList(samples=SAMPLE_SETS)),
            AddSampleSet: self.add,
        }

    def add(self, call: AddSampleSet, context: RequestContext) -> Iterator[Event]:
        sample = next((one for one in SAMPLE_SETS if call.name in (one.name, one.title)), None)
        if sample is None:
            names = ", ".join(one.name for one in SAMPLE_SETS)
            raise UserError(f"There is no sample set named {call.name!r}.", f"The sample sets are {names}.")
        found = self._in_home(sample) or self._add(sample)
        if sample.collection:
            yield from self._read_documents(context)
        yield finish(found)

    def _in_home(self, sample: SampleSet) -> QuestionSet | None:
        return next((one for one in self._store.list_sets() if one.id == _identity(sample)), None)

    def _add(self, sample: SampleSet) -> QuestionSet:
        rows = read_questions(RESOURCES / "questions" / f"{sample.name}.jsonl").rows
        taken = {one.name for one in self._store.list_sets()}
        made = self._store.add(
            free_name(sample.title, taken),
            rows,
            draw_splits(rows, TUNE_SHARE, seed=0),
            seed=0,
            origin="sample",
            notes=(),
            origins=(),
            identity=_identity(sample),
        )
        self._changes.publish("questions", made.id)
        return made

    def _read_documents(self, context: RequestContext) -> Iterator[Event]:
        """Have the sample documents in their collection, and wait for it."""
        known = self._documents.list_collections(ListCollections()).collections
        found = next((one for one in known if one.name == SAMPLE_COLLECTION), None)
        if found is not None and found.documents >= SAMPLE_FILES and not found.unfinished:
            return
        collection = found or self._documents.create(CreateCollection(name=SAMPLE_COLLECTION))
        run = self._documents.add(AddDocuments(collection=collection.id, paths=(str(RESOURCES / "samples"),)))
        yield from follow(AddResult, self._runs.follow(FollowRun(run=run.id), context))


def _identity(sample: SampleSet) -> str:
    return f"sample-{sample.name}"
