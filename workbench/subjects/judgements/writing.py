"""Judgements as rows of the formats in ``formats``. A format that cannot say a judgement raises UserError with why."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from workbench.base.errors import UserError
from workbench.records.judgements import JUDGEMENT, JudgedAnswer, Judgement, PreferenceForm
from workbench.records.messages import Message
from workbench.subjects.judgements.training_rows import turns
from workbench.training.data.preferences import read_dialogue

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
