"""Texts of the log of the network in the settings."""

from __future__ import annotations

from workbench.base.catalogue import _
from workbench.records.hub import Purpose

LOG = _("Requests")
LOG_HELP = _(
    "The list shows the last 1,000 requests that this program made over the network, and the connections that it "
    "refused. Texts, keys and search words are not in it."
)
COLUMNS = (_("Time"), _("Purpose"), _("Host"), _("Sent"), _("Received"), _("Result"))
PURPOSES: dict[Purpose, str] = {
    "hub": _("Models of the hub"),
    "endpoint": _("Endpoint"),
    "update": _("New versions"),
    "mcp": _("MCP server"),
    "packages": _("Packages"),
}
ALL_PURPOSES, PURPOSE = _("All purposes"), _("Purpose of the requests")
ALL_RESULTS, RESULT = _("All results"), _("Results")
ANSWERED, REFUSED, FAILED = _("Answered"), _("Refused"), _("Not answered")
HOST, HOST_EXAMPLE = _("Host"), _("Host")
SHOWN = _("{shown:,} of {total:,} requests")
EMPTY = _("Nothing was sent over the network.")
NO_MATCH = _("No request matches.")
STATUS = _("answered ({status})")
NOT_ANSWERED = _("no answer ({error})")
REFUSED_FOR = _("refused: {reason}")
REFRESH = _("Refresh the list")
EXPORT, EXPORT_NAME, EXPORT_FILES = _("Export…"), "network.csv", _("CSV files (*.csv)")
EXPORTED = _("Written to {path}.")
CLEAR = _("Clear")
CLEAR_QUESTION = _("Forget all requests so far?")

# other machines that may use the API
CLIENTS = _("Other machines")
CLIENTS_HELP = _(
    "Each machine gets a code of its own. On that machine, the code is pasted into Models, Models elsewhere. The "
    "connection is encrypted, and the code makes sure that it is this machine that answers."
)
NOT_SERVED = _("The API is not served to other machines. Switch on “Local API” and “Serve the local network” above.")
SERVED_TO = _("Other machines reach it at {addresses}.")
CLIENT_NAME, CLIENT_EXAMPLE = _("Name of the machine or person"), _("Name, such as Anna's laptop")
MAKE_CODE, NAME_FIRST = _("Make a code"), _("Give the machine a name first.")
CODE, COPY_CODE = _("Code"), _("Copy code")
CODE_ONCE = _("The code for {name}. It is secret, and it is shown this once.")
CODE_COPIED = _("The code is in the clipboard.")
CLIENT_LIMITS = _("since {day} · up to {per_minute:,} requests a minute of {megabytes} MB each")
REMOVE_CLIENT, REMOVE = _("Refuse {name} from now on"), _("Remove")
REMOVE_QUESTION = _("Remove {name}? Its code stops working.")
