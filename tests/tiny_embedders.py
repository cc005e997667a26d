"""Small embedders with random weights in folders, as sentence-transformers saves them: one of each family.

Needs torch and transformers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

WORDS = [
    "the",
    "a",
    "of",
    "and",
    "in",
    "to",
    "is",
    "was",
    "harbour",
    "bridge",
    "river",
    "boat",
    "bread",
    "yeast",
    "tower",
    "paris",
    "music",
    "flows",
    "opens",
    "slowly",
    "over",
    "under",
    "der",
    "die",
    "das",
    "haus",
    "straße",
    "schiff",
    "brot",
    "turm",
    "öffnet",
    "langsam",
]
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüß0123456789.,;:?!()'-北京大学河桥"
SIZES = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
TEXTS = (
    "The bridge over the river opens slowly.",
    "Straße, Haus und Schiff: das Brot ist über dem Turm!",
    "北京大学 over the 河, 1889",
    "x",
    "  A boat   in the harbour\nflows;\t(slowly) under-the bridge?  ",
    "the music of the tower was bread " * 40,
)


def write_embedder(folder: Path, family: str, pooling: str = "mean_tokens", *, prompts: Mapping[str, str] | None = None,
                   longest: int | None = 96, lower: bool = False, seed: int = 0, **changes: Any) -> Path:  # fmt: skip
    """A folder of sentence-transformers' modules. ``family``: a key of ``FAMILIES``."""
    import torch
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    make, config = FAMILIES[family]
    tokenizer = make()
    config = {"vocab_size": tokenizer.get_vocab_size(), **config, **changes}
    kind = config.pop("model_type")
    model = AutoModel.from_config(AutoConfig.for_model(kind, **config))
    with torch.no_grad():
        for parameter in model.parameters():  # as fresh weights are, every layer would nearly be the identity
            parameter.add_(torch.randn_like(parameter) * 0.08)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"pad_token": tokenizer.id_to_token(config["pad_token_id"]), "unk_token": UNKNOWN[make]}
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 128, **special,
    })  # fmt: skip
    write_modules(folder, pooling, config["hidden_size"] if "hidden_size" in config else config["dim"])
    length = {} if longest is None else {"max_seq_length": longest}
    write_json(folder / "sentence_bert_config.json", {**length, "do_lower_case": lower})
    write_json(folder / "config_sentence_transformers.json", {"prompts": dict(prompts or {})})
    return folder


def write_modules(folder: Path, pooling: str, width: int, further: Sequence[str] = ("Normalize",)) -> None:
    kinds = ("Transformer", "Pooling", *further)
    places = ["", *(f"{number}_{kind}" for number, kind in enumerate(kinds) if number)]
    write_json(folder / "modules.json", [
        {"idx": number, "name": str(number), "path": place, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, place) in enumerate(zip(kinds, places, strict=True))
    ])  # fmt: skip
    (folder / "1_Pooling").mkdir(exist_ok=True)
    write_json(
        folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, f"pooling_mode_{pooling}": True}
    )


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), "utf-8")


def word_pieces() -> Tokenizer:
    """As BERT has it."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ends)
    return tokenizer


def byte_pairs() -> Tokenizer:
    """As RoBERTa and ModernBERT have it, without merges."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: number for number, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def unigrams(words: Sequence[str] = WORDS) -> Tokenizer:
    """As XLM-R has it."""
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(f"\u2581{word}", -6.0 - number / 50) for number, word in enumerate(dict.fromkeys(words))]
    pieces += [(letter, -9.0 - number / 50) for number, letter in enumerate("\u2581" + LETTERS.upper() + LETTERS)
               if letter not in LETTERS.upper()[:number]]  # fmt: skip
    pieces = list(dict(pieces).items())
    tokenizer = Tokenizer(models.Unigram([*pieces, ("<mask>", 0.0)], 3, False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("\u2581", "always")]
    )
    tokenizer.decoder = decoders.Metaspace("\u2581", "always")
    tokenizer.add_special_tokens([
        *(AddedToken(word, special=True, normalized=False) for word in ("<s>", "<pad>", "</s>", "<unk>")),
        AddedToken("<mask>", lstrip=True, special=True, normalized=False),
    ])  # fmt: skip
    tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


UNKNOWN = {word_pieces: "[UNK]", byte_pairs: "<unk>", unigrams: "<unk>"}
_ROBERTA = {"pad_token_id": 1, "max_position_embeddings": 130, "type_vocab_size": 1, **SIZES}
FAMILIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "bert": (word_pieces, {"model_type": "bert", "pad_token_id": 0, "max_position_embeddings": 128, **SIZES}),
    "distilbert": (word_pieces, {
        "model_type": "distilbert", "pad_token_id": 0, "max_position_embeddings": 128, "dim": 64, "hidden_dim": 96,
        "n_layers": 3, "n_heads": 4,
    }),
    "roberta": (byte_pairs, {"model_type": "roberta", **_ROBERTA}),
    "xlm-roberta": (unigrams, {"model_type": "xlm-roberta", **_ROBERTA}),
    "nomic_bert": (word_pieces, {
        "model_type": "nomic_bert", "pad_token_id": 0, "max_position_embeddings": 128, **SIZES,
    }),
    "modernbert": (byte_pairs, {
        "model_type": "modernbert", "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "cls_token_id": 0,
        "sep_token_id": 2, "max_position_embeddings": 128, "local_attention": 16, **SIZES, "num_hidden_layers": 5,
    }),
}  # fmt: skip
