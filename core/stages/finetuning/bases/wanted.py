"""Which files of a repository or folder a base model needs: weights, words about them, tokenizer, licence."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from core.stages.finetuning.bases.inspecting import INDEX, WEIGHTS

MOST_BYTES_BESIDE: Final = 256 << 20
"""Largest file that is no weights."""

_SHARD: Final = re.compile(r"[A-Za-z0-9][\w.-]*-\d+-of-\d+\.safetensors", re.ASCII)
_BESIDE: Final = re.compile(
    r"[A-Za-z0-9_][\w.-]*\.(json|txt|jinja)|tokenizer\.model|(LICEN[SC]E|NOTICE)([\w. -]*)|README\.md",
    re.ASCII | re.IGNORECASE,
)
"""Files at the top only: what lies in folders belongs to other forms of the model."""
_OTHER_WEIGHTS: Final = ("pytorch_model.bin.index.json", "tf_model.h5.index.json", "flax_model.msgpack.index.json")


def is_weights(name: str) -> bool:
    """Whether a file of that name holds weights that transformers would look for."""
    return name == WEIGHTS or _SHARD.fullmatch(name) is not None


def wanted(names: Collection[str]) -> tuple[str, ...]:
    """Return those of the files that are needed, in order; never a pickle, never a program, never another form."""
    one_file = WEIGHTS in names
    weights = {name for name in names if (name == WEIGHTS if one_file else is_weights(name))}
    beside = {
        name
        for name in names
        if _BESIDE.fullmatch(name) and name not in _OTHER_WEIGHTS and not (one_file and name == INDEX)
    }
    return tuple(sorted(weights | beside))
