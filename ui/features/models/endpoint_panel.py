"""Endpoints: adding one, the features it lacks, and which documents may be sent to it."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QWidget

from ui.bridge import Bridge
from ui.components.basics import Card, ElidedLabel, InlineMessage, PrimaryButton, QuietButton, Text
from ui.components.layout import ScrolledColumn, column_of, empty_layout, row_of
from ui.components.wording import in_words
from ui.features.models import endpoint_texts as texts
from ui.theme import tokens
from workbench.api.calls import (
    AddEndpoint,
    AllowSending,
    ChangeSettings,
    Collection,
    CollectionList,
    EndpointList,
    EndpointRecord,
    ListCollections,
    ListEndpoints,
    ModelList,
    ProbeEndpoint,
)
from workbench.settings import Settings


class EndpointPanel(QWidget):
    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._collections: tuple[Collection, ...] = ()
        self._found: tuple[EndpointRecord, ...] = ()
        self.cards: dict[str, EndpointCard] = {}
        area = ScrolledColumn(tokens.SPACE_3)
        self.permission = InlineMessage(closable=False)
        self.permission.hide()
        self._list = column_of(gap=tokens.SPACE_3)
        area.column.addWidget(Text(texts.INTRODUCTION, "muted"))
        area.column.addWidget(self.permission)
        area.column.addWidget(self._build_form())
        area.column.addLayout(self._list)
        column_of(self, area, gap=0)
        bridge.home.settings.follow(self._on_settings)
        bridge.home.models.follow(self._on_models)

    def _build_form(self) -> Card:
        card = Card(margin=tokens.SPACE_5)
        grid = QGridLayout()
        grid.setHorizontalSpacing(tokens.SPACE_4)
        grid.setVerticalSpacing(tokens.SPACE_2)
        grid.setColumnStretch(1, 1)
        self.address, self.model = QLineEdit(), QLineEdit()
        self.name, self.key = QLineEdit(), QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        for place, (title, example, field) in enumerate(
            (
                (texts.ADDRESS, texts.ADDRESS_EXAMPLE, self.address),
                (texts.MODEL, texts.MODEL_EXAMPLE, self.model),
                (texts.KEY, texts.KEY_EXAMPLE, self.key),
                (texts.NAME, texts.NAME_EXAMPLE, self.name),
            )
        ):
            field.setAccessibleName(title)
            field.setPlaceholderText(example)
            field.textChanged.connect(self._on_typed)
            field.returnPressed.connect(self._on_add)
            grid.addWidget(Text(title, "strong"), place, 0)
            grid.addWidget(field, place, 1)
        self.add_button = PrimaryButton(texts.ADD, "plus", clicked=self._on_add)
        self.add_button.setEnabled(False)
        self.state = Text(texts.KEY_HELP, "small")
        card.body.addLayout(grid)
        card.body.addLayout(row_of(None, self.add_button, (self.state, 1), gap=tokens.SPACE_3))
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
        self._bridge.call(call, self._bridge.home.settings.put, self._on_refused, self)

    def _on_models(self, found: ModelList) -> None:
        self._bridge.call(ListEndpoints(), self._on_endpoints, owner=self)

    def _on_collections(self, found: CollectionList) -> None:
        self._collections = found.collections
        self._on_endpoints(EndpointList(endpoints=self._found))

    def _on_endpoints(self, found: EndpointList) -> None:
        self._found = found.endpoints
        empty_layout(self._list)
        self.cards = {}
        for record in found.endpoints:
            card = self.cards[record.model.name] = EndpointCard(self._bridge, record, self._collections)
            self._list.addWidget(card)

    def _on_typed(self) -> None:
        self.add_button.setEnabled(bool(self.address.text().strip() and self.model.text().strip()))

    def _on_add(self) -> None:
        if not self.add_button.isEnabled():
            return
        self.add_button.setEnabled(False)
        self.state.setText(texts.PROBING)
        call = AddEndpoint(
            address=self.address.text().strip(),
            model=self.model.text().strip(),
            name=self.name.text().strip(),
            key=self.key.text().strip(),
        )
        self._bridge.call(call, self._on_added, self._on_refused, self)

    def _on_added(self, record: EndpointRecord) -> None:
        for field in (self.address, self.model, self.name, self.key):
            field.clear()
        self.state.setText(texts.KEY_HELP)

    def _on_refused(self, error: Exception) -> None:
        self.state.setText(in_words(error))
        self._on_typed()


class EndpointCard(Card):
    """One endpoint."""

    def __init__(self, bridge: Bridge, record: EndpointRecord, collections: tuple[Collection, ...]) -> None:
        super().__init__(margin=tokens.SPACE_5)
        self._bridge, self._name = bridge, record.model.name
        self.sending: dict[str, QCheckBox] = {}
        endpoint, use = record.model.endpoint, record.use
        assert endpoint is not None
        self.body.setSpacing(tokens.SPACE_2)
        probe = QuietButton(texts.PROBE, "refresh", small=True, clicked=self._on_probe)
        self.body.addLayout(row_of(None, (ElidedLabel(self._name, "strong"), 1), probe))
        known = texts.CONTEXT.format(tokens=endpoint.context_tokens) if endpoint.context_tokens else texts.NO_CONTEXT
        facts = [
            texts.FACTS.format(
                address=endpoint.address,
                context=known,
                requests=use.requests,
                tokens=use.prompt_tokens + use.new_tokens,
            )
        ]
        if use.cost:
            facts.append(texts.COST.format(cost=use.cost))
        if endpoint.budget:
            facts.append(texts.BUDGET.format(budget=endpoint.budget))
        self.body.addWidget(Text(" · ".join(facts), "small"))
        self.problem = Text("", "error", visible=False)
        if record.lacks:
            self.body.addWidget(Text(f"{texts.LACKS} {' '.join(record.lacks)}", "muted"))
        if not endpoint.is_local:
            self.body.addWidget(Text(texts.PASSAGES_HELP, "small"))
            for key, shown in [*((one.name, one.name) for one in collections), ("", texts.ATTACHED)]:
                box = self.sending[key] = QCheckBox(texts.PASSAGES.format(collection=shown, host=endpoint.host))
                box.setChecked(use.sending.get(shown, False))
                box.toggled.connect(partial(self._on_toggled, key))
                self.body.addWidget(box)
        self.body.addWidget(self.problem)

    def _on_toggled(self, collection: str, allowed: bool) -> None:
        call = AllowSending(name=self._name, collection=collection, allowed=allowed)
        self._bridge.call(call, lambda record: None, self._on_error, self)

    def _on_probe(self) -> None:
        self.problem.hide()
        self._bridge.call(ProbeEndpoint(name=self._name), lambda record: None, self._on_error, self)

    def _on_error(self, error: Exception) -> None:
        self.problem.setText(in_words(error))
        self.problem.show()
