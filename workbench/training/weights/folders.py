"""A model out of a folder as transformers saves it: safetensors only, and no code that lies beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.base.errors import UserError
from workbench.base.files import read_json_file, refuse_special_files
from workbench.gguf.safetensors import SafetensorsFile
from workbench.training.weights.dtype_selection import Choice
from workbench.training.weights.four_bit import check_four_bit, four_bit_config


def load_folder(folder: Path, choice: Choice, device: Any) -> Any:
    """The model, its weights as ``choice`` says, on ``device``.

    Raises UserError for pickles, adapters, weights that are quantised already, files that are not sound, and what
    transformers cannot make a model of.
    """
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForCausalLM

    if choice.form == "4bit":
        check_four_bit(device)
    _check_files(folder)
    computing = getattr(torch, choice.dtype)
    dtype = torch.bfloat16 if choice.form == "bf16" else computing
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if getattr(config, "quantization_config", None) is not None:
            raise UserError(
                f"The weights in {folder} are quantised already, by another program.",
                "Choose the original weights, or the model as GGUF.",
            )
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            # said outright: a config can name kernels to be fetched
            attn_implementation=_attention(config),
            output_loading_info=True,
            device_map={"": device} if choice.form == "4bit" else None,
            quantization_config=four_bit_config(dtype) if choice.form == "4bit" else None,
        )
    except (StrictDataclassError, SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise UserError(f"transformers cannot load {folder}: {error}.", "Download the model again.") from error
    if missing := sorted(report["missing_keys"]):
        raise UserError(
            f"{folder} lacks weights of its model: {', '.join(missing[:3])}{' and more' if len(missing) > 3 else ''}.",
            "Download the model again.",
        )
    if choice.form == "4bit":
        return model
    if dtype == computing or device.type != "cpu":
        return model.to(device)
    from workbench.training.weights.packed_layers import hold_apart

    return hold_apart(model, computing)


def _check_files(folder: Path) -> None:
    refuse_special_files(folder)
    files = sorted(folder.glob("*.safetensors"))
    if (folder / "adapter_config.json").exists():
        raise UserError(f"{folder} holds an adapter, not a model.", "Choose the model that it was trained on.")
    if not files:
        if any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
            raise UserError(
                f"The weights in {folder} are Python pickles, which can run code when they are read.",
                "Get the model as safetensors or GGUF.",
            )
        raise UserError(f"{folder} holds no safetensors.", "Choose the folder that transformers saved.")
    for path in files:
        SafetensorsFile(path)
    index = folder / "model.safetensors.index.json"
    if index.exists():
        try:
            wanted = set(read_json_file(index)["weight_map"].values())
        except (KeyError, AttributeError, TypeError) as error:
            raise UserError(f"{index} is damaged: it does not name its files.", "Download the model again.") from error
        if absent := sorted(wanted - {path.name for path in files}):
            raise UserError(f"{folder} lacks the file {absent[0]}.", "Download the model again.")


def _attention(config: Any) -> str:
    from transformers import AutoModelForCausalLM

    kind = AutoModelForCausalLM._model_mapping.get(type(config), None)
    return "sdpa" if kind is not None and getattr(kind, "_supports_sdpa", False) else "eager"
