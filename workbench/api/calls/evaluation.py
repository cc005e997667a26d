"""Question sets, and evaluations of recipes on them."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.api.protocol import Call
from workbench.records.evaluation import NumberedQuestion, Part, QuestionSet


class QuestionSetList(msgspec.Struct, frozen=True, kw_only=True):
    sets: tuple[QuestionSet, ...]


class QuestionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Questions of a set from ``first`` on, of ``total``."""

    total: int
    first: int
    questions: tuple[NumberedQuestion, ...]


class CreateQuestionSet(Call[QuestionSet], frozen=True, kw_only=True, tag="questions.create"):
    """Make a question set; streams Progress in rows. ``source``:

    ``file``: the file or folder ``path``: JSON Lines, JSON, CSV, Parquet, Arrow, a Hugging Face folder. Its shape is
    told by its columns, unless ``columns`` names those of ``question``, ``expected``, ``context`` or ``choices``.
    ``with_context`` puts a context before its question; without it the documents have to be searched. ``chats``: the
    questions of ``chats`` (ids; () of all) whose answers were rated as good, edited or chosen: these are expected.
    ``data``: the examples of the data set ``path``, such as pairs from documents.

    ``tune_share`` of the questions, drawn with ``seed``, are for tuning for good, the others are held out. ``limit`` is
    the maximum number of questions, 0 for all. Without a ``name`` it is the file's.
    """

    source: Literal["file", "chats", "data"] = "file"
    path: str = ""
    chats: tuple[str, ...] = ()
    name: str = ""
    columns: dict[str, str] = {}
    with_context: bool = True
    limit: int = 0
    tune_share: float = 0.5
    seed: int = 0


class ListQuestionSets(Call[QuestionSetList], frozen=True, kw_only=True, tag="questions.list"):
    """The question sets of the home, the latest first."""


class ListQuestions(Call[QuestionPage], frozen=True, kw_only=True, tag="questions.rows"):
    """Questions of a set, by its name or id."""

    question_set: str
    part: Part = "all"
    first: int = 0
    limit: int = 100


class RemoveQuestionSet(Call[QuestionSetList], frozen=True, kw_only=True, tag="questions.remove"):
    """Delete a question set. Evaluations on it keep their questions."""

    question_set: str
