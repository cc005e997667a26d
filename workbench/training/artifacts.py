"""The trained weights on disk: a PEFT folder, or the new values of trained tensors; complete or absent."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import peft
import torch
from safetensors.torch import load_file, save_file

from workbench.base.durability import flush_folder, flush_to_disk
from workbench.base.errors import UserError
from workbench.gguf.peft_folder import without_patterns
from workbench.training.peft_models import trainable_parameters

CHANGED = "changed.safetensors"


def form_of(model: Any) -> Literal["peft", "changed"]:
    """The form of the trained weights: a PEFT folder, or the new values of trained tensors."""
    return "peft" if isinstance(model, peft.PeftModel) else "changed"


def write_trained(
    model: Any, method: str, folder: Path, base_name: str = "", others: Mapping[str, bytes] | None = None
) -> Literal["peft", "changed"]:
    """Write what was trained into ``folder``, and ``others`` by their names with it, in place of what was there.

    Raises UserError when it cannot be written.
    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    form = form_of(model)
    try:
        for left in folder.parent.glob(f".{folder.name}.*"):
            shutil.rmtree(left, ignore_errors=True)  # of a killed process
        beside.mkdir(parents=True)
        if form == "peft":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that the embeddings may have been resized
                model.save_pretrained(beside, save_embedding_layers=False)
            (beside / "README.md").unlink(missing_ok=True)  # peft's, with nothing filled in
            _name_base(beside / "adapter_config.json", base_name)
        else:
            tensors = {name: _plain(parameter) for name, parameter in trainable_parameters(model).items()}
            save_file(tensors, beside / CHANGED, metadata={"format": "pt"})
            (beside / "changed.json").write_text(json.dumps({"method": method, "base": base_name}), "utf-8")
        for name, raw in (others or {}).items():
            (beside / name).write_bytes(raw)
        replace_folder(beside, folder)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written: {error.strerror or error}.", "Free some space, or choose another folder."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return form


def load_trained(model: Any, folder: Path) -> Any:
    """Put what ``write_trained`` left into a base model, in place; gives the model that answers as trained."""
    if (folder / CHANGED).exists():
        own = dict(model.named_parameters())
        for name, values in load_file(folder / CHANGED).items():
            if name in own:
                own[name].data = values.to(own[name].device)
            else:  # a bias that the base does not have
                layer = model.get_submodule(name.rpartition(".")[0])
                layer.bias = torch.nn.Parameter(values.to(layer.weight.device))
        return model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = peft.PeftConfig.from_pretrained(str(folder))
        if not isinstance(config, peft.PromptLearningConfig):
            for option, value in without_patterns(folder).items():
                setattr(config, option, value)
        return peft.PeftModel.from_pretrained(model, str(folder), config=config)


def set_trainable(model: Any, tensors: Mapping[str, Any]) -> None:
    """Set the values of the weights that are trained. Raises KeyError when some are missing."""
    with torch.no_grad():
        for name, parameter in trainable_parameters(model).items():
            parameter.copy_(tensors[name])


def _plain(parameter: Any) -> Any:
    return parameter.detach().cpu().contiguous()


def replace_folder(beside: Path, folder: Path) -> None:
    """Flush all files of ``beside`` to the disk and give it the name ``folder``, in place of what has it."""
    for path in beside.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                flush_to_disk(file)
    before = folder.with_name(f".{folder.name}.{os.getpid()}.before")
    shutil.rmtree(before, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.replace(folder, before)
    os.replace(beside, folder)
    shutil.rmtree(before, ignore_errors=True)
    flush_folder(folder.parent)


def _name_base(path: Path, base_name: str) -> None:
    config = json.loads(path.read_text("utf-8"))
    config["base_model_name_or_path"] = base_name or None
    path.write_text(json.dumps(config, indent=2), "utf-8")
