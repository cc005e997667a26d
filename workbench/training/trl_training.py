"""A training whose steps TRL's trainers compute, on the same model, examples and order as this program's own trainer,
with its events, evaluations and checkpoints.

A stop takes effect between two micro-batches, where answers are sampled between two steps; what was computed of the
step is computed again. The arguments are those of an exported folder (``trainer_settings``, ``export_script``).

A reward model as TRL's trainer takes it: this program's score head over the same model, which scores an answer by
the states of its own tokens.
"""

from __future__ import annotations

import copy
import importlib.util
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import peft
import torch
from tokenizers import Tokenizer as NumberTokenizer
from tokenizers import models, pre_tokenizers
from torch import nn
from transformers import PreTrainedTokenizerFast, PrinterCallback, TrainerCallback, set_seed
from transformers.modeling_outputs import SequenceClassifierOutput
from trl.trainer.reward_trainer import DataCollatorForPreference

from workbench.records.training import TrainingConfig
from workbench.training.checkpoints import RandomStates, Reached, capture_random
from workbench.training.data.assistant_masks import Tokenizer
from workbench.training.export_script import Collator, takes_positions, trainer_arguments
from workbench.training.export_trl_script import make_trainer
from workbench.training.losses import hidden_states, keeps_apart
from workbench.training.methods.weights_method import WeightsMethod
from workbench.training.peft_models import base_of, make_trainable
from workbench.training.reward_training import HEAD
from workbench.training.sequences import lengths_of
from workbench.training.trainer_progress import (
    ResumedTrainer,
    Stopped,
    TrainerOptions,
    TrainerProgress,
    diverged,
    set_checkpointing,
)
from workbench.training.trainer_settings import order_of, trainer_settings
from workbench.training.trl_trainer import row_of

_REFERENCE = "ref"  # the name that TRL gives to its copy of an adapter


class TrlTraining:
    """Trains ``trainable_parameters(model)`` on the steps of a resolved ``config``. ``run`` starts or resumes."""

    def __init__(
        self,
        model: Any,
        options: TrainerOptions,
        config: TrainingConfig,
        method: WeightsMethod,
        base: Path,
        tokenizer: Tokenizer,
    ) -> None:
        self._model, self.options, self._config = model, options, config
        self._trl = options.objective.trl()
        self._tokenizer = tokenizer
        self._lengths = lengths_of(options.train)
        self._settings = trainer_settings(config, method, self._trl, self._lengths)
        self._order = order_of(len(options.train), config.optimiser)
        self._batch = int(self._settings["batch_size"])
        self.progress = TrainerProgress(model, options, len(self._order) // self._batch)
        self._randoms: RandomStates | None = None
        self._losses: list[float] = []
        self._logged: dict[str, float] = {}
        self._seen_tokens = 0.0
        self._trainer: Any = self._make(base)

    # -- the trainer of TRL --------------------------------------------------------------------------

    def _make(self, base: Path) -> Any:
        trl, options, model = self._trl, self.options, self._model
        inner = base_of(model)
        ends = [token for token in range(self._tokenizer.size) if self._tokenizer.ends_generation(token)]
        arguments = {
            **trainer_arguments(self._settings, options.ranks.count, self.progress.steps),
            "output_dir": str(options.folder / "checkpoints"),
            "bf16": options.dtype == torch.bfloat16,
            "use_cpu": torch.device(options.device).type == "cpu",
            "gradient_checkpointing": options.checkpointing and not trl.scores,
            "logging_nan_inf_filter": False,
            "disable_tqdm": True,
        }
        more: dict[str, Any] = {"callbacks": [_Following(self)]}
        trained = model
        if trl.scores:
            pooling = options.objective.options.pooling
            trained, more["data_collator"] = ScoredAnswers(model, pooling), PairCollator(0)
        elif trl.form == "texts":
            apart = takes_positions(model) and keeps_apart(model, options.dtype)
            more["data_collator"] = Collator(apart, masks=True)
        elif trl.form == "prompts":
            inner.generation_config.eos_token_id = ends
            more["reward"] = self._reward
            if samples_by_vllm(base, options.device):
                inner.name_or_path = str(base)
                arguments |= {"use_vllm": True, "vllm_mode": "colocate"}
        vocabulary = max(self._tokenizer.size, inner.get_input_embeddings().weight.shape[0])
        self._patched = "forward" in vars(inner)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = make_trainer(
                trained,
                number_tokenizer(vocabulary, ends[0] if ends else vocabulary - 1),
                self._settings,
                arguments,
                [row_of(trl, options.train[place]) for place in range(len(options.train))],
                self._order,
                extended=_resumed(self.progress),
                **more,
            )
        trainer.remove_callback(PrinterCallback)
        if isinstance(model, peft.PeftModel) and _REFERENCE in model.peft_config:
            model.delete_adapter(_REFERENCE)  # the adapter is new, so that without it is the reference
        for parameter in self.progress.trainable.values():
            make_trainable(parameter)  # of a base in 4 bits TRL has made them bfloat16
        return trainer

    def run(self) -> Reached:
        """Train to the end, from the latest sound checkpoint of this run if there is one.

        Raises Stopped when the control said so (a checkpoint is written then), UserError for a loss that is no number.
        """
        found = self.progress.resume()
        self.progress.begin()
        if self.progress.out_of_patience or self.progress.reached.step >= self.progress.steps:
            return self.progress.reached
        own_checkpointing = self.options.checkpointing and self._trl.scores
        if own_checkpointing:
            set_checkpointing(self._model, True)
        set_seed(self._config.optimiser.seed + self.options.ranks.rank)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._trainer.train(resume_from_checkpoint=None if found is None else str(found))
        except Stopped:
            self._model.zero_grad(set_to_none=True)
            self.progress.write(self._trainer, self._randoms, updates=self._trl.updates)
            raise
        finally:
            if own_checkpointing or self._trainer.args.gradient_checkpointing:
                set_checkpointing(self._model, False)
        return self.progress.reached

    def release(self) -> None:
        """Let go of the optimiser's states, and give the model its own forward pass back."""
        accelerator = self._trainer.accelerator
        accelerator.unwrap_model(self._trainer.model_wrapped, keep_fp32_wrapper=False)
        if not self._patched:
            vars(base_of(self._model)).pop("forward", None)
        self._trainer.release()
        accelerator.free_memory()
        del self._trainer

    # -- steps ---------------------------------------------------------------------------------------

    def begin_step(self, updates: int) -> None:
        """Called before the update that follows so many. Raises Stopped."""
        if updates % self._trl.updates:
            return  # of a step whose answers were sampled
        self._wait()
        if self.options.ranks.from_leader([float(self.options.control.stopping)])[0]:
            self._randoms = capture_random()
            raise Stopped
        self._randoms = capture_random()

    def between_micro_batches(self) -> None:
        """Raises Stopped."""
        self._wait()
        alone = self.options.ranks.count == 1 and self._trl.form != "prompts"
        if alone and self.options.control.stopping:
            raise Stopped

    def _wait(self) -> None:
        self.options.control.wait_while_paused()
        self.options.pace()

    def logged(self, updates: int, logs: Mapping[str, Any]) -> bool:
        """Called with what TRL logged after so many updates; whether the training is to end."""
        step, within = divmod(updates, self._trl.updates)
        step += bool(within)
        rate = float(logs.get("learning_rate") or 0.0)
        for name, what in (("loss", "loss"), ("grad_norm", "gradient")):
            value = logs.get(name)
            if value is not None and not math.isfinite(float(value)):
                raise diverged(what, float(value), step, rate)
        self._losses.append(float(logs["loss"]))
        for name, known in {
            **self._trl.metrics,
            "grad_norm": "gradient_norm",
            "learning_rate": "learning_rate",
        }.items():
            if logs.get(name) is not None:
                self._logged[known] = float(logs[name])
        if within:
            return False
        numbers = {"loss": sum(self._losses) / len(self._losses), **self._logged}
        self._losses, self._logged = [], {}
        self.progress.log(step, numbers, self._tokens_of(step, logs))
        return self.progress.follow(step, lambda: self.progress.write(self._trainer, updates=self._trl.updates))

    def _tokens_of(self, step: int, logs: Mapping[str, Any]) -> int:
        """The tokens of a step without padding: of its examples, with the sampled answers where there are some."""
        places = self._order[(step - 1) * self._batch : step * self._batch]
        tokens = sum(self._lengths[place] for place in places)
        return int(self._trl.answers * (tokens + len(places) * float(logs.get("completions/mean_length") or 0.0)))

    def _reward(
        self, completion_ids: Sequence[Sequence[int]], prompt_ids: Sequence[Sequence[int]], **unused: Any
    ) -> list[float]:
        step = self._trainer.state.global_step // self._trl.updates + 1
        return self.options.objective.score_answers(step, prompt_ids, completion_ids, self.options.ranks.leads)


class _Following(TrainerCallback):  # type: ignore[misc]  # transformers is not followed
    """Passes on what a trainer of transformers tells."""

    def __init__(self, training: TrlTraining) -> None:
        self._training = training

    def on_step_begin(self, args: Any, state: Any, control: Any, **unused: Any) -> None:
        self._training.begin_step(state.global_step)

    def on_substep_end(self, args: Any, state: Any, control: Any, **unused: Any) -> None:
        self._training.between_micro_batches()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **unused: Any) -> Any:
        if logs and "loss" in logs:
            control.should_training_stop |= self._training.logged(state.global_step, logs)
        return control


def _resumed(progress: TrainerProgress) -> Any:
    """Makes of a trainer of TRL one that resumes from the checkpoints of ``progress``."""

    def extended(trainer: Any) -> Any:
        return type("Resumed", (ResumedTrainer, trainer), {"progress": progress})

    return extended


def number_tokenizer(size: int, end: int) -> Any:
    """A tokenizer of transformers whose texts are the numbers of ``size`` tokens: TRL asks for one, and is given
    tokens. ``end`` is the one that ends an answer."""
    tokenizer = NumberTokenizer(models.WordLevel({str(number): number for number in range(size)}, unk_token=str(end)))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=str(end), pad_token=str(end), clean_up_tokenization_spaces=False
    )


def samples_by_vllm(base: Path, device: str) -> bool:
    """Whether vLLM samples: where it is installed, on CUDA, for a folder of safetensors, which it loads itself."""
    return torch.device(device).type == "cuda" and base.is_dir() and importlib.util.find_spec("vllm") is not None


class PairCollator(DataCollatorForPreference):  # type: ignore[misc]  # TRL is not followed
    """TRL's, with the length of each prompt: chosen answers first, then the rejected ones."""

    def torch_call(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        lengths = [example["prompt_tokens"] for example in examples]
        found: dict[str, Any] = super().torch_call(examples)
        return {**found, "prompt_tokens": torch.tensor([*lengths, *lengths])}


class ScoredAnswers(nn.Module):  # type: ignore[misc]  # torch is not followed
    """``model`` with its score head, as a model of one label. ``pooling`` as in ``reward_training``."""

    def __init__(self, model: Any, pooling: str) -> None:
        super().__init__()
        self.model, self._pooling = model, pooling
        self.config = copy.deepcopy(base_of(model).config)
        self.config.num_labels = 1

    def forward(self, input_ids: Any, attention_mask: Any, prompt_tokens: Any, **unused: Any) -> Any:
        """Scores (rows, 1) of texts (rows, longest) padded at the right; ``prompt_tokens`` is (rows,)."""
        hidden = hidden_states(self.model, input_ids, attention_mask=attention_mask)
        ends = attention_mask.sum(dim=1)
        if self._pooling == "last":
            states = hidden[torch.arange(len(hidden), device=hidden.device), ends - 1].float()
        else:
            places = torch.arange(hidden.shape[1], device=hidden.device)
            answers = ((places >= prompt_tokens[:, None]) & (places < ends[:, None])).float()
            states = (hidden.float() * answers[..., None]).sum(dim=1) / answers.sum(dim=1, keepdim=True)
        with torch.autocast(states.device.type, enabled=False):
            return SequenceClassifierOutput(logits=getattr(self.model, HEAD)(states))

    def add_model_tags(self, tags: Any) -> None:
        """TRL names itself in what it saves; nothing is saved by it here."""
