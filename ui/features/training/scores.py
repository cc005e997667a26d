"""The result of a training in words and numbers: what it taught and what it cost, scores, the exported file."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from ui.components.adapter_texts import sentence_of
from ui.components.basics import InlineMessage, Text, TextRole
from ui.components.fact_card import show_outcome
from ui.components.layout import column_of, empty_layout
from ui.features.training import texts
from ui.theme import tokens
from workbench.base.catalogue import all_translated, translated
from workbench.records.training import (
    AdapterRecord,
    MetricSpec,
    Scores,
    ScoresPair,
    VerificationReport,
    score_of,
    scored,
    spell,
)
from workbench.records.training.measured import explain_measured, measured_heading
from workbench.records.training.outcomes import learnt_words, loses_half, lost_words
from workbench.records.training.reward_texts import describe_reward
from workbench.records.training.verdicts import counted_words, describe_forgetting, forgets, verdict_words, why

_WIDTH = 620
_ROLES: tuple[TextRole, ...] = ("body", "muted", "strong")


class TrainingScores(QWidget):
    """Hidden until there is something to say."""

    def __init__(self) -> None:
        super().__init__()
        self.lead = Text("", "strong")
        self.lost = Text("", "strong")
        self.outcome = InlineMessage(closable=False)
        self.measured = Text("", "small")
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
        self._heading = ""
        self._grid.setColumnMinimumWidth(1, 96)
        self._grid.setColumnMinimumWidth(2, 96)
        column = column_of(self, gap=tokens.SPACE_3)
        for part in (
            self.lead, self.lost, self.outcome, self._table, self.measured, self.warning, self.forgotten,
            self.verification,
        ):  # fmt: skip
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
        self.lead.setText(translated(learnt_words(scores)))
        self.lost.setText(translated(lost_words(forgetting)))
        self.measured.setText(translated(explain_measured(scores.measured)))
        for part in (self.lead, self._table, self.measured):
            part.setVisible(there)
        self.lost.setVisible(bool(self.lost.text()))
        show_outcome(self.outcome, scores, forgetting, adapter.kind if adapter is not None else "unknown")
        rows, heading = score_rows(metrics, scores), translated(measured_heading(scores.measured))
        if (rows, heading) != (self._rows, self._heading):
            self._rows, self._heading = rows, heading
            self._fill(rows, heading)
        if forgets(forgetting) and not loses_half(forgetting):
            self.warning.show_message(translated(describe_forgetting(forgetting)), "attention")
        else:
            self.warning.hide()
        reward = (
            all_translated(describe_reward(adapter.reward))
            if adapter is not None and adapter.reward is not None
            else ()
        )
        self.forgotten.setText(" ".join(reward) or forgetting_words(forgetting))
        self.forgotten.setVisible(bool(self.forgotten.text()))
        words, kind = verification_words(verification, adapter, ended)
        if words:
            self.verification.show_message(words, kind)
        else:
            self.verification.hide()
        self.setVisible(there or bool(words))

    def _fill(self, rows: Sequence[tuple[str, str, str]], heading: str) -> None:
        empty_layout(self._grid)
        for line, row in enumerate(((heading, texts.BEFORE, texts.AFTER), *rows)):
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


def forgetting_words(forgetting: ScoresPair) -> str:
    """``Loss on general texts: 3.12 before, 3.15 after. No forgetting measured …``"""
    before, after = forgetting.before, forgetting.after
    if before is None or after is None:
        return ""
    parts = [texts.GENERAL_LOSS.format(loss=before.loss, loss2=after.loss)]
    if not forgets(forgetting):
        parts.append(translated(describe_forgetting(forgetting)))
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
        return translated(verdict_words(verification)), "attention"
    served = [found for found in verification.agreements if "served" in found.second]
    closest = (served or verification.agreements)[-1:]
    found = " ".join(
        part for part in (translated(counted_words(verification)), *map(translated, map(why, closest))) if part
    )
    if verification.passed:
        return texts.VERIFIED.format(found=found), "info"
    reasons = " ".join(sentence_of(reason) for reason in verification.reasons)
    return texts.VERIFICATION_FAILED.format(reasons=reasons, found=found), "danger"
