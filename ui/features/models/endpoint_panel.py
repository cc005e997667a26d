"""Endpoints: adding one, the features it lacks, and which documents may be sent to it.

Editing an endpoint: name, model, key, prices, budget, images, terms and notes.

The address cannot be changed: the key would be sent to another host.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QWidget

from ui.bridge import Bridge, Handle
from ui.components.basics import (
    Card,
    ElidedLabel,
    InlineMessage,
    LinkButton,
    PlainButton,
    PrimaryButton,
    QuietButton,
    Text,
)
from ui.components.choice_box import ChoiceBox
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.number_box import AmountBox
from ui.components.wording import describe_count, in_words
from ui.features.models import endpoint_texts as texts
from ui.texts import STOP
from ui.theme import tokens
from workbench.base.errors import Cancelled
from workbench.base.settings import Settings
from workbench.records.documents import Collection
from workbench.records.endpoints import Endpoint
from workbench.records.network_code import is_code
from workbench.records.origins import AGENT, ATTACHED, TITLES, UNKNOWN
from workbench.subjects.documents.calls import CollectionList, ListCollections
from workbench.subjects.endpoints.calls import (
    AddEndpoint,
    AllowSending,
    ChangeEndpoint,
    EndpointList,
    EndpointRecord,
    ListEndpoints,
    ProbeEndpoint,
    SeesImages,
)
from workbench.subjects.machine.calls import ChangeSettings, GetSettings
from workbench.subjects.models.calls import ListModels, ModelList

_LONGEST_WORDS = 90  # characters


class EndpointPanel(QWidget):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._collections: tuple[Collection, ...] = ()
        self._found: tuple[EndpointRecord, ...] = ()
        self.cards: dict[str, EndpointCard] = {}
        self._adding: Handle | None = None
        area = ScrolledColumn(tokens.SPACE_3)
        self.permission = InlineMessage(closable=False)
        self.permission.hide()
        self._list = column_of(gap=tokens.SPACE_3)
        area.column.addWidget(Text(texts.INTRODUCTION, "muted"))
        area.column.addWidget(self.permission)
        area.column.addWidget(self._build_form())
        area.column.addLayout(self._list)
        column_of(self, area, gap=0)
        bridge.home.listing(GetSettings()).follow(self._on_settings)
        bridge.home.listing(ListModels()).follow(self._on_models)

    def _build_form(self) -> Card:
        card = Card(margin=tokens.SPACE_5)
        grid = QGridLayout()
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_2)
        grid.setColumnStretch(1, 1)
        self.address, self.model = QLineEdit(), QLineEdit()
        self.name, self.key = QLineEdit(), QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        for place, (title, example, help, field) in enumerate(
            (
                (texts.ADDRESS, texts.ADDRESS_EXAMPLE, texts.ADDRESS_HELP, self.address),
                (texts.MODEL, texts.MODEL_EXAMPLE, texts.MODEL_FIELD_HELP, self.model),
                (texts.KEY, texts.KEY_EXAMPLE, f"{texts.KEY_FIELD_HELP} {texts.KEY_HELP}", self.key),
                (texts.NAME, texts.NAME_EXAMPLE, texts.ADDED_NAME_HELP, self.name),
            )
        ):
            field.setAccessibleName(title)
            field.setPlaceholderText(example)
            field.textChanged.connect(self._on_typed)
            field.returnPressed.connect(self._on_add)
            grid.addWidget(Text(title, "strong"), 2 * place, 0)
            grid.addWidget(field, 2 * place, 1)
            grid.addWidget(Text(help, "small"), 2 * place + 1, 1)
        self.add_button = PrimaryButton(texts.ADD, "plus", clicked=self._on_add)
        self.add_button.setEnabled(False)
        self.stop_button = QuietButton(STOP, "stop", small=True, clicked=self._on_stop)
        self.stop_button.hide()
        self.state = Text(texts.GIVE_BOTH, "small")
        card.body.addLayout(grid)
        card.body.addLayout(row_of(None, self.add_button, (self.state, 1), self.stop_button, gap=tokens.SPACE_3))
        return card

    def begin(self) -> None:
        """The panel comes into sight: which collections there are may have changed."""
        self._bridge.call(ListCollections(), self._on_collections, owner=self)

    # -- what happens --------------------------------------------------------------------------------

    def _on_settings(self, settings: Settings) -> None:
        offline = settings.general.offline
        if settings.network.endpoints and not offline:
            self.permission.hide()
            return
        words = f"{texts.OFF} {texts.OFFLINE_TOO}" if offline else texts.OFF
        self.permission.show_message(words, "info", texts.ALLOW, self._on_allow)

    def _on_allow(self) -> None:
        call = ChangeSettings(values={"network": {"endpoints": True}, "general": {"offline": False}})
        self._bridge.call(call, self._bridge.home.listing(GetSettings()).put, self._on_refused, self)

    def _on_models(self, found: ModelList) -> None:
        self._bridge.call(ListEndpoints(), self._on_endpoints, owner=self)

    def _on_collections(self, found: CollectionList) -> None:
        self._collections = found.collections
        self._on_endpoints(EndpointList(endpoints=self._found))

    def _on_endpoints(self, found: EndpointList) -> None:
        self._found = found.endpoints
        edited = {name: card for name, card in self.cards.items() if card.form is not None}
        for card in edited.values():
            card.setParent(None)
        empty_layout(self._list)
        self.cards = {}
        for record in found.endpoints:
            name = record.model.name
            known = edited.get(name)  # what is being typed is not lost when something else changes
            card = self.cards[name] = known or self._new_card(record)
            self._list.addWidget(card)
            card.show()

    def _new_card(self, record: EndpointRecord) -> EndpointCard:
        card = EndpointCard(self._bridge, record, self._collections)
        card.changed.connect(lambda: self._bridge.call(ListEndpoints(), self._on_endpoints, owner=self))
        return card

    def _on_typed(self) -> None:
        coded = is_code(self.address.text())  # it holds the key, and that machine says what it serves
        given = coded or bool(self.address.text().strip() and self.model.text().strip())
        self.model.setPlaceholderText(texts.MODEL_OF_CODE if coded else texts.MODEL_EXAMPLE)
        self.key.setPlaceholderText(texts.KEY_OF_CODE if coded else texts.KEY_EXAMPLE)
        self.key.setEnabled(not coded)
        self.add_button.setEnabled(given and self._adding is None)
        if self._adding is None and self.state.text() in ("", texts.GIVE_BOTH):
            self.state.setText("" if given else texts.GIVE_BOTH)
        self.stop_button.setVisible(self._adding is not None)

    def _on_add(self) -> None:
        if not self.add_button.isEnabled():
            return
        self.state.setText(texts.PROBING)
        call = AddEndpoint(
            address=self.address.text().strip(),
            model=self.model.text().strip(),
            name=self.name.text().strip(),
            key=self.key.text().strip(),
        )
        self._adding = self._bridge.call(call, self._on_added, self._on_refused, self)
        self._on_typed()

    def _on_stop(self) -> None:
        if self._adding is not None:
            self._adding.cancel()

    def _on_added(self, record: EndpointRecord) -> None:
        self._adding = None
        for field in (self.address, self.model, self.name, self.key):
            field.clear()
        self.state.setText(texts.GIVE_BOTH)

    def _on_refused(self, error: Exception) -> None:
        self._adding = None
        self.state.setText(texts.STOPPED if isinstance(error, Cancelled) else in_words(error))
        self._on_typed()


class EndpointCard(Card):
    """One endpoint. ``changed``: it was edited, so that the list is to be read again."""

    changed = Signal()

    def __init__(self, bridge: Bridge, record: EndpointRecord, collections: tuple[Collection, ...]) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self._bridge, self._name, self._record = bridge, record.model.name, record
        self.sending: dict[str, QCheckBox] = {}
        self.form: EndpointForm | None = None
        endpoint, use = record.model.endpoint, record.use
        assert endpoint is not None
        self.body.setSpacing(tokens.SPACE_2)
        probe = QuietButton(texts.PROBE, "refresh", small=True, clicked=self._on_probe)
        self.edit_button = QuietButton(texts.EDIT, "edit", small=True, clicked=self._on_edit)
        self.body.addLayout(row_of(None, (ElidedLabel(self._name, "strong"), 1), self.edit_button, probe))
        known = texts.CONTEXT.format(tokens=endpoint.context_tokens) if endpoint.context_tokens else texts.NO_CONTEXT
        facts = [
            texts.FACTS.format(
                address=endpoint.address,
                context=known,
                requests=describe_count(use.requests, "request"),
                tokens=use.prompt_tokens + use.new_tokens,
            )
        ]
        if endpoint.sees_images:
            facts.append(texts.SEES_FACT)
        elif endpoint.sees is None and endpoint.vision is None:
            facts.append(texts.IMAGES_NOT_TRIED)
        facts.append((texts.KEY_KEPT if use.key_kept else texts.KEY_SESSION) if use.has_key else texts.NO_KEY)
        self.body.addWidget(Text(" · ".join(facts), "small"))
        money = []
        if endpoint.price_in or endpoint.price_out:
            money.append(texts.PRICE.format(price_in=endpoint.price_in, price_out=endpoint.price_out))
        if endpoint.budget:
            left = max(0.0, endpoint.budget - use.cost)
            money.append(texts.SPENT_OF.format(cost=use.cost, budget=endpoint.budget, left=left))
        elif use.cost:
            money.append(texts.SPENT.format(cost=use.cost))
        if endpoint.terms:
            money.append(texts.TERMS.format(terms=endpoint.terms))
        self.cost = Text(" · ".join(money), "small", visible=bool(money))
        self.body.addWidget(self.cost)
        if endpoint.notes:
            self.body.addWidget(Text(endpoint.notes, "muted"))
        self.problem = Text("", "error", visible=False)
        if record.lacks:
            self.body.addWidget(Text(f"{texts.LACKS} {' '.join(record.lacks)}", "muted"))
        if not endpoint.is_local:
            self.body.addWidget(Text(texts.PASSAGES_HELP, "small"))
            others = [("", texts.ATTACHED), (AGENT, texts.READ_BY_AGENTS), (UNKNOWN, texts.UNKNOWN_ORIGIN)]
            for key, shown in [*((one.name, one.name) for one in collections), *others]:
                words = texts.PASSAGES if key not in (AGENT, UNKNOWN) else texts.OTHER_TEXTS
                box = self.sending[key] = QCheckBox(_short(words.format(collection=shown, host=endpoint.host)))
                box.setToolTip(words.format(collection=shown, host=endpoint.host))
                words = TITLES.get(key or ATTACHED, shown)  # as it is stored
                box.setChecked(use.sending.get(words, False))
                box.toggled.connect(partial(self._on_toggled, key))
                self.body.addWidget(box)
        self.body.addWidget(self.problem)

    def _on_toggled(self, collection: str, allowed: bool) -> None:
        call = AllowSending(name=self._name, collection=collection, allowed=allowed)
        self._bridge.call(call, lambda record: None, self._on_error, self)

    def _on_edit(self) -> None:
        if self.form is not None:
            return
        self.form = EndpointForm(self._record)
        self.form.saved.connect(self._on_save)
        self.form.cancelled.connect(self._end_edit)
        self.edit_button.setEnabled(False)
        self.body.insertWidget(1, self.form)
        self.form.name.setFocus()

    def _end_edit(self) -> None:
        if self.form is not None:
            self.form.hide()
            self.form.deleteLater()
            self.form = None
        self.edit_button.setEnabled(True)

    def _on_save(self, call: ChangeEndpoint) -> None:
        form = self.form
        if form is None:
            return
        if call == ChangeEndpoint(name=call.name):
            self._end_edit()
            return
        form.set_busy(True)
        failed = lambda error: form.set_error(in_words(error))  # noqa: E731
        self._bridge.call(call, self._on_saved, failed, self)

    def _on_saved(self, record: EndpointRecord) -> None:
        self._end_edit()
        self.changed.emit()

    def _on_probe(self) -> None:
        self.problem.hide()
        self._bridge.call(ProbeEndpoint(name=self._name), lambda record: None, self._on_error, self)

    def _on_error(self, error: Exception) -> None:
        self.problem.setText(in_words(error))
        self.problem.show()


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST_WORDS else f"{words[: _LONGEST_WORDS - 1]}…"


_LARGEST, _WIDEST, _DECIMALS = 1e9, 200, 4
_CHOICE_CHARACTERS = 34


class EndpointForm(QWidget):
    """``saved`` sends what is to be changed. The key is never shown: an empty field leaves it as it is."""

    saved = Signal(object)
    cancelled = Signal()

    def __init__(self, record: EndpointRecord) -> None:
        super().__init__()
        endpoint = record.model.endpoint
        assert endpoint is not None
        self._record = record
        self.name, self.model = QLineEdit(record.model.name), QLineEdit(endpoint.model)
        self.key = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText(texts.KEY_STORED if record.use.has_key else texts.KEY_EXAMPLE)
        self.price_in, self.price_out = _amount(endpoint.price_in), _amount(endpoint.price_out)
        self.budget = _amount(endpoint.budget)
        self.budget.setSpecialValueText(texts.NO_BUDGET)
        self.terms, self.notes = QLineEdit(endpoint.terms), QLineEdit(endpoint.notes)
        self.terms.setPlaceholderText(texts.TERMS_EXAMPLE)
        self.notes.setPlaceholderText(texts.NOTES_EXAMPLE)
        found = _FOUND[endpoint.vision]
        self.images = ChoiceBox(
            texts.IMAGES, ((found, "automatic"), (texts.SEES, "yes"), (texts.SEES_NOT, "no")), _CHOICE_CHARACTERS
        )
        self.images.show_value(_choice_of(endpoint))
        self.remove_key = LinkButton(texts.REMOVE_KEY, clicked=self._on_remove_key)
        self.remove_key.setVisible(record.use.has_key)
        self.save_button = PrimaryButton(texts.SAVE, "check", clicked=self._on_save)
        self.cancel_button = PlainButton(texts.CANCEL, clicked=self.cancelled)
        self.state = Text("", "small")
        grid = QGridLayout()
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_2)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget, str], ...] = (
            (texts.NAME, self.name, texts.NAME_HELP),
            (texts.MODEL, self.model, ""),
            (texts.KEY, self.key, texts.KEY_HELP),
            (texts.PRICE_IN, self.price_in, ""),
            (texts.PRICE_OUT, self.price_out, ""),
            (texts.BUDGET, self.budget, texts.BUDGET_HELP),
            (texts.IMAGES, self.images, texts.IMAGES_HELP),
            (texts.TERMS_FIELD, self.terms, ""),
            (texts.NOTES, self.notes, ""),
        )
        place = 0
        for title, field, help in rows:
            field.setAccessibleName(title)
            grid.addWidget(Text(title, "strong"), place, 0)
            if field is self.key:
                grid.addLayout(row_of(None, (field, 1), self.remove_key, gap=tokens.SPACE_2), place, 1)
            else:
                grid.addWidget(field, place, 1)
            place += 1
            if help:
                grid.addWidget(Text(help, "small"), place, 1)
                place += 1
            if isinstance(field, QLineEdit):
                field.returnPressed.connect(self._on_save)
        buttons = row_of(None, self.save_button, self.cancel_button, (self.state, 1), gap=tokens.SPACE_2)
        column_of(self, grid, buttons, gap=tokens.SPACE_3)

    @property
    def changes(self) -> ChangeEndpoint:
        """Only what was changed."""
        endpoint = self._record.model.endpoint
        assert endpoint is not None
        typed = {
            "new_name": (self.name.text().strip(), self._record.model.name),
            "model": (self.model.text().strip(), endpoint.model),
            "terms": (self.terms.text().strip(), endpoint.terms),
            "notes": (self.notes.text().strip(), endpoint.notes),
            "price_in": (self.price_in.value(), round(endpoint.price_in, _DECIMALS)),
            "price_out": (self.price_out.value(), round(endpoint.price_out, _DECIMALS)),
            "budget": (self.budget.value(), round(endpoint.budget, _DECIMALS)),
            "key": (self.key.text().strip(), ""),
            "images": (self.images.value, _choice_of(endpoint)),
        }
        changed = {name: now for name, (now, before) in typed.items() if now != before}
        return ChangeEndpoint(name=self._record.model.name, **changed)  # type: ignore[arg-type]

    def set_busy(self, busy: bool) -> None:
        self.setEnabled(not busy)
        self.state.setText(texts.SAVING if busy else "")

    def set_error(self, words: str) -> None:
        self.set_busy(False)
        self.state.setText(words)

    def _on_save(self) -> None:
        self.saved.emit(self.changes)

    def _on_remove_key(self) -> None:
        self.saved.emit(ChangeEndpoint(name=self._record.model.name, key=""))


_FOUND = {
    None: texts.IMAGES_NOT_TRIED_CHOICE,
    True: texts.IMAGES_FOUND,
    False: texts.IMAGES_NOT_FOUND,
}


def _choice_of(endpoint: Endpoint) -> SeesImages:
    if endpoint.sees is None:
        return "automatic"
    return "yes" if endpoint.sees else "no"


def _amount(value: float) -> AmountBox:
    box = AmountBox()
    box.setLocale(QLocale(QLocale.Language.C))
    box.setDecimals(_DECIMALS)
    box.setRange(0.0, _LARGEST)
    box.setValue(value)
    box.setMaximumWidth(_WIDEST)
    return box
