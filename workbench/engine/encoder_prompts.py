"""The prompts of encoder-decoder models: the conversation as plain text, since they have no chat template.

One message is its text; several are named as in the plain form of other models. What begins the answer goes to the
decoder. The tokens of both are one prompt (``encoder_decoder``).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence

from workbench.engine.encoder_decoder import ENCODER_TOKENS
from workbench.engine.folding import fold_tools
from workbench.engine.inference_calls import AssistantStart
from workbench.engine.loading import Model
from workbench.engine.plain_prompts import plain_text
from workbench.engine.prompt import Prompt, PromptWriter, Renderer, TemplateOptions
from workbench.engine.segment_tokenizer import SegmentTokenizer
from workbench.engine.segments import segments_of
from workbench.engine.tool_format import ToolFormat
from workbench.engine.vision import CannotSee, require_vision
from workbench.engine.vocabulary import Vocabulary
from workbench.records.messages import ImagePart, Message

_NAMES = {"system": "", "user": "User: ", "assistant": "Assistant: "}


class EncoderPromptWriter(PromptWriter):
    """Writes prompts for a model whose decoder begins with the token ``start``. Thread-safe."""

    def __init__(self, vocabulary: Vocabulary, renderer: Renderer, start: int) -> None:
        super().__init__("", vocabulary, renderer)
        self._words = vocabulary
        self._encoded = SegmentTokenizer(vocabulary)
        self._start = start

    def _longest(self, context_tokens: int, answer_tokens: int, assistant_start: AssistantStart) -> int:
        """As for other models; the encoder's limit counts too."""
        longest = super()._longest(context_tokens, answer_tokens, assistant_start)
        return min(longest, ENCODER_TOKENS + len(self._begun(assistant_start)))

    def from_tokens(self, tokens: Sequence[int]) -> Prompt:
        return Prompt(list(tokens), strips_start=True)

    def continuation(self, text: str, *, begun: bool = False) -> list[int]:
        return self._words.tokenize(text, special=False)

    def _plain(
        self,
        messages: Sequence[Message],
        assistant_start: AssistantStart,
        options: TemplateOptions,
        images: Mapping[str, ImagePart],
    ) -> Prompt:
        if images:
            raise CannotSee("An encoder-decoder model cannot see images.", "Choose a vision model.")
        shown = fold_tools(messages, options.tools) or list(messages)
        several = sum(message.role != "system" for message in shown) > 1
        text = "\n\n".join(f"{_NAMES[m.role]}{m.content.strip()}" for m in shown) if several else plain_text(shown)
        tokens = [token for token in self._encoded.literal_tokens(text) if token != self._start]
        if not tokens:
            return Prompt([])
        ends = [self._words.eos] if self._words.adds_eos else []
        return Prompt([*tokens, *ends, *self._begun(assistant_start)], strips_start=not assistant_start)

    def _begun(self, assistant_start: AssistantStart) -> list[int]:
        return [self._start, *self._encoded.tokenize_apart(segments_of(assistant_start))]


def writer_for(
    model: Model, renderer: Renderer, tool_formats: MutableMapping[str, ToolFormat] | None = None
) -> PromptWriter:
    """Writes prompts for a loaded model of either kind."""
    if model.decoder_start is not None:
        return EncoderPromptWriter(model.vocabulary, renderer, model.decoder_start)

    def image_tokens(image: ImagePart) -> list[int]:
        return require_vision(model.vision, model.name, model.vision_problem).read(image).tokens

    return PromptWriter(model.template, model.vocabulary, renderer, tool_formats, image_tokens)
