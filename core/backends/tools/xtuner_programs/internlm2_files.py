"""What lies in the folder of an InternLM2 or Llama checkpoint, read without running any of it."""

# Its imports live in another environment.
# mypy: ignore-errors

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


def read_json(file: Path) -> dict[str, Any]:
    """Return a file's object, an empty one where there is no file."""
    if not file.is_file():
        return {}
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SystemExit(f"{file.name} is not whole: {error}") from error


class Tensors:
    """The tensors of a folder's safetensors, read one at a time; nothing of a file stays mapped afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = dict(self._located())

    def dtype(self, name: str) -> str:
        """Return a tensor's number format as safetensors spells it, e.g. BF16."""
        with self._open(self.files[name]) as file:
            return file.get_slice(name).get_dtype()

    def rows(self, name: str) -> int:
        """Return how many rows a tensor has."""
        with self._open(self.files[name]) as file:
            return file.get_slice(name).get_shape()[0]

    def read(self, name: str, start: int = 0, end: int | None = None) -> torch.Tensor:
        """Return a copy of a tensor, or of its rows from `start` to `end`."""
        if name not in self.files:
            raise SystemExit(f"The checkpoint has no tensor {name}.")
        with self._open(self.files[name]) as file:
            return file.get_slice(name)[start:end].clone()

    def _located(self) -> Iterator[tuple[str, str]]:
        index = read_json(self.folder / INDEX)
        places = index.get("weight_map", {})
        # a name out of the index is a name in this folder, whatever it says
        shards = sorted({Path(str(shard)).name for shard in places.values()}) if index else [SINGLE]
        missing = [shard for shard in shards if not (self.folder / shard).is_file()]
        if missing:
            raise SystemExit(self._why(missing))
        for shard in shards:
            with self._open(shard) as file:
                yield from ((name, shard) for name in file.keys())  # noqa: SIM118  not a mapping

    def _why(self, missing: list[str]) -> str:
        if missing == [SINGLE] and any(file.suffix in PICKLES for file in self.folder.iterdir()):
            return "The weights are pickles, which could run code; only safetensors are read."
        return f"Weights are missing: {', '.join(missing)}."

    def _open(self, shard: str) -> safe_open:
        try:
            return safe_open(self.folder / shard, "pt")
        except SafetensorError as error:
            raise SystemExit(f"{shard} is not whole: {error}") from error


@dataclass(frozen=True)
class Piece:
    """One entry of a SentencePiece vocabulary."""

    text: str
    score: float
    kind: int


NORMAL, USER_DEFINED = 1, 4
"""SentencePiece's kinds of pieces that are found in texts."""


def read_pieces(file: Path) -> list[Piece]:
    """Return the vocabulary of a SentencePiece BPE that leaves texts as they are, as InternLM2's does."""
    if not file.is_file():
        raise SystemExit(f"{file.name} is missing.")
    pieces: list[Piece] = []
    trainer: dict[int, Any] = {}
    normalizer: dict[int, Any] = {}
    try:
        for number, value in _fields(file.read_bytes()):
            if number == 1:
                entry = dict(_fields(value))
                (score,) = struct.unpack("<f", entry.get(2, bytes(4)))
                pieces.append(Piece(entry[1].decode("utf-8"), score, entry.get(3, NORMAL)))
            elif number in (2, 3):
                (trainer if number == 2 else normalizer).update(_fields(value))
    except (KeyError, IndexError, TypeError, ValueError, struct.error) as error:
        raise SystemExit(f"{file.name} is no SentencePiece model.") from error
    if (trainer.get(3), trainer.get(35)) != (2, 1):
        raise SystemExit(f"{file.name} is no BPE with byte fallback, as InternLM2's is.")
    # precompiled_charsmap, add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces
    if (normalizer.get(2, b""), normalizer.get(3, 1), normalizer.get(4, 1), normalizer.get(5, 1)) != (b"", 0, 0, 1):
        raise SystemExit(f"{file.name} changes texts before it cuts them; InternLM2's does not.")
    return pieces


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a Protocol Buffers message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(message, at)
        else:
            size, at = _varint(message, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            value, at = message[at : at + size], at + size
        yield tag >> 3, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return value, at


def added_tokens(folder: Path) -> dict[int, dict[str, Any]]:
    """Return the tokens that stand beside or in place of pieces: id -> how it is written and found in a text."""
    plain = {"lstrip": False, "rstrip": False, "single_word": False, "special": True}
    described = read_json(folder / "tokenizer_config.json").get("added_tokens_decoder", {})
    tokens = {number: {"content": text, **plain} for text, number in read_json(folder / "added_tokens.json").items()}
    tokens |= {int(number): {"content": one["content"], **_known(one, plain)} for number, one in described.items()}
    return dict(sorted(tokens.items()))


def _known(described: dict[str, Any], plain: dict[str, bool]) -> dict[str, bool]:
    return {name: bool(described.get(name, default)) for name, default in plain.items()}
