"""What a format is, and what it is made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.domain.persona import Persona
from core.domain.voice import ClipSet, Recording, SetClip

LETTERS_OF_NAME = 16
"""Of the sha256 that name a wav: 64 bits, so two files of a set never meet."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The content of a file that lies in the content store."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an export."""

    name: str
    """Its path within, with /."""
    content: bytes | Stored


@dataclass(frozen=True, slots=True)
class About:
    """What is known beyond the set itself."""

    persona: Persona | None = None
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    """Id -> recording; what was deleted since is not there."""
    licence: str = ""
    """Under which licence the recordings may be passed on; for a person to say."""
    root: str = ""
    """Put before every path in a list file; empty for paths within the export."""


@dataclass(frozen=True, slots=True)
class VoiceFormat:
    """One form in which clips leave."""

    name: str
    title: str
    """Marked for translation."""
    describe: Callable[[ClipSet, Sequence[SetClip], About], dict[str, bytes]]
    """Name -> content of everything beside the wavs and the manifest; InvalidInputError for what it cannot hold."""
    wavs: str
    """The folder the wavs lie in."""


def wav_name(clip: SetClip) -> str:
    """Return the name of a clip's wav: its content, so that nothing kept by name is ever taken for another."""
    return f"{clip.sha256[:LETTERS_OF_NAME]}.wav"


def wavs_of(clips: Iterable[SetClip], folder: str) -> Iterator[Member]:
    """Yield the wavs, each once."""
    known: set[str] = set()
    for clip in clips:
        if clip.sha256 not in known:
            known.add(clip.sha256)
            yield Member(f"{folder}/{wav_name(clip)}", Stored(clip.sha256))


def json_line(value: Any) -> str:
    """Return the value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False) + "\n"
