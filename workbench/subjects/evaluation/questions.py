"""Questions from data files: rows of many shapes, told by their columns, as questions with expected answers.

Files are read by the readers of training data. Known are the shapes of GSM8K, SQuAD and XQuAD (flat and nested),
multiple choice (MMLU, ARC, HellaSwag), BIG-bench, OpenAI evals, pairs of prompt and expected answer, and conversations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.records.evaluation import NumberedQuestion, QuestionRow, Split, shuffled
from workbench.records.messages import Message
from workbench.training.data.examples import Example
from workbench.training.data.formats import ROWS_LOOKED_AT, recognise, to_example
from workbench.training.data.reading import read_rows

MOST_QUESTIONS = 100_000
_MOST_REFUSED = 20

_Values = dict[str, Any]
_QUESTIONS = ("question", "prompt", "input", "query", "problem", "instruction", "ctx", "goal")
_EXPECTED = (
    "expected", "answers", "ideal", "references", "reference", "target", "targets", "answer", "output", "completion",
    "response", "solution", "label",
)  # fmt: skip
_CHOICES = ("choices", "options", "endings")
_RIGHT = ("answer", "answerkey", "answer_key", "label", "gold", "correct", "target", "answer_index", "answer_idx")
_CONTEXTS = ("context", "passage", "background")
_NO = ("no", "false", "0", "nein", "falsch")
_GSM8K = re.compile(r"####\s*(\S.*?)\s*$")


class Columns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which columns make a question, where that is not told by their names. "" are found by their names."""

    question: str = ""
    expected: str = ""
    context: str = ""
    choices: str = ""


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """The questions of a file, and the rows that are none, with the reason."""

    rows: tuple[QuestionRow, ...]
    refused: tuple[Shown, ...]
    more_refused: int = 0


def read_questions(
    path: Path,
    *,
    columns: Columns | None = None,
    with_context: bool = True,
    limit: int = 0,
    report: Callable[[int], None] = lambda rows: None,
) -> Questions:
    """The questions of a file or folder; at most ``limit`` of them (0: all). A context is put before its question
    unless ``with_context`` is False: then the documents have to be searched for it.

    ``report`` hears how many have been read, and may raise. Raises UserError for what cannot be read, and when no row
    is a question.
    """
    columns = columns or Columns()
    found: list[QuestionRow] = []
    refused: list[Shown] = []
    rows = read_rows(path)
    first = list(islice(rows, ROWS_LOOKED_AT))
    conversations = recognise(first).mapping if columns == Columns() else None
    if conversations is not None and (not conversations.messages or conversations.messages.lower() in _QUESTIONS):
        conversations = None  # its questions and expected answers are in columns of their own
    flat = (msgspec.structs.replace(row, values=values) for row in chain(first, rows) for values in _flat(row.values))
    for place, row in enumerate(flat):
        if place % 500 == 0:
            report(place)
        try:
            if conversations is not None:
                found.append(_of_example(to_example(row, conversations)))
            else:
                found.append(_of_values(row.values, columns, with_context))
        except UserError as error:
            refused.append(f"{row.source}: {error.message}")
        if limit and len(found) >= limit:
            break
        if len(found) > MOST_QUESTIONS:
            raise UserError(f"{path.name} holds more than {MOST_QUESTIONS:,} questions.", "Set a limit.")
    if not found:
        raise UserError(
            f"{path.name} holds no questions: {refused[0] if refused else 'it is empty.'}",
            "Name the columns of the question and of the expected answer.",
        )
    more = max(0, len(refused) - _MOST_REFUSED)
    return Questions(rows=tuple(found[: limit or None]), refused=tuple(refused[:_MOST_REFUSED]), more_refused=more)


def questions_of(examples: Iterable[Example]) -> tuple[QuestionRow, ...]:
    """Examples of chats or data sets as questions: the last answer is the expected one."""
    return tuple(_of_example(example) for example in examples if len(example.messages) > 1)


def draw_splits(rows: Sequence[QuestionRow], tune_share: float, seed: int) -> list[Split]:
    """Which questions are for tuning: about ``tune_share`` of them. Questions with the same content are on one side,
    whatever the order of the rows."""

    def drawn(key: str) -> bytes:
        return blake2b(f"{seed} {key}".encode(), digest_size=8).digest()

    keys = sorted({row.key for row in rows}, key=drawn)
    tune = set(keys[: round(tune_share * len(keys))])
    return ["tune" if row.key in tune else "held-out" for row in rows]


def draw_questions(questions: Sequence[NumberedQuestion], limit: int, seed: int) -> list[NumberedQuestion]:
    """So many questions, whichever the order of the set."""
    return sorted(shuffled(questions, seed)[:limit], key=lambda one: one.number)


# -- rows ----------------------------------------------------------------------------------------------


def _flat(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a nested one: SQuAD's articles hold paragraphs, which hold questions."""
    if isinstance(values.get("paragraphs"), list):
        for paragraph in values["paragraphs"]:
            yield from _flat({"title": values.get("title"), **paragraph} if isinstance(paragraph, dict) else {})
    elif isinstance(values.get("qas"), list):
        rest = {name: value for name, value in values.items() if name != "qas"}
        for asked in values["qas"]:
            yield {**rest, **asked} if isinstance(asked, dict) else {}
    else:
        yield values


def _of_example(example: Example) -> QuestionRow:
    *asked, answer = example.messages
    if not asked or asked[-1].role != "user" or answer.role != "assistant":
        raise UserError("it holds no question with an answer after it.")
    path = example.source.path if example.source.origin in ("document", "pair") else ""
    expected = (answer.content.strip(),) if answer.content.strip() else ()
    return QuestionRow(messages=tuple(asked), expected=expected, sources=(Path(path).name,) if path else ())


def _of_values(values: _Values, columns: Columns, with_context: bool) -> QuestionRow:
    known = {name.strip().lower(): name for name in reversed(values)}

    def column(chosen: str, names: Sequence[str]) -> str:
        if chosen and chosen not in values:
            raise UserError(f"it has no column {chosen!r}.")
        return chosen or next((known[name] for name in names if name in known), "")

    asked = column(columns.question, _QUESTIONS)
    if not asked:
        raise UserError(f"none of its columns is a question: {', '.join(map(repr, values)) or 'it has none'}.")
    messages = _asked(values[asked], asked)
    context = column(columns.context, _CONTEXTS)
    if context and context != asked and with_context and _text(values[context]).strip():
        said = f"{_text(values[context]).strip()}\n\n{messages[-1].content}"
        messages = (*messages[:-1], msgspec.structs.replace(messages[-1], content=said))
    chosen = column(columns.choices, _CHOICES)
    lettered = [known[letter.lower()] for letter in ascii_uppercase[:10] if letter.lower() in known]
    identity = str(values.get(known.get("id", ""), ""))
    sources = tuple(_texts(values.get(known.get("sources", ""))))
    if chosen or len(lettered) > 1 or "target_scores" in known:
        names = tuple(name for name in (columns.expected, *_RIGHT) if name)
        right = next((values[known[name.lower()]] for name in names if name.lower() in known), None)
        choices, choice = _choices(values, chosen, lettered, right, values.get(known.get("target_scores", "")))
        expected: tuple[str, ...] = (ascii_uppercase[choice], choices[choice]) if choice >= 0 else ()
        return QuestionRow(
            messages=messages, expected=expected, choices=choices, choice=choice, sources=sources, id=identity
        )
    found = column(columns.expected, _EXPECTED)
    expected = tuple(dict.fromkeys(_accepted(values[found]))) if found and found != asked else ()
    need, points = (_groups(values.get(known.get(name, ""))) for name in ("need", "points"))
    impossible = _is_impossible({name: values[column] for name, column in known.items()})
    empty = bool(found) and found == known.get("answers") and not (expected or need or points)
    return QuestionRow(
        messages=messages,
        expected=expected,
        sources=sources,
        answerable=not (impossible or empty),
        id=identity,
        need=need,
        points=points,
        reject=tuple(_accepted(values.get(known.get("reject", "")))),
    )


def _is_impossible(values: _Values) -> bool:
    """Whether a row says that its question has no answer; ``values`` are by the columns' names in small letters."""
    says_no = str(values.get("answerable", "")).strip().lower() in _NO
    says_so = str(values.get("is_impossible", values.get("unanswerable", ""))).strip().lower()
    return says_no or says_so not in ("", "none", *_NO) or values.get("kind") == "unanswerable"


def _groups(value: Any) -> tuple[tuple[str, ...], ...]:
    """Groups of spellings: lists in a list, as JSON in a cell of a table; a text among them is a group by itself."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _json(value)
    groups = value if isinstance(value, list) else [value] if value else []
    return tuple(group for one in groups if (group := tuple(dict.fromkeys(_accepted(one)))))


def _asked(value: Any, name: str) -> tuple[Message, ...]:
    if isinstance(value, list) and value and all(isinstance(turn, dict) for turn in value):
        try:
            turns = tuple(Message(turn["role"], _text(turn["content"])) for turn in value)
        except KeyError as error:
            raise UserError(f"a turn of {name!r} has no {error.args[0]!r}.") from error
        if turns[-1].role != "user":
            raise UserError(f"{name!r} does not end with a question.")
        return turns
    text = _text(value).strip()
    if not text:
        raise UserError(f"{name!r} is empty.")
    return (Message("user", text),)


def _choices(
    values: _Values, column: str, lettered: Sequence[str], right: Any, scores: Any
) -> tuple[tuple[str, ...], int]:
    """The choices and the index of the right one, -1 when it is not known."""
    if isinstance(scores, dict) and scores:  # BIG-bench: the score of each choice
        return tuple(map(str, scores)), max(range(len(scores)), key=list(scores.values()).__getitem__)
    given = values[column] if column else [values[name] for name in lettered]
    if isinstance(given, str) and given.lstrip().startswith("["):
        given = _json(given)
    labels: Sequence[Any] = ascii_uppercase
    if isinstance(given, dict) and "text" in given:  # ARC
        given, labels = given["text"], given.get("label", labels)
    choices = tuple(_text(choice).strip() for choice in given) if isinstance(given, list) else ()
    if len(choices) < 2 or len(choices) > len(ascii_uppercase):
        raise UserError(f"it has {len(choices)} choices; from 2 to {len(ascii_uppercase)} can be given.")
    if right is None or right == "":
        return choices, -1
    said = str(right).strip()
    if said in map(str, labels) and not (said.isdigit() and labels is ascii_uppercase):
        return choices, [str(label) for label in labels].index(said)
    if said.isdigit() and int(said) < len(choices):
        return choices, int(said)
    if said in choices:
        return choices, choices.index(said)
    raise UserError(f"{said!r} is none of its choices.")


def _accepted(value: Any) -> Iterator[str]:
    """Each accepted answer; of GSM8K's solutions the number at their end."""
    for text in _texts(value):
        if match := _GSM8K.search(text):
            yield match[1].replace(",", "")
        elif text.strip():
            yield text.strip()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        value = _json(value)  # a list in a cell of a table
    if isinstance(value, dict):  # SQuAD in columns: {"text": [...], "answer_start": [...]}
        value = value.get("text")
    if value is None:
        return []
    return [_text(one) for one in value] if isinstance(value, list) else [_text(value)]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    if isinstance(value, dict):  # SQuAD: {"text": ..., "answer_start": ...}
        value = value.get("text", "")
    if value is None or isinstance(value, list | dict):
        return "" if value is None else json.dumps(value, ensure_ascii=False)
    return str(value)
