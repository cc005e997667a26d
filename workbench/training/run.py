"""A training from data to trained weights: load, score, train, score again, save.

Bad data is refused before the weights are loaded. Everything that takes long asks the control in between.

How a training computes: what was measured or chosen at its beginning, which a resumed training takes over.

Computed in another number format, by other versions of the libraries or on another processor, a step has other last
bits. The format is written into the run and read back; what else differs cannot be taken over, and is said.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import torch
from transformers import set_seed

from workbench import __version__
from workbench.api import events
from workbench.base.errors import Cancelled, UserError
from workbench.base.stored import Stored, Unreadable
from workbench.engine.threads import ThreadCount
from workbench.records.methods import Method, Methods
from workbench.records.training import (
    FINGERPRINTS,
    FINGERPRINTS_FILE,
    BaseForm,
    DataPart,
    EvaluationPart,
    TrainingConfig,
)
from workbench.rewards.reward import RewardContext
from workbench.training.artifacts import form_of, set_trainable, write_trained
from workbench.training.checkpoints import Checkpoints, is_sound, read_fingerprint, read_weights
from workbench.training.control import Control
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.evaluation import GeneralSet, read_general_set
from workbench.training.experience.record import POLICY_FOLDER
from workbench.training.losses import ComputeLoss, make_loss
from workbench.training.memory_use import peak_memory_bytes
from workbench.training.methods.weights_method import WeightsMethod, method_of
from workbench.training.model_shape import read_shape
from workbench.training.objectives.objective import Objective, objective_of
from workbench.training.out_of_memory import translate_out_of_memory
from workbench.training.protocol import TRAINED_RECORD, BaseModel, Trained, TrainModel
from workbench.training.ranks import Ranks
from workbench.training.scoring import Before, Scorer
from workbench.training.sequences import TokenSequence, longest_of
from workbench.training.sets import ReadySet, open_writing, ready_set
from workbench.training.trainer import StepTrainer
from workbench.training.trainer_progress import Stopped, TrainerOptions
from workbench.training.training_context import TrainingContext
from workbench.training.verifying import FEWEST_CHECKED, MOST_CHECKED
from workbench.training.weights.dtype_selection import DTypeName
from workbench.training.weights.loading import LoadedBase, load_base

if TYPE_CHECKING:
    from workbench.training.trl_training import TrlTraining


TRAINED = "trained"
_DONE = "trained.json"
_FINGERPRINT = "2:"  # what of a training is digested
_DIGESTED = 3  # the format of configs that fingerprints are of; later ones only add what is digested where it is set
_BEFORE = "before.json"
_NONE_WITHIN = "No evaluation found weights within the bound, so the last ones are kept: lower the learning rate."

Emit = Callable[[events.Event], None]


@dataclass(frozen=True)
class Live:
    """The trained model, still in memory: ``model`` answers as trained."""

    trained: Trained
    model: Any
    computes_float32: bool


def finished_before(folder: Path) -> Trained | None:
    """The result of a finished training in this folder, None when it is not done. Raises UserError where that cannot be
    read: it is not trained over."""
    trained = TRAINED_RECORD.load(folder / TRAINED / _DONE)
    if isinstance(trained, Unreadable):
        raise trained.error()
    if trained is not None:
        _remove_policy(folder)
    return trained


def train(
    call: TrainModel,
    methods: Methods[Method],
    control: Control,
    emit: Emit,
    ranks: Ranks | None = None,
    rewards: RewardContext | None = None,
) -> Live | None:
    """Train what the call says, or go on with it; gives None in processes that do not lead. ``rewards`` is needed by
    objectives that reward answers.

    Raises Cancelled when the control stopped it (a checkpoint is there then), UserError for bad data and a loss that is
    no number, MemoryError.
    """
    if not call.config.optimiser.learning_rate:
        raise ValueError("the config of a training must be resolved: planning.plan does that")
    ranks = ranks or Ranks()
    objective, method = objective_of(call.config, methods), method_of(call.config.weights, methods)
    with translate_out_of_memory(), open_writing(call.model) as writing:
        check = _check_of(control)
        emit(events.Progress(stage="reading the examples"))
        data = ready_set(call.config, objective, writing, check, call.model.earlier)
        emit(events.Artifact(kind="data", id=data.report.path, result=msgspec.to_builtins(data.report)))
        forgetting = call.config.evaluation.forgetting and objective.generates
        general_set = read_general_set(writing) if forgetting else None
        writing.renderer.close()
        with _Session(
            call, methods, objective, method, data, general_set, writing.tokenizer, control, emit, ranks, rewards
        ) as session:
            return session.run()


class _Session:
    """A training whose examples are ready."""

    def __init__(
        self,
        call: TrainModel,
        methods: Methods[Method],
        objective: Objective,
        method: WeightsMethod,
        data: ReadySet,
        general_set: GeneralSet | None,
        tokenizer: Tokenizer,
        control: Control,
        emit: Emit,
        ranks: Ranks,
        rewards: RewardContext | None,
    ) -> None:
        self._rewards = rewards
        self._call = call
        self._config: TrainingConfig = call.config
        self._folder = Path(call.folder)
        self._methods = methods
        self._objective, self._method = objective, method
        self._data = data
        self._general_set = general_set
        self._tokenizer = tokenizer
        self._control = control
        self._pace = _pace_of(call.threads)
        self._check = _check_of(control, self._pace)
        self._emit = emit if ranks.leads else lambda event: None
        self._ranks = ranks
        self._model: Any = None
        self._device = ""

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._objective.close()
        if self._ranks.leads:
            _remove_policy(self._folder)
        self._model = None

    def run(self) -> Live | None:
        loaded = self._load()
        self._device = torch.device(loaded.device).type
        set_seed(self._config.optimiser.seed)
        self._model = model = self._method.apply(loaded)
        model.eval()
        self._objective.prepare(self._context(loaded))
        sample = longest_of(self._data.train).tokens
        plain = make_loss(model, sample, loaded.dtype)  # which two passes through the model are taken for
        if self._objective.has_own_loss:
            scorer = self._scorer(loaded, self._objective.make_loss(model, sample, loaded.dtype), plain)
        else:
            scorer = self._scorer(loaded, plain, plain)
        fingerprint = _fingerprint(self._config, self._call.model, self._data.train)
        checkpoints = Checkpoints(self._folder / "checkpoints")
        found = checkpoints.latest()
        if found is not None:
            _check_same(read_fingerprint(found), fingerprint)
        before = scorer.before(self._folder / _BEFORE) if self._ranks.leads else None
        # what was drawn so far depends on whether it was scored before: begin the training from the seed
        set_seed(self._config.optimiser.seed + self._ranks.rank)
        known = None if self._objective.has_own_loss else plain
        trainer = self._trainer(self._options(loaded, scorer, fingerprint, known))
        try:
            reached = trainer.run()
        except Stopped as stopped:
            raise Cancelled from stopped
        if not self._ranks.leads:
            return None
        assert before is not None
        steps = reached.step
        keeps_best = self._objective.keeps_best or bool(self._config.evaluation.patience)
        if keeps_best and reached.best_step and reached.best_step != reached.step:
            best = checkpoints.path(reached.best_step)
            if is_sound(best):
                set_trainable(model, read_weights(best))
                steps = reached.best_step
                scorer.forget()
                self._objective.weights_restored(steps)
                self._notice(f"The best weights are kept: those after step {steps:,}.")
        elif self._objective.keeps_best and not reached.best_step:
            self._notice(_NONE_WITHIN)
        trainer.release()
        del trainer
        model.zero_grad(set_to_none=True)
        model.eval()
        trained = self._after(scorer, before, steps, reached.seconds)
        return Live(trained, model, loaded.dtype == torch.float32 and loaded.form == "f32")

    def _trainer(self, options: TrainerOptions) -> StepTrainer | TrlTraining:
        if self._config.trainer == "workbench":
            return StepTrainer(self._model, options)
        from workbench.training.trl_training import TrlTraining

        base = Path(self._call.model.path)
        return TrlTraining(self._model, options, self._config, self._method, base, self._tokenizer)

    def _load(self) -> LoadedBase:
        reported = 0.0

        def report(done: int, total: int) -> None:
            nonlocal reported
            self._check()
            if done < total and done < reported + total / 50:
                return
            reported = done
            self._emit(events.Progress(stage="loading the model", done=done, total=total, unit="bytes"))

        path, part = Path(self._call.model.path), self._config.weights
        known = find_computing(self._folder, self._notice)
        if known is None:
            loaded = load_base(path, part.base, report=report)
            if self._ranks.leads:
                note_computing(self._folder, loaded)
            return loaded
        return load_base(path, known.form, computing=known.dtype, report=report)

    def _notice(self, text: str) -> None:
        self._emit(events.Log(text=text, level="notice"))

    def _context(self, loaded: LoadedBase) -> TrainingContext:
        return TrainingContext(
            model=self._model,
            base=self._call.model,
            config=self._config,
            folder=self._folder,
            tokenizer=self._tokenizer,
            methods=self._methods,
            train=self._data.train,
            dtype=loaded.dtype,
            can_serve=self._method.artifact == "lora",
            resumed=Checkpoints(self._folder / "checkpoints").latest() is not None,
            threads=self._call.threads,
            rewards=self._rewards,
            check=self._check,
            emit=self._emit,
        )

    def _scorer(self, loaded: LoadedBase, loss_of: ComputeLoss, general_loss_of: ComputeLoss) -> Scorer:
        return Scorer(
            self._model,
            loss_of,
            general_loss_of,
            loaded.dtype,
            self._device,
            config=self._config,
            data=self._data,
            general_set=self._general_set,
            tokenizer=self._tokenizer,
            parameters=read_shape(Path(self._call.model.path)).parameters,
            check=self._check,
            emit=self._emit,
            cross_entropy=not self._objective.has_own_loss,
            selected_by=self._objective.selected_by,
            most_evaluated=self._objective.most_evaluated,
        )

    def _options(
        self, loaded: LoadedBase, scorer: Scorer, fingerprint: str, loss_of: ComputeLoss | None
    ) -> TrainerOptions:
        part = self._config.evaluation
        return TrainerOptions(
            optimiser=self._config.optimiser,
            train=self._data.train,
            folder=self._folder,
            emit=self._emit,
            objective=self._objective,
            evaluate=scorer.during,
            every=part.interval,
            patience=part.patience,
            control=self._control,
            pace=self._pace,
            ranks=self._ranks,
            dtype=loaded.dtype,
            device=self._device,
            checkpointing=self._config.optimiser.gradient_checkpointing == "on" and self._method.can_checkpoint,
            fingerprint=fingerprint,
            loss_of=loss_of,
        )

    # -- what is left ---------------------------------------------------------------------------------

    def _after(self, scorer: Scorer, before: Before, steps: int, seconds: float) -> Trained:
        scores, forgetting = scorer.after(before, steps)
        for note in self._objective.final_notes(scores, forgetting):
            self._notice(note)
        folder = self._folder / TRAINED
        trained = Trained(
            folder=str(folder),
            form=form_of(self._model),
            kind=self._objective.artifact(self._method),
            steps=steps,
            seconds=seconds,
            scores=scores,
            forgetting=forgetting,
            peak_memory_bytes=peak_memory_bytes(self._device),
        )
        others = self._objective.finish(self._model, self._data, self._report)
        if told := self._objective.report(others):
            self._emit(events.Artifact(kind=told[0], id=self._config.name, result=told[1]))
        beside = {
            _DONE: TRAINED_RECORD.encode(trained),
            "questions.jsonl": self._questions_to_check(),
            FINGERPRINTS_FILE: FINGERPRINTS.encode(self._data.fingerprints),
            **others,
        }
        write_trained(self._model, self._config.weights.method, folder, self._call.model.name, beside)
        return trained

    def _report(self, stage: str, done: int, total: int) -> None:
        self._check()
        self._emit(events.Progress(stage=stage, done=done, total=total, unit="examples"))

    def _questions_to_check(self) -> bytes:
        """The prompts for verification: examples of the evaluation side, and of the other one where these are few."""
        asked = {question.prompt: question for question in self._data.questions}
        lines = []
        held_out = [text for one in islice(self._data.evaluation, MOST_CHECKED) for text in self._objective.texts(one)]
        others = (text for one in self._data.train for text in self._objective.texts(one))
        texts = [*held_out[:MOST_CHECKED], *islice(others, max(0, FEWEST_CHECKED - len(held_out)))]
        for text in texts:
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


def _remove_policy(folder: Path) -> None:
    """A killed process leaves it, and a training that was at its end opens no rollouts that would replace it."""
    shutil.rmtree(folder / POLICY_FOLDER, ignore_errors=True)


def _check_of(control: Control, pace: Callable[[], None] = lambda: None) -> Callable[[], None]:
    def check() -> None:
        control.wait_while_paused()
        if control.stopping:
            raise Cancelled
        pace()

    return check


def _check_same(known: str, now: str) -> None:
    """Raises UserError where a checkpoint is of another training. Fingerprints without a number are of version 0.1.0 or
    its development: they cannot be compared with one of today, unless they agree."""
    if known in (now, now.removeprefix(_FINGERPRINT)):
        return
    if known.startswith(_FINGERPRINT):
        reason = "The examples or the settings have changed since this training was begun."
    else:
        reason = "This training was begun by an earlier version of LLM Workbench and cannot be resumed."
    raise UserError(reason, "Begin a new training.")


def _fingerprint(config: TrainingConfig, model: BaseModel, train: Sequence[TokenSequence]) -> str:
    """Of all that decides what a step does; the number of processes does not."""
    decides = msgspec.structs.replace(
        config, schema=_DIGESTED, processes=1, name="", model="", data=DataPart(), evaluation=EvaluationPart()
    )
    plain = msgspec.to_builtins(decides)
    if config.trainer == "workbench":
        del plain["trainer"]  # as before there was another one
    digest = hashlib.sha256(msgspec.json.encode(plain))
    digest.update(model.sha256.encode())
    for one in train:
        digest.update(msgspec.json.encode((one.tokens, one.trained)))
    return _FINGERPRINT + digest.hexdigest()


def _pace_of(threads: int) -> Callable[[], None]:
    """Sets how many threads torch computes with from now on: ``threads``, or (0) one for each core that other programs
    leave. Beside a busy program two threads on two cores are many times slower than one, as they wait for each other.
    """
    torch.set_num_threads(threads or psutil.cpu_count(logical=False) or 1)
    if threads:
        return lambda: None
    count = ThreadCount(torch.get_num_threads())
    return lambda: torch.set_num_threads(count.now())


_FILE = "computing.json"


class Computing(msgspec.Struct, frozen=True, kw_only=True):
    """``form`` is how the base's weights are held, ``dtype`` the type that is computed in, ``by`` the versions of what
    computes."""

    form: BaseForm
    dtype: DTypeName
    by: dict[str, str]


_COMPUTING = Stored("way of computing of this training", Computing)


def find_computing(folder: Path, say: Callable[[str], None]) -> Computing | None:
    """That of the training in ``folder``, None before its model was loaded. ``say`` gets a sentence where something
    else computes now."""
    known = _COMPUTING.load(folder / _FILE)
    if not isinstance(known, Computing):
        return None
    now = _computed_by()
    others = [f"{name} {was} (now {now.get(name, 'absent')})" for name, was in known.by.items() if now.get(name) != was]
    if others:
        say(
            f"This training was begun with {', '.join(others)}: its weights will not be, bit for bit, those of a "
            "training that was never stopped."
        )
    return known


def note_computing(folder: Path, loaded: LoadedBase) -> None:
    """Write down how the base that was loaded computes."""
    dtype: DTypeName = "bfloat16" if loaded.dtype == torch.bfloat16 else "float32"
    folder.mkdir(parents=True, exist_ok=True)
    _COMPUTING.save(folder / _FILE, Computing(form=loaded.form, dtype=dtype, by=_computed_by()))


def _computed_by() -> dict[str, str]:
    found = {"LLM Workbench": __version__, "torch": str(torch.__version__)}
    for title, package in (("transformers", "transformers"), ("llama-cpp-python", "llama-cpp-python")):
        try:
            found[title] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    capability = torch.backends.cpu.get_cpu_capability()
    return {**found, "the processor": f"{platform.machine()} {capability}"}
