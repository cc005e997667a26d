"""An MCP server of before 2026, by hand: the initialize handshake, and a question in the midst of a call."""

from __future__ import annotations

import json
import sys
from typing import Any

FORM = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def send(**message: Any) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def received() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        sys.exit()
    message: dict[str, Any] = json.loads(line)
    return message


while True:
    asked = received()
    method, number = asked.get("method"), asked.get("id")
    if method == "initialize":
        server = {"name": "greeter", "version": "1"}
        send(id=number, result={"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server})
    elif method == "tools/list":
        tool = {"name": "greet", "description": "Greets.", "inputSchema": {"type": "object", "properties": {}}}
        broken = {"name": "text", "inputSchema": {"type": "string"}}
        listed = [broken] if "--broken" in sys.argv else [tool, {**tool, "name": "a b"}, tool]
        send(id=number, result={"tools": listed})
    elif method == "tools/call":
        send(id="q", method="elicitation/create", params={"message": "Whom?", "requestedSchema": FORM})
        answer = received()
        while answer.get("id") != "q":
            answer = received()
        given = answer.get("result", {})
        text = f"Hello {given['content']['name']}" if given.get("action") == "accept" else f"({given.get('action')})"
        send(id=number, result={"content": [{"type": "text", "text": text}]})
    elif number is not None:
        send(id=number, error={"code": -32601, "message": "Method not found"})
