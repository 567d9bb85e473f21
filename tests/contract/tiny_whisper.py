"""A Whisper of random weights with a tokenizer of its own, converted for CTranslate2 in half a minute."""

from __future__ import annotations

from pathlib import Path

LANGUAGES = 99
TIMESTAMPS = 1501
WORDS = 50_257
"""As many as Whisper's own tokenizer has."""


def build_tiny_whisper(folder: Path) -> Path:
    """Write a model's folder as faster-whisper reads it; it knows English only, as CTranslate2 sees it."""
    import ctranslate2  # type: ignore[import-untyped]  # ships no types
    import torch
    from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    plain = folder / "transformers"
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(plain)
    ids = tokenizer.get_vocab()
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=len(ids), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=80, max_source_positions=1500,
        max_target_positions=448, pad_token_id=WORDS, bos_token_id=WORDS, eos_token_id=WORDS,
        decoder_start_token_id=WORDS + 1, suppress_tokens=[], begin_suppress_tokens=[],
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        alignment_heads=[[0, 0]], suppress_tokens=[], begin_suppress_tokens=[],
        no_timestamps_token_id=ids["<|notimestamps|>"],
        lang_to_id={name: ids[name] for name in _languages()},
    )  # fmt: skip
    model.save_pretrained(plain, safe_serialization=True)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(plain)
    made = folder / "ctranslate2"
    converter = ctranslate2.converters.TransformersConverter(str(plain), copy_files=["tokenizer.json"])
    converter.convert(str(made), quantization="int8")
    return made


def _tokenizer():
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    fillers = [f"w{place}" for place in range(WORDS - len(alphabet))]
    tokenizer = Tokenizer(
        models.BPE(vocab={word: place for place, word in enumerate([*alphabet, *fillers])}, merges=[])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tasks = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    special = ["<|endoftext|>", "<|startoftranscript|>", *_languages(), *tasks]
    tokenizer.add_special_tokens([AddedToken(one, special=True) for one in special])
    tokenizer.add_tokens([AddedToken(f"<|{place * 0.02:.2f}|>") for place in range(TIMESTAMPS)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>", unk_token="<|endoftext|>")


def _languages() -> list[str]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES  # type: ignore[import-untyped]  # ships no types

    return [f"<|{code}|>" for code in _LANGUAGE_CODES[:LANGUAGES]]
