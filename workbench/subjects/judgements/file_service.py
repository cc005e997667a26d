"""Files of judgements: imported, with bad rows named, and exported whole or not at all.

Judgements as rows of the formats in ``formats``. A format that cannot say a judgement raises UserError with why.

Responses with rewards as judgements: those to one prompt are compared by the difference of their rewards.

A file of judgements, read under the limits of training data: its judgements, and the rows that are none.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice
from pathlib import Path
from typing import Any

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish, with_progress
from workbench.base.durability import written_beside
from workbench.base.errors import UserError
from workbench.base.paths import absolute_path
from workbench.core.streams import Handlers
from workbench.records.judgement_reports import ExportReport, ImportReport, LeftOut
from workbench.records.judgements import (
    JUDGEMENT,
    JudgedAnswer,
    Judgement,
    JudgementFilter,
    JudgementSource,
    PreferenceForm,
    Verdict,
)
from workbench.records.messages import Message
from workbench.subjects.judgements.calls import ExportJudgements, ImportJudgements
from workbench.subjects.judgements.formats import Table, judgements_of_row, recognise_form, table_of_columns
from workbench.subjects.judgements.row_parts import answer_in, asked, loaded, number_in
from workbench.subjects.judgements.service import Judgements, check_judgement
from workbench.subjects.judgements.statistics import statement_of
from workbench.subjects.judgements.training_rows import turns
from workbench.training.data.columns import is_turns, value_of
from workbench.training.data.examples import Source
from workbench.training.data.formats import ROWS_LOOKED_AT, Refusal
from workbench.training.data.preferences import read_dialogue
from workbench.training.data.reading import read_rows
from workbench.training.data.rows import Row

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
                f"{path.name} holds no preferences: {refused[0] if refused else 'it is empty.'}",
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
                        yield events.Progress(stage="writing", done=number, unit="preferences")
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


Rows = list[dict[str, Any]]


def rows_of(judgement: Judgement, form: PreferenceForm) -> Rows:
    """The rows of one judgement, at least one. Raises UserError where the format cannot say it."""
    if judgement.unreadable:
        raise UserError("It cannot be read.")
    if not judgement.verdict:
        raise UserError("It has not been judged yet.")
    return _WRITE[form](judgement)


def _own(judgement: Judgement) -> Rows:
    plain = JUDGEMENT.plain(judgement)
    plain.pop("queue", None)  # of this home
    return [plain]


def _pairs(judgement: Judgement) -> list[tuple[JudgedAnswer, JudgedAnswer]]:
    found = list(judgement.pairs())
    if not found:
        raise UserError("It does not say which of two answers is better.")
    return found


def _rated(judgement: Judgement) -> list[tuple[JudgedAnswer, bool]]:
    found = list(judgement.ratings())
    if not found:
        raise UserError("It does not say of an answer that it is good or bad.")
    return found


def _text_prompt(judgement: Judgement) -> str:
    """The prompt as one text. Raises UserError for instructions and earlier turns."""
    [*before, last] = judgement.prompt
    if before or last.role != "user":
        raise UserError("Its prompt has instructions or several turns, and the format takes one text.")
    return last.content


def _said(answer: JudgedAnswer) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": answer.text}]


def _margin(better: JudgedAnswer, worse: JudgedAnswer) -> dict[str, Any]:
    return {} if better.score is None or worse.score is None else {"margin": better.score - worse.score}


def _trl(judgement: Judgement) -> Rows:
    prompt = _text_prompt(judgement)
    return [
        {"prompt": prompt, "chosen": one.text, "rejected": other.text, **_margin(one, other)}
        for one, other in _pairs(judgement)
    ]


def _trl_chat(judgement: Judgement) -> Rows:
    prompt = turns(judgement.prompt)
    return [
        {"prompt": prompt, "chosen": _said(one), "rejected": _said(other), **_margin(one, other)}
        for one, other in _pairs(judgement)
    ]


def _trl_rated(judgement: Judgement) -> Rows:
    prompt = _text_prompt(judgement)
    return [{"prompt": prompt, "completion": one.text, "label": good} for one, good in _rated(judgement)]


def _trl_rated_chat(judgement: Judgement) -> Rows:
    prompt = turns(judgement.prompt)
    return [{"prompt": prompt, "completion": _said(one), "label": good} for one, good in _rated(judgement)]


def _hh(judgement: Judgement) -> Rows:
    if any(message.role not in ("user", "assistant") for message in judgement.prompt):
        raise UserError("Its prompt has instructions, which the format does not take.")
    return [
        {"chosen": _dialogue(judgement.prompt, one), "rejected": _dialogue(judgement.prompt, other)}
        for one, other in _pairs(judgement)
    ]


def _dialogue(prompt: Sequence[Message], answer: JudgedAnswer) -> str:
    """Raises UserError where a text looks like the name of a speaker, so that it could not be read again."""
    said = [*prompt, Message("assistant", answer.text)]
    names = {"user": "Human", "assistant": "Assistant"}
    text = "".join(f"\n\n{names[message.role]}: {message.content}" for message in said)
    read = read_dialogue(text)
    if read is None or [(m.role, m.content) for m in read] != [(m.role, m.content.strip()) for m in said]:
        raise UserError("Its texts look like the names of speakers.")
    return text


def _ultrafeedback(judgement: Judgement) -> Rows:
    before = turns(judgement.prompt)
    return [
        {
            "prompt": judgement.question,
            "prompt_id": judgement.prompt_key,
            "chosen": [*before, *_said(one)],
            "rejected": [*before, *_said(other)],
            "messages": [*before, *_said(one)],
            "score_chosen": one.score,
            "score_rejected": other.score,
        }
        for one, other in _pairs(judgement)
    ]


def _arena(judgement: Judgement) -> Rows:
    if judgement.b is None:
        raise UserError("It is of one answer, and the format compares two.")
    before = turns(judgement.prompt)
    winner = {"a": "model_a", "b": "model_b", "tie": "tie", "bad": "tie (bothbad)"}[judgement.verdict]
    return [
        {
            "question_id": judgement.prompt_key,
            "model_a": judgement.a.name,
            "model_b": judgement.b.name,
            "winner": winner,
            "judge": judgement.judge_name or judgement.judge,
            "conversation_a": [*before, *_said(judgement.a)],
            "conversation_b": [*before, *_said(judgement.b)],
            "turn": sum(message.role == "user" for message in judgement.prompt),
            "tstamp": judgement.created,
        }
    ]


def _sharegpt(judgement: Judgement) -> Rows:
    names = {"user": "human", "assistant": "gpt", "tool": "observation"}
    system = "\n\n".join(message.content for message in judgement.prompt if message.role == "system")
    asked = [{"from": names[m.role], "value": m.content} for m in judgement.prompt if m.role != "system"]
    return [
        {
            "conversations": asked,
            "chosen": {"from": "gpt", "value": one.text},
            "rejected": {"from": "gpt", "value": other.text},
            **({"system": system} if system else {}),
        }
        for one, other in _pairs(judgement)
    ]


def _openai(judgement: Judgement) -> Rows:
    asked = {"messages": turns(judgement.prompt), "tools": [], "parallel_tool_calls": True}
    return [
        {"input": asked, "preferred_output": _said(one), "non_preferred_output": _said(other)}
        for one, other in _pairs(judgement)
    ]


def _candidates(judgement: Judgement) -> Rows:
    if judgement.b is None:
        raise UserError("It is of one answer, and the format compares two.")
    preference = {"a": "candidate1", "b": "candidate2", "tie": "tie", "bad": "neither"}[judgement.verdict]
    return [
        {
            "input_text": _text_prompt(judgement),
            "candidate1": judgement.a.text,
            "candidate2": judgement.b.text,
            "human_preference": preference,
        }
    ]


def _rewards(judgement: Judgement) -> Rows:
    if judgement.b is None or judgement.verdict == "bad":
        raise UserError("It does not compare two answers.")
    prompt = _text_prompt(judgement)
    usual = {"a": (1.0, 0.0), "b": (0.0, 1.0), "tie": (0.5, 0.5)}[judgement.verdict]
    given = (judgement.a.score, judgement.b.score)
    agrees = None not in given and {"a": 1, "b": -1, "tie": 0}[judgement.verdict] == _sign(given[0], given[1])
    return [
        {"prompt": prompt, "response": answer.text, "rewards": reward}
        for answer, reward in zip(judgement.answers, given if agrees else usual, strict=True)
    ]


def _sign(one: float | None, other: float | None) -> int:
    gap = (one or 0.0) - (other or 0.0)
    return (gap > 0) - (gap < 0)


def _argilla(judgement: Judgement) -> Rows:
    """A chat field for a prompt of several turns, else a text field."""
    [*before, last] = judgement.prompt
    prompt: Any = last.content if not before and last.role == "user" else turns(judgement.prompt)
    said = {"a": "response1", "b": "response2", "tie": "tie", "bad": "both bad", "good": "good", "poor": "bad"}
    value, who = said[judgement.verdict], judgement.judge_name
    fields = {f"response{place}": answer.text for place, answer in enumerate(judgement.answers, 1)}
    by_person = judgement.judge == "person"
    return [
        {
            "id": judgement.id,
            "status": "completed" if by_person else "pending",
            "prompt": prompt,
            **fields,
            "preference.responses": [value] if by_person else [],
            "preference.responses.users": [who] if by_person else [],
            "preference.responses.status": ["submitted"] if by_person else [],
            "preference.suggestion": None if by_person else value,
            "preference.suggestion.score": None if by_person else judgement.confidence,
            "preference.suggestion.agent": None if by_person else who or judgement.judge,
            "inserted_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(judgement.created)),
        }
    ]


_WRITE: dict[PreferenceForm, Callable[[Judgement], Rows]] = {
    "workbench": _own,
    "trl": _trl,
    "trl-chat": _trl_chat,
    "trl-rated": _trl_rated,
    "trl-rated-chat": _trl_rated_chat,
    "hh-rlhf": _hh,
    "ultrafeedback": _ultrafeedback,
    "argilla": _argilla,
    "arena": _arena,
    "sharegpt": _sharegpt,
    "openai": _openai,
    "candidates": _candidates,
    "rewards": _rewards,
}


MOST_RESPONSES = 20
"""Responses to one prompt of which every two are compared; of more, the first are."""


def judgements_of_rewards(
    rows: Iterable[Row], table: Table, margin: float, refused: list[Refusal]
) -> Iterator[tuple[Judgement, Row]]:
    """Each two responses to a prompt, with the row of the later one. The difference of two rewards has to be above
    ``margin`` for one of them to be preferred; else they tie. Rows that are none are added to ``refused``, among them
    the only response to a prompt."""
    groups: dict[str, list[tuple[Judgement, Row]]] = {}
    for row in rows:
        try:
            for one in _graded(row, table):
                groups.setdefault(one.prompt_key, []).append((one, row))
        except UserError as error:
            refused.append(Refusal(row.source, error.message))
    for group in groups.values():
        if len(group) == 1:
            refused.append(Refusal(group[0][1].source, "it is the only response to its prompt."))
        for (first, _), (second, row) in combinations(group[:MOST_RESPONSES], 2):
            gap = (first.a.score or 0.0) - (second.a.score or 0.0)
            verdict: Verdict = "tie" if abs(gap) <= margin else "a" if gap > 0 else "b"
            if first.a.text.strip() != second.a.text.strip():
                yield Judgement(prompt=first.prompt, a=first.a, b=second.a, verdict=verdict, judge="model"), row


def _graded(row: Row, table: Table) -> Iterator[Judgement]:
    """The responses of a row, one or a list of them, each with its reward."""
    [column] = table.answers
    prompt = asked(row.values, table.prompt)
    response, rewards = value_of(row.values, column), value_of(row.values, table.verdict)
    if isinstance(response, str) and response.lstrip().startswith("["):
        response = loaded(response)
    if isinstance(rewards, str):
        rewards = loaded(rewards)
    if isinstance(response, list) and not is_turns(response):
        if not isinstance(rewards, list) or len(rewards) != len(response):
            raise UserError(f"{table.verdict!r} has not as many numbers as {column!r} has responses.")
        pairs = list(zip(response, rewards, strict=True))
    else:
        pairs = [(response, rewards)]
    for said, reward in pairs:
        text = answer_in(said, column)
        if not text.strip():
            raise UserError(f"{column!r} is empty.")
        yield Judgement(prompt=prompt, a=JudgedAnswer(text=text, score=_reward(reward, table.verdict)), verdict="good")


def _reward(value: Any, column: str) -> float:
    """A reward; of several parts, their mean."""
    parts = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    if not parts:
        raise UserError(f"{column!r} is empty.")
    return sum(number_in(part, column) for part in parts) / len(parts)


MOST_JUDGEMENTS = 200_000


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds. ``rows`` were read; ``refused`` are rows that are no judgement, with the reason."""

    table: Table
    rows: int
    judgements: tuple[Judgement, ...]
    refused: tuple[Refusal, ...]


def read_judgements(
    path: Path,
    *,
    form: str = "",
    columns: Mapping[str, str] | None = None,
    counts_from: int = -1,
    margin: float = 0.0,
    limit: int = 0,
    check: Callable[[Judgement], None] = lambda one: None,
    report: Callable[[int], None] = lambda rows: None,
) -> ReadFile:
    """The judgements of a file or folder; at most ``limit`` rows of it (0: all). ``check`` raises UserError for a
    judgement that is not to be taken; ``report`` hears how many rows have been read, and may raise.

    Raises UserError for what cannot be read, and for columns of no known format.
    """
    rows = read_rows(path)
    first = list(islice(rows, ROWS_LOOKED_AT))
    sample = [row.values for row in first]
    table = table_of_columns(columns, sample, counts_from) if columns else recognise_form(sample, form, counts_from)
    count = 0

    def counted() -> Iterator[Row]:
        nonlocal count
        for row in islice(chain(first, rows), limit or None):
            if count % 500 == 0:
                report(count)
            count += 1
            yield row

    found: list[Judgement] = []
    refused: list[Refusal] = []
    for judgement, row in _each(counted(), table, margin, refused):
        # those of a blind test stay what nothing is trained on
        source: JudgementSource = "verdict" if judgement.source == "verdict" else "import"
        placed = msgspec.structs.replace(judgement, source=source, origin=place_in(row.source), queue="", chat="")
        try:
            check(placed)
        except UserError as error:
            refused.append(Refusal(row.source, error.message))
            continue
        found.append(placed)
        if len(found) > MOST_JUDGEMENTS:
            raise UserError(f"{path.name} holds more than {MOST_JUDGEMENTS:,} preferences.", "Set a limit.")
    refused.sort(key=lambda one: (one.source.path, one.source.row, one.source.line))
    return ReadFile(table=table, rows=count, judgements=tuple(found), refused=tuple(refused))


def place_in(source: Source) -> str:
    """The place of a row, by the name of its file."""
    return str(msgspec.structs.replace(source, path=Path(source.path).name))


def _each(rows: Iterator[Row], table: Table, margin: float, refused: list[Refusal]) -> Iterator[tuple[Judgement, Row]]:
    if table.form == "rewards":
        yield from judgements_of_rewards(rows, table, margin, refused)
        return
    for row in rows:
        try:
            made = judgements_of_row(row, table)
        except UserError as error:
            refused.append(Refusal(row.source, error.message))
            continue
        yield from ((one, row) for one in made)
