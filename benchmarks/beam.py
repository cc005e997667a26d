"""Beam search and greedy decoding against transformers' ``generate``, on the same f32 weights.

    python benchmarks/beam.py

The starter model's weights are unpacked to an F32 GGUF for the engine (f32 KV, flash attention off) and by transformers
from the same file; both go on from the same token ids. For each prompt whose beam search differs it tells at which
step the beams part and how close the scores of the candidates were there: float sums in another order turn near ties.
Scores are computed by transformers' model for both. With ``--keep-greedy`` each prompt is searched once more with the
greedy path kept: that must never end below greedy decoding's score. Needs the ``dev`` extra, and a file of questions.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gguf
import msgspec
import numpy as np
import torch
import transformers
from gguf.quants import dequantize
from harness import DATA, arguments, starter_model
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from workbench.api import events
from workbench.engine.inference_calls import Generate, Generated, Load
from workbench.processes.host import WorkerHost
from workbench.records.messages import Message
from workbench.records.recipes import DecodingPart
from workbench.techniques.decoding.beam_search import BeamSearch, Row

QUESTIONS = DATA / "xquad" / "en" / "questions.jsonl"


def unpack(source: Path, target: Path) -> None:
    """Write a GGUF again with all its tensors as F32."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    part = target.with_suffix(".part")
    writer = gguf.GGUFWriter(part, architecture)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        of = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, of)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(target)


class Theirs:
    """transformers' model. ``endings`` are the tokens that end an answer."""

    def __init__(self, path: Path, endings: Sequence[int]) -> None:
        # what from_pretrained(gguf_file=...) does, which in transformers 5.24 asks for accelerate
        config = transformers.AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
        self.model: Any = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
        tensors = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=self.model)["tensors"]
        missing, unexpected = self.model.load_state_dict(tensors, strict=False)
        if unexpected or set(missing) - {"lm_head.weight"}:
            raise RuntimeError(f"the model was not read whole: {missing}, {unexpected}")
        self.model.tie_weights()
        self.endings = list(endings)

    def generate(self, prompt: Sequence[int], beams: int, tokens: int) -> list[int]:
        with torch.inference_mode():
            made = self.model.generate(
                torch.tensor([list(prompt)]),
                attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                generation_config=transformers.GenerationConfig(
                    num_beams=beams,
                    max_new_tokens=tokens,
                    do_sample=False,
                    length_penalty=1.0,
                    eos_token_id=self.endings,
                    pad_token_id=self.endings[0],
                ),
            )
        new: list[int] = made[0, len(prompt) :].tolist()
        return next((new[:at] for at, token in enumerate(new) if token in self.endings), new)

    def logprobs(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = self.model(torch.tensor(sequences)).logits
        return torch.log_softmax(logits.double(), -1)

    def score(self, prompt: Sequence[int], answer: Sequence[int], limit: int) -> float:
        """The answer's mean log-probability, that of its end included where it did not come by its length."""
        after = self.logprobs([[*prompt, *answer]])[0, len(prompt) - 1 :]
        total = sum(float(after[at, token]) for at, token in enumerate(answer))
        if len(answer) >= limit:
            return total / len(answer)
        return (total + float(after[-1, self.endings].max())) / (len(answer) + 1)

    def search(
        self, prompt: Sequence[int], beams: int, limit: int
    ) -> tuple[list[int], list[dict[tuple[int, ...], float]]]:
        """Our search over transformers' logits: its answer, and the beams after each step with their scores."""
        search: BeamSearch[bool] = BeamSearch(beams, limit)
        steps = []
        while not search.done:
            rows = []
            for row in self.logprobs([[*prompt, *beam.tokens] for beam in search.live])[:, -1]:
                scores, tokens = (part.numpy() for part in row.topk((1 + len(self.endings)) * beams))
                rows.append(Row(tokens, scores, scores))
            step = search.advance(rows, lambda _parent, token: True if token in self.endings else None)
            steps.append({tuple(choice.beam.tokens): choice.beam.score for choice in step.live})
        found = search.best(1)[0].beam.tokens
        return [token for token in found if token not in self.endings], steps


def ours(
    worker: WorkerHost, question: str, decoding: DecodingPart
) -> tuple[Generated, list[dict[tuple[int, ...], float]]]:
    """The answer, and the beams that go on after each step with their scores."""
    steps: list[dict[tuple[int, ...], float]] = []
    before: list[tuple[int, ...]] = []
    for event in worker.stream(Generate(messages=(Message("user", question),), decoding=decoding)):
        if isinstance(event, events.BeamStep):
            shown = [(*(before[beam.parent] if beam.parent >= 0 else ()), beam.token) for beam in event.beams]
            steps.append({t: b.score for t, b in zip(shown, event.beams, strict=True) if not b.ended})
            before = shown
        elif isinstance(event, events.Finished):
            return msgspec.convert(event.result, Generated), steps
        elif isinstance(event, events.TERMINAL):
            raise RuntimeError(event)
    raise RuntimeError("no answer")


def explain(mine: list[dict[tuple[int, ...], float]], other: list[dict[tuple[int, ...], float]]) -> str:
    """Where two searches part: the step, and how far apart the beams that one of them dropped are from the other's."""
    for number, (one, two) in enumerate(zip(mine, other, strict=False)):
        if one.keys() != two.keys():
            only_mine = [score for tokens, score in one.items() if tokens not in two]
            only_other = [score for tokens, score in two.items() if tokens not in one]
            if len(only_mine) == len(only_other) > 0:
                gap = max(abs(a - b) for a, b in zip(sorted(only_mine), sorted(only_other), strict=True))
                return f"beams part at step {number}, their scores by {gap:.1e}"
            return f"beams part at step {number}"
    return "the beams are the same"


def main() -> None:
    parser = arguments(
        __doc__,
        "model",
        questions=QUESTIONS,
        count=100,
        tokens=40,
        beams=4,
        threads=0,
        cache=Path(tempfile.gettempdir()) / "llm-workbench-beam",
    )
    parser.add_argument("--keep-greedy", action="store_true", help="search with the greedy path kept as well")
    options = parser.parse_args()
    path = options.model or starter_model()
    if options.threads:
        torch.set_num_threads(options.threads)
    everything = [json.loads(line)["question"] for line in options.questions.read_text().splitlines()]
    questions = everything[:: max(1, len(everything) // options.count)][: options.count]
    options.cache.mkdir(parents=True, exist_ok=True)
    unpacked = options.cache / f"{path.stem}.F32.gguf"
    if not unpacked.exists():
        unpack(path, unpacked)
    worker = WorkerHost("inference")
    worker.call(
        Load(path=str(unpacked), context_tokens=2048, flash_attention="off", kv_type="f32", threads=options.threads)
    )
    theirs = Theirs(path, ending_tokens(unpacked))
    greedy = DecodingPart(strategy="greedy", max_tokens=options.tokens, repetition_penalty=1.0)
    beam = msgspec.structs.replace(greedy, strategy="beam", num_beams=options.beams)
    keeping = msgspec.structs.replace(beam, keep_greedy=True)
    same = same_greedy = below = kept_below = kept_greedy = kept_other = 0
    seconds = {"ours": 0.0, "theirs": 0.0, "keeping": 0.0}
    for number, question in enumerate(questions):
        began = time.perf_counter()
        best, steps = ours(worker, question, beam)
        seconds["ours"] += time.perf_counter() - began
        plain, _ = ours(worker, question, greedy)
        began = time.perf_counter()
        reference = theirs.generate(best.prompt, options.beams, options.tokens)
        seconds["theirs"] += time.perf_counter() - began
        reference_greedy = theirs.generate(best.prompt, 1, options.tokens)
        mine, mine_greedy = list(best.sequences[0].tokens), list(plain.sequences[0].tokens)
        same += mine == reference
        same_greedy += mine_greedy == reference_greedy
        score = theirs.score(best.prompt, mine, options.tokens)
        gain = score - theirs.score(best.prompt, mine_greedy, options.tokens)
        below += gain < -1e-6
        if mine != reference:
            searched, by_theirs = theirs.search(best.prompt, options.beams, options.tokens)
            print(
                f"prompt {number}: beam differs; score {score:.5f}, theirs "
                f"{theirs.score(best.prompt, reference, options.tokens):.5f}; our search over their logits "
                f"gives {'theirs' if searched == reference else 'ours' if searched == mine else 'neither'}; "
                f"{explain(steps, by_theirs)}",
                flush=True,
            )
        if mine_greedy != reference_greedy:
            print(f"prompt {number}: greedy differs; {greedy_gap(theirs, best.prompt, mine_greedy, reference_greedy)}")
        if gain < -1e-6:
            print(f"prompt {number}: beam's score is below greedy's by {-gain:.5f}", flush=True)
        if options.keep_greedy:
            began = time.perf_counter()
            made, _ = ours(worker, question, keeping)
            seconds["keeping"] += time.perf_counter() - began
            kept = list(made.sequences[0].tokens)
            above = theirs.score(best.prompt, kept, options.tokens) - theirs.score(
                best.prompt, mine_greedy, options.tokens
            )
            kept_below += above < -1e-6
            kept_greedy += kept == mine_greedy != mine
            kept_other += kept not in (mine, mine_greedy)
            if above < -1e-6:
                print(f"prompt {number}: with the greedy path kept it is below greedy's by {-above:.5f}", flush=True)
        if number % 10 == 9 or number + 1 == len(questions):
            print(
                f"{number + 1} prompts: beam identical {same}, greedy identical {same_greedy}, below greedy {below}; "
                f"seconds {seconds['ours']:.0f} ours, {seconds['theirs']:.0f} theirs",
                flush=True,
            )
            if options.keep_greedy:
                print(
                    f"    with the greedy path kept: below greedy {kept_below}; the greedy answer in place of the "
                    f"beams' {kept_greedy}, another one {kept_other}; seconds {seconds['keeping']:.0f}",
                    flush=True,
                )
    worker.stop()


def ending_tokens(path: Path) -> list[int]:
    """The tokens that llama.cpp takes as ends."""
    from workbench.engine.library import llama, start_library
    from workbench.engine.vocabulary import Vocabulary

    start_library()
    parameters = llama.llama_model_default_params()
    parameters.vocab_only = True
    model = llama.llama_model_load_from_file(str(path).encode(), parameters)
    vocabulary = Vocabulary(llama.llama_model_get_vocab(model))
    return [token for token in range(vocabulary.size) if vocabulary.ends_generation(token)]


def greedy_gap(theirs: Theirs, prompt: Sequence[int], mine: Sequence[int], reference: Sequence[int]) -> str:
    at = next((at for at, (a, b) in enumerate(zip(mine, reference, strict=False)) if a != b), None)
    if at is None:
        return "one ends before the other"
    row = theirs.logprobs([[*prompt, *reference[:at]]])[0, -1]
    return f"at token {at}, log-probabilities {abs(float(row[mine[at]] - row[reference[at]])):.1e} apart"


if __name__ == "__main__":
    main()
