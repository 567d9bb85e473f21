"""A speaker model of one operation, written byte by byte: the mean of the features over time is the embedding.

Field numbers are those of `onnx.proto` (ONNX 1.23): ModelProto, GraphProto, NodeProto, ValueInfoProto.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

METADATA = {
    "framework": "wespeaker",
    "sample_rate": "16000",
    "output_dim": "80",
    "normalize_samples": "0",
    "feature_normalize_type": "",
}
_FLOAT, _INT, _INTS = 1, 2, 7


def tiny_speaker_model(file: Path, metadata: Mapping[str, str] = METADATA) -> Path:
    """Write the model and return where it is."""
    axes = _attribute("axes", _INTS, _number(8, 1))
    keep = _attribute("keepdims", _INT, _number(3, 0))
    node = _text(1, "feats") + _text(2, "embs") + _text(4, "ReduceMean") + _part(5, axes) + _part(5, keep)
    graph = _part(1, node) + _text(2, "tiny") + _part(11, _tensor("feats", "N", "T", 80))
    graph += _part(12, _tensor("embs", "N", 80))
    told = b"".join(_part(14, _text(1, key) + _text(2, value)) for key, value in metadata.items())
    file.write_bytes(_number(1, 8) + _part(7, graph) + _part(8, _text(1, "") + _number(2, 13)) + told)
    return file


def _attribute(name: str, kind: int, value: bytes) -> bytes:
    return _text(1, name) + value + _number(20, kind)


def _tensor(name: str, *shape: str | int) -> bytes:
    sizes = b"".join(_part(1, _number(1, one) if isinstance(one, int) else _text(2, one)) for one in shape)
    return _text(1, name) + _part(2, _part(1, _number(1, _FLOAT) + _part(2, sizes)))


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, words: str) -> bytes:
    return _part(field, words.encode())
