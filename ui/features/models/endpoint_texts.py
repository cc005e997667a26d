"""Texts of endpoints on the models page."""

from __future__ import annotations

ENDPOINTS = "Endpoints"
INTRODUCTION = (
    "Models that another program or service computes, through an API like OpenAI's: Ollama, vLLM or llama-server on "
    "this machine or in your network, or a service on the Internet. They answer like any other model."
)
OFF = "Endpoints on other machines are switched off. Those on this machine need no permission."
OFFLINE_TOO = "This also ends Offline."
ALLOW = "Allow endpoints"
ADDRESS, ADDRESS_EXAMPLE = "Address", "http://localhost:11434/v1"
MODEL, MODEL_EXAMPLE = "Model", "the name that the service uses"
NAME, NAME_EXAMPLE = "Name", "chosen automatically"
KEY, KEY_EXAMPLE = "Key", "none"
KEY_HELP = "The key goes into the keyring of the system, and is never written to a file."
ADD, PROBING = "Add", "Testing which features it supports, with requests of one token…"
FACTS = "{address} · {context} · {requests:,} requests, {tokens:,} tokens"
CONTEXT, NO_CONTEXT = "{tokens:,} tokens of context", "context length not known"
COST, BUDGET = "cost {cost:.4f}", "of a budget of {budget:g}"
LACKS = "Limits of this endpoint:"
PASSAGES = "Send passages of {collection} to {host}"
PASSAGES_HELP = "Documents whose passages may leave this machine. Without a tick, questions about them are refused."
ATTACHED = "attached files"
PROBE = "Probe again"
CARD_KIND, CARD_HELP = "Endpoint", "Computed by {host}."
