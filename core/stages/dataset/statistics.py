"""What a version holds, counted once when it is built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

from core.domain.text import Sample, Split, Turn, TurnRole

_TOP_SPEAKERS = 30
_BIN = 20
"""Characters in one bar of the length histogram."""


def statistics(samples: Sequence[Sample], source_names: Mapping[str, str]) -> dict[str, Any]:
    """Return plain counts for the charts: counterparts, reply lengths, samples by chapter, sources, kept-out share."""
    replies = _turns(samples, TurnRole.PERSONA)
    lengths = [len(turn.text) for turn in replies]
    counterparts = Counter(turn.speaker for turn in _turns(samples, TurnRole.COUNTERPART) if turn.speaker)
    chapters = Counter((sample.source_id, sample.chapter, sample.split.value) for sample in samples)
    return {
        "samples": len(samples),
        "exchanges": len(replies),
        "counterparts": dict(counterparts.most_common(_TOP_SPEAKERS)),
        "reply_characters": {
            "total": sum(lengths),
            "mean": round(mean(lengths), 1) if lengths else 0,
            "median": median(lengths) if lengths else 0,
            "longest": max(lengths, default=0),
        },
        "reply_lengths": {str(start): count for start, count in sorted(_histogram(lengths).items())},
        "by_chapter": [
            {"source": source_names.get(source, ""), "chapter": chapter, "split": split, "samples": count}
            for (source, chapter, split), count in sorted(chapters.items())
        ],
        "by_source": dict(Counter(source_names.get(sample.source_id, "") for sample in samples)),
        "held_out_share": round(sum(s.split is Split.HELD_OUT for s in samples) / max(len(samples), 1), 4),
    }


def _turns(samples: Sequence[Sample], role: TurnRole) -> list[Turn]:
    return [turn for sample in samples for turn in sample.turns if turn.role is role]


def _histogram(lengths: Sequence[int]) -> Counter[int]:
    return Counter(length // _BIN * _BIN for length in lengths)
