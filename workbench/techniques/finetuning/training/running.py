"""A training from its data to what it leaves: read, load, score, train, score again, write down.

Bad data is refused before the weights are loaded. Everything that takes long asks the control in between.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import psutil
import torch
from transformers import set_seed

from workbench import events
from workbench.engine.threads import ThreadCount
from workbench.errors import Cancelled, UserError
from workbench.techniques.finetuning.data.skeletons import Tokenizer
from workbench.techniques.finetuning.memory import memory_told
from workbench.techniques.finetuning.protocol import BaseModel, Trained, TrainModel
from workbench.techniques.finetuning.training.artefacts import set_moving, write_trained
from workbench.techniques.finetuning.training.batching import PASS_TOKENS
from workbench.techniques.finetuning.training.checkpoints import Checkpoints, is_sound, read_fingerprint, read_weights
from workbench.techniques.finetuning.training.control import Control
from workbench.techniques.finetuning.training.evaluation import (
    Advance,
    Generality,
    answer_questions,
    read_generality,
    score_answers,
    score_texts,
)
from workbench.techniques.finetuning.training.losses import LossOf, keeps_apart, make_loss
from workbench.techniques.finetuning.training.methods import apply_method
from workbench.techniques.finetuning.training.ranks import Ranks
from workbench.techniques.finetuning.training.sets import (
    Question,
    ReadySet,
    TokenSequence,
    lengths_of,
    longest_of,
    open_writing,
    ready_set,
)
from workbench.techniques.finetuning.training.trainer import (
    StepTrainer,
    Stopped,
    TrainerOptions,
    peak_memory_bytes,
)
from workbench.techniques.finetuning.weights.loading import LoadedBase, load_base
from workbench.training import ARTIFACTS, Scores, ScoresPair, TrainingConfig

MOST_EVALUATED, FEWEST_EVALUATED = 256, 16
FEWEST_EVALUATED_TOKENS, SHARE_EVALUATED = 8192, 1 / 40
"""Evaluation examples are looked at up to so many, and up to that share of the tokens that are trained (or the fewest):
ten evaluations on the way then cost a tenth of the time. They are the first ones, always the same."""

ANSWERS_ON_THE_WAY = 4
MOST_CHECKED = 64
"""So many examples go into the parity gate."""

TRAINED = "trained"
_DONE = "trained.json"
_BEFORE = "before.json"
_PARTS_OF_RUN = 10

Emit = Callable[[events.Event], None]


@dataclass(frozen=True)
class Live:
    """What was trained, still in memory: ``model`` answers as trained."""

    trained: Trained
    model: Any
    computes_float32: bool


class _Before(msgspec.Struct, frozen=True, kw_only=True):
    """Scores before the training; a training that is gone on with does not take them again."""

    scores: Scores
    general: Scores | None = None


def finished_before(folder: Path) -> Trained | None:
    """What a training of this folder left already, None when it is not done."""
    try:
        return msgspec.json.decode((folder / TRAINED / _DONE).read_bytes(), type=Trained)
    except (OSError, msgspec.DecodeError):
        return None


def train(call: TrainModel, control: Control, emit: Emit, ranks: Ranks | None = None) -> Live | None:
    """Train what the call says, or go on with it; gives None in processes that do not lead.

    Raises Cancelled when the control stopped it (a checkpoint is there then), UserError for bad data and a loss that is
    no number, MemoryError.
    """
    if not call.config.optimiser.learning_rate:
        raise ValueError("the config of a training must be resolved: planning.plan does that")
    ranks = ranks or Ranks()
    with memory_told(), open_writing(call.model) as writing:
        check = _check_of(control)
        emit(events.Progress(stage="reading the examples"))
        data = ready_set(call.config, writing, check)
        emit(events.Artifact(kind="data", id=data.report.path, result=msgspec.to_builtins(data.report)))
        generality = read_generality(writing) if call.config.evaluation.forgetting else None
        writing.renderer.close()
        with _Session(call, data, generality, writing.tokenizer, control, emit, ranks) as session:
            return session.run()


class _Session:
    """A training whose examples are ready."""

    def __init__(
        self,
        call: TrainModel,
        data: ReadySet,
        generality: Generality | None,
        tokenizer: Tokenizer,
        control: Control,
        emit: Emit,
        ranks: Ranks,
    ) -> None:
        self._call = call
        self._config: TrainingConfig = call.config
        self._folder = Path(call.folder)
        self._data = data
        self._texts = _evaluated(data.evaluation, _tokens_trained(self._config, data.train))
        self._questions = _spread(data.questions, self._config.evaluation.answers)
        self._generality = generality
        self._tokens_per_pass = call.config.optimiser.tokens_per_pass or PASS_TOKENS
        self._tokenizer = tokenizer
        self._control = control
        self._pace = _pace_of(call.threads)
        self._check = _check_of(control, self._pace)
        self._emit = emit if ranks.leads else lambda event: None
        self._ranks = ranks
        self._last_scores: tuple[int, Scores] | None = None
        self._model: Any = None
        self._loss_of: LossOf

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._model = None

    def run(self) -> Live | None:
        loaded = self._load()
        set_seed(self._config.optimiser.seed)
        self._model = model = apply_method(loaded, self._config.weights)
        model.eval()
        longest = longest_of(self._data.train)
        self._loss_of = make_loss(model, longest.tokens, loaded.dtype)
        self._apart = any(one.starts for one in self._texts) and keeps_apart(model, loaded.dtype)
        self._dtype, self._device = loaded.dtype, torch.device(loaded.device).type
        fingerprint = _fingerprint(self._config, self._call.model, self._data.train)
        checkpoints = Checkpoints(self._folder / "checkpoints")
        found = checkpoints.latest()
        if found is not None and read_fingerprint(found) != fingerprint:
            raise UserError(
                "The examples or the settings have changed since this training was begun.", "Begin a new training."
            )
        before = self._before() if self._ranks.leads else None
        # what was drawn so far depends on whether it was scored before: begin the training from the seed
        set_seed(self._config.optimiser.seed + self._ranks.rank)
        trainer = StepTrainer(model, self._options(loaded, fingerprint))
        try:
            reached = trainer.run()
        except Stopped as stopped:
            raise Cancelled from stopped
        if not self._ranks.leads:
            return None
        assert before is not None
        steps = reached.step
        if self._config.evaluation.patience and reached.best_step and reached.best_step != reached.step:
            best = checkpoints.path(reached.best_step)
            if is_sound(best):
                set_moving(model, read_weights(best))
                steps = reached.best_step
                self._last_scores = None
                self._emit(events.Log(text=f"Kept is what was best, after step {steps:,}.", level="notice"))
        trainer.optimizer = trainer.lr_scheduler = None
        del trainer
        model.zero_grad(set_to_none=True)
        model.eval()
        trained = self._after(model, before, steps, reached.seconds)
        return Live(trained, model, self._dtype == torch.float32 and loaded.form == "f32")

    def _load(self) -> LoadedBase:
        told = 0.0

        def report(done: int, total: int) -> None:
            nonlocal told
            self._check()
            if done < total and done < told + total / 50:
                return
            told = done
            self._emit(events.Progress(stage="loading the model", done=done, total=total, unit="bytes"))

        return load_base(Path(self._call.model.path), self._config.weights.base, report=report)

    def _options(self, loaded: LoadedBase, fingerprint: str) -> TrainerOptions:
        part = self._config.evaluation
        return TrainerOptions(
            optimiser=self._config.optimiser,
            train=self._data.train,
            folder=self._folder,
            emit=self._emit,
            evaluate=self._evaluate,
            every=part.every,
            patience=part.patience,
            control=self._control,
            pace=self._pace,
            ranks=self._ranks,
            dtype=loaded.dtype,
            device=self._device,
            checkpointing=self._config.optimiser.checkpointing == "on" and self._config.weights.method != "prefix",
            fingerprint=fingerprint,
        )

    # -- scores --------------------------------------------------------------------------------------

    @contextmanager
    def _computing(self) -> Iterator[None]:
        with torch.autocast(self._device, dtype=torch.bfloat16, enabled=self._dtype == torch.bfloat16):
            yield

    def _before(self) -> _Before:
        path = self._folder / _BEFORE
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Before)
        except (OSError, msgspec.DecodeError):
            pass
        advance = self._advance("scoring before", self._texts, self._questions, *self._general_sides)
        found = _Before(scores=self._scores(0, advance), general=self._general(0, advance))
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_bytes(msgspec.json.encode(found))
        os.replace(beside, path)
        self._tell(ScoresPair(before=found.scores), ScoresPair(before=found.general))
        return found

    def _after(self, model: Any, before: _Before, steps: int, seconds: float) -> Trained:
        scored = self._last_scores is not None and self._last_scores[0] == steps
        texts = () if scored else self._texts
        advance = self._advance("scoring after", texts, self._questions, *self._general_sides)
        scores = ScoresPair(before=before.scores, after=self._scores(steps, advance))
        forgetting = ScoresPair(before=before.general, after=self._general(steps, advance))
        self._tell(scores, forgetting)
        folder = self._folder / TRAINED
        method = self._config.weights.method
        trained = Trained(
            folder=str(folder),
            form="changed" if method in ("full", "layers", "biases", "norms") else "peft",
            kind=ARTIFACTS[method],
            steps=steps,
            seconds=seconds,
            scores=scores,
            forgetting=forgetting,
            peak_memory_bytes=peak_memory_bytes(self._device),
        )
        beside = {_DONE: msgspec.json.encode(trained), "questions.jsonl": self._questions_to_check()}
        write_trained(model, method, folder, self._call.model.name, beside)
        return trained

    def _evaluate(self, step: int) -> float:
        """On the way: the loss, and a few answers to look at."""
        asked = self._questions[:ANSWERS_ON_THE_WAY]
        advance = self._advance("evaluating", self._texts, asked)
        scores = self._score_texts(advance)
        self._last_scores = (step, scores)
        self._emit_scores(scores, step)
        for sample in self._answers(asked, step, advance)[2]:
            self._emit_sample(sample)
        return scores.loss

    def _scores(self, step: int, advance: Advance) -> Scores:
        """With all the answers that were asked for."""
        with self._computing():
            if self._last_scores is not None and self._last_scores[0] == step:
                scores = self._last_scores[1]
            else:
                scores = self._score_texts(advance)
                self._emit_scores(scores, step)
            if not self._questions:
                return scores
            exact, rouge, samples = self._answers(self._questions, step, advance)
        for sample in samples:
            self._emit_sample(sample)
        self._emit(events.Metric(name="exact_match", value=exact, step=step))
        self._emit(events.Metric(name="rouge_l", value=rouge, step=step))
        return msgspec.structs.replace(scores, exact_match=exact, rouge_l=rouge, answers=len(samples))

    def _score_texts(self, advance: Advance) -> Scores:
        return score_texts(
            self._model,
            self._loss_of,
            self._texts,
            self._check,
            tokens_per_pass=self._tokens_per_pass,
            apart=self._apart,
            advance=advance,
        )

    def _answers(self, questions: Sequence[Question], step: int, advance: Advance) -> Any:
        longest = self._config.evaluation.answer_tokens
        answers = self._ask(questions, longest, advance)
        return score_answers(questions, answers, step)

    def _ask(self, questions: Sequence[Question], longest: int, advance: Advance) -> list[str]:
        at_once = self._tokens_per_pass
        return answer_questions(
            self._model, questions, self._tokenizer, longest, self._check, tokens_per_pass=at_once, advance=advance
        )

    def _advance(self, stage: str, *examples: Sequence[Any]) -> Advance:
        return Advance(self._emit, stage, sum(map(len, examples)))

    @property
    def _general_sides(self) -> tuple[Sequence[Any], ...]:
        return (self._generality.texts, self._generality.questions) if self._generality is not None else ()

    def _general(self, step: int, advance: Advance) -> Scores | None:
        if self._generality is None:
            return None
        with self._computing():
            texts, at_once = self._generality.texts, self._tokens_per_pass
            scores = score_texts(
                self._model, self._loss_of, texts, self._check, tokens_per_pass=at_once, advance=advance
            )
            questions = self._generality.questions
            answers = self._ask(questions, 24, advance)
        exact, rouge, _ = score_answers(questions, answers, step, within=True)
        self._emit(events.Metric(name="general_loss", value=scores.loss, step=step))
        self._emit(events.Metric(name="general_exact_match", value=exact, step=step))
        return msgspec.structs.replace(scores, exact_match=exact, rouge_l=rouge, answers=len(questions))

    def _emit_scores(self, scores: Scores, step: int) -> None:
        numbers = {"loss": scores.loss, "perplexity": scores.perplexity, "accuracy": scores.token_accuracy}
        for name, value in numbers.items():
            self._emit(events.Metric(name=f"evaluation_{name}", value=value, step=step))

    def _emit_sample(self, sample: Any) -> None:
        self._emit(events.Artifact(kind="sample", id=f"step {sample.step}", result=msgspec.to_builtins(sample)))

    def _tell(self, scores: ScoresPair, forgetting: ScoresPair) -> None:
        for kind, pair in (("scores", scores), ("forgetting", forgetting)):
            if pair != ScoresPair():
                side = "before" if pair.after is None else "after"
                self._emit(events.Artifact(kind=kind, id=side, result=msgspec.to_builtins(pair)))

    def _questions_to_check(self) -> bytes:
        """What the gate compares on: examples of the evaluation side, or of the other one where nothing is held out."""
        asked = {question.prompt: question for question in self._data.questions}
        lines = []
        texts = (text for one in self._data.evaluation for text in one.texts())
        for text in islice(texts, MOST_CHECKED):
            start = len(text.tokens)
            while start and text.trained[start - 1]:
                start -= 1
            question = asked.get(text.tokens[:start])
            lines.append(
                msgspec.json.encode(
                    {
                        "tokens": text.tokens,
                        "trained": text.trained,
                        "question": question.question if question else "",
                        "expected": question.expected if question else "",
                    }
                )
            )
        return b"\n".join(lines) + b"\n"


def _check_of(control: Control, pace: Callable[[], None] = lambda: None) -> Callable[[], None]:
    def check() -> None:
        control.wait_while_paused()
        if control.stopping:
            raise Cancelled
        pace()

    return check


def _tokens_trained(config: TrainingConfig, train: Sequence[TokenSequence]) -> float:
    mean = sum(lengths_of(train)) / len(train)
    return config.optimiser.steps * config.optimiser.batch * mean


def _evaluated(texts: Sequence[TokenSequence], tokens_trained: float) -> tuple[TokenSequence, ...]:
    room = max(FEWEST_EVALUATED_TOKENS, SHARE_EVALUATED * tokens_trained)
    taken: list[TokenSequence] = []
    for text in texts[:MOST_EVALUATED]:
        room -= len(text.tokens)
        if room < 0 and len(taken) >= FEWEST_EVALUATED:
            break
        taken.append(text)
    return tuple(taken)


def _spread(questions: Sequence[Question], count: int) -> tuple[Question, ...]:
    """``count`` of them, evenly spread."""
    if count >= len(questions):
        return tuple(questions)
    return tuple(questions[place * len(questions) // count] for place in range(count))


def _fingerprint(config: TrainingConfig, model: BaseModel, train: Sequence[TokenSequence]) -> str:
    """Of all that decides what a step does; the number of processes does not."""
    decides = msgspec.structs.replace(config, processes=1, name="", model="", evaluation=type(config.evaluation)())
    digest = hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(decides, data=type(config.data)())))
    digest.update(model.sha256.encode())
    for one in train:
        digest.update(msgspec.json.encode((one.tokens, one.trained)))
    return digest.hexdigest()


def _pace_of(threads: int) -> Callable[[], None]:
    """Sets how many threads torch computes with from now on: ``threads``, or (0) one for each core that other programs
    leave. Beside a busy program two threads on two cores are many times slower than one, as they wait for each other.
    """
    torch.set_num_threads(threads or psutil.cpu_count(logical=False) or 1)
    if threads:
        return lambda: None
    count = ThreadCount(torch.get_num_threads())
    return lambda: torch.set_num_threads(count.now())
