"""What safetensors files say of themselves: their headers, read within bounds, and checked against their size."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

MOST_HEADER = 16 << 20
"""Longest header, in bytes; that of a real shard has some hundred kilobytes at most."""

_LENGTH = 8
_BYTES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}
"""Number format -> bytes of one number."""
_NAMES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}


class DamagedWeightsError(ValueError):
    """The file is no whole safetensors file; says in what way, in English, for a log or a bracket."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file."""

    name: str
    format: str
    """In safetensors' own words, e.g. `BF16`."""
    shape: tuple[int, ...]
    begin: int
    end: int
    """Where its bytes lie after the header."""

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def tensors_in(file: Path) -> tuple[Tensor, ...]:
    """Return what the file holds, read from its header alone; DamagedWeightsError where it cannot be whole.

    Its tensors must lie one after the other and fill the file to its last byte: a file cut short is found.
    """
    size = file.stat().st_size
    with file.open("rb") as content:
        length = int.from_bytes(content.read(_LENGTH), "little")
        if size < _LENGTH or length > min(MOST_HEADER, size - _LENGTH):
            raise DamagedWeightsError(f"a header of {length} bytes in a file of {size}")
        header = content.read(length)
    tensors = tuple(sorted(_tensors(_parsed(header)), key=lambda one: (one.begin, one.end)))
    _check_places(tensors, size - _LENGTH - length)
    return tensors


def number_format(tensors: Iterable[Tensor]) -> str:
    """Return the format that most numbers have, by torch's name for it; empty without tensors."""
    counts: Counter[str] = Counter()
    for tensor in tensors:
        counts[tensor.format] += tensor.parameters
    most = counts.most_common(1)
    return _NAMES.get(most[0][0], most[0][0].lower()) if most else ""


def _parsed(header: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(header)
    except (ValueError, RecursionError):
        raise DamagedWeightsError("the header is not JSON") from None
    if not isinstance(content, dict):
        raise DamagedWeightsError("the header is not a table")
    return content


def _tensors(header: Mapping[str, Any]) -> Iterable[Tensor]:
    for name, told in header.items():
        if name != "__metadata__":
            yield _tensor(name, told)


def _tensor(name: str, told: Any) -> Tensor:
    try:
        shape = tuple(_count(one) for one in told["shape"])
        begin, end = (_count(one) for one in told["data_offsets"])
        size = _BYTES[told["dtype"]]
    except (KeyError, TypeError, ValueError):
        raise DamagedWeightsError(f"the header does not describe {name[:80]}") from None
    if end - begin != math.prod(shape) * size:
        raise DamagedWeightsError(f"{name[:80]} has a size of its own")
    return Tensor(name, told["dtype"], shape, begin, end)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(value)
    return value


def _check_places(tensors: tuple[Tensor, ...], room: int) -> None:
    if not tensors:
        raise DamagedWeightsError("no tensor is in it")
    gap = next((after.name for before, after in pairwise(tensors) if before.end != after.begin), None)
    if tensors[0].begin != 0 or gap is not None:
        raise DamagedWeightsError(f"the tensors do not lie one after the other at {(gap or tensors[0].name)[:80]}")
    if tensors[-1].end != room:
        raise DamagedWeightsError(f"{tensors[-1].end} bytes of weights are told, {room} are there")
