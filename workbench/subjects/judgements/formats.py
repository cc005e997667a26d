"""Formats of files of judgements: recognised by their columns, and one function each that makes judgements of a row.

Sources: TRL's dataset formats (https://huggingface.co/docs/trl/dataset_formats), HH-RLHF (Bai et al. 2022,
arXiv:2204.05862), UltraFeedback (Cui et al. 2023, arXiv:2310.01377) binarised, Chatbot Arena (Zheng et al. 2023,
arXiv:2306.05685), LLaMA-Factory's ShareGPT format, OpenAI's preference fine-tuning, Argilla's flattened records, and
two plain tables: candidates with a human preference, and responses with rewards.

Argilla's records, flattened: fields beside ``<question>.responses`` with who answered, and
``<question>.suggestion``.

See https://docs.argilla.io/latest/how_to_guides/import_export/. A question is a label (the name of a field, a number, a
letter, a tie), a ranking of the fields, or, of one field, a label good or bad.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from workbench.base.catalogue import Shown
from workbench.base.errors import UserError
from workbench.base.stored import Unreadable
from workbench.records.judgements import JUDGEMENT, JudgedAnswer, Judgement, PreferenceForm, Verdict
from workbench.records.messages import Message
from workbench.subjects.judgements.row_parts import (
    BOTH_BAD,
    GOOD,
    POOR,
    TIES,
    Values,
    answer_in,
    asked,
    decided,
    is_good,
    loaded,
    messages_in,
    number_in,
    score_in,
    verdict_in,
)
from workbench.training.data.columns import is_turns, text_of_value, value_of
from workbench.training.data.examples import Source
from workbench.training.data.preferences import read_dialogue, recognise_preferences, to_pair
from workbench.training.data.rows import Row

FORMS: tuple[PreferenceForm, ...] = get_args(PreferenceForm)

_CANDIDATE = re.compile(r"(?:candidate|response|answer|output|completion)[ _-]?([0-9]|[ab])$", re.IGNORECASE)
_PREFERENCES = ("human_preference", "preference", "preferred", "choice", "winner", "label")
_PROMPTS = ("input_text", "prompt", "instruction", "question", "query", "input", "conversations", "messages")
_SYSTEM = ("system", "system_prompt", "instructions")
_RESPONSES, _REWARDS = ("response", "responses", "completion", "completions"), ("rewards", "reward", "score", "scores")


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The facts known of a file: its format and why, and the columns that are read. ``answers`` are those of the
    candidates, ``counts_from`` the number that names the first of them, -1 where numbers do not name them."""

    form: PreferenceForm
    why: Shown
    prompt: str = ""
    answers: tuple[str, ...] = ()
    verdict: str = ""
    system: str = ""
    counts_from: int = -1


def recognise_form(sample: Sequence[Values], form: str = "", counts_from: int = -1) -> Table:
    """The format of a file by its first rows. ``form`` is what a person says that it is. Raises UserError when it is
    none that is known, or when it is not clear which candidate a number names."""
    columns = list(dict.fromkeys(name for values in sample for name in values))
    known = {name.strip().lower(): name for name in reversed(columns)}
    for one in (form,) if form else tuple(_RECOGNISE):
        found = _RECOGNISE.get(one, _is_pair)(sample, known, counts_from)
        if found is not None:
            return msgspec.structs.replace(found, form=form) if form else found
    listed = ", ".join(map(repr, columns)) or "none"
    if form:
        raise UserError(f"This is not the format {form!r}: the columns are {listed}.", "Leave the format out.")
    raise UserError(
        f"No format of preferences has these columns: {listed}.",
        "Name the columns of the prompt, of the answers a and b, and of the one that says which is better.",
    )


def table_of_columns(columns: Mapping[str, str], sample: Sequence[Values], counts_from: int) -> Table:
    """The same of columns that a person named by their roles ``prompt``, ``a``, ``b``, ``verdict``, ``system``. Without
    a verdict ``a`` is preferred. Raises UserError."""
    roles = ("prompt", "a", "b", "verdict", "system")
    if unknown := next((role for role in columns if role not in roles), ""):
        raise UserError(f"{unknown!r} is no role of a column.", f"Roles are {', '.join(roles)}.")
    if not columns.get("prompt") or not columns.get("a") or not (columns.get("b") or columns.get("verdict")):
        raise UserError(
            "The columns of a preference are unclear.", "Name those of prompt and a, and that of b or of the verdict."
        )
    answers = tuple(columns[name] for name in ("a", "b") if columns.get(name))
    verdict = columns.get("verdict", "")
    counted = _counts_from(sample, verdict, answers, counts_from) if verdict and len(answers) == 2 else -1
    return Table(
        form="candidates",
        why="The columns were named.",
        prompt=columns["prompt"],
        answers=answers,
        verdict=verdict,
        system=columns.get("system", ""),
        counts_from=counted,
    )


def judgements_of_row(row: Row, table: Table) -> list[Judgement]:
    """Raises UserError with the reason why a row is no judgement."""
    made = _READ.get(table.form, _read_pair)(row.values, table)
    if not made:
        raise UserError("it does not say which answer is better.")
    return made


# -- recognising ------------------------------------------------------------------------------------------

_Known = Mapping[str, str]
_Recognise = Callable[[Sequence[Values], _Known, int], Table | None]


def _first(known: _Known, names: Sequence[str]) -> str:
    return next((known[name] for name in names if name in known), "")


def _is_own(sample: Sequence[Values], known: _Known, counts_from: int) -> Table | None:
    if not {"prompt", "a", "verdict"} <= set(known) or not all(isinstance(v.get("a"), Mapping) for v in sample):
        return None
    return Table(form="workbench", why="The rows are preferences as LLM Workbench writes them.")


def _is_argilla(sample: Sequence[Values], known: _Known, counts_from: int) -> Table | None:
    question = argilla_question(sample)
    if question is None:
        return None
    name, fields = question
    prompt = _first(known, _PROMPTS)
    if not prompt or not fields:
        return None
    return Table(
        form="argilla", why=f"{name!r} is a question of Argilla.", prompt=prompt, answers=fields, verdict=name,
        system=_first(known, _SYSTEM),
    )  # fmt: skip


def _is_arena(sample: Sequence[Values], known: _Known, counts_from: int) -> Table | None:
    if not {"conversation_a", "conversation_b", "winner"} <= set(known):
        return None
    answers = (known["conversation_a"], known["conversation_b"])
    return Table(form="arena", why="It has two conversations and a winner.", answers=answers, verdict=known["winner"])


def _is_candidates(sample: Sequence[Values], known: _Known, counts_from: int) -> Table | None:
    answers = tuple(known[name] for name in sorted(known) if _CANDIDATE.fullmatch(name))
    verdict, prompt = _first(known, _PREFERENCES), _first(known, _PROMPTS)
    if len(answers) < 2 or not verdict or not prompt:
        return None
    return Table(
        form="candidates",
        why=f"The column {verdict!r} says which of {', '.join(map(repr, answers))} is preferred.",
        prompt=prompt,
        answers=answers,
        verdict=verdict,
        system=_first(known, _SYSTEM),
        counts_from=_counts_from(sample, verdict, answers, counts_from),
    )


def _is_rewards(sample: Sequence[Values], known: _Known, counts_from: int) -> Table | None:
    prompt, response, rewards = (_first(known, names) for names in (_PROMPTS, _RESPONSES, _REWARDS))
    if not prompt or not response or not rewards or "label" in known or "kto_tag" in known:
        return None
    why = f"{rewards!r} grades {response!r}; responses to one prompt are compared."
    return Table(form="rewards", why=why, prompt=prompt, answers=(response,), verdict=rewards)


def _is_tagged(sample: Sequence[Values], known: _Known, counts_from: int) -> Table | None:
    """LLaMA-Factory's conversations with a tag."""
    turns = _first(known, ("conversations", "messages"))
    if not turns or "kto_tag" not in known:
        return None
    why = "The column 'kto_tag' says whether the last answer is good."
    return Table(form="trl-rated-chat", why=why, answers=(turns,), verdict=known["kto_tag"])


def _is_pair(sample: Sequence[Values], known: _Known, counts_from: int) -> Table | None:
    found = recognise_preferences([dict(values) for values in sample], dict(known))
    if found is None:
        return _is_tagged(sample, known, counts_from)
    name, mapping, why = found
    prompt = mapping.prompt[0] if mapping.prompt else ""
    if name == "judged_answers":
        turns = any(is_turns(v.get(mapping.completion)) or is_turns(v.get(prompt)) for v in sample)
        return Table(
            form="trl-rated-chat" if turns else "trl-rated", why=why, prompt=prompt, answers=(mapping.completion,),
            verdict=mapping.label, system=mapping.system,
        )  # fmt: skip
    first = next((values[mapping.chosen] for values in sample if values.get(mapping.chosen)), None)
    form: PreferenceForm = "trl-chat" if is_turns(first) or isinstance(first, Mapping) else "trl"
    if isinstance(first, str) and not prompt and read_dialogue(first):
        form = "hh-rlhf"
    elif "score_chosen" in known:
        form = "ultrafeedback"
    elif mapping.role == "from":
        form = "sharegpt"
    elif "preferred_output" in known:
        form = "openai"
    answers = (mapping.chosen, mapping.rejected)
    return Table(form=form, why=why, prompt=prompt, answers=answers, system=mapping.system)


_RECOGNISE: dict[str, _Recognise] = {
    "workbench": _is_own,
    "argilla": _is_argilla,
    "arena": _is_arena,
    "candidates": _is_candidates,
    "rewards": _is_rewards,
    "trl": _is_pair,
}
"""All others are recognised as pairs of a chosen and a rejected answer, or as rated answers."""


def _counts_from(sample: Sequence[Values], column: str, names: Sequence[str], asked_for: int) -> int:
    """Which number names the first candidate. Raises UserError where the numbers leave that open."""
    if asked_for >= 0:
        return asked_for
    said = {str(v[column]).strip().removesuffix(".0") for v in sample if v.get(column) not in (None, "")}
    numbers = {int(one) for one in said if one.lstrip("-").isdigit()}
    if not numbers:
        return -1
    if 0 in numbers:
        return 0
    if max(numbers) == len(names):
        return 1
    named = [match[1] for name in names if (match := _CANDIDATE.fullmatch(name))]
    if named and named[0] == "0":  # candidate_1 is the second one by its name
        return 0
    raise UserError(
        f"It is not clear which candidate the number {max(numbers)} in {column!r} names: they may count from 0 or 1.",
        "Say from which number the candidates are counted.",
    )


# -- reading -------------------------------------------------------------------------------------------


def _read_own(values: Values, table: Table) -> list[Judgement]:
    found = JUDGEMENT.decode({name: value for name, value in values.items() if value is not None})
    if isinstance(found, Unreadable):
        raise UserError(found.reason, found.hint)
    return [found]


def _read_arena(values: Values, table: Table) -> list[Judgement]:
    first, second = (messages_in(value_of(values, name), name) for name in table.answers)
    if len(first) < 2 or len(second) < 2 or first[-1].role != "assistant" or second[-1].role != "assistant":
        raise UserError("a conversation does not end with an answer.")
    if first[:-1] != second[:-1]:
        raise UserError("its answers follow different prompts.")
    names = [str(values.get(name) or "") for name in ("model_a", "model_b")]
    verdict = verdict_in(value_of(values, table.verdict), ("model_a", "model_b"), -1, table.verdict)
    answers = [
        JudgedAnswer(text=first[-1].content, name=names[0]),
        JudgedAnswer(text=second[-1].content, name=names[1]),
    ]
    return decided(tuple(first[:-1]), answers, verdict)


def _read_candidates(values: Values, table: Table) -> list[Judgement]:
    prompt = asked(values, table.prompt, table.system)
    texts = [answer_in(value_of(values, name), name) for name in table.answers]
    answers = [JudgedAnswer(text=text) for text in texts]
    if len(answers) == 1:
        good = is_good(value_of(values, table.verdict), table.verdict)
        return [Judgement(prompt=prompt, a=answers[0], verdict="good" if good else "poor")]
    if not table.verdict:
        return decided(prompt, answers, 0)
    verdict = verdict_in(value_of(values, table.verdict), table.answers, table.counts_from, table.verdict)
    return decided(prompt, answers, verdict)


def _read_rated(values: Values, table: Table) -> list[Judgement]:
    [column] = table.answers
    good = is_good(value_of(values, table.verdict), table.verdict)
    if table.prompt:
        prompt, text = asked(values, table.prompt, table.system), answer_in(value_of(values, column), column)
    else:
        *turns, last = messages_in(value_of(values, column), column) or [Message("user", "")]
        if last.role != "assistant" or not turns:
            raise UserError(f"{column!r} does not end with an answer.")
        prompt, text = tuple(turns), last.content
    return [Judgement(prompt=prompt, a=JudgedAnswer(text=text), verdict="good" if good else "poor")]


def _read_pair(values: Values, table: Table) -> list[Judgement]:
    """A chosen and a rejected answer, in any of the spellings that training reads."""
    found = recognise_preferences([dict(values)], {name.strip().lower(): name for name in reversed(list(values))})
    if found is None or found[0] != "preference_pairs":
        raise UserError(f"it has no columns {' and '.join(map(repr, table.answers))}.")
    example = to_pair(Row(dict(values), Source()), found[1])
    assert example.rejected is not None
    scores = (score_in(values, "score_chosen"), score_in(values, "score_rejected"))
    if scores == (None, None) and (margin := score_in(values, "margin")) is not None:
        scores = (margin, 0.0)
    return [
        Judgement(
            prompt=example.messages[:-1],
            a=JudgedAnswer(text=example.messages[-1].content, score=scores[0]),
            b=JudgedAnswer(text=example.rejected.content, score=scores[1]),
            verdict="a",
        )
    ]


def _read_argilla(values: Values, table: Table) -> list[Judgement]:
    prompt = asked(values, table.prompt, table.system)
    fields = [name for name in table.answers if values.get(name) is not None]
    texts = [text_of_value(values[name], name) for name in fields]
    if not fields:
        raise UserError(f"it has no answer in {' and '.join(map(repr, table.answers))}.")
    return judgements_of_argilla(values, table.verdict, prompt, fields, texts)


_READ: dict[str, Callable[[Values, Table], list[Judgement]]] = {
    "workbench": _read_own,
    "arena": _read_arena,
    "candidates": _read_candidates,
    "trl-rated": _read_rated,
    "trl-rated-chat": _read_rated,
    "argilla": _read_argilla,
}


_RESPONSES_COLUMN, _SUGGESTION = ".responses", ".suggestion"
_SUBMITTED = ("submitted", "ResponseStatus.submitted", None, "")
_ANSWER = re.compile(r"(response|completion|answer|generation|output|candidate)[ _-]?([0-9a-z]?)", re.IGNORECASE)


def argilla_question(sample: Sequence[Values]) -> tuple[str, tuple[str, ...]] | None:
    """The name of the question that compares or rates answers, and the fields of the answers; None where there is
    none."""
    columns = list(dict.fromkeys(name for values in sample for name in values))
    names = [name.removesuffix(_RESPONSES_COLUMN) for name in columns if name.endswith(_RESPONSES_COLUMN)]
    names += [name.removesuffix(_SUGGESTION) for name in columns if name.endswith(_SUGGESTION)]
    fields = tuple(sorted(name for name in columns if _ANSWER.fullmatch(name)))[:2]
    for name in dict.fromkeys(names):
        said = [value for values in sample for value, *_ in _answers(values, name)]
        if fields and said and any(_is_verdict(value, fields) for value in said):
            return name, fields
    return None


def judgements_of_argilla(
    values: Values, question: str, prompt: tuple[Message, ...], fields: Sequence[str], texts: Sequence[str]
) -> list[Judgement]:
    """One judgement for each person who has submitted an answer, and one of the suggestion of a model where nobody has.
    Raises UserError."""
    answers = [JudgedAnswer(text=text) for text in texts]
    made: list[Judgement] = []
    for value, who, kind, confidence in _answers(values, question):
        if kind == "model" and made:
            continue
        judge: dict[str, Any] = {"judge": kind, "judge_name": who, "confidence": confidence}
        if len(answers) == 1:
            verdict: Verdict = "good" if is_good(value, question) else "poor"
            made.append(Judgement(prompt=prompt, a=answers[0], verdict=verdict, **judge))
        else:
            made += decided(prompt, answers, _verdict(value, fields, question), **judge)
    if not made:
        raise UserError(f"nobody has submitted an answer to {question!r}.")
    return made


def _answers(values: Values, question: str) -> list[tuple[Any, str, str, float | None]]:
    """The answer of each person, and the suggestion: value, name, kind of judge, confidence."""
    said, users, states = (
        _listed(values.get(f"{question}{_RESPONSES_COLUMN}{part}")) for part in ("", ".users", ".status")
    )
    found: list[tuple[Any, str, str, float | None]] = []
    for place, value in enumerate(said):
        state = states[place] if place < len(states) else None
        if value is not None and state in _SUBMITTED:
            found.append((value, str(users[place]) if place < len(users) else "", "person", None))
    suggested = values.get(f"{question}{_SUGGESTION}")
    if suggested is not None:
        score = values.get(f"{question}{_SUGGESTION}.score")
        confidence = (
            number_in(score, "score") if isinstance(score, int | float) and not isinstance(score, bool) else None
        )
        within = confidence if confidence is not None and 0 <= confidence <= 1 else None
        found.append((suggested, str(values.get(f"{question}{_SUGGESTION}.agent") or ""), "model", within))
    return found


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = loaded(value)
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_verdict(value: Any, fields: Sequence[str]) -> bool:
    if len(fields) == 1:
        return str(value).strip().lower() in GOOD | POOR
    if _ranking(value):
        return True
    low = str(value).strip().lower()
    return low in {*(name.lower() for name in fields), *TIES, *BOTH_BAD, "1", "2", "a", "b"}


def _verdict(value: Any, fields: Sequence[str], question: str) -> int | Verdict:
    if ranking := _ranking(value):
        ranks = dict(ranking)
        missing = [name for name in fields if name not in ranks]
        if missing:
            raise UserError(f"{question!r} does not rank {missing[0]!r}.")
        best = min(ranks[name] for name in fields)
        first = [place for place, name in enumerate(fields) if ranks[name] == best]
        return first[0] if len(first) == 1 else "tie"
    return verdict_in(value, fields, 1, question)


def _ranking(value: Any) -> list[tuple[str, float]]:
    """Fields with their ranks, 1 the best; [] for what is no ranking."""
    given = _listed(value) if isinstance(value, list | str) and not isinstance(value, Mapping) else []
    if given and all(isinstance(one, Mapping) and "value" in one and "rank" in one for one in given):
        return [(str(one["value"]), number_in(one["rank"], "rank")) for one in given]
    if len(given) > 1 and all(isinstance(one, str) for one in given):
        return [(one, float(place)) for place, one in enumerate(given)]
    return []
