"""What a version holds, counted once when it is built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from statistics import mean, median
from typing import Any

from core.domain.text import Sample, Split, Turn, TurnRole
from core.stages.dataset.conversations import learnt

_TOP_SPEAKERS = 30
_BIN = 20
"""Characters in one bar of the length histogram."""


def statistics(
    samples: Sequence[Sample],
    source_names: Mapping[str, str],
    *,
    accepted: Collection[str] = (),
    left_out: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return plain counts for the charts: counterparts, lengths, samples by chapter, sources, shares, what is left out.

    `accepted` are the ids of lines a curator has accepted; replies that are only context are not counted as replies.
    """
    replies = [turn for sample in samples for turn in learnt(sample)]
    lengths = [len(turn.text) for turn in replies]
    counterparts = Counter(turn.speaker for turn in _turns(samples, TurnRole.COUNTERPART) if turn.speaker)
    chapters = Counter((sample.source_id, sample.chapter, sample.split.value) for sample in samples)
    trained = [sample for sample in samples if sample.split is Split.TRAIN]
    synthetic = sum(sample.synthetic for sample in trained)
    reviewed = sum(bool(turn.utterance_ids) and all(one in accepted for one in turn.utterance_ids) for turn in replies)
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
        "sample_lengths": {str(start): count for start, count in sorted(_histogram(_characters(samples)).items())},
        "exchanges_per_sample": {str(count): number for count, number in sorted(_exchanges(samples).items())},
        "synthetic_samples": synthetic,
        "synthetic_share": round(synthetic / max(len(trained), 1), 4),
        "reviewed_share": round(reviewed / max(len(replies), 1), 4),
        "left_out": dict(left_out or {}),
        "held_out_share": round(sum(s.split is Split.HELD_OUT for s in samples) / max(len(samples), 1), 4),
    }


def _turns(samples: Sequence[Sample], role: TurnRole) -> list[Turn]:
    return [turn for sample in samples for turn in sample.turns if turn.role is role]


def _characters(samples: Sequence[Sample]) -> list[int]:
    return [sum(len(turn.text) for turn in sample.turns) for sample in samples]


def _exchanges(samples: Sequence[Sample]) -> Counter[int]:
    return Counter(sum(turn.role is TurnRole.PERSONA for turn in sample.turns) for sample in samples)


def _histogram(lengths: Sequence[int]) -> Counter[int]:
    return Counter(length // _BIN * _BIN for length in lengths)
