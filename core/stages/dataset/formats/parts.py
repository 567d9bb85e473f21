"""What writers share: samples put in order, sides as files, JSON as bytes; all deterministic."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from core.domain.conversations import learnt_only
from core.domain.text import Sample, Split, Turn, TurnRole

JOINT = "、"
"""Joins the names of people whose words became one turn."""
_STEMS = {Split.TRAIN: "train", Split.HELD_OUT: "test"}
_HELD_OUT_STEMS = ("test", "held-out", "heldout", "held_out", "validation", "valid", "val", "dev", "eval")


def alternating(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the turns with neighbours of one side joined line by line, without words at the end nobody answers."""
    merged = [_joined(list(run)) for _, run in groupby(turns, key=lambda turn: turn.role)]
    if merged and merged[-1].role is TurnRole.COUNTERPART:
        merged.pop()
    return tuple(merged)


def trainable(samples: Iterable[Sample]) -> list[Sample]:
    """Return the samples as every format writes them; one without a word of the persona's is left out."""
    ordered = (replace(sample, turns=alternating(sample.turns)) for sample in samples)
    return [sample for sample in ordered if sample.turns]


def learnt(samples: Iterable[Sample]) -> list[Sample]:
    """Return the samples for trainers that learn every reply: they are cut where one is only context."""
    return list(learnt_only(samples))


def exchanges(sample: Sample) -> Iterator[tuple[str, str]]:
    """Yield what was said to her and her reply; a first word of hers answers an empty one."""
    heard = ""
    for turn in sample.turns:
        if turn.role is TurnRole.PERSONA:
            yield heard, turn.text
            heard = ""
        else:
            heard = turn.text


def sides(samples: Sequence[Sample], suffix: str) -> Iterator[tuple[str, list[Sample]]]:
    """Yield the files of the two sides, `train` and `test`, with their samples; an empty side has no file."""
    for split, stem in _STEMS.items():
        part = [sample for sample in samples if sample.split is split]
        if part or (split is Split.TRAIN and not samples):
            yield stem + suffix, part


def split_of(name: str) -> Split:
    """Return the side a file is of, by its name."""
    stem = PurePosixPath(name).stem.casefold()
    return Split.HELD_OUT if stem in _HELD_OUT_STEMS else Split.TRAIN


def json_bytes(content: Any) -> bytes:
    """Return the value as readable JSON, UTF-8."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def jsonl_bytes(rows: Iterable[Any]) -> bytes:
    """Return one JSON value a line, UTF-8."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _joined(run: list[Turn]) -> Turn:
    if len(run) == 1:
        return run[0]
    names = dict.fromkeys(name for turn in run for name in turn.speaker.split(JOINT) if name)
    ids = dict.fromkeys(one for turn in run for one in turn.utterance_ids)
    return replace(
        run[0],
        speaker=JOINT.join(names),
        text="\n".join(turn.text for turn in run),
        utterance_ids=tuple(ids),
        context=all(turn.context for turn in run),
    )
