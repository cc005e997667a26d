"""Hold three numbers of a model's memory against each other: the plan, llama.cpp's count without memory, the real load.

    python benchmarks/fit.py

The models are the two starters and six synthetic architectures (llama, gemma3, qwen3moe, deepseek2 with latent
attention, mamba2, t5), whose files are a header and zeros. For each context length, cache precision and number of
sequences: the bytes of the dry count over the real ones; whether a count from the header alone is that of the whole
file; the plan over what was measured. A plan is good where it is at least what is measured, and at most 1.10 times it
and 100 MB.
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from harness import arguments, gemma, starter_model

from tests.synthetic_models import FAMILIES, write_synthetic
from workbench.engine.dry_load import DryModel
from workbench.engine.inference_calls import Load
from workbench.engine.library import llama, start_library
from workbench.engine.memory_breakdown import count_memory
from workbench.engine.memory_formulas import cache_bytes, computing_bytes
from workbench.engine.memory_planner import Plan
from workbench.engine.offloading import weigh_tensors
from workbench.engine.parameters import context_parameters, is_recurrent, model_parameters
from workbench.gguf.model import describe_gguf
from workbench.gguf.reader import read_gguf, read_pieces
from workbench.records.fit import MemoryPart

SPARE = 100_000_000
Kinds = tuple[tuple[Literal["f16", "q8_0"], Literal["auto", "on", "off"]], ...]
KINDS: Kinds = (("f16", "auto"), ("f16", "off"), ("q8_0", "on"))


def load_really(path: Path, plan: Plan) -> MemoryPart:
    pointer = llama.llama_model_load_from_file(str(path).encode(), model_parameters(str(path), plan))
    context = llama.llama_init_from_model(pointer, context_parameters(plan, is_recurrent(pointer)))
    (part,) = count_memory(context)
    llama.llama_free(context)
    llama.llama_model_free(pointer)
    return part


def header_of(path: Path, folder: Path) -> Path:
    """The file's header in a sparse file of its size."""
    end = read_gguf(path).header_bytes
    copy = folder / "header.gguf"
    with path.open("rb") as source, copy.open("wb") as target:
        target.write(source.read(end))
        target.truncate(path.stat().st_size)
    return copy


def planned(path: Path, plan: Plan, recurrent: bool) -> int:
    details = describe_gguf(path)
    weights = weigh_tensors(details, [tensor for piece in read_pieces(path) for tensor in piece.tensors])
    sequences = 1 if recurrent else plan.sequences
    call = Load(path="", flash_attention=plan.flash_attention, kv_type=plan.kv_type)
    return (
        weights.on_host(0)
        + cache_bytes(details, plan.context_tokens, plan.kv_type, sequences)
        + computing_bytes(details, plan.context_tokens, call, sequences)
    )


def main() -> None:
    parser = arguments(__doc__, "json")
    parser.add_argument("--models", nargs="*", type=Path, default=[])
    parser.add_argument("--contexts", nargs="+", type=int, default=[512, 4096, 16_384])
    options = parser.parse_args()
    log = start_library()
    folder = Path(tempfile.mkdtemp(prefix="fit-"))
    rows: list[dict[str, Any]] = []
    try:
        paths = [starter_model(), gemma(folder), *(write_synthetic(folder / f"{one}.gguf", one) for one in FAMILIES)]
        for path in [*paths, *options.models]:
            first = Plan(512, 0, 2, "auto", "f16", "", "")
            began = time.perf_counter()
            dry, header = (DryModel(str(one), first, log) for one in (path, header_of(path, folder)))
            architecture = describe_gguf(path).model.architecture
            for tokens, (kv, flash), sequences in itertools.product(options.contexts, KINDS, (2, 32)):
                plan = Plan(tokens, 0, 2, flash, kv, "", "", sequences=sequences)
                (counted,), (from_header,) = dry.count(plan), header.count(plan)
                real = load_really(path, plan)
                said = planned(path, plan, architecture == "mamba2")
                rows.append(
                    {
                        "model": path.stem, "architecture": architecture, "context": tokens, "kv": kv, "flash": flash,
                        "sequences": sequences, "real": real.total, "dry": counted.total,
                        "header": from_header.total, "plan": said,
                        "plan_good": real.total <= said <= 1.10 * real.total + SPARE,
                    }
                )  # fmt: skip
            dry.close()
            header.close()
            mine = [row for row in rows if row["model"] == path.stem]
            worst = max(abs(row["dry"] / row["real"] - 1) for row in mine)
            same = sum(row["header"] == row["dry"] for row in mine)
            good = sum(row["plan_good"] for row in mine)
            ratios = [row["plan"] / row["real"] for row in mine]
            print(
                f"{path.stem:30} {architecture:10} n={len(mine):3}  dry/real off by at most {worst:.3%}, header = "
                f"whole file {same}/{len(mine)}, plan good {good}/{len(mine)} ({min(ratios):.3f} to "
                f"{max(ratios):.3f} of it), "
                f"{time.perf_counter() - began:.1f} s",
                flush=True,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    total = len(rows)
    within = sum(abs(row["dry"] / row["real"] - 1) <= 0.01 for row in rows)
    print(
        f"All: dry within 1 % of the real load in {within}/{total}; from a header as from the whole file in "
        f"{sum(row['header'] == row['dry'] for row in rows)}/{total}; plan at least measured and at most 1.10 times it "
        f"and 100 MB in {sum(row['plan_good'] for row in rows)}/{total}."
    )


if __name__ == "__main__":
    main()
