"""The words of models that another machine computes: what may be sent there, and what they cannot do."""

from __future__ import annotations

from workbench.base.catalogue import _

ASKED_ONCE = _("Your decision holds for this collection and this host. It can be changed on the page of models.")
ALLOW = _("Allow for {collection}")
REFUSE = _("Do not send")
CLOSE = _("Decide later")
NOT_SENT = _(
    "Nothing was sent: text of {collection} stays on this machine. To ask anyway, choose a model on this machine, "
    "or no documents."
)
