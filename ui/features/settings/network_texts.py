"""Texts of the log of the network in the settings."""

from __future__ import annotations

from workbench.records.hub import Purpose

LOG = "Requests"
LOG_HELP = (
    "The list shows the last 1,000 requests that this program made over the network, and the connections that it "
    "refused. Texts, keys and search words are not in it."
)
COLUMNS = ("Time", "Purpose", "Host", "Sent", "Received", "Result")
PURPOSES: dict[Purpose, str] = {
    "hub": "Models of the hub",
    "endpoint": "Endpoint",
    "update": "New versions",
    "mcp": "MCP server",
    "packages": "Packages",
}
ALL_PURPOSES, PURPOSE = "All purposes", "Purpose of the requests"
ALL_RESULTS, RESULT = "All results", "Results"
ANSWERED, REFUSED, FAILED = "Answered", "Refused", "Not answered"
HOST, HOST_EXAMPLE = "Host", "Host"
SHOWN = "{shown:,} of {total:,} requests"
EMPTY = "Nothing was sent over the network."
NO_MATCH = "No request matches."
STATUS = "answered ({status})"
NOT_ANSWERED = "no answer ({error})"
REFUSED_FOR = "refused: {reason}"
REFRESH = "Refresh the list"
EXPORT, EXPORT_NAME, EXPORT_FILES = "Export…", "network.csv", "CSV files (*.csv)"
EXPORTED = "Written to {path}."
CLEAR = "Clear"
CLEAR_QUESTION = "Forget all requests so far?"
