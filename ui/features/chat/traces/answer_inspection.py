"""A closer look at an answer, below it: its steps, its tokens with their probabilities, or the tree of its beams.

It requests nothing itself: ``trace_wanted`` asks for the steps, ``wanted`` for the tokens of a sequence.
"""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from ui.components.basics import Card, IconButton, InlineMessage, ProgressLine, QuietButton, Text
from ui.components.layout import empty_layout, row_of
from ui.components.recipe.probability import TokenLegend, describe_near_ties, describe_surprise
from ui.components.steps.trace_view import TraceView
from ui.components.wording import how_far
from ui.features.chat import texts
from ui.features.chat.traces.beam_tree import BeamTree
from ui.features.chat.traces.beam_view import BeamView
from ui.features.chat.traces.token_text import TokenText
from ui.theme import tokens
from workbench.api.events import Progress
from workbench.records.trace import Trace
from workbench.subjects.chats.calls import AnswerTokens, BranchPoint

WAIT_MS = 300
"""A wait that is shorter is not told."""


class AnswerInspection(Card):
    """Closed until it is opened; keeps what it was shown, so that it opens at once the next time."""

    wanted = Signal(int)
    trace_wanted = Signal()
    source_wanted = Signal(object)
    """A Passage that a step found was clicked."""
    stop_wanted = Signal()
    branch_wanted = Signal(object)
    """A BranchPoint: go on from another token."""
    edit_wanted = Signal(object)
    """A StepEdit: go on from a thought that was expanded, pruned or edited."""
    demonstration_wanted = Signal(bool)
    """Save the answer's program as a demonstration; False: remove it."""
    opened_changed = Signal()
    """It was opened or closed, or shows the other thing now."""

    def __init__(self) -> None:
        super().__init__(tokens.SPACE_3)
        self._sequence = 0
        self._sequences = 1
        self._known: dict[int, AnswerTokens] = {}
        self._tree: BeamTree | None = None
        self._answer = ""
        self._length_penalty = 1.0
        self._penalties = ""
        self._takes_best = False
        self._trace: Trace | None = None
        self.steps_button = self._switch(texts.STEPS, "summary")
        self.steps_button.clicked.connect(self.open_steps)
        self.tokens_button = self._switch(texts.TOKENS, "search")
        self.beams_button = self._switch(texts.BEAMS, "branch")
        self.tokens_button.clicked.connect(lambda: self.open_tokens(self._sequence))
        self.beams_button.clicked.connect(self.open_beams)
        self.title = Text(texts.TOKENS, "strong", wordWrap=False)
        self.picks = QWidget()
        self._picks = row_of(self.picks, gap=0, margins=(tokens.SPACE_2, 0, 0, 0))
        self.close_button = IconButton("close", texts.CLOSE_VIEW, clicked=self.close_panel)
        self.progress = ProgressLine(stop_clicked=self.stop_wanted)
        self.failure = InlineMessage(closable=False)
        self.summary = Text("", "small")
        self.legend = TokenLegend()
        self.text = TokenText()
        self.text.branch_wanted.connect(self._on_branch)
        self.beams = BeamView()
        self.steps = TraceView()
        self.steps.source_wanted.connect(self.source_wanted)
        self.steps.edit_wanted.connect(self.edit_wanted)
        self.steps.demonstration_wanted.connect(self.demonstration_wanted)
        head = row_of(gap=tokens.SPACE_1)
        for part in (self.title, self.steps_button, self.tokens_button, self.beams_button, self.picks):
            head.addWidget(part)
        head.addStretch(1)
        head.addWidget(self.close_button)
        self.body.addLayout(head)
        for part in (self.progress, self.failure, self.summary, self.legend, self.text, self.beams, self.steps):
            self.body.addWidget(part)
        self._patience = QTimer(self, singleShot=True, interval=WAIT_MS, timeout=self.progress.show)
        self._show_only()
        self.hide()

    @staticmethod
    def _switch(words: str, icon: str) -> QuietButton:
        button = QuietButton(words, icon, small=True, checkable=True)
        return button

    @property
    def sequence(self) -> int:
        """The place of the sequence whose tokens are shown."""
        return self._sequence

    @property
    def is_open(self) -> bool:
        return not self.isHidden()

    @property
    def has_tree(self) -> bool:
        return self._tree is not None

    @property
    def is_wide(self) -> bool:
        """Whether it shows a drawing, for which all width is welcome."""
        return self.beams_button.isChecked() or (self.steps_button.isChecked() and self.steps.drawn)

    def show_answer(
        self,
        answer: str,
        sequences: int,
        with_steps: bool,
        traced: bool,
        with_beams: bool,
        length_penalty: float,
        penalties: str,
        takes_best: bool,
    ) -> None:
        """Which answer this belongs to: its text, its number of sequences, what is stored of it, how its beams are
        scored, a sentence on the penalties that acted on its tokens, and whether each was the most probable one."""
        self._answer, self._length_penalty, self._penalties = answer, length_penalty, penalties
        self._takes_best = takes_best
        self._offer(with_steps, traced, with_beams)
        if sequences != self._sequences:
            self._sequences = sequences
            self._make_picks()
        if self._tree is not None and answer:
            self.beams.show_tree(self._tree, self._tree.winner(answer, length_penalty))

    def open_steps(self) -> None:
        """Show the steps, asking for them unless they are known."""
        self._open()
        self._mark(self.steps_button)
        if self._trace is not None:
            self.show_trace(self._trace)
        else:
            self._wait(texts.LOADING_STEPS)
            self.trace_wanted.emit()

    def open_tokens(self, sequence: int = 0) -> None:
        """Show a sequence's tokens, asking for them unless they are known."""
        self._open()
        self._sequence = sequence
        self._mark(self.tokens_button)
        known = self._known.get(sequence)
        if known is not None:
            self._show_known(known)
        else:
            self._ask(sequence)

    def open_beams(self) -> None:
        """Show the tree, asking for it unless it is known."""
        self._open()
        self._mark(self.beams_button)
        if self._tree is not None:
            self._show_only(self.beams)
        else:
            self._ask(self._sequence)

    def toggle_tokens(self, sequence: int = 0) -> None:
        """Show a sequence's tokens, or close the panel that shows them."""
        if self.shows(self.tokens_button) and sequence == self._sequence:
            self.close_panel()
        else:
            self.open_tokens(sequence)

    def toggle_steps(self) -> None:
        """Show the steps, or close the panel that shows them."""
        if self.shows(self.steps_button):
            self.close_panel()
        else:
            self.open_steps()

    def toggle_beams(self) -> None:
        """Show the tree, or close the panel that shows it."""
        if self.shows(self.beams_button):
            self.close_panel()
        else:
            self.open_beams()

    def shows(self, switch: QuietButton) -> bool:
        """Whether the panel is open with what a switch of it shows."""
        return self.is_open and switch.isChecked()

    def close_panel(self) -> None:
        """Close it; what is on its way is not wanted any more."""
        if self.is_open:
            self.hide()
            self._patience.stop()
            self.stop_wanted.emit()
            self.opened_changed.emit()

    def show_progress(self, progress: Progress, words: str) -> None:
        share, numbers = how_far(progress)
        self.progress.set_progress(words, share, "" if progress.total <= 1 else numbers, progress.seconds_left)

    def show_tokens(self, sequence: int, found: AnswerTokens) -> None:
        """What was asked for is there."""
        self._patience.stop()
        self._known[sequence] = found
        if found.beams and self._tree is None:
            self._tree = BeamTree(found.beams)
            self.beams.show_tree(self._tree, self._tree.winner(self._answer, self._length_penalty))
        if sequence != self._sequence:
            return
        if self.beams_button.isChecked() and self._tree is not None:
            self._show_only(self.beams)
        elif self.beams_button.isChecked():
            self.show_error(texts.STEPS_UNKNOWN)
        else:
            self._show_known(found)

    def show_trace(self, trace: Trace) -> None:
        """The steps were loaded, or there are more of them. Nothing is drawn while they are not shown."""
        self._trace = trace
        if self.is_open and self.steps_button.isChecked():
            self._patience.stop()
            before = self.is_wide
            self.steps.show_trace(trace)
            self._show_only(self.steps)
            if before != self.is_wide:
                self.opened_changed.emit()

    def show_error(self, words: str) -> None:
        """What was asked for is not available."""
        self._patience.stop()
        again = self.open_steps if self.steps_button.isChecked() else lambda: self._ask(self._sequence)
        self.failure.show_message(words, "danger", texts.TRY_AGAIN, again)
        self._show_only(self.failure)

    def show_live_beams(self, tree: BeamTree) -> None:
        """The tree of an answer that is being made; call it again whenever it has grown."""
        if self._tree is not tree:
            self._tree = tree
            self._offer(not self.steps_button.isHidden(), False, True)
            self.open_beams()
        self.beams.show_tree(tree)

    # -- parts ---------------------------------------------------------------------------------------

    def _open(self) -> None:
        if not self.is_open:
            self.show()
            self.opened_changed.emit()

    def _offer(self, steps: bool, traced: bool, beams: bool) -> None:
        """The switches of what there is; for a single thing its name."""
        offered = {self.steps_button: steps, self.tokens_button: traced, self.beams_button: beams}
        several = sum(offered.values()) > 1
        for button, there in offered.items():
            button.setVisible(there and several)
        self.title.setText(next((button.text() for button, there in offered.items() if there), ""))
        self.title.setVisible(not several)

    def _ask(self, sequence: int) -> None:
        self._wait(texts.COMPUTING_TOKENS)
        self.wanted.emit(sequence)

    def _wait(self, words: str) -> None:
        self._show_only()
        self.progress.hide()
        self.progress.set_progress(words)
        self._patience.start()

    def _show_known(self, found: AnswerTokens) -> None:
        ties = describe_near_ties(found.tokens) if self._takes_best else ""
        self.summary.setText("\n".join(filter(None, (describe_surprise(found.tokens), self._penalties, ties))))
        self.text.show_tokens(found.tokens, found.next, found.first)
        self._show_only(self.summary, self.legend, self.text)

    def _show_only(self, *parts: QWidget) -> None:
        for part in (self.progress, self.failure, self.summary, self.legend, self.text, self.beams, self.steps):
            part.setVisible(part in parts)

    def _mark(self, on: QuietButton) -> None:
        switches = (self.steps_button, self.tokens_button, self.beams_button)
        changes = [button for button in switches if button.isChecked()] != [on]
        for button in switches:
            button.setChecked(button is on)
        self.picks.setVisible(self._sequences > 1 and on is self.tokens_button)
        for number in range(self._picks.count()):
            item = self._picks.itemAt(number)
            pick = item.widget() if item is not None else None
            if isinstance(pick, QuietButton):
                pick.setChecked(number == self._sequence)
        if changes:
            self.opened_changed.emit()

    def _make_picks(self) -> None:
        empty_layout(self._picks)
        for number in range(self._sequences if self._sequences > 1 else 0):
            pick = QuietButton(
                str(number + 1),
                small=True,
                checkable=True,
                accessibleName=texts.TOKENS_OF.format(value=number + 1),
                toolTip=texts.TOKENS_OF.format(value=number + 1),
                clicked=lambda _=False, n=number: self.open_tokens(n),
            )
            self._picks.addWidget(pick)

    def _on_branch(self, position: int, token: int) -> None:
        self.branch_wanted.emit(BranchPoint(position=position, token=token, sequence=self._sequence))
