"""The result of a training in words and numbers: scores before and after, forgetting, verification."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.basics import InlineMessage, Text, TextRole
from ui.components.layout import column_of, empty_layout
from ui.features.adapters.texts import sentence_of
from ui.features.training import texts
from ui.theme import tokens
from workbench.records.training import (
    AdapterRecord,
    MetricSpec,
    Scores,
    ScoresPair,
    VerificationReport,
    gain,
    score_of,
    scored,
    spell,
)
from workbench.records.training.reward_texts import describe_reward
from workbench.records.training.verdicts import counted_words, describe_forgetting, forgets, verdict, why

_WIDTH = 620
_ROLES: tuple[TextRole, ...] = ("body", "muted", "strong")


class TrainingScores(QWidget):
    """Hidden until there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lead = Text("", "strong")
        self.forgotten = Text("")
        self.warning = InlineMessage(closable=False)
        self.verification = InlineMessage(closable=False)
        self._table = QWidget()
        self._table.setMaximumWidth(_WIDTH)
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(tokens.SPACE_5)
        self._grid.setVerticalSpacing(tokens.SPACE_1)
        self._grid.setColumnStretch(0, 1)
        self._rows: tuple[tuple[str, str, str], ...] = ()
        self._grid.setColumnMinimumWidth(1, 96)
        self._grid.setColumnMinimumWidth(2, 96)
        column = column_of(self, gap=tokens.SPACE_3)
        for part in (self.lead, self._table, self.warning, self.forgotten, self.verification):
            column.addWidget(part)
        self.hide()

    def show_scores(
        self,
        metrics: Sequence[MetricSpec],
        scores: ScoresPair,
        forgetting: ScoresPair,
        verification: VerificationReport | None,
        adapter: AdapterRecord | None,
        ended: bool = False,
    ) -> None:
        there = scores.after is not None
        self.lead.setText(lead_words(scores))
        self.lead.setVisible(there)
        self._table.setVisible(there)
        rows = score_rows(metrics, scores)
        if rows != self._rows:
            self._rows = rows
            self._fill(rows)
        if forgets(forgetting):
            self.warning.show_message(describe_forgetting(forgetting), "attention")
        else:
            self.warning.hide()
        reward = describe_reward(adapter.reward) if adapter is not None and adapter.reward is not None else ()
        self.forgotten.setText(" ".join(reward) or forgetting_words(forgetting))
        self.forgotten.setVisible(bool(self.forgotten.text()))
        words, kind = verification_words(verification, adapter, ended)
        if words:
            self.verification.show_message(words, kind)
        else:
            self.verification.hide()
        self.setVisible(there or bool(words))

    def _fill(self, rows: Sequence[tuple[str, str, str]]) -> None:
        empty_layout(self._grid)
        for line, row in enumerate(((texts.ON_HELD_OUT, texts.BEFORE, texts.AFTER), *rows)):
            for place, (words, role) in enumerate(zip(row, _ROLES, strict=True)):
                cell = Text(words, role if line else "small", wordWrap=place == 0)
                self._grid.addWidget(cell, line, place)


def score_rows(metrics: Sequence[MetricSpec], scores: ScoresPair) -> tuple[tuple[str, str, str], ...]:
    """The title of each score that was measured, and its value before and after."""
    rows = []
    for metric in scored(metrics):
        sides = [_spelled(metric, side) for side in (scores.before, scores.after)]
        if metric.score == "pair_accuracy" and scores.before is not None and scores.before.metrics.get("margin") == 0:
            sides[0] = ""  # compared with itself, the model before prefers none
        if any(sides):
            rows.append((metric.title, sides[0] or "–", sides[1] or "–"))
    return tuple(rows)


def _spelled(metric: MetricSpec, scores: Scores | None) -> str:
    value = score_of(scores, metric.score)
    return "" if scores is None or value is None else spell(metric, value, scores.answers)


def lead_words(scores: ScoresPair) -> str:
    """The change in the number that matters most, also when it is none."""
    before, after = scores.before, scores.after
    if after is None:
        return ""
    if before is not None and "reward" in after.metrics and "reward" in before.metrics:
        was, now = before.metrics["reward"], after.metrics["reward"]
        word = "rose" if now >= was else "fell"
        return texts.REWARD_CHANGED.format(word=word, before=was, after=now, kl=after.metrics.get("kl", 0.0))
    if before is None:
        return texts.HELD_OUT_LOSS.format(loss=after.loss)
    lead = ""
    if "pair_accuracy" in after.metrics:
        pairs = after.tokens  # a pair counts as one trained place
        lead = texts.PAIRS_AHEAD.format(ahead=round(after.metrics["pair_accuracy"] * pairs), pairs=pairs)
    elif after.exact_match is not None and before.exact_match is not None and after.answers:
        right, was = round(after.exact_match * after.answers), round(before.exact_match * before.answers)
        if right != was:
            word = "more" if right > was else "fewer"
            apart = abs(right - was)
            is_or_are = "is" if apart == 1 else "are"
            lead = texts.EXACT_CHANGE.format(apart=apart, word=word, answers=after.answers, is_or_are=is_or_are)
            return texts.WITH_INTERVAL.format(
                lead=lead, gain_words=gain_words(before.exact_match, after.exact_match, after.answers)
            )
        lead = texts.EXACT_SAME.format(was=was, answers=before.answers)
    change = before.loss - after.loss
    if abs(change) < 0.005:
        return texts.LOSS_SAME.format(lead=lead).strip()
    word = "fell" if change > 0 else "rose"
    return texts.LOSS_CHANGED.format(lead=lead, word=word, loss=before.loss, loss2=after.loss).strip()


def gain_words(before: float, after: float, answers: int) -> str:
    """The change in percentage points with its interval; that it may be chance, where it may."""
    low, high = gain(before, after, answers)
    words = texts.INTERVAL.format(value=100 * (after - before), value2=100 * low, value3=100 * high)
    return texts.MAY_BE_CHANCE.format(words=words) if low <= 0 <= high else words


def forgetting_words(forgetting: ScoresPair) -> str:
    """``General questions: 14 of 24 before, 13 after. Loss on general texts: 3.12 before, 3.15 after.``"""
    before, after = forgetting.before, forgetting.after
    if before is None or after is None:
        return ""
    parts = []
    if before.exact_match is not None and after.exact_match is not None and before.answers:
        was, now = round(before.exact_match * before.answers), round(after.exact_match * after.answers)
        parts.append(texts.GENERAL_QUESTIONS.format(was=was, answers=before.answers, now=now))
    parts.append(texts.GENERAL_LOSS.format(loss=before.loss, loss2=after.loss))
    if not forgets(forgetting):
        parts.append(describe_forgetting(forgetting))
    return " ".join(parts)


def verification_words(
    verification: VerificationReport | None, adapter: AdapterRecord | None, ended: bool = False
) -> tuple[str, str]:
    """The verification in plain words, and the kind of message that it is; empty words before there is anything.
    ``ended``: the run is over, so that nothing is being checked any more."""
    if verification is None:
        if adapter is None or adapter.state != "checking":
            return "", "info"
        return (texts.UNVERIFIED, "attention") if ended else (texts.VERIFYING, "info")
    if verification.passed and not verification.agreements:
        return verdict(verification), "attention"
    served = [found for found in verification.agreements if "served" in found.second]
    closest = (served or verification.agreements)[-1:]
    found = " ".join(part for part in (counted_words(verification), *map(why, closest)) if part)
    if verification.passed:
        return texts.VERIFIED.format(found=found), "success"
    reasons = " ".join(sentence_of(reason) for reason in verification.reasons)
    return texts.VERIFICATION_FAILED.format(reasons=reasons, found=found), "danger"
