"""Collects the experience of a step: sampled answers, their rewards, and the choice of what samples them.

Before the first step the possible rollouts sample the same prompts in turn, and the faster is taken for the run. The
rewards of these answers are the base rate; a reward that does not tell them apart gives nothing to learn.
"""

from __future__ import annotations

import math
import statistics
import time
import zlib
from array import array
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Literal

import msgspec
import torch

from workbench.api import events
from workbench.base.durability import written_beside
from workbench.base.errors import UserError
from workbench.records.messages import Message
from workbench.rewards.reward import Sample
from workbench.rewards.spec import weighted_sum
from workbench.training.experience.hints import diversity, repetition
from workbench.training.experience.options import PolicyOptions
from workbench.training.experience.record import POLICY_FOLDER, Answer, StepRecord
from workbench.training.experience.rollouts import Ask, Rollouts, Sampled, TorchRollouts
from workbench.training.sequences import lengths_of
from workbench.training.training_context import TrainingContext

LONG_S = 20.0
"""Where sampling has taken so long, what is less than half as fast as the fastest is tried no further, and no more is
sampled before the first step than in all steps."""
FIRST_SAMPLES = 64
_START, _EVALUATION = 1 << 31, 1 << 30  # in place of a step's number, for seeds


class Asked(msgspec.Struct, frozen=True):
    """A prompt in words: its messages, and the accepted answers of its data set."""

    messages: tuple[Message, ...]
    expected: tuple[str, ...] = ()


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured before the first step: which rollouts are used and how many tokens per second each gave, and of
    the sampled answers the mean reward, its standard deviation and what hints are compared with."""

    chosen: str
    tokens_per_second: dict[str, float] = {}
    samples: int = 0
    reward: float = 0.0
    deviation: float = 0.0
    answers: dict[str, float] = {}


class Collector:
    """Of one training. ``start`` is called before anything else."""

    def __init__(
        self, context: TrainingContext, options: PolicyOptions, asked: Mapping[tuple[int, ...], Asked]
    ) -> None:
        self._context, self._options, self._asked = context, options, asked
        self._rewards = weighted_sum(options.rewards, context.methods)
        self._record = StepRecord(context.folder)
        self._rollouts: Rollouts | None = None
        self._opened: dict[str, Rollouts] = {}
        self.seconds: dict[str, float] = {}
        """Of the latest answers: what sampling and scoring took."""

    # -- the beginning -------------------------------------------------------------------------------

    def start(self) -> Start:
        """Choose the rollouts; a resumed training uses the same as before. Raises UserError where all
        answers have the same reward."""
        path = self._context.folder / "rollouts" / "start.json"
        known = _read(path)
        if known is not None:
            self._rollouts = self._open(known.chosen)
            return known
        self._score_longest()
        opened = self._opened
        self._open_all()
        asks = self._first_asks()
        tokens: dict[str, int] = dict.fromkeys(opened, 0)
        seconds: dict[str, float] = dict.fromkeys(opened, 0.0)
        sampled: list[tuple[Ask, Sampled]] = []
        size = max(1, self._context.config.optimiser.batch_size) * self._options.answers
        tried, speeds = list(opened), dict[str, float]()
        for one in opened.values():
            one.refresh()
            one.sample(asks[:1], 4, self._options.temperature, self._context.check)  # what is only slow once
        for start in range(0, len(asks), size):
            part = asks[start : start + size]
            done = min(len(asks), start + size)
            for name in tried:
                one = opened[name]
                self._context.emit(events.Progress(stage="rollouts", done=start, total=len(asks), unit="answers"))
                began = time.perf_counter()
                found = one.sample(part, self._options.max_new_tokens, self._options.temperature, self._context.check)
                seconds[name] += time.perf_counter() - began
                tokens[name] += sum(len(answer.tokens) for answer in found)
                sampled += zip(part, found, strict=True)
            self._context.emit(events.Progress(stage="rollouts", done=done, total=len(asks), unit="answers"))
            speeds = {name: tokens[name] / max(1e-9, seconds[name]) for name in opened}
            if sum(seconds.values()) > LONG_S:
                tried = [name for name in tried if speeds[name] > max(speeds.values()) / 2]
                if done >= size * self._context.config.optimiser.max_steps:
                    break
        chosen = max(speeds, key=speeds.__getitem__)
        self._rollouts = opened.pop(chosen)
        self._close_opened()
        answers = self._rewarded([ask for ask, _ in sampled], [one for _, one in sampled])
        start_ = self._first(chosen, speeds, answers)
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(path) as beside:
            beside.write_bytes(msgspec.json.encode(start_))
        return start_

    def _score_longest(self) -> None:
        """Reward a text as long as there can be: what a reward cannot read is found before anything is sampled."""
        prompt = max([*self._asked, *(row.tokens for row in self._context.train)], key=len)
        tokens = tuple(islice(cycle(prompt), self._options.max_new_tokens))
        self._rewarded([Ask(prompt, ())], [Sampled(tokens, (0.0,) * len(tokens), False)])

    def _first(self, chosen: str, speeds: Mapping[str, float], answers: Sequence[Answer]) -> Start:
        rewards = [one.reward for one in answers]
        if max(rewards) - min(rewards) < 1e-9:
            raise UserError(
                f"All {len(rewards)} sampled answers have the same reward, {rewards[0]:.3g}: there is nothing to learn "
                "from.",
                "Choose a reward that some answers get more of, other prompts, or longer answers.",
            )
        unfinished = sum(not one.finished for one in answers)
        speed = ", ".join(f"{name} {value:.0f} tokens/s" for name, value in speeds.items())
        self._log(  # the held-out reward of step 0 says the same to a person
            f"Before the training: mean reward {statistics.mean(rewards):.3f} (standard deviation "
            f"{statistics.pstdev(rewards):.3f}) over {len(rewards)} sampled answers, {unfinished} of them cut at "
            f"{self._options.max_new_tokens} tokens. Sampling: {speed}; the training uses {chosen}.",
            "info",
        )
        return Start(
            chosen=chosen,
            tokens_per_second=dict(speeds),
            samples=len(rewards),
            reward=statistics.mean(rewards),
            deviation=statistics.pstdev(rewards),
            answers=describe(answers),
        )

    def _first_asks(self) -> list[Ask]:
        each, train = self._options.answers, self._context.train
        count = math.ceil(FIRST_SAMPLES / each)
        seed = self._context.config.optimiser.seed
        return [
            Ask(train[place % len(train)].tokens, (seed, _START, place * each + number))
            for place in range(count)
            for number in range(each)
        ]

    def _open_all(self) -> None:
        wanted, unpack = self._options.rollouts, self._options.unpack == "on"
        if wanted != "auto":
            name = "unpacked" if unpack and wanted == "engine" else wanted
            self._opened[name] = self._open(name)
            return
        for name in ("engine", "unpacked") if unpack else ("engine",):
            if not self._can_serve:
                break
            try:
                self._opened[name] = self._open(name)
            except UserError as error:
                how = " with unpacked weights" if name == "unpacked" else ""
                self._log(f"The engine cannot sample{how} here: {error.message}")
        self._opened["transformers"] = self._open("transformers")

    @property
    def _can_serve(self) -> bool:
        return self._context.can_serve and Path(self._context.base.path).is_file()

    def _open(self, name: str) -> Rollouts:
        context = self._context
        if name == "transformers":
            return TorchRollouts(context.model, context.tokenizer)
        if not self._can_serve:
            raise UserError(
                "The engine samples from a GGUF model with a LoRA only.",
                "Let the model in training sample the answers, or train a LoRA on a GGUF model.",
            )
        from workbench.training.experience.engine_rollouts import EngineRollouts

        return EngineRollouts(
            context.model,
            Path(context.base.path),
            context.folder / POLICY_FOLDER / name,
            longest_prompt=max([*lengths_of(context.train), *map(len, self._asked)]),
            new_tokens=self._options.max_new_tokens,
            threads=context.threads,
            unpacked=name == "unpacked",
        )

    # -- a step --------------------------------------------------------------------------------------

    def answers(self, step: int, prompts: Sequence[tuple[int, ...]]) -> list[Answer]:
        """The answers of a step: of its file, or sampled and scored and then written. Several to each prompt, which
        are adjacent."""
        each = self._options.answers
        repeated = [prompt for prompt in prompts for _ in range(each)]
        self.seconds = {"rollouts": 0.0, "rewards": 0.0}
        known = self._record.read(step, repeated)
        if known is not None:
            return known
        seed = self._context.config.optimiser.seed
        found = self._sample([Ask(prompt, (seed, step, place)) for place, prompt in enumerate(repeated)])
        self._record.write(step, found)
        return found

    def score(self, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> list[Answer]:
        """The rewards of answers that another trainer sampled, without log-probabilities."""
        ends = self._context.tokenizer.ends_generation
        asks = [Ask(tuple(prompt), ()) for prompt in prompts]
        sampled = [Sampled(tuple(tokens), (), bool(tokens) and ends(tokens[-1])) for tokens in answers]
        return [msgspec.structs.replace(one, by="trl") for one in self._rewarded(asks, sampled)]

    def record(self, step: int, answers: Sequence[Answer]) -> None:
        """Write the answers of a step, to be read by a person."""
        self._record.write(step, answers)

    def note(self, step: int, answers: Sequence[Answer], kl: Sequence[float]) -> None:
        """Write the divergence of each answer beside it."""
        if any(one.kl is None for one in answers):
            known = [msgspec.structs.replace(one, kl=value) for one, value in zip(answers, kl, strict=True)]
            self._record.write(step, known)

    def note_held_out(self, step: int, answers: Sequence[Answer], kl: Sequence[float]) -> None:
        """Write the answers to held-out prompts after a step."""
        known = [msgspec.structs.replace(one, kl=value) for one, value in zip(answers, kl, strict=True)]
        self._record.add_held_out(step, known)

    def held_out(self, prompts: Sequence[tuple[int, ...]]) -> list[Answer]:
        """An answer to each prompt, with the same random numbers whenever it is asked."""
        seed = self._context.config.optimiser.seed
        return self._sample(
            [Ask(prompt, (seed, _EVALUATION, zlib.crc32(array("q", prompt).tobytes()))) for prompt in prompts]
        )

    def _sample(self, asks: Sequence[Ask]) -> list[Answer]:
        assert self._rollouts is not None, "start comes first"
        began = time.perf_counter()
        self._rollouts.refresh()
        found = self._rollouts.sample(
            asks, self._options.max_new_tokens, self._options.temperature, self._context.check
        )
        sampled = time.perf_counter()
        answers = self._rewarded(asks, found)
        self.seconds = {"rollouts": sampled - began, "rewards": time.perf_counter() - sampled}
        return answers

    def _rewarded(self, asks: Sequence[Ask], found: Sequence[Sampled]) -> list[Answer]:
        tokenizer = self._context.tokenizer
        samples = []
        for ask, one in zip(asks, found, strict=True):
            said = one.tokens[:-1] if one.finished else one.tokens
            asked = self._asked.get(ask.prompt) or Asked((Message("user", tokenizer.text(ask.prompt)),))
            samples.append(
                Sample(
                    prompt=asked.messages,
                    answer=tokenizer.text(said).strip(),
                    prompt_tokens=ask.prompt,
                    answer_tokens=one.tokens,
                    finished=one.finished,
                    expected=asked.expected,
                )
            )
        if self._context.rewards is None:
            raise ValueError("a policy is trained with a context for its rewards")
        rewarded = self._rewards.score(samples, self._context.rewards)
        penalised = self._options.unfinished == "penalise"
        by = self._rollouts.name if self._rollouts is not None else ""
        return [
            Answer(
                prompt=sample.prompt[-1].content,
                response=sample.answer,
                prompt_tokens=ask.prompt,
                tokens=one.tokens,
                logprobs=one.logprobs,
                finished=one.finished,
                reward=value.value if one.finished or not penalised else UNFINISHED_REWARD,
                parts=value.parts,
                by=by,
            )
            for ask, one, sample, value in zip(asks, found, samples, rewarded, strict=True)
        ]

    def _log(self, text: str, level: Literal["info", "notice"] = "notice") -> None:
        self._context.emit(events.Log(text=text, level=level))

    def close(self) -> None:
        self._close_opened()
        if self._rollouts is not None:
            self._rollouts.close()
            self._rollouts = None

    def _close_opened(self) -> None:
        """Free what is measured and not used, also where the measurement was stopped."""
        while self._opened:
            self._opened.popitem()[1].close()


UNFINISHED_REWARD = -1.0


def describe(answers: Sequence[Answer]) -> dict[str, float]:
    """What hints of reward hacking are found by."""
    tokens = [one.tokens for one in answers]
    return {
        "answer_tokens": statistics.mean(map(len, tokens)),
        "repetition": repetition(tokens),
        "diversity": diversity(tokens),
    }


def padded(rows: Sequence[Sequence[float]], device: object) -> torch.Tensor:
    """Rows of unequal length as a tensor, (rows, longest), with zeros behind."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *([0.0] * (longest - len(row)))] for row in rows], device=device)


def _read(path: Path) -> Start | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Start)
    except (OSError, msgspec.DecodeError):
        return None
