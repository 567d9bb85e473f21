"""Samples in the form trainers read: the field calls it a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from core.domain.text import DatasetVersion, Sample, Turn, TurnRole


def xtuner_conversations(version: DatasetVersion, samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """Return XTuner's custom format: `[{"conversation": [{"system", "input", "output"}, {"input", "output"}]}]`.

    The system prompt stands in the first turn only; a sample without a reply of the persona is left out. Where any
    reply is only context, every turn says so or not in `output_with_loss`: XTuner's JSON reader gives a turn without
    the key the value None where another turn has it, and takes no loss on it.
    """
    conversations = []
    given = list(samples)
    marked = any(turn.context for sample in given for turn in sample.turns)
    for sample in given:
        turns = _exchanges(sample, marked=marked)
        if turns:
            first = {"system": version.system_prompt, **turns[0]}
            conversations.append({"conversation": [first, *turns[1:]]})
    return conversations


def learnt_only(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield the samples as a trainer must get them that takes loss on every reply: without replies that are context.

    A conversation falls into pieces where such an exchange is taken out; the pieces keep its ordinal.
    """
    for sample in samples:
        piece: list[Turn] = []
        for turn in sample.turns:
            if not turn.context:
                piece.append(turn)
                continue
            yield from _piece(sample, piece)
            piece = []
        yield from _piece(sample, piece)


def _piece(sample: Sample, turns: list[Turn]) -> Iterator[Sample]:
    last = max((place for place, turn in enumerate(turns) if turn.role is TurnRole.PERSONA), default=-1)
    if last >= 0:
        yield sample if len(turns) == len(sample.turns) else replace(sample, turns=tuple(turns[: last + 1]))


def _exchanges(sample: Sample, *, marked: bool) -> list[dict[str, Any]]:
    """Pair what was said to her with what she answered; neighbours of one side are joined line by line."""
    exchanges: list[dict[str, Any]] = []
    heard: list[str] = []
    for turn in sample.turns:
        if turn.role is TurnRole.COUNTERPART:
            heard.append(turn.text)
        elif heard or not exchanges:
            loss = {"output_with_loss": not turn.context} if marked else {}
            exchanges.append({"input": "\n".join(heard), "output": turn.text, **loss})
            heard = []
        else:
            exchanges[-1]["output"] += "\n" + turn.text
    return exchanges
