"""``workbench models``: the catalogue of models."""

from __future__ import annotations

import argparse
import os
from typing import Any

from workbench.api.calls import (
    ImportModel,
    InspectModel,
    ListModels,
    LoadModel,
    ModelList,
    ModelRecord,
    QuantizeModel,
    RegisterStarter,
    RemoveModel,
    SetDefaultModel,
    Status,
    UnloadModel,
)
from workbench.api.events import Log
from workbench.cli.arguments import Commands, absolute
from workbench.cli.output import TextOutput, byte_size, count_size
from workbench.cli.runs import follow
from workbench.cli.session import Events, Session
from workbench.errors import UserError


def add_commands(commands: Commands) -> None:
    group = commands.group("models", "models on disk")
    group.command("starter", "register the installed starter models", starter, show_models)
    adding = group.command("import", "add a GGUF file or a safetensors folder", import_model, show_model)
    adding.add_argument("path", metavar="PATH", help="a .gguf file, any file of a split one, or a folder")
    adding.add_argument("--copy", action="store_true", help="copy the files into the home folder")
    adding.add_argument("--name", default="", help="its name in the catalogue (default: from its metadata)")
    group.command("list", "list the catalogue", list_models, show_models)
    choosing = group.command(
        "default", "choose the model that is used where none is named", choose, show_default, names={"name": "model"}
    )
    choosing.add_argument("name", metavar="NAME", nargs="?", help="without it, the default model is shown")
    choosing.add_argument("--none", action="store_true", help="choose none: the chat model that was added first")
    inspecting = group.command(
        "inspect", "show the metadata of a model's files", inspect, show_details, names={"name": "model"}
    )
    inspecting.add_argument("name", metavar="NAME", help="a name in the catalogue, or a path")
    removing = group.command("remove", "remove a model from the catalogue", remove, show_removed)
    removing.add_argument("name", metavar="NAME")
    loading = group.command(
        "load", "load a model ahead of the first question", load, show_loaded, names={"name": "model"}
    )
    loading.add_argument("name", metavar="NAME")
    group.command("unload", "unload the model to free its memory", unload, show_loaded)
    quantizing = group.command(
        "quantize", "quantise a GGUF model, as a new model", quantize, show_made, names={"name": "model"}
    )
    quantizing.add_argument("name", metavar="NAME")
    quantizing.add_argument("type", metavar="TYPE", help="such as Q4_K_M, Q8_0 or F16")
    quantizing.add_argument("--name", dest="new", default="", help="the name of the new model (default: chosen)")


def starter(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    listed = yield from session.call(RegisterStarter())
    return {"models": [plain_model(m) for m in listed.models]}


def import_model(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    call = ImportModel(path=absolute(arguments.path), name=arguments.name, copy=arguments.copy)
    return plain_model((yield from session.call(call)))


def list_models(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    listed = yield from session.call(ListModels())
    return {"models": [plain_model(m) for m in listed.models], "default": listed.default}


def choose(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    call = SetDefaultModel(name=arguments.name or "") if arguments.name or arguments.none else ListModels()
    listed = yield from session.call(call)
    return {"default": listed.default, "used": listed.default or next(iter(_able(listed)), "")}


def inspect(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    name = arguments.name
    listed = yield from session.call(ListModels())
    if name not in [m.name for m in listed.models] and os.path.exists(name):
        name = absolute(name)
    details = yield from session.call(InspectModel(name=name))
    return {
        **plain_model(details.model),
        "chat_template": details.chat_template,
        "tokenizer": details.tokenizer,
        "vocabulary": details.vocabulary,
        "layers": details.layers,
        "embedding_length": details.embedding_length,
        "metadata": details.metadata,
    }


def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    return plain_model((yield from session.call(RemoveModel(name=arguments.name))))


def load(session: Session, arguments: argparse.Namespace) -> Events[Status]:
    return (yield from session.call(LoadModel(name=arguments.name)))


def unload(session: Session, arguments: argparse.Namespace) -> Events[Status]:
    return (yield from session.call(UnloadModel()))


def quantize(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    call = QuantizeModel(model=arguments.name, type=arguments.type, name=arguments.new)
    run = yield from session.call(call)
    done = yield from follow(session, run.id, stop_on_interrupt=True)
    return {"run": run.id, **done}


def default_model(session: Session, purpose: str = "answer") -> Events[str]:
    """The model of a command that names none: the default one, else for an answer the one that was added first. Raises
    UserError when there is none, and when long work could mean several."""
    listed = yield from session.call(ListModels())
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


def _able(listed: ModelList) -> list[str]:
    """The models that answer, else those that can be trained, in the order in which they were added."""
    there = [m for m in listed.models if not m.missing]
    return [m.name for m in there if m.kind == "chat"] or [m.name for m in there if m.kind == "base"]


def plain_model(model: ModelRecord) -> dict[str, Any]:
    """A model in the documented shape."""
    return {
        "name": model.name,
        "kind": model.kind,
        "architecture": model.architecture,
        "parameters": model.parameters,
        "quantization": model.quantization,
        "context_tokens": model.context_tokens,
        "bytes": model.bytes,
        "licence": model.licence,
        "path": model.path,
        "format": model.format,
        "files": list(model.files),
        "sha256": model.sha256,
        "owned": model.owned,
        "missing": model.missing,
    }


def show_models(result: dict[str, Any], output: TextOutput) -> None:
    models = result["models"]
    if not models:
        output.line("There are no models yet. `workbench models starter` registers the starter models.")
        return
    headers = ("NAME", "KIND", "ARCHITECTURE", "PARAMETERS", "QUANTISATION", "CONTEXT", "SIZE", "LICENCE", "")
    rows = [
        (
            m["name"],
            m["kind"],
            m["architecture"],
            count_size(m["parameters"]),
            m["quantization"],
            f"{m['context_tokens']:,}" if m["context_tokens"] else "",
            byte_size(m["bytes"]),
            m["licence"],
            "file is missing" if m["missing"] else "default" if m["name"] == result.get("default") else "",
        )
        for m in models
    ]
    output.table(headers, rows, numbers=("PARAMETERS", "CONTEXT", "SIZE"))


def show_model(result: dict[str, Any], output: TextOutput) -> None:
    output.pairs(_facts(result))


def show_default(result: dict[str, Any], output: TextOutput) -> None:
    if result["default"]:
        output.line(result["default"])
    else:
        used = f": {result['used']}, which was added first, is used" if result["used"] else ""
        output.line(f"No default model is chosen{used}.")


def show_removed(result: dict[str, Any], output: TextOutput) -> None:
    files = "its files were deleted" if result["owned"] else f"its files were not deleted: {result['path']}"
    output.line(f"{result['name']} was removed from the catalogue; {files}.")


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
