"""Texts of endpoints on the models page."""

from __future__ import annotations

from workbench.base.catalogue import _

ENDPOINTS = _("Models elsewhere")
INTRODUCTION = _(
    "An endpoint is a model that another program or service computes, through an API like OpenAI's: Ollama, vLLM or "
    "llama-server on this machine or in your network, or a service on the Internet. It answers like any other model. "
    "Another machine that runs this program is added by a code that it makes in Settings, Local API."
)
OFF = _(
    "Endpoints on other machines are switched off. Allowing them lets the program send your questions there. Endpoints "
    "on this machine need no permission."
)
OFFLINE_TOO = _("This also switches “Work offline” off.")
ALLOW = _("Allow endpoints")
ADDRESS, ADDRESS_EXAMPLE = _("Address or code"), _("http://localhost:11434/v1, or the code of another machine")
ADDRESS_HELP = _("The documentation of a service names its address, which mostly ends in /v1.")
MODEL, MODEL_EXAMPLE = _("Model"), _("the name that the service uses")
MODEL_FIELD_HELP = _("The model to use, as the service spells it. With a code it can stay empty.")
MODEL_OF_CODE, KEY_OF_CODE = _("the first recipe or model of that machine"), _("part of the code")
NAME, NAME_EXAMPLE = _("Name"), _("chosen automatically")
ADDED_NAME_HELP = _("The model has this name in your lists of models.")
KEY, KEY_EXAMPLE = _("Key"), _("none")
KEY_HELP = _("The key goes into the keyring of the system, and is never written to a file.")
KEY_FIELD_HELP = _("The API key from your account with the service. Programs on this machine mostly need none.")
GIVE_BOTH = _("Give an address and a model, or a code.")
ADD, STOPPED = _("Add"), _("It was not added.")
PROBING = _("Testing which features it supports, with requests of one token…")
FACTS = _("{address} · {context} · {requests}, {tokens:,} tokens")
CONTEXT, NO_CONTEXT = _("{tokens:,} tokens of context"), _("context length not known")
SPENT = _("spent {cost:.4f}")
SPENT_OF = _("spent {cost:.4f} of a budget of {budget:g}, {left:.4f} left")
PRICE = _("{price_in:g} per million tokens read, {price_out:g} per million written")
KEY_KEPT, KEY_SESSION, NO_KEY = (
    _("key in the keyring"),
    _("key for this session only: the system has no keyring"),
    _("no key"),
)
TERMS = _("Terms: {terms}")
EDIT, SAVE, CANCEL = _("Edit"), _("Save"), _("Cancel")
SAVING = _("Saving…")
KEY_STORED = _("stored; type to replace it")
REMOVE_KEY = _("Remove the key")
PRICE_IN, PRICE_OUT = _("Price per million tokens read"), _("Price per million tokens written")
BUDGET, NO_BUDGET = _("Budget in all"), _("none")
BUDGET_HELP = _(
    "It is in the currency of the prices. A request that could exceed the budget is refused before it is sent."
)
TERMS_FIELD, TERMS_EXAMPLE = _("Terms"), _("https://… of the service's terms")
NOTES, NOTES_EXAMPLE = _("Notes"), _("such as whose account it is")
IMAGES = _("Images")
IMAGES_HELP = _(
    "Images of your questions, and pictures of pages that you allow to be sent, go to a model that sees them."
)
IMAGES_FOUND, IMAGES_NOT_FOUND = _("As was found out: it sees them"), _("As was found out: it does not see them")
SEES, SEES_NOT = _("It sees images"), _("It does not see images")
SEES_FACT = _("sees images")
IMAGES_NOT_TRIED = _("images not tried: probe again")
IMAGES_NOT_TRIED_CHOICE = _("It was not tried")
NAME_HELP = _("Saved recipes know a model by its name.")
UNKNOWN_ORIGIN = _("texts of unknown origin")
READ_BY_AGENTS = _("what agents have read")
LACKS = _("Limits of this endpoint:")
PASSAGES = _("Send passages of {collection} to {host}")
OTHER_TEXTS = _("Send {collection} to {host}")
PASSAGES_HELP = _(
    "Passages of the ticked documents, and answers and other texts that were made from them, may leave this machine. "
    "A model that sees images also gets pictures of whole pages and pictures in documents. A request that "
    "holds other texts is refused."
)
ATTACHED = _("attached files")
PROBE = _("Probe again")
CARD_KIND, CARD_HELP = _("Endpoint"), _("Computed by {host}.")
