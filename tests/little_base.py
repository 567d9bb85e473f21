"""A base model of a few kilobytes: right in form, written without torch; and the ways in which one can be wrong."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HIDDEN, LAYERS, HEADS, KV_HEADS, INTERMEDIATE, VOCABULARY = 16, 2, 4, 2, 32, 64

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "intermediate_size": INTERMEDIATE,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 512,
    "tie_word_embeddings": False,
}
INTERNLM2: dict[str, Any] = {
    **CONFIG,
    "architectures": ["InternLM2ForCausalLM"],
    "model_type": "internlm2",
    "auto_map": {"AutoModelForCausalLM": "modeling_internlm2.InternLM2ForCausalLM"},
}
TOKENIZER = {"added_tokens": [{"id": 1, "content": "<|im_start|>"}, {"id": 2, "content": "<|im_end|>"}]}

Shapes = dict[str, tuple[int, ...]]


def shapes(*, head: bool = True) -> Shapes:
    """Return the tensors of a Llama of those sizes."""
    found: Shapes = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for layer in range(LAYERS):
        for name, rows in (("q", HIDDEN), ("k", HIDDEN // 2), ("v", HIDDEN // 2), ("o", HIDDEN)):
            found[f"model.layers.{layer}.self_attn.{name}_proj.weight"] = (rows, HIDDEN)
        for name in ("gate", "up"):
            found[f"model.layers.{layer}.mlp.{name}_proj.weight"] = (INTERMEDIATE, HIDDEN)
        found[f"model.layers.{layer}.mlp.down_proj.weight"] = (HIDDEN, INTERMEDIATE)
        for name in ("input_layernorm", "post_attention_layernorm"):
            found[f"model.layers.{layer}.{name}.weight"] = (HIDDEN,)
    return found | ({"lm_head.weight": (VOCABULARY, HIDDEN)} if head else {})


def safetensors(tensors: Shapes, *, seed: int = 0) -> bytes:
    """Return a safetensors file with those tensors in bfloat16, of numbers that compress badly."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in tensors.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    told = json.dumps(header).encode()
    return struct.pack("<Q", len(told)) + told + bytes((one * 31 + seed + one // 251) % 251 for one in range(at))


def base_files(config: Mapping[str, Any] = CONFIG, *, shards: int = 1, head: bool = True) -> dict[str, bytes]:
    """Return name -> content of a whole base model, in so many files of weights."""
    files = {
        "config.json": json.dumps(dict(config)).encode(),
        "tokenizer.json": json.dumps(TOKENIZER).encode(),
        "tokenizer_config.json": b"{}",
        "LICENSE": b"Do what you like.\n",
    }
    tensors = shapes(head=head)
    if shards == 1:
        return files | {"model.safetensors": safetensors(tensors)}
    names = list(tensors)
    weight_map: dict[str, str] = {}
    for number in range(shards):
        file = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        part = names[number::shards]
        files[file] = safetensors({name: tensors[name] for name in part}, seed=number)
        weight_map |= dict.fromkeys(part, file)
    return files | {"model.safetensors.index.json": json.dumps({"weight_map": weight_map}).encode()}


def write_base(folder: Path, files: Mapping[str, bytes] | None = None) -> Path:
    """Write the files, those of a whole base model by default, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (base_files() if files is None else files).items():
        (folder / name).write_bytes(content)
    return folder
