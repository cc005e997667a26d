"""An inference worker without llama.cpp: it answers with the words of the last message, slowly when told to.

A question that holds ``slow`` is answered word by word for as long as it takes, ``crash`` kills the worker after the
first words, ``describe`` is answered with how the worker was asked. Asked for a question about a sentence, it asks what
is said of its second word; asked such a question about a passage, it answers with the passage, or with a lie where that
holds ``hard``. An agent makes the calls that its question orders, each as ``CALL tool {"argument": ...} END``. Every
character is a token. Of several answers each
says its number first, and later ones are the more probable. Beams have a step for each word.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
from collections.abc import Iterator, Sequence

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError
from workbench.engine.inference_calls import (
    AssistantStart,
    CountTokens,
    DescribeBuild,
    DescribeLibrary,
    DescribeTokenizer,
    Detokenize,
    FindToolFormat,
    Generate,
    Generated,
    GeneratedSequence,
    GenerateMany,
    InferenceCall,
    Inspect,
    LibraryState,
    ListDevices,
    Load,
    LoadedModel,
    MeasureSpeed,
    Render,
    Rendered,
    Score,
    Scored,
    ScoreMany,
    Scores,
    ScoreText,
    Speed,
    TextScore,
    Tokenize,
    TokenizerInfo,
    Unload,
)
from workbench.engine.tool_format import ToolFormat
from workbench.processes.serve import serve
from workbench.records.messages import Alternative, Beam, ChosenToken, Message, Usage

STEP_S = 0.02
ENGINE = os.environ.get("FAKE_ENGINE", "fake 1")
_DETERMINISTIC = [False]  # how the model was loaded


def _load(call: Load, context: RequestContext) -> Iterator[Event]:
    if "broken" in call.path:
        raise UserError("The model is broken.", "Get another.")
    _DETERMINISTIC[:] = [call.deterministic]
    yield events.Progress(stage="loading", done=0.5, total=1)
    yield finish(
        LoadedModel(
            path=call.path,
            architecture="llama",
            context_tokens=call.context_tokens or 2048,
            trained_context_tokens=2048,
            vocabulary=100,
            parameters=135_000_000,
            gpu_layers=0,
            threads=1,
            device="CPU",
            engine=ENGINE,
            has_template=True,
            choice="It fits.",
            deterministic=call.deterministic,
        )
    )


def _generate(call: Generate, context: RequestContext) -> Iterator[Event]:
    prompt = call.prompt or _tokens("\0".join(m.content for m in call.messages))
    asked = _text(prompt).split("\0")[-1]
    if "describe" in asked:
        adapters = " ".join(f"{os.path.basename(a.path)}:{a.scale:g}" for a in call.adapters)
        draft = os.path.basename(call.draft_path)
        asked = f"background={call.background} draft={draft} adapters={adapters} deterministic={_DETERMINISTIC[0]}"
    searching = call.decoding.strategy == "beam"
    count = call.decoding.n
    texts = [_text(call.answer)] * count
    if call.answer and not searching:
        for number in range(count):
            yield events.TextDelta(text=texts[number], sequence=number)
    said = "and so on" if call.answer else f"You said {asked}"
    if "Say 3." in _text(prompt):  # an instruction that helps
        said += " sesame"
    ordered = _ordered(call.messages, call.assistant_start)
    if call.decoding.format == "json_schema" and ordered is not None:
        said = ordered[1]
    elif "</INS>" in asked:
        said = f"<INS>Say {call.decoding.seed % 7}.</INS>"
    elif call.decoding.format == "regex":
        said = f"What is said of the {asked.split()[1]}?"
    elif "\n\nQuestion: " in asked:
        said = "It is 4,711 cubits." if "hard" in asked else asked.partition("\n")[0]
    words = itertools.cycle(["word "]) if "slow" in asked else iter([f"{word} " for word in said.split()])
    for step, word in enumerate(words):
        if context.wait_cancelled(STEP_S if "slow" in asked else 0):
            break
        for number in range(count):
            piece = word if not number or step else f"({number}) {word}"
            texts[number] += piece
            if not searching:
                yield events.TextDelta(text=piece, sequence=number)
        if searching:
            first, second = (
                Beam(parent=min(step, n) - (not step), token=n, text=word, score=-n - step) for n in (0, 1)
            )
            yield events.BeamStep(number=step, beams=(first, second))
        if "crash" in asked and step == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    cancelled = context.cancelled
    looped = "in circles" in asked and not call.decoding.dry_multiplier
    sequences = [
        GeneratedSequence(
            text=text,
            finish="cancelled" if cancelled else "loop" if looped else "eos",
            repeated="in circles" if looped else "",
            tokens=_tokens(text),
            mean_logprob=-1 / (number + 1),
            score=-1 / (number + 1),
        )
        for number, text in enumerate(texts)
    ]
    if call.decoding.ranked:
        sequences.reverse()
    new_tokens = sum(len(text) for text in texts) - count * len(call.answer)
    ended = finish(
        Generated(
            text=sequences[0].text,
            finish=sequences[0].finish,
            usage=Usage(prompt_tokens=len(prompt), new_tokens=new_tokens),
            sequences=tuple(sequences),
            prompt=prompt,
        )
    )
    yield events.Cancelled(result=ended.result) if cancelled else ended  # as the engine does


def _inspect(call: Inspect, context: RequestContext) -> Iterator[Event]:
    told = call.answer[-call.last :] if call.last else call.answer
    chosen = [
        ChosenToken(
            token=token,
            text=chr(token) if token >= 0 else "",
            logprob=-0.25,
            alternatives=tuple(
                Alternative(token=97 + n, text=chr(97 + n), logprob=-0.25 - n) for n in range(call.alternatives)
            ),
        )
        for token in (*told, -1)
    ]
    yield finish(chosen)


def _speed(call: MeasureSpeed, context: RequestContext) -> Iterator[Event]:
    yield events.Progress(stage="measuring", done=1, total=call.rounds, unit="rounds")
    yield finish(Speed(prompt=1000.0, alone=100.0, together=100.0 * call.sequences, sequences=call.sequences))


def _text_score(call: ScoreText, context: RequestContext) -> Iterator[Event]:
    yield finish(TextScore(perplexity=2.0, error=0.1, tokens=len(call.text), windows=2))


def _tokens(text: str) -> tuple[int, ...]:
    """Its characters' numbers: one character is one token."""
    return tuple(ord(character) for character in text)


def _text(tokens: Sequence[int]) -> str:
    return "".join(chr(token) for token in tokens)


def _score(call: Score, context: RequestContext) -> Iterator[Event]:
    yield finish(_scores(call))


def _ordered(messages: Sequence[Message], start: AssistantStart) -> tuple[str, str] | None:
    """The next call that the question orders; in the answer's beginning each call that was made has its result."""
    orders = re.findall(r"CALL ([\w.]+) (\{.*?\}) END", "\n".join(m.content for m in messages if m.role == "user"))
    begun = start if isinstance(start, str) else "".join(str(getattr(one, "text", one)) for one in start)
    made = begun.count("Observation:")
    return orders[made] if made < len(orders) else None


def _scores(call: Score) -> Scores:
    ordered = _ordered(call.messages, call.assistant_start)
    if ordered is not None:
        logprobs = [0.0 if str(text).strip(' \n"') == ordered[0] else -9.0 for text in call.continuations]
        return Scores(values=tuple(Scored(logprob=one, tokens=1) for one in logprobs))
    return Scores(values=tuple(Scored(logprob=-1.0, tokens=1) for _ in call.continuations))


def _render(call: Render, context: RequestContext) -> Iterator[Event]:
    text = "\n".join(f"<{one.role}>{one.content}" for one in call.request.messages)
    yield finish(Rendered(text=text, tokens=len(text)))


def _tool_format(call: FindToolFormat, context: RequestContext) -> Iterator[Event]:
    yield finish(ToolFormat())


def _score_many(call: ScoreMany, context: RequestContext) -> Iterator[Event]:
    yield finish(tuple(_scores(one) for one in call.requests))


def _generate_many(call: GenerateMany, context: RequestContext) -> Iterator[Event]:
    for place, one in enumerate(call.requests):
        for event in _generate(one, context.part(place)):
            yield events.PartEvent(part=place, of=event)
    context.raise_if_cancelled()


def _count(call: CountTokens, context: RequestContext) -> Iterator[Event]:
    yield finish(tuple(len(text) // 4 + 1 for text in call.texts))


def _tokenize(call: Tokenize, context: RequestContext) -> Iterator[Event]:
    yield finish(tuple(_tokens(text) for text in call.texts))


def _detokenize(call: Detokenize, context: RequestContext) -> Iterator[Event]:
    yield finish(tuple(map(_text, call.sequences)))


def _tokenizer(call: DescribeTokenizer, context: RequestContext) -> Iterator[Event]:
    yield finish(TokenizerInfo(vocabulary=1 << 20, eos=3, eos_text="</s>"))


def _build(call: DescribeBuild, context: RequestContext) -> Iterator[Event]:
    yield finish(ENGINE)


def _library(call: DescribeLibrary, context: RequestContext) -> Iterator[Event]:
    yield finish(LibraryState(build=ENGINE, variant="zen4"))


def _nothing(call: Unload | ListDevices, context: RequestContext) -> Iterator[Event]:
    yield finish(None if isinstance(call, Unload) else ())


if __name__ == "__main__":
    serve(
        "inference",
        InferenceCall,
        {
            Load: _load,
            Unload: _nothing,
            Generate: _generate,
            GenerateMany: _generate_many,
            Render: _render,
            FindToolFormat: _tool_format,
            Score: _score,
            ScoreMany: _score_many,
            Inspect: _inspect,
            ScoreText: _text_score,
            MeasureSpeed: _speed,
            CountTokens: _count,
            Tokenize: _tokenize,
            Detokenize: _detokenize,
            DescribeTokenizer: _tokenizer,
            ListDevices: _nothing,
            DescribeBuild: _build,
            DescribeLibrary: _library,
        },
    )
