"""Lines, written short."""

from __future__ import annotations

from typing import Any

from core.domain.text import Utterance, UtteranceKind


def line(speaker: str | None, text: str, ordinal: int = 0, **changes: Any) -> Utterance:
    """Return a line said by somebody in the passage of that ordinal."""
    values: dict[str, Any] = {
        "source_id": "src-1",
        "ordinal": ordinal,
        "chapter": 1,
        "para": ordinal,
        "start": 0,
        "end": len(text) + 2,
        "text": text,
        "kind": UtteranceKind.SPEECH,
        "speaker": speaker,
        "extractor": "rules",
        "confidence": 0.9,
        "reason": "cue-before:道",
    }
    return Utterance(**{**values, **changes})
