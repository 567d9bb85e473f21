"""Make InternLM2 checkpoints of random weights as its makers publish one; tensor by tensor, whatever their size.

python random_internlm2.py OUT TEXTS SETTINGS

TEXTS is a JSON list the tokenizers are trained on. SETTINGS is a JSON object: a checkpoint's folder below OUT -> what
its config.json has beside `USUAL`, and `shards`, how many files the weights come in. Runs in XTuner's environment,
with our programs for it on PYTHONPATH.
"""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import io
import json
import struct
import sys
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from internlm2_original import InternLM2Config, InternLM2ForCausalLM
from safetensors.torch import save_file

SPECIALS = (
    "<|plugin|>", "<|interpreter|>", "<|action_end|>", "<|action_start|>", "<|im_end|>", "<|im_start|>",
)  # fmt: skip
LEARNT, UNUSED = 700, 10
USUAL = {
    "hidden_act": "silu",
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-5,
    "rope_theta": 1_000_000,
    "rope_scaling": {"type": "dynamic", "factor": 2.0},
    "bias": False,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
    "torch_dtype": "bfloat16",
}
"""What the chat models of InternLM2 have in common, whatever their size."""


def write_tokenizer(folder: Path, texts: list[str], vocabulary: int) -> None:
    """Train pieces, then add what the real vocabulary ends with: unused pieces, the last of them become specials."""
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=trained,
        model_type="bpe",
        vocab_size=LEARNT,
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True,
        character_coverage=0.98,
        minloglevel=2,
    )
    pieces = [_piece(f"⟦{number}⟧", -1e6 - number, 1) for number in range(vocabulary - LEARNT - UNUSED)]
    pieces += [_piece(f"[UNUSED_TOKEN_{number}]", 0.0, 4) for number in range(UNUSED)]
    (folder / "tokenizer.model").write_bytes(trained.getvalue() + b"".join(pieces))
    numbered = [*enumerate(("<unk>", "<s>", "</s>")), *enumerate(SPECIALS, start=vocabulary - len(SPECIALS))]
    flags = dict.fromkeys(("lstrip", "normalized", "rstrip", "single_word"), False)
    described = {
        "added_tokens_decoder": {str(n): {"content": text, **flags, "special": True} for n, text in numbered},
        "additional_special_tokens": list(reversed(SPECIALS)),
        "auto_map": {"AutoTokenizer": ["tokenization_internlm2.InternLM2Tokenizer", None]},
        **{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"},
        "tokenizer_class": "InternLM2Tokenizer",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(described), encoding="utf-8")


def _piece(text: str, score: float, kind: int) -> bytes:
    """Return one more entry for the end of a SentencePiece model, which is a Protocol Buffers message."""
    name = text.encode()
    entry = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", score) + b"\x18" + bytes([kind])
    return b"\x0a" + bytes([len(entry)]) + entry


def write_weights(folder: Path, config: InternLM2Config, shards: int) -> None:
    """Fill the shapes of InternLM2's own code with numbers large enough that a wrong place of any shows."""
    with torch.device("meta"):
        wanted = InternLM2ForCausalLM(config).state_dict()
    if config.tie_word_embeddings:
        del wanted["output.weight"]
    names = list(wanted)
    places: dict[str, str] = {}
    for number in range(shards):
        mine = names[len(names) * number // shards : len(names) * (number + 1) // shards]
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        save_file({name: _filled(name, wanted[name], config) for name in mine}, folder / file, {"format": "pt"})
        places |= dict.fromkeys(mine, file)
    if shards == 1:
        (folder / file).rename(folder / "model.safetensors")
    else:
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def _filled(name: str, shape: torch.Tensor, config: InternLM2Config) -> torch.Tensor:
    filled = torch.empty(shape.shape, dtype=config.torch_dtype)
    if "norm" in name:
        return filled.uniform_(0.5, 1.5)
    return filled.normal_(std=1.0 if "tok_embeddings" in name else shape.shape[-1] ** -0.5)


def make(out: Path, texts: list[str], settings: dict[str, Any], shards: int) -> None:
    """Write config, tokenizer and weights, and code that nobody should run."""
    out.mkdir(parents=True)
    modules = {"AutoConfig": "InternLM2Config", "AutoModelForCausalLM": "InternLM2ForCausalLM"}
    config = {
        "architectures": ["InternLM2ForCausalLM"],
        "auto_map": {name: f"modeling_internlm2.{known}" for name, known in modules.items()},
        "model_type": "internlm2",
        **settings,
    }
    (out / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for module in ("modeling_internlm2", "tokenization_internlm2"):
        (out / f"{module}.py").write_text("raise SystemExit('code of the checkpoint was run')\n")
    write_tokenizer(out, texts, settings["vocab_size"])
    write_weights(out, InternLM2Config(**settings), shards)


def main() -> None:
    """Make all that are asked for."""
    out, texts = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    torch.manual_seed(7)
    for name, settings in json.loads(sys.argv[3]).items():
        shards = settings.pop("shards")
        make(out / name, texts, USUAL | settings, shards)


if __name__ == "__main__":
    main()
