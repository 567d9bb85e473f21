"""Samples in the form trainers read: the field calls it a conversation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.domain.text import DatasetVersion, Sample, TurnRole


def xtuner_conversations(version: DatasetVersion, samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """Return XTuner's custom format: `[{"conversation": [{"system", "input", "output"}, {"input", "output"}]}]`.

    The system prompt stands in the first turn only; a sample without a reply of the persona is left out.
    """
    conversations = []
    for sample in samples:
        turns = _exchanges(sample)
        if turns:
            first = {"system": version.system_prompt, **turns[0]}
            conversations.append({"conversation": [first, *turns[1:]]})
    return conversations


def _exchanges(sample: Sample) -> list[dict[str, str]]:
    """Pair what was said to her with what she answered; neighbours of one side are joined line by line."""
    exchanges: list[dict[str, str]] = []
    heard: list[str] = []
    for turn in sample.turns:
        if turn.role is TurnRole.COUNTERPART:
            heard.append(turn.text)
        elif heard or not exchanges:
            exchanges.append({"input": "\n".join(heard), "output": turn.text})
            heard = []
        else:
            exchanges[-1]["output"] += "\n" + turn.text
    return exchanges
