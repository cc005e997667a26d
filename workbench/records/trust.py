"""The trust in an answer, worded once for window, terminal and export."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from workbench.base.catalogue import Shown
from workbench.base.counting import counted
from workbench.records.exam import tenths
from workbench.records.messages import Statement, Verification
from workbench.records.outcomes import Outcome, Reason

QUOTED = "Quoted from your documents, word for word."
COMPUTED = "Computed from the rows of a table in your documents."
QUOTED_AS_READ = "Quoted from your documents as they were read."
RECOGNISED = "Quoted from text that was recognised in a picture, which makes mistakes: compare it with the page."
WITHOUT_DOCUMENTS = "Answered without your documents: nothing of this is taken from them."
UNSURE: Shown = "This may not answer your question: compare it with the sources."
PERHAPS: Shown = "This may not be it."
FITTED: Shown = (
    "Doubts about an answer in the model's own words were fitted on a model of 135 million parameters and not checked "
    "on larger ones; an exam corrects them for the model that is used."
)
BEYOND = "What answers the question is in your documents, but no statement stands there as a whole."
VERDICTS = {
    "partly": "Only part of this is in the cited passage.",
    "unsupported": "The passages do not support this.",
    "outside": "This is not from your documents.",
}


def without_citations(text: str, numbers: Collection[int]) -> str:
    """An answer's text without its citations ``[n]`` of these numbers, and without the marks around quotations."""
    cited = rf"\[(?:{'|'.join(map(str, sorted(numbers)))})\]"
    text = re.sub(rf"“([^”]*)” ?{cited}", r"\1", text)
    return re.sub(rf"\s+{cited}|(?<=[.!?…。！？”\"']){cited}", "", text)


def describe_trust(checked: Verification | None) -> tuple[Shown, bool]:
    """A line about an answer, and whether it warns. "" where there is nothing to say."""
    if checked is None:
        return "", False
    own = own_statements(checked)
    parts = [_quoted(checked)] if checked.quoted else []
    supported = sum(statement.verdict == "supported" for statement in own)
    if own and not checked.problem:
        sure = checked.confidence is not None and not is_marked(checked)
        parts.append(BEYOND if sure and not supported else _count(supported, len(own), bool(checked.quoted)))
    if checked.problem:
        parts.append(checked.problem)
    elif checked.unsure and (own or not checked.quoted):
        parts.append(UNSURE)
    if parts and not checked.computed:
        parts.append(describe_rates(checked, bool(own) or not checked.quoted))
    if checked.changed:
        parts.append(describe_changed(checked.changed))
    return " ".join(part for part in parts if part), is_marked(checked) or bool(checked.changed)


def _quoted(checked: Verification) -> str:
    if checked.computed:
        return COMPUTED
    if checked.recognised:
        return RECOGNISED
    return QUOTED_AS_READ if checked.changed else QUOTED


def describe_changed(names: Sequence[str]) -> str:
    """A sentence on files that are no longer as they were read."""
    if len(names) == 1:
        return f"The file {names[0]} has changed since it was read, or is no longer there."
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"The files {listed} have changed since they were read, or are no longer there."


def is_marked(checked: Verification) -> bool:
    """Whether the program warns of an answer, or of a statement in it."""
    return checked.unsure or any(marks(statement, checked) for statement in own_statements(checked))


def marks(statement: Statement, checked: Verification, *, written: bool = True) -> bool:
    """Whether a statement is marked: it contradicts the passages, or has nothing of them; or it is not supported, and
    the program is unsure of the answer, or could not estimate that. A statement of a sure answer that goes beyond its
    source is only counted. Before an answer is ``written`` the program cannot be unsure of it."""
    if statement.verdict == "supported":
        return False
    if statement.contradictions or statement.verdict == "outside":
        return True
    return written and (checked.unsure or checked.confidence is None)


def outcome_of(declined: bool, reasons: Collection[Reason]) -> Outcome:
    """The outcome of an answer from documents."""
    if declined:
        return "not_found"
    return "perhaps" if reasons else "found"


MOST_REASONS = 3


def reasons_in(answer: str, checked: Verification | None) -> tuple[Reason, ...]:
    """The reasons to doubt an answer that its verification gives: the marked statements, or that the program is unsure
    of the whole."""
    if checked is None or not is_marked(checked):
        return ()
    marked = [one for one in own_statements(checked) if marks(one, checked)]
    if not marked:
        return (Reason(kind="weak", text=UNSURE),)
    found = [
        Reason(kind="statement", text=f"“{_beginning(answer[one.start : one.end])}” {describe_statement(one)}")
        for one in marked[:MOST_REASONS]
    ]
    if len(marked) > MOST_REASONS:
        more = len(marked) - MOST_REASONS
        found.append(
            Reason(kind="statement", text=f"{counted(more, 'more statement')} {'is' if more == 1 else 'are'} marked.")
        )
    return tuple(found)


def describe_outcome(outcome: Outcome | None, reasons: Sequence[Reason]) -> Shown:
    """A line for an answer that may not be the right one, with the reasons; "" for others."""
    return " ".join((PERHAPS, *(reason.text for reason in reasons))) if outcome == "perhaps" else ""


LONGEST_BEGINNING = 90


def _beginning(text: str) -> str:
    """A statement on one line, cut at a word where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_BEGINNING else f"{text[:LONGEST_BEGINNING].rsplit(' ', 1)[0]} …"


def describe_rates(checked: Verification, own: bool) -> str:
    """How often such answers of the model were right in its exam; "" where that was not measured. ``own``: the answer
    is in its own words, or has a part in them."""
    quoted = checked.quoted_rate
    if own and checked.own_rate is not None:
        beside = f"; quoted answers in {tenths(quoted)}" if quoted is not None else ""
        return f"This model is right in about {tenths(checked.own_rate)} such answers in its own words{beside}."
    if not own and quoted is not None:
        return f"Quoted answers hold what was asked for in about {tenths(quoted)} cases."
    return ""


def describe_statement(statement: Statement) -> Shown:
    """Why a statement is not supported; "" for a supported one."""
    words = VERDICTS.get(statement.verdict, "")
    missing = [one for one in statement.conflicts if one not in ("negation", *statement.elsewhere)]
    parts = [words] if words else []
    if missing:
        parts.append(f"Not in the passage: {', '.join(missing)}.")
    if statement.elsewhere:
        parts.append(f"The passages say {', '.join(statement.elsewhere)} of something else.")
    if "negation" in statement.conflicts and len(parts) < 2:
        parts.append("The passage says the opposite.")
    return " ".join(parts)


def describe_marks(answer: str, checked: Verification) -> tuple[str, ...]:
    """A line for each marked statement of an answer: its verdict, its text, and why it is marked."""
    return tuple(
        f"{statement.verdict}: {' '.join(answer[statement.start : statement.end].split())} "
        f"({describe_statement(statement)})"
        for statement in own_statements(checked)
        if marks(statement, checked)
    )


def own_statements(checked: Verification) -> tuple[Statement, ...]:
    """The statements in the model's own words."""
    return tuple(statement for statement in checked.statements if statement.start >= checked.quoted)


def _count(supported: int, count: int, quoted: bool) -> str:
    if count == 1:
        return f"Your documents {'support' if supported else 'do not support'} this statement."
    if not supported:
        return f"Your documents support none of the {count} statements."
    if supported == count:
        return f"Your documents support all {count} statements."
    whose = "the model's own " if quoted else ""
    return f"Your documents support {supported} of {whose}{count} statements."
