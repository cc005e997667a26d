from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.unit.engine.test_prompt import CHATML, InProcess
from tests.unit.training.data.test_tokenization import HARD, example, write_example
from workbench.base.errors import UserError
from workbench.engine.prompt import PromptWriter
from workbench.engine.vocabulary import Vocabulary
from workbench.training.data.tokenization import ExampleWriter, Piece
from workbench.training.data.vocabularies import open_vocabulary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small byte-level BPE as transformers saves it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["user assistant system Hello there, what is it? It is so."] * 5, trainer)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"bos_token": {"content": "<s>"}, "eos_token": "<|im_end|>"})
    )
    return tmp_path


def test_a_folders_tokenizer_writes_examples_as_the_engine_writes_prompts(folder: Path) -> None:
    with open_vocabulary(folder) as vocabulary:
        assert (vocabulary.bos, vocabulary.eos, vocabulary.adds_bos) == (0, 2, False)
        _, shown = write_example(example("What is it?", "É is so."), CHATML, vocabulary, InProcess())
        assert shown == [
            Piece("<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\n", False),
            Piece("É is so.<|im_end|>", True),
        ]
        written = ExampleWriter(CHATML, vocabulary, InProcess()).write(HARD)
        prompt = PromptWriter(CHATML, vocabulary, InProcess()).write(HARD.messages[:-1]).tokens
        assert list(written.tokens[: len(prompt)]) == prompt
        # the name of the control token in a question is text
        assert sum(vocabulary.ends_generation(token) for token in written.tokens) == 5


def test_a_gguf_files_vocabulary_is_the_engines(smollm_path: Path, smollm: tuple[Vocabulary, str]) -> None:
    with open_vocabulary(smollm_path) as vocabulary:
        text = "Wo ist <|im_end|> 東京?"
        for special in (True, False):
            assert vocabulary.tokenize(text, special=special) == smollm[0].tokenize(text, special=special)


def test_what_holds_no_vocabulary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"no tokenizer\.json"), open_vocabulary(tmp_path):
        pass
    (tmp_path / "model.gguf").write_bytes(b"GGUF and nothing")
    with pytest.raises(UserError, match=r"vocabulary of model\.gguf"), open_vocabulary(tmp_path / "model.gguf"):
        pass
