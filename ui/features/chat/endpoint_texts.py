"""The words of models that another machine computes: what may be sent there, and what they cannot do."""

from __future__ import annotations

ASKED_ONCE = "Your decision holds for this collection and this host. It can be changed on the page of models."
ALLOW = "Allow for {collection}"
REFUSE = "Do not send"
CLOSE = "Decide later"
NOT_SENT = (
    "Nothing was sent: text of {collection} stays on this machine. To ask anyway, choose a model on this machine, "
    "or no documents."
)
