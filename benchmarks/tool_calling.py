"""Tool calls of a small model on questions of the Berkeley Function Calling Leaderboard.

    python benchmarks/tool_calling.py

``--data`` (default ../shared/data/bfcl) holds the sets. For each question one call is made, as an agent makes its
first one: a tool is chosen, then the arguments are generated under its schema. "valid": the arguments fit the schema
(jsonschema). "right tool", "right": tool and arguments are, as the leaderboard compares them, when a tool has to be
called. "called" and "right when free": the model may answer without a tool instead; in ``irrelevance`` that is right.
Intervals are those of Wilson, of 95 %.

With ``--write`` the questions become training examples: ``workbench train sft --data FILE`` makes an adapter, which
``--adapter`` tests on other questions.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
from harness import DATA, arguments, share, starter_model

from workbench.api.events import Event
from workbench.api.protocol import RequestContext, drain
from workbench.backends.backend import ModelUse
from workbench.backends.llama_cpp import LlamaCppModel
from workbench.engine.inference_calls import Load, LoraUse, Score, Scores
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.recipes import AgentPart, DecodingPart
from workbench.techniques.agents.agent import FINAL, Agent
from workbench.techniques.agents.calling import agent_budget, caller_for
from workbench.techniques.agents.forms import ReactForm
from workbench.techniques.agents.schemas import argument_schema
from workbench.techniques.context import AnswerContext
from workbench.techniques.tools.tool import Tool, ToolOutput


class Model(LlamaCppModel):
    """A model in a worker of its own."""

    def __init__(self, path: Path, adapter: str, context_tokens: int = 4096) -> None:
        host = WorkerHost("inference")
        loaded = host.call(Load(path=str(path), context_tokens=context_tokens))

        def load() -> Generator[Event, None, Any]:
            yield from ()
            return loaded, host.pid

        use = ModelUse(adapters=(LoraUse(path=adapter),) if adapter else ())
        super().__init__(host, loaded, load, RequestContext(), use)
        self.scored: dict[str, float] = {}

    def score_many(self, requests: Sequence[Score], context: RequestContext) -> list[Scores]:
        """As of the model; keeps the log-probabilities of the last choice."""
        made = super().score_many(requests, context)
        names = [str(one).strip() for one in requests[-1].continuations]
        self.scored = dict(zip(names, (round(one.logprob, 3) for one in made[-1].values), strict=True))
        return made


def tool_of(described: Mapping[str, Any]) -> Tool:
    return Tool(
        name=described["name"],
        description=described["description"],
        parameters=argument_schema(described["parameters"]),
        run=lambda arguments, context: ToolOutput(text=""),
    )


def same(given: Any, accepted: Any) -> bool:
    """As the leaderboard compares one value with an accepted one."""
    if isinstance(given, bool) or isinstance(accepted, bool):
        return given is accepted
    if isinstance(given, str) and isinstance(accepted, str):
        return _plain(given) == _plain(accepted)
    if isinstance(given, int | float) and isinstance(accepted, int | float):
        return given == accepted
    if isinstance(given, list) and isinstance(accepted, list):
        return len(given) == len(accepted) and all(map(same, given, accepted))
    if isinstance(given, dict) and isinstance(accepted, dict):
        return fits(given, accepted)
    return bool(given == accepted)


def fits(given: Mapping[str, Any], accepted: Mapping[str, Any]) -> bool:
    """Whether arguments have accepted values: a list of them for each name; "" in it: it may be left out."""
    if not set(given) <= set(accepted):
        return False
    for name, values in accepted.items():
        if name not in given:
            if "" not in values:
                return False
        elif not any(same(given[name], value) for value in values):
            return False
    return True


def _plain(text: str) -> str:
    return re.sub(r"[ ,./\-_*^]", "", text).lower().replace("'", '"')


def ask(row: Mapping[str, Any], model: Model, part: AgentPart) -> dict[str, Any]:
    """The first call for a question."""
    tools = {tool.name: tool for tool in map(tool_of, row["tools"])}
    context = AnswerContext(model=model, retriever=None, cancelled=lambda: False, decoding=DecodingPart(seed=7))
    agent = Agent(part=part, context=context, tools=tools, decisions={})
    caller = caller_for(agent, agent_budget(part, context))
    history = tuple(Message(one["role"], one["content"]) for one in row["messages"])
    began = time.perf_counter()
    thought = drain(caller.thought(history, tokens=part.thought_tokens))
    free = drain(caller.choose(history, thought, tuple(tools)))
    scores = dict(model.scored)
    wanted = row.get("answers") or []
    told = {"id": row["id"], "free": free, "scores": scores, "thought": thought}
    if not wanted:
        return told | {"right": free == FINAL, "seconds": time.perf_counter() - began}
    name = free if free != FINAL else drain(caller.choose(history, thought, tuple(tools), may_answer=False))
    arguments = drain(caller.arguments(history, thought, tools[name]))
    right_tool = any(name in one for one in wanted)
    right = arguments is not None and any(name in one and fits(arguments, one[name]) for one in wanted)
    return told | {
        "name": name,
        "arguments": arguments,
        "valid": arguments is not None and is_valid(arguments, tools[name].parameters),
        "right tool": right_tool,
        "right": right,
        "called": free != FINAL,
        "right when free": right and free != FINAL,
        "seconds": time.perf_counter() - began,
    }


def is_valid(arguments: Any, schema: Mapping[str, Any]) -> bool:
    try:
        jsonschema.validate(arguments, schema)
    except jsonschema.ValidationError:
        return False
    return True


def example(row: Mapping[str, Any]) -> dict[str, Any]:
    """A question with its call, as the program writes them in the form react without thoughts, to train on. Of accepted
    values the first is taken; an argument whose first one is "" is left out."""
    tools = {tool.name: tool for tool in map(tool_of, row["tools"])}
    form, history = ReactForm(), tuple(Message(one["role"], one["content"]) for one in row["messages"])
    ((name, accepted),) = row["answers"][0].items()
    arguments = {key: _first(values[0]) for key, values in accepted.items() if values[0] != ""}
    call = f"Action: {name}\nAction Input: {json.dumps(arguments, ensure_ascii=False)}"
    turns = [*form.messages(history, tools), Message("assistant", call)]
    return {"messages": [{"role": one.role, "content": one.content} for one in turns]}


def _first(value: Any) -> Any:
    """The first of accepted values within an object, whose fields have lists of them as well."""
    if isinstance(value, dict):
        return {key: _first(one[0]) if isinstance(one, list) and one else one for key, one in value.items()}
    return value


def main() -> None:
    parser = arguments(__doc__, "model", data=DATA / "bfcl", questions=120, adapter="", form="automatic")
    parser.add_argument("--sets", nargs="+", default=["simple_python", "multiple", "irrelevance"])
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--thought", type=int, default=0, help="tokens")
    parser.add_argument("--write", type=Path, default=None, help="examples to train on, instead of asking")
    parser.add_argument("--record", type=Path, default=None, help="JSON lines, one a question")
    given = parser.parse_args()
    if given.write is not None:
        chosen = [row for name in given.sets for row in rows_of(given, name)]
        lines = [json.dumps(example(row), ensure_ascii=False) for row in chosen]
        given.write.write_text("\n".join(lines) + "\n", "utf-8")
        return
    model = Model(given.model or starter_model(), given.adapter)
    part = AgentPart(format=given.form, thought_tokens=given.thought)
    for name in given.sets:
        rows = rows_of(given, name)
        made = []
        for row in rows:
            made.append(ask(row, model, part))
            if given.record is not None:
                told = made[-1] | {"question": row["messages"][-1]["content"], "wanted": row.get("answers")}
                with given.record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(told, ensure_ascii=False) + "\n")
        seconds = sum(one["seconds"] for one in made) / max(1, len(made))
        measures = ("valid", "right tool", "right", "called", "right when free")
        shown = [f"{key} {share(sum(one[key] for one in made), len(made))}" for key in measures if key in made[0]]
        print(f"{name:14} n={len(made):3}  {'  '.join(shown)}  {seconds:.1f} s each", flush=True)


def rows_of(given: argparse.Namespace, name: str) -> list[dict[str, Any]]:
    lines = (given.data / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines[given.first : given.first + given.questions]]


if __name__ == "__main__":
    main()
