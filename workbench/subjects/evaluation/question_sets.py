"""The home's question sets: made of files, chats and data sets, listed, removed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.records.answers import StoredMessage, origins_in
from workbench.records.evaluation import QuestionSet
from workbench.records.origins import Origins
from workbench.subjects.chats.store import ChatStore
from workbench.subjects.datasets.store import DatasetStore
from workbench.subjects.evaluation.benchmarks import find_benchmark, read_benchmark, use_of
from workbench.subjects.evaluation.calls import (
    CreateQuestionSet,
    EditQuestion,
    ListQuestions,
    ListQuestionSets,
    QuestionPage,
    QuestionSetList,
    RemoveQuestionSet,
)
from workbench.subjects.evaluation.question_store import QuestionStore
from workbench.subjects.evaluation.questions import Columns, Questions, draw_splits, questions_of, read_questions
from workbench.training.data.chats import examples_from_chats

LONGEST_PAGE = 1_000


@dataclass(frozen=True, eq=False)
class QuestionSets:
    _store: QuestionStore
    _chats: ChatStore
    _data: DatasetStore
    _changes: ChangeNotifier

    def handlers(self) -> Handlers:
        return {
            CreateQuestionSet: self.create,
            ListQuestionSets: unary(lambda call: QuestionSetList(sets=self._store.list_sets())),
            ListQuestions: unary(self.list_questions),
            EditQuestion: unary(self.edit),
            RemoveQuestionSet: unary(self.remove),
        }

    def create(self, call: CreateQuestionSet, context: RequestContext) -> Iterator[Event]:
        if not 0 <= call.tune_share <= 1:
            raise UserError("The share of questions for tuning must be from 0 to 1.")
        use, origins = None, cast("Origins", ())
        if call.source == "benchmark":
            known = find_benchmark(call.benchmark)
            use = use_of(known, known.shots if call.shots < 0 else call.shots)
        if call.source == "chats":
            name = self._store.check_name(call.name or "From chats")
            chosen = self._messages(call)
            read, origin, origins = self._from_chats(call, chosen), "answers from chats", origins_in(chosen)
        else:
            data = self._data.get(call.path) if call.source == "data" else None
            path, origins = (Path(data.path), data.origins) if data is not None else (absolute_path(call.path), ())
            name = self._store.check_name(call.name or (path.stem if use is None else f"{use.title} {path.stem}"))
            read, origin = (yield from self._from_file(path, call, context)), path.name
        notes = list(read.refused)
        if notes:
            left_out = len(notes) + read.more_refused
            rows = "1 row is no question and was" if left_out == 1 else f"{left_out:,} rows are no questions and were"
            notes.insert(0, f"{rows} left out.")
        splits = draw_splits(read.rows, call.tune_share, call.seed)
        made = self._store.add(
            name, read.rows, splits, seed=call.seed, origin=origin, notes=notes, benchmark=use, origins=origins
        )
        self._changes.publish("questions", made.id)
        yield finish(made)

    def list_questions(self, call: ListQuestions) -> QuestionPage:
        found = self._store.get(call.question_set)
        limit = min(max(0, call.limit), LONGEST_PAGE)
        rows = tuple(self._store.questions(found, call.part, max(0, call.first), limit))
        total = {"all": found.questions, "tune": found.tune, "held-out": found.questions - found.tune}[call.part]
        return QuestionPage(total=total, first=call.first, questions=rows)

    def edit(self, call: EditQuestion) -> QuestionSet:
        question = call.question
        if question is not None and (not question.messages or not question.text.strip()):
            raise UserError("The question is empty.", "Write a question, or remove it.")
        if question is not None and question.choices and not -1 <= question.choice < len(question.choices):
            raise UserError("The right choice is none of the choices.", "Choose one of them.")
        edited = self._store.edit(self._store.get(call.question_set), call.number, question, call.split)
        self._changes.publish("questions", edited.id)
        return edited

    def remove(self, call: RemoveQuestionSet) -> QuestionSetList:
        found = self._store.get(call.question_set)
        self._store.remove(found)
        self._changes.publish("questions", found.id)
        return QuestionSetList(sets=self._store.list_sets())

    def _messages(self, call: CreateQuestionSet) -> list[StoredMessage]:
        chats = call.chats or tuple(chat.id for chat in self._chats.list_chats())
        return [message for chat in chats for message in self._chats.get_chat(chat).messages]

    def _from_chats(self, call: CreateQuestionSet, messages: Sequence[StoredMessage]) -> Questions:
        ratings = {message.id: message.rating for message in messages if message.rating}
        edits = {message.id: message.text for message in messages if message.original is not None}
        rows = questions_of(examples_from_chats(messages, ratings=ratings, edits=edits))
        if not rows:
            raise UserError("No answers from chats can be expected.", "Rate answers as good, or correct them.")
        return Questions(rows=rows[: call.limit or None], refused=())

    def _from_file(
        self, path: Path, call: CreateQuestionSet, context: RequestContext
    ) -> Generator[Event, None, Questions]:
        try:
            columns = msgspec.convert(call.columns, Columns)
        except msgspec.ValidationError as error:
            named = ", ".join(Columns.__struct_fields__)
            raise UserError(f"The columns cannot be named so: {error}.", f"Columns are {named}.") from error

        def read(report: Callable[[Event], None]) -> Questions:
            def tell(rows: int) -> None:
                context.raise_if_cancelled()
                report(events.Progress(stage="reading", done=rows, unit="rows"))

            if call.source == "benchmark":
                known = find_benchmark(call.benchmark)
                shots = known.shots if call.shots < 0 else call.shots
                examples = absolute_path(call.examples) if call.examples else None
                return read_benchmark(known, path, examples, shots, call.limit, tell)
            return read_questions(path, columns=columns, with_context=call.with_context, limit=call.limit, report=tell)

        return (yield from with_progress(read))
