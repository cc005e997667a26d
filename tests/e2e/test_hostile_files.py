"""A table of hostile files: each is refused, or answered, within its limit, and the next question of a good model is
answered, always.

The core, its workers and llama.cpp are the real ones; models are of one layer, made here.
"""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from tests.local_front import LocalFront
from tests.unit.engine.test_assertions import METADATA, NORMS, WIDTH, tensors
from tests.unit.subjects.models.conftest import TINY_CONFIG, gguf_bytes, safetensors_bytes
from tests.unit.training.data.test_table_process import list_of_nothing, long_cell, one_cell_many_times, wrong_offsets
from workbench.api import events
from workbench.api.protocol import Call
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.records.recipes import DecodingPart, ModelPart, Recipe
from workbench.records.training import DataPart, TrainingConfig
from workbench.subjects.adapters.calls import ImportAdapter
from workbench.subjects.chats.calls import Ask
from workbench.subjects.datasets.calls import InspectData
from workbench.subjects.models.calls import ImportModel
from workbench.subjects.runs.calls import GetStatus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX files; Windows' kernel keeps no limit of memory"),
]

LIMIT_S = 45.0
"""What anything here may take on a machine that is busy with other things; alone each takes a second or two."""

TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}"
GOOD = {**METADATA, "general.name": "Good", "tokenizer.chat_template": TEMPLATE}
TOKENS = METADATA["tokenizer.ggml.tokens"]
Maker = Callable[[Path], Path]


class Core:
    """A core, and what a person does with it. Everything ends within its limit."""

    def __init__(self, home: Path) -> None:
        self._workbench = Workbench(Home(home))
        self._workbench.start()
        self._front = LocalFront(self._workbench)

    def outcome(self, call: Call[Any]) -> events.Terminal:
        arrived: SimpleQueue[events.Event] = SimpleQueue()
        handle = self._front.start(call, arrived.put)
        late = threading.Event()
        timer = threading.Timer(LIMIT_S, late.set)
        timer.start()
        try:
            while not late.is_set():
                try:
                    event = arrived.get(timeout=0.5)
                except Empty:
                    continue
                if isinstance(event, events.TERMINAL):
                    return event
        finally:
            timer.cancel()
        handle.cancel()
        raise AssertionError(f"{type(call).__name__} took longer than {LIMIT_S:g} s")

    def ask(self, model: str, **decoding: Any) -> events.Terminal:
        context = decoding.pop("context_tokens", 0)
        recipe = Recipe(
            model=ModelPart(name=model, context_tokens=context),
            decoding=DecodingPart(max_tokens=4, temperature=0.0, **decoding),
        )
        return self.outcome(Ask(question="abc", recipe=recipe))

    def answers(self) -> bool:
        """Whether a good model answers."""
        ended = self.ask("Good")
        assert isinstance(ended, events.Finished), ended
        return bool(ended.result["usage"]["new_tokens"])

    def inference_worker(self) -> int:
        """The process of the inference worker, 0 while there is none."""
        status = self.outcome(GetStatus())
        assert isinstance(status, events.Finished)
        return next(one["pid"] for one in status.result["workers"] if one["name"] == "inference")

    def close(self) -> None:
        self._front.close()
        self._workbench.close()


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    folder = tmp_path_factory.mktemp("hostile")
    core = Core(folder / "home")
    (folder / "good.gguf").write_bytes(gguf_bytes(GOOD, tensors()))
    core.outcome(ImportModel(path=str(folder / "good.gguf"), name="Good"))
    assert core.answers()
    yield core
    core.close()


def refused(ended: events.Terminal) -> str:
    """Why a call was refused; a worker that died, or a fault of ours, is no refusal."""
    assert isinstance(ended, events.Failed), ended
    assert ended.reason == "user", ended
    return ended.message


# -- models ---------------------------------------------------------------------------------------------


def model(changed: str = "", kind: str = "", **entries: Any) -> bytes:
    metadata = {**GOOD, **{key.replace("__", "."): value for key, value in entries.items()}}
    return gguf_bytes({k: v for k, v in metadata.items() if v is not None}, tensors(changed, kind))


def raw(kind: int, count: int, rest: bytes) -> bytes:
    """A list of the metadata as it claims to be."""
    return struct.pack("<IIQ", 9, kind, count) + rest


MODELS: dict[str, bytes] = {
    "a norm in Q8_0": model(NORMS[0], "Q8_0"),
    "a norm in I8": model(NORMS[1], "I8"),
    "attention in F64": model("blk.0.attn_q.weight", "F64"),
    "embeddings in I8": model("token_embd.weight", "I8"),
    "an epsilon that is no number": model(llama__attention__layer_norm_rms_epsilon=float("nan")),
    "no tokens": model(tokenizer__ggml__tokens=[]),
    "numbers for tokens": model(tokenizer__ggml__tokens=raw(4, 2, struct.pack("<II", 1, 2))),
    "the same token everywhere": model(tokenizer__ggml__tokens=["a"] * len(TOKENS)),
    "tokens that are no UTF-8": model(
        tokenizer__ggml__tokens=raw(8, 256, b"".join(struct.pack("<QBB", 2, 255, byte) for byte in range(256)))
    ),
    "fewer tokens than rows": model(tokenizer__ggml__tokens=TOKENS[:9]),
    "more tokens than rows": model(tokenizer__ggml__tokens=[*TOKENS, *(f"more{n}" for n in range(99))]),
    "token types for nobody": model(tokenizer__ggml__token_type=[1, 2]),
    "merges that part nothing": model(tokenizer__ggml__merges=["", " ", "x" * 9_000]),
    "an unknown tokenizer": model(tokenizer__ggml__model="nonsense"),
    "a vocabulary without all bytes": model(tokenizer__ggml__model="rwkv"),
    "an end outside of the tokens": model(tokenizer__ggml__eos_token_id=4_000_000_000),
    "no layers": model(llama__block_count=0),
    "more layers than it has": model(llama__block_count=400),
    "no heads": model(llama__attention__head_count=0),
    "heads that do not divide": model(llama__attention__head_count=7),
    "more heads than numbers": model(llama__attention__head_count=100_000),
    "heads without keys": model(llama__attention__head_count_kv=0),
    "no width": model(llama__embedding_length=0),
    "an odd rotation": model(llama__rope__dimension_count=3),
    "a context of nothing": model(llama__context_length=0),
    "a context of one token": model(llama__context_length=1),
    "a context of seven tokens": model(llama__context_length=7),
    "more heads with keys than heads": model(llama__attention__head_count_kv=8),
    "an unknown scaling of positions": model(llama__rope__scaling__type="bogus"),
    "an empty scaling of positions": model(llama__rope__scaling__type=""),
    "positions that are no numbers": model(llama__rope__freq_base=float("nan")),
    "positions that all are the same": model(llama__rope__freq_base=0.0),
    "a negative scaling": model(llama__rope__scaling__factor=-1.0),
    "a huge width of its output": model(llama__embedding_length_out=2_147_483_648),
    "a huge vocabulary": model(llama__vocab_size=4_294_967_295),
    "a huge feed forward": model(llama__feed_forward_length=4_294_967_295),
    "a negative context": model(llama__context_length=struct.pack("<Ii", 5, -1)),
    "a text for a context": model(llama__context_length="long"),
    "a list of no heads": model(llama__attention__head_count=raw(4, 1, struct.pack("<I", 0))),
    "an endless context": model(llama__context_length=4_294_967_295),
    "an unknown architecture": model(general__architecture="nonsense"),
    "a template that renders nothing": model(tokenizer__chat_template="{% if false %}x{% endif %}"),
    "a template of 8 MB": model(tokenizer__chat_template="x" * 8_000_000),
    "a template of 2 MB": model(tokenizer__chat_template="x" * 2_000_000),
    "a template that loops": model(
        tokenizer__chat_template="{% for a in range(99999) %}{% for b in range(99999) %}{{ ''|attr('x') }}"
        "{% endfor %}{% endfor %}"
    ),
    "a template that doubles": model(
        tokenizer__chat_template="{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}"
        "{% endfor %}"
    ),
    "a template that tells the time": model(
        tokenizer__chat_template="{% for i in range(99999) %}{% set x = strftime_now('%A' * 99999) %}{% endfor %}"
    ),
    "a template that is no template": model(tokenizer__chat_template="{% if %}"),
}

REFUSED = {
    "a norm in Q8_0": "'output_norm.weight' as Q8_0",
    "a norm in I8": "'blk.0.attn_norm.weight' as I8",
    "attention in F64": "'blk.0.attn_q.weight' as F64",
    "embeddings in I8": "'token_embd.weight' as I8",
    "an epsilon that is no number": "epsilon is 'nan'",
    "the same token everywhere": "the token 'a' twice",
    "a vocabulary without all bytes": "has no token for a part of the text",
    "no layers": "0 layers",
    "heads that do not divide": "not divisible by its 7 attention heads",
    "a context of one token": "a context of 1 tokens",
    "a context of seven tokens": "a context of 7 tokens",
    "an endless context": "a context of 4,294,967,295 tokens",
    "a negative context": "a context of -1 tokens",
    "more heads with keys than heads": "4 attention heads, of which 8 have keys",
    "an unknown scaling of positions": "scales its positions by 'bogus'",
    "an empty scaling of positions": "scales its positions by ''",
    "positions that are no numbers": "freq_base is 'nan'",
    "positions that all are the same": "freq_base is 0.0",
    "a negative scaling": "factor is -1.0",
    "a huge width of its output": "embedding_length_out is 2,147,483,648",
    "a huge vocabulary": "vocab_size is 4,294,967,295",
    "a huge feed forward": "feed_forward_length is 4,294,967,295",
    "a template that renders nothing": "template",
    "a template of 8 MB": "8,000,000 bytes long",
    "a template of 2 MB": "2,000,000 characters long",
    "a template that loops": "too much time or memory",
    "a template that doubles": "too much time or memory",
    "a template that tells the time": "too much time or memory",
}
"""Where the reason is ours to give; the others llama.cpp refuses, or computes with."""


@pytest.mark.parametrize("name", MODELS)
def test_a_hostile_model_is_refused_or_answers(core: Core, tmp_path: Path, name: str) -> None:
    (path := tmp_path / "hostile.gguf").write_bytes(MODELS[name])
    ended = core.outcome(ImportModel(path=str(path), name=name))
    if isinstance(ended, events.Finished):
        ended = core.ask(name)
    if not isinstance(ended, events.Finished) or name in REFUSED:
        assert REFUSED.get(name, "") in refused(ended)
    assert core.answers()


@pytest.mark.parametrize("seed", range(12))
def test_a_model_with_damage_anywhere_ends_somehow(core: Core, tmp_path: Path, seed: int) -> None:
    """Bytes of its metadata and table are changed: whatever comes of that, also a process that dies, passes."""
    chance = random.Random(seed)
    data = bytearray(MODELS["an endless context"] if seed % 2 else model())
    for _ in range(chance.choice((1, 2, 5))):
        data[chance.randrange(24, 9_000)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    (path := tmp_path / "damaged.gguf").write_bytes(data)
    if isinstance(core.outcome(ImportModel(path=str(path), name=f"damaged {seed}")), events.Finished):
        core.ask(f"damaged {seed}")
    assert core.answers()


def test_a_file_that_becomes_hostile_after_its_import(core: Core, tmp_path: Path) -> None:
    (path := tmp_path / "changing.gguf").write_bytes(model())
    core.outcome(ImportModel(path=str(path), name="changing"))
    path.write_bytes(MODELS["a norm in Q8_0"])
    assert "'output_norm.weight' as Q8_0" in refused(core.ask("changing"))
    assert core.answers()


def test_a_context_that_became_implausible_after_the_import_is_refused_at_the_load(core: Core, tmp_path: Path) -> None:
    (path := tmp_path / "shrinking.gguf").write_bytes(model())
    core.outcome(ImportModel(path=str(path), name="shrinking"))
    path.write_bytes(MODELS["a context of one token"])
    assert "a context of 1 tokens" in refused(core.ask("shrinking"))
    assert core.answers()


@pytest.mark.parametrize("length", [1, 40, 300])
def test_a_context_of_any_length_takes_a_prompt_that_is_longer(core: Core, tmp_path: Path, length: int) -> None:
    """llama.cpp has more room than was asked for, and takes a batch of no more than was asked for."""
    worker = core.inference_worker()
    recipe = Recipe(
        model=ModelPart(name="Good", context_tokens=length), decoding=DecodingPart(max_tokens=4, temperature=0.0)
    )
    ended = core.outcome(Ask(question="abc " * (length // 4 + 20), recipe=recipe))
    assert isinstance(ended, events.Finished) or refused(ended)
    assert core.inference_worker() == worker
    assert core.answers()


def test_a_worker_that_aborts_holds_nobody_up(core: Core) -> None:
    assert core.answers()
    worker = core.inference_worker()
    os.kill(worker, signal.SIGABRT)
    while core.inference_worker() == worker:  # until the core has noticed: what it sends to the dying one fails
        pass
    assert core.answers()


@pytest.mark.parametrize("length", [2**31 - 1, 2**31, 2**62])
def test_a_huge_context_is_refused_before_anything_is_allocated(core: Core, length: int) -> None:
    assert f"a context of {length:,} tokens" in refused(core.ask("Good", context_tokens=length))
    assert core.answers()


# -- files of other kinds -------------------------------------------------------------------------------


def pipe_in(name: str, *beside: str) -> Maker:
    def make(folder: Path) -> Path:
        contents = {
            "config.json": json.dumps(TINY_CONFIG).encode(),
            "tokenizer.json": b"{}",
            "model.safetensors": safetensors_bytes(),
            "adapter_config.json": b'{"peft_type": "LORA", "r": 4}',
        }
        for one in beside:
            (folder / one).write_bytes(contents[one])
        os.mkfifo(folder / name)
        return folder

    return make


def alone(name: str) -> Maker:
    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return make


def device(folder: Path) -> Path:
    (folder / "x.gguf").symlink_to("/dev/zero")
    return folder / "x.gguf"


def endless_header(name: str, *beside: str) -> Maker:
    def make(folder: Path) -> Path:
        pipe_in("pipe", *beside)(folder)
        (folder / "pipe").unlink()
        (folder / name).write_bytes(safetensors_bytes({"w": ("F32", (1 << 62,) * 60_000, 64)}))
        return folder

    return make


def adapter(**config: Any) -> Maker:
    """A LoRA on the good model, whose weights are nothing."""
    layer = "base_model.model.model.layers.0.self_attn.q_proj"

    def make(folder: Path) -> Path:
        shapes = {f"{layer}.lora_A.weight": (4, WIDTH), f"{layer}.lora_B.weight": (WIDTH, 4)}
        halves = {name: ("F32", shape, 4 * 4 * WIDTH) for name, shape in shapes.items()}
        (folder / "adapter_model.safetensors").write_bytes(safetensors_bytes(halves))
        plain = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "good"} | config
        (folder / "adapter_config.json").write_text(json.dumps(plain))
        return folder

    return make


def data(name: str, write: Callable[[Path], object]) -> Maker:
    def make(folder: Path) -> Path:
        write(folder / name)
        return folder / name

    return make


def import_model(path: Path) -> Call[Any]:
    return ImportModel(path=str(path))


def import_adapter(path: Path) -> Call[Any]:
    return ImportAdapter(path=str(path), model="Good")


def inspect_data(path: Path) -> Call[Any]:
    return InspectData(config=TrainingConfig(model="Good", data=DataPart(path=str(path))))


ENDLESS = r"(([a-z._0-9])+)+\d+#"
FOLDER = ("config.json", "tokenizer.json", "model.safetensors")
PIPE = "is a named pipe"

FILES: dict[str, tuple[Callable[[Path], Call[Any]], Maker, str]] = {
    "a pipe as a model": (import_model, alone("x.gguf"), "is not a file"),
    "a pipe as a folder's model": (import_model, pipe_in("x.gguf"), PIPE),
    "a device as a model": (import_model, device, "is not a file"),
    "a pipe as config": (import_model, pipe_in("config.json", *FOLDER[1:]), PIPE),
    "a pipe as tokenizer": (import_model, pipe_in("tokenizer.json", FOLDER[0], FOLDER[2]), "no tokenizer"),
    "a pipe as weights": (import_model, pipe_in("x.safetensors", *FOLDER[:2]), PIPE),
    "a pipe as a licence": (import_model, pipe_in("README.md", *FOLDER), PIPE),
    "a pipe as an adapter": (import_adapter, alone("x.gguf"), PIPE),
    "a pipe as an adapter's config": (import_adapter, pipe_in("adapter_config.json"), PIPE),
    "a pipe as an adapter's weights": (
        import_adapter,
        pipe_in("adapter_model.safetensors", "adapter_config.json"),
        PIPE,
    ),
    "a pipe as data": (inspect_data, alone("x.jsonl"), PIPE),
    "a pipe as a table": (inspect_data, alone("x.parquet"), PIPE),
    "a model's header of 60,000 dimensions": (
        import_model,
        endless_header("model.safetensors", *FOLDER[:2]),
        "does not fit its shape",
    ),
    "an adapter's header of 60,000 dimensions": (
        import_adapter,
        endless_header("adapter_model.safetensors", "adapter_config.json"),
        "does not fit its shape",
    ),
    "layers by an endless pattern": (import_adapter, adapter(target_modules=ENDLESS), ""),
    "ranks by an endless pattern": (import_adapter, adapter(rank_pattern={ENDLESS: 2}), ""),
    "alphas by no pattern": (import_adapter, adapter(alpha_pattern={"(b": 2}), "bad pattern"),
    "a cell of 300 MB": (inspect_data, data("x.parquet", long_cell), "longer than 1,048,576"),
    "a cell a million times": (inspect_data, data("x.parquet", one_cell_many_times), "longer than 1,048,576"),
    "a list of nothing": (inspect_data, data("x.arrow", list_of_nothing), "unpacked it has more than"),
    "texts outside of a file": (inspect_data, data("x.arrow", wrong_offsets), "not a whole Arrow file"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_or_taken(core: Core, tmp_path: Path, name: str) -> None:
    call, make, reason = FILES[name]
    (folder := tmp_path / "theirs").mkdir()
    ended = core.outcome(call(make(folder)))
    if reason:
        assert reason in refused(ended)
    else:
        assert isinstance(ended, events.Finished), ended
    assert core.answers()
