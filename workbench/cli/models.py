"""``workbench models`` and ``bench``: the catalogue of models, and how fast one is on this machine."""

from __future__ import annotations

import argparse
import os
import shlex
from typing import Any

import msgspec

from workbench import calls
from workbench.api.events import Log
from workbench.base.counting import counted
from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute, one_call
from workbench.cli.call_arguments import add_call, call_of
from workbench.cli.endpoints import add_commands as add_endpoints
from workbench.cli.output import Number, TextOutput, byte_size, count_size, duration, listing, moment
from workbench.cli.runs import ran, run_to_end
from workbench.cli.session import Events, Session
from workbench.cli.trash import NEXT
from workbench.records.exam import (
    CORRECTED,
    OFFICE,
    OLD,
    RATES,
    ExamResult,
    describe_mode,
    describe_office,
    describe_poor,
    describe_rate,
)
from workbench.records.fit import VERDICTS, Fit

NAMES = {"name": "model"}


def add_commands(commands: Commands) -> None:
    group = commands.group("models", "add, examine, compare and remove models")
    group.command("starter", "register the installed starter models", starter, show_models)
    add_call(group, "import", "add a GGUF file or a safetensors folder", calls.ImportModel, show_model)
    finding = "list models of Ollama, LM Studio and the Hugging Face cache on this disk; import PATH adds one"
    add_call(group, "find", finding, calls.FindLocalModels, show_local)
    group.command("list", "list the catalogue", list_models, show_models)
    choosing = group.command(
        "default", "choose the model that is used where none is named", choose, show_default, names=NAMES
    )
    choosing.add_argument("name", metavar="NAME", nargs="?", help="without it, the default model is shown")
    choosing.add_argument("--none", action="store_true", help="choose none: the chat model that was added first")
    inspecting = group.command("inspect", "show the metadata of a model's files", inspect, show_details, names=NAMES)
    inspecting.add_argument("name", metavar="NAME", help="a name in the catalogue, or a path")
    group.command("show", "show a model and its exam", show, show_model, "NAME", names=NAMES)
    examining = "examine a model: how often its answers from documents are right"
    group.command("exam", examining, examine, show_exam, "NAME", names=NAMES)
    seeing = "let a model see images by its image encoder (mmproj file), or no longer without FILE"
    add_call(
        group, "projector", seeing, calls.SetProjector, show_model, names=NAMES, path="--file FILE"
    )  # fmt: skip
    add_call(group, "remove", "remove a model from the catalogue", calls.RemoveModel, show_removed)
    add_call(group, "load", "load a model ahead of the first question", calls.LoadModel, show_loaded, names=NAMES)
    fitting = "tell whether a model fits this machine, and how fast it is"
    fit = one_call(lambda a: call_of(calls.FitModel, a, name=_name_or_path(a.name)))
    add_call(group, "fit", fitting, calls.FitModel, show_fit, do=fit, names=NAMES, context_tokens="--context N")
    add_call(group, "unload", "unload the model to free its memory", calls.UnloadModel, show_loaded)
    add_call(
        group, "quantize", "quantise a GGUF model, as a new model", calls.QuantizeModel, show_made,
        do=ran(calls.QuantizeModel), names={"model": "model"}, model="NAME",
    )  # fmt: skip
    add_endpoints(group)
    measuring = "measure the speed of a model on this machine"
    add_call(commands, "bench", measuring, calls.BenchModel, show_benchmark, names=NAMES, name="MODEL")


def starter(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    return {"models": (yield from session.call(calls.RegisterStarter())).models}


def list_models(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    listed = yield from session.call(calls.ListModels())
    return {"models": listed.models, "default": listed.default}


def choose(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    call = calls.SetDefaultModel(name=arguments.name or "") if arguments.name or arguments.none else calls.ListModels()
    listed = yield from session.call(call)
    return {"default": listed.default, "used": listed.default or next(iter(_able(listed)), "")}


def inspect(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    name = arguments.name
    listed = yield from session.call(calls.ListModels())
    if name not in [m.name for m in listed.models] and os.path.exists(name):
        name = absolute(name)
    details = msgspec.to_builtins((yield from session.call(calls.InspectModel(name=name))))
    return {**details.pop("model"), **details}


def _name_or_path(name: str) -> str:
    return absolute(name) if os.sep in name and os.path.exists(name) else name


def show(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    listed = yield from session.call(calls.ListModels())
    found = next((m for m in listed.models if m.name.casefold() == arguments.name.casefold()), None)
    if found is None:
        raise UserError(f"There is no model {arguments.name!r}.", f"List them with {session.command('models list')}.")
    return {**msgspec.to_builtins(found), "exam": _with_rates(found.exam) if found.exam is not None else None}


def examine(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    ended = yield from run_to_end(session, calls.ExamineModel(name=arguments.name))
    return {"run": ended["run"], **_with_rates(msgspec.convert(ended, ExamResult))}


def _with_rates(exam: ExamResult) -> dict[str, Any]:
    """A result with its rates in full, for scripts."""
    rates = [
        {
            "language": language,
            "rate": name,
            "share": rate.share if rate.count else None,
            "interval": rate.interval,
            **msgspec.to_builtins(rate),
        }
        for language, of in (exam.languages | ({"office": exam.rows[OFFICE]} if exam.office else {})).items()
        for name, rate in ((name, getattr(of, name)) for name, _ in RATES)
    ]
    return {**msgspec.to_builtins(exam), "rates": rates}


def default_model(session: Session, purpose: str = "answer") -> Events[str]:
    """The model of a command that names none: the default one, else for an answer the one that was added first. Raises
    UserError when there is none, and when long work could mean several."""
    listed = yield from session.call(calls.ListModels())
    names = [listed.default] if listed.default else _able(listed)
    if not names:
        raise UserError(
            f"There is no model to {purpose}.",
            "Register the starter models with `workbench models starter`, or add one with `workbench models import`.",
        )
    if len(names) > 1 and purpose != "answer":
        hint = f"Choose with --model: {', '.join(names)}; or choose a default model with `workbench models default`."
        raise UserError("There are several models.", hint)
    if len(names) > 1:
        text = f"Using {names[0]}: {session.command('models default NAME')} chooses another default model."
        yield Log(text=text, level="notice")
    return names[0]


def _able(listed: calls.ModelList) -> list[str]:
    """The models that answer, else those that can be trained, in the order in which they were added."""
    there = [m for m in listed.models if not m.missing]
    return [m.name for m in there if m.kind == "chat"] or [m.name for m in there if m.kind == "base"]


def show_models(result: dict[str, Any], output: TextOutput) -> None:
    models = result["models"]
    if not models:
        output.line("There are no models yet. `workbench models starter` registers the starter models.")
        return
    headers = ("NAME", "KIND", "ARCHITECTURE", "PARAMETERS", "QUANTISATION", "CONTEXT", "SIZE", "LICENCE", "")
    rows = [
        (
            m["name"],
            "endpoint" if m["format"] == "endpoint" else m["kind"],
            m["architecture"],
            count_size(m["parameters"]) if m["parameters"] else "",
            m["quantization"],
            f"{m['context_tokens']:,}" if m["context_tokens"] else "",
            byte_size(m["bytes"]) if m["bytes"] else "",
            m["licence"],
            _state(m, result.get("default")),
        )
        for m in models
    ]
    output.table(headers, rows, numbers=("PARAMETERS", "CONTEXT", "SIZE"))


show_local = listing(
    "models",
    "No model of Ollama, LM Studio or the Hugging Face cache was found.",
    {
        "NAME": "name",
        "PROGRAM": "source",
        "SIZE": Number("bytes", byte_size),
        "IN THE CATALOGUE": "known",
        "PATH": "path",
    },
)


def _state(model: dict[str, Any], default: str | None) -> str:
    if model["missing"]:
        return model["unreadable"] or "file is missing"
    return "default" if model["name"] == default else ""


def show_model(result: dict[str, Any], output: TextOutput) -> None:
    output.pairs(_facts(result))
    if result["exam_problem"]:
        output.line(result["exam_problem"])
    if result["exam"] is not None:
        output.line()
        show_exam(result["exam"], output)


def show_exam(result: dict[str, Any], output: TextOutput) -> None:
    """The rates with counts and 95 % intervals, for each language."""
    exam = msgspec.convert(result, ExamResult)
    old = "" if exam.current else f", {OLD}"
    output.line(f"Exam of {moment(exam.ended)}, {duration(exam.seconds)}{old}.")
    rows = [(row, title, *describe_rate(rates, name)) for row, rates in exam.rows.items() for name, title in RATES]
    output.table(("DOCUMENTS", "RATE", "SHARE", "COUNT, 95 % INTERVAL"), rows, numbers=("SHARE",))
    for line in (*describe_office(exam), describe_poor(exam), describe_mode(exam), CORRECTED):
        if line:
            output.line(line)


def show_default(result: dict[str, Any], output: TextOutput) -> None:
    if result["default"]:
        output.line(result["default"])
    else:
        used = f": {result['used']}, which was added first, is used" if result["used"] else ""
        output.line(f"No default model is chosen{used}.")


def show_removed(result: dict[str, Any], output: TextOutput) -> None:
    files = "its files went with it" if result["owned"] else f"its files were not deleted: {result['path']}"
    if result["endpoint"] is not None:
        files = "its key went with it"
    output.line(f"{result['name']} was removed from the catalogue; {files}.")
    output.line(NEXT.format(item=shlex.quote(result["name"])))


def show_fit(result: dict[str, Any], output: TextOutput) -> None:
    """Where a model would run, what it takes on each device, how fast it would be."""
    fit = msgspec.convert(result, Fit)
    output.line(f"{VERDICTS[fit.verdict]}. {fit.reason}")
    for line in (fit.hint, fit.kind, fit.problem):
        if line:
            output.line(line)
    output.line()
    rows = [
        (
            part.device or "processor",
            *(byte_size(count) for count in (part.weights, part.cache, part.computing, part.total)),
            byte_size(part.free) if part.free else "not known",
        )
        for part in fit.parts
    ]
    sizes = ("WEIGHTS", "CACHE", "COMPUTING", "TOTAL", "FREE")
    output.table(("DEVICE", *sizes), rows, numbers=sizes)
    by = {"llama.cpp": "counted by llama.cpp without loading it", "estimate": "estimated from its metadata"}
    pairs = [
        ("context", f"{fit.context_tokens:,} tokens, of {fit.trained_tokens:,} that it was trained with"),
        ("memory", by.get(fit.source, "")),
        ("conversations", f"up to {byte_size(fit.kept)} more, as far as that is free" if fit.kept else ""),
        ("released", f"{byte_size(fit.released)} of the model loaded now" if fit.released else ""),
        (
            "speed",
            f"up to about {fit.tokens_per_s:,.0f} tokens/s, as fast as the memory is read" if fit.tokens_per_s else "",
        ),
    ]
    output.pairs([(name, value) for name, value in pairs if value])


def show_loaded(result: dict[str, Any], output: TextOutput) -> None:
    if result["model"]:
        output.line(f"{result['model']} is loaded, with a context of {result['context_tokens']:,} tokens.")
    else:
        output.line("No model is loaded.")


def show_made(result: dict[str, Any], output: TextOutput) -> None:
    """A model made by a run."""
    output.line(f"{result.get('model', 'The model')} is in the catalogue.")
    output.pairs([("path", result.get("path", "")), ("run", result["run"])])


def show_details(result: dict[str, Any], output: TextOutput) -> None:
    output.pairs(
        [
            *_facts(result),
            ("tokenizer", result["tokenizer"]),
            ("vocabulary", f"{result['vocabulary']:,}" if result["vocabulary"] else ""),
            ("layers", result["layers"] or ""),
            ("embedding", result["embedding_length"] or ""),
            ("SHA-256", result["sha256"]),
            ("chat template", "" if result["chat_template"] else "none"),
        ]
    )
    if result["chat_template"]:
        output.line("chat template")
        for line in result["chat_template"].splitlines():
            output.line(f"    {line}")


def _facts(model: dict[str, Any]) -> list[tuple[str, object]]:
    return [
        ("name", model["name"]),
        ("kind", model["kind"]),
        ("architecture", model["architecture"]),
        ("parameters", f"{model['parameters']:,}"),
        ("quantisation", model["quantization"]),
        ("context", f"{model['context_tokens']:,} tokens" if model["context_tokens"] else ""),
        ("size", byte_size(model["bytes"])),
        ("licence", model["licence"] or "not stated"),
        ("path", model["path"]),
        ("files", len(model["files"]) if len(model["files"]) > 1 else ""),
    ]


def show_benchmark(result: dict[str, Any], output: TextOutput) -> None:
    output.pairs(
        [
            ("model", result["model"]),
            ("device", f"{result['device']}, {counted(result['threads'], 'thread')}"),
            ("engine", result["engine"]),
            ("loaded in", f"{result['load_seconds']:.1f} s"),
            ("choice", result["choice"]),
        ]
    )
    output.line()
    gain = f"{result['together'] / result['alone']:.2f} times a single answer" if result["alone"] else ""
    rows = [
        (f"prompt of {result['prompt_tokens']:,} tokens", f"{result['prompt']:,.1f}", ""),
        (f"one answer of {result['new_tokens']:,} tokens", f"{result['alone']:,.1f}", ""),
        (f"{result['sequences']} answers in parallel", f"{result['together']:,.1f}", gain),
    ]
    output.table(("MEASURED", "TOKENS/S", ""), rows, numbers=("TOKENS/S",))
