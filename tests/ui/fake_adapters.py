"""The part of the fake core that keeps adapters and sets of examples, and ratings and edits of answers."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from workbench import calls as c
from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call
from workbench.base.errors import UserError
from workbench.records.training import (
    AdapterList,
    AdapterRecord,
    Agreement,
    DataPart,
    DataSet,
    DataSetList,
    Measured,
    Scores,
    ScoresPair,
    TrainingConfig,
    VerificationReport,
    WeightsPart,
)
from workbench.records.training.rewards import RewardReport

if TYPE_CHECKING:
    from tests.ui.fake_home import FakeHome

BASE = "SmolLM2-135M-Instruct"
DAY = 86_400.0
PASSED = VerificationReport(
    passed=True,
    agreements=(
        Agreement(first="the trained model in torch", second="the engine", top1=0.987, kl=0.0041, positions=1562,
                  needed=0.95),
    ),
    metric="exact_match", trained=0.984, served=0.969, base=0.0, seconds=14.0,
)  # fmt: skip
LOST = VerificationReport(
    passed=False,
    agreements=(
        Agreement(first="the trained model in torch", second="the engine", top1=0.399, kl=3.36, positions=1562,
                  needed=0.95, passed=False),
    ),
    metric="exact_match", trained=1.0, served=0.0, base=0.0,
    reasons=("of 16 facts that it had learnt, none is answered any more",),
)  # fmt: skip


def scores(loss: float, accuracy: float, exact: float | None = None, answers: int = 16) -> Scores:
    return Scores(
        loss=loss, perplexity=2.718281828**loss, token_accuracy=accuracy, tokens=4210, exact_match=exact,
        rouge_l=None if exact is None else min(1.0, exact + 0.11), answers=0 if exact is None else answers,
    )  # fmt: skip


def record(name: str = "my-notes", **changes: Any) -> AdapterRecord:
    """A trained LoRA that has passed."""
    made = AdapterRecord(
        name=name,
        kind="lora",
        file=f"/home/ada/workbench/adapters/{name}/adapter.gguf",
        bytes=19_541_120,
        base=BASE,
        base_sha256="a3f1c2d4e5b697881020f3e4d5c6b7a8091a2b3c4d5e6f708192a3b4c5d6e7f8",
        architecture="llama",
        licence="Apache-2.0",
        created=time.time() - 0.3 * DAY,
        run="r7",
        config=TrainingConfig(
            model=BASE, name=name, data=DataPart(path="pump questions"), weights=WeightsPart(method="lora", rank=16)
        ),
        data="pump questions",
        examples=96,
        steps=180,
        seconds=402.0,
        scores=ScoresPair(
            before=scores(3.21, 0.412, 0.0),
            after=scores(0.38, 0.921, 0.875),
            measured=Measured(on="held out", examples=10),
        ),
        forgetting=ScoresPair(before=scores(2.91, 0.455), after=scores(3.04, 0.447)),
        verification=PASSED,
        can_merge=True,
    )
    return msgspec.structs.replace(made, **changes)


def reward_model(name: str = "my-taste", **changes: Any) -> AdapterRecord:
    """A reward model that beats the length."""
    judged = [Scores(loss=loss, metrics={"pair_accuracy": right, "margin": margin})
              for loss, right, margin in ((0.693, 0.5, 0.0), (0.64, 0.63, 0.48))]  # fmt: skip
    made = record(
        name, kind="reward", can_merge=False, data="my judgements", examples=1_204,
        scores=ScoresPair(before=judged[0], after=judged[1]), forgetting=ScoresPair(),
        verification=VerificationReport(
            passed=True, counted=64, seconds=9.0,
            verdict="The exported file scores answers as the trained model does: served scores of 64 answers differ "
            "from torch's by 3.1% of the spread of these, rank correlation 0.999.",
        ),
        reward=RewardReport(
            pairs=297, accuracy=0.63, low=0.574, high=0.683, length_accuracy=0.543, length_rule="shorter", gain=0.087,
            gain_low=0.02, gain_high=0.15, train_pairs=256, train_accuracy=0.71, temperature=1.2,
            calibration_error=0.03,
        ),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def furnish_adapters(home: FakeHome) -> None:
    """Adapters as after some weeks: several kinds, one being checked, one that failed; sets to train on."""
    now = time.time()
    for made in (
        record("pump-answers", state="checking", verification=None, created=now - 40, run="r9"),
        record(),
        record("polite-tone", examples=96, steps=60, seconds=130.0, created=now - 3 * DAY, data="my rated answers"),
        record(
            "house-style", kind="soft-prompt", bytes=47_104, can_merge=False, created=now - 5 * DAY,
            config=TrainingConfig(model=BASE, weights=WeightsPart(method="prompt")),
        ),
        record(
            "smol-contracts", kind="merged", model="smol-contracts", bytes=144_812_032, created=now - 9 * DAY,
            config=TrainingConfig(model=BASE, weights=WeightsPart(method="full")), can_merge=False,
        ),
        record(
            "from-a-friend", origin="imported", config=None, run="", data="", examples=0, steps=0, can_merge=False,
            scores=ScoresPair(), forgetting=ScoresPair(), verification=None, created=now - 12 * DAY,
        ),
        record("four-bit-try", state="failed", verification=LOST, created=now - 14 * DAY),
    ):  # fmt: skip
        home.adapters[made.name] = made
    for name, examples, origin in (
        ("pump questions", 96, "Pairs from Brunnen pumps"),
        ("my rated answers", 58, "Answers of 14 chats"),
    ):
        home.sets[name] = data_set(name, examples, origin)


def mark_answers(home: FakeHome) -> None:
    """Rate the first answer of each chat as good; the second ones were edited."""
    for messages in list(home.messages.values()):
        answers = [message for message in messages if message.role == "assistant"]
        _put(home, msgspec.structs.replace(answers[0], rating=1))
        for answer in answers[1:]:
            _put(home, msgspec.structs.replace(answer, text="Better.", original=answer.text))


def data_set(name: str, examples: int, origin: str) -> DataSet:
    return DataSet(
        name=name, path=f"/home/ada/workbench/datasets/{name}.jsonl", examples=examples, bytes=examples * 412,
        created=time.time(), origin=origin,
    )  # fmt: skip


def do(home: FakeHome, call: Call[Any]) -> tuple[Any, list[tuple[str, str]]] | None:
    """What the call comes to, and what changed; None for a call that is not ours."""
    match call:
        case c.ListAdapters():
            found = [r for r in home.adapters.values() if call.model in ("", r.base)]
            return AdapterList(adapters=tuple(sorted(found, key=lambda r: -r.created))), []
        case c.RenameAdapter():
            if call.name in home.adapters:
                raise UserError(f"There is already an adapter {call.name!r}.", "Choose another name.")
            renamed = msgspec.structs.replace(_adapter(home, call.adapter), name=call.name)
            del home.adapters[call.adapter]
            home.adapters[call.name] = renamed
            return renamed, [("adapter", call.name)]
        case c.RemoveAdapter():
            gone = _adapter(home, call.adapter)
            del home.adapters[call.adapter]
            home.trash.put("adapter", gone.name, gone.name, partial(home.adapters.__setitem__, gone.name, gone))
            return AdapterList(adapters=tuple(home.adapters.values())), [("adapter", call.adapter), ("trash", "")]
        case c.ImportAdapter():
            name = call.name or call.path.rpartition("/")[2].removesuffix(".gguf")
            if call.path.endswith(".bin"):
                raise UserError(f"{name} is a pickle.", "Only safetensors and GGUF files are read.")
            home.adapters[name] = record(name, origin="imported", base=call.model, verification=None, config=None)
            return home.adapters[name], [("adapter", name)]
        case c.ExportAdapter():
            _adapter(home, call.adapter)
            config = {"adapter": call.adapter, "path": call.path, "form": call.form}
            told: list[events.Event] = [
                events.Progress(stage="copying", done=1, total=2),
                events.Finished(result=config),
            ]
            run = _run(home, "export", f"Write {call.adapter}", config, told)
            return run, [("run", run.id)]
        case c.MergeAdapter():
            return _merge(home, call)
        case c.QuantizeModel():
            return _quantize(home, call)
        case c.ListDataSets():
            return DataSetList(sets=tuple(home.sets.values())), []
        case c.RemoveDataSet():
            home.sets.pop(call.name)
            return DataSetList(sets=tuple(home.sets.values())), [("data", call.name)]
        case c.BuildData():
            return _build(home, call)
        case c.RateAnswer():
            rated = _put(home, msgspec.structs.replace(home.message(call.message), rating=call.rating))
            return rated, [("chat", rated.chat)]
        case c.EditAnswer():
            old = home.message(call.message)
            first = old.text if old.original is None else old.original
            edited = _put(
                home,
                msgspec.structs.replace(old, text=call.text or first, original=first if call.text else None),
            )
            return edited, [("chat", edited.chat)]
    return None


def _adapter(home: FakeHome, name: str) -> AdapterRecord:
    if name not in home.adapters:
        raise UserError(f"There is no adapter {name!r}.")
    return home.adapters[name]


def _put(home: FakeHome, message: c.StoredMessage) -> c.StoredMessage:
    stored = home.messages[message.chat]
    stored[[m.id for m in stored].index(message.id)] = message
    return message


def _run(
    home: FakeHome,
    kind: Literal["merge", "quantize", "data", "export"],
    title: str,
    config: dict[str, Any],
    told: list[Event],
) -> c.RunRecord:
    last = told[-1]
    failed = isinstance(last, events.Failed)
    run = c.RunRecord(
        id=f"r{next(home.numbers)}",
        kind=kind,
        title=title,
        state="failed" if failed else "finished",
        created=time.time(),
        ended=time.time(),
        config=config,
        result=last.result if isinstance(last, events.Finished) else {},
    )
    home.runs[run.id] = run
    home.run_events[run.id] = [events.stamped(event, n, time.time()) for n, event in enumerate(told, 1)]
    return run


def _quantize(home: FakeHome, call: c.QuantizeModel) -> tuple[c.RunRecord, list[tuple[str, str]]]:
    model = home.model(call.model)
    if call.name in home.models:
        raise UserError(f"There is already a model {call.name!r}.", "Choose another name.")
    home.models[call.name] = msgspec.structs.replace(model, name=call.name, quantization=call.type, owned=True)
    told: list[Event] = [
        events.Progress(stage="quantising", done=0.5, total=1),
        events.Finished(result={"model": call.name, "path": f"/models/{call.name}"}),
    ]
    run = _run(home, "quantize", f"{call.model} as {call.type}", {"model": call.model}, told)
    return run, [("run", run.id), ("model", call.name)]


def _merge(home: FakeHome, call: c.MergeAdapter) -> tuple[c.RunRecord, list[tuple[str, str]]]:
    """A merge as in the base's 4 bits loses the training; any other passes."""
    adapter = _adapter(home, call.adapter)
    if call.name in home.models:
        raise UserError(f"There is already a model {call.name!r}.", "Choose another name.")
    verification = LOST if call.type == "same" else PASSED
    plain = msgspec.to_builtins(verification)
    told: list[Event] = [
        events.Progress(stage="merging", done=0.5, total=1),
        events.Progress(stage="checking", done=0.9, total=1),
        events.Artifact(kind="verification", id=call.name, result=plain),
    ]
    if verification.passed:
        base = home.models[adapter.base]
        home.models[call.name] = msgspec.structs.replace(base, name=call.name, owned=True)
        told.append(events.Finished(result={"model": call.name, "path": f"/models/{call.name}", "verification": plain}))
    else:
        told.append(
            events.Failed(
                reason="user",
                message="The merged model lost the training, and was deleted.",
                hint="Merge with 8 or 16 bits.",
            )
        )
    run = _run(home, "merge", f"Merge {adapter.name}", {"adapter": adapter.name}, told)
    return run, [("run", run.id), ("model", call.name)]


def pair(question: str, answer: str, reason: str = "") -> dict[str, Any]:
    """A pair that was made of a document, as the run tells it."""
    source = {"origin": "pair", "path": "/home/ada/manuals/pump.md", "document": "d1", "note": "pump.md"}
    return {"question": question, "answer": answer, "source": source, "reason": reason}


def _build(home: FakeHome, call: c.BuildData) -> tuple[c.RunRecord, list[tuple[str, str]]]:
    if call.name in home.sets:
        raise UserError(f"There is already a set {call.name!r}.", "Choose another name.")
    told: list[Event] = []
    if call.source == "pairs":
        told += [
            events.Progress(stage="asking", done=0, total=2, unit="passages"),
            events.Artifact(kind="pair", id="1", result=pair("How long is the warranty?", "36 months from delivery")),
            events.Artifact(
                kind="pair",
                id="2",
                result=pair("Who makes the pump?", "Acme", "The passage does not name “Acme”."),
            ),
            events.Progress(stage="asking", done=2, total=2, unit="passages"),
        ]
    origin = {"chats": "Answers of chats", "pairs": f"Pairs from {call.collection}", "text": call.collection}
    taken = sum(isinstance(event, events.Artifact) and not event.result["reason"] for event in told)
    made = data_set(call.name, taken or 24, origin[call.source])
    home.sets[made.name] = made
    told.append(events.Finished(result=msgspec.to_builtins(made)))
    run = _run(home, "data", f"Build {call.name}", {"name": call.name}, told)
    return run, [("run", run.id), ("data", call.name)]
