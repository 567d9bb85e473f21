"""Takes a sound file in: bounded while it streams, checked by content, decoded once before it is kept."""

from __future__ import annotations

import tempfile
from pathlib import PurePath
from typing import BinaryIO, Protocol

from core.domain.identity import new_id, now
from core.domain.voice import Recording
from core.errors import InvalidInputError
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound_file import Shape, blocks, format_of, shape_of
from core.store import Store
from core.translation import N_

MEGABYTE = 1_000_000
CHUNK = 1 << 20
LONGEST_NAME = 120


class Readable(Protocol):
    """An upload: anything that hands out bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""
        ...


def import_recording(
    stream: Readable,
    name: str,
    *,
    persona_id: str,
    settings: VoiceDatasetSettings,
    max_megabytes: int,
    store: Store,
    who: str = "app",
) -> Recording:
    """Keep the sound file and return its record; nothing is kept of what is refused.

    InvalidInputError for an empty, oversized, overlong, damaged or foreign file; ConflictError when it is there.
    """
    shown = shown_name(name)
    # A folder of the workspace, because a recording may be larger than what the system's temporary folder holds.
    with tempfile.TemporaryFile(dir=store.workspace) as draft:
        _receive(stream, shown, draft, max_megabytes)
        shape = checked(draft, shown, settings)
        draft.seek(0)
        recording = Recording(
            id=new_id("rec"),
            persona_id=persona_id,
            name=shown,
            sha256=store.files.put(draft),
            seconds=shape.seconds,
            sample_rate=shape.sample_rate,
            channels=shape.channels,
            imported_at=now(),
        )
    store.voice.add_recording(recording, who=who)
    return recording


def checked(file: BinaryIO, name: str, settings: VoiceDatasetSettings) -> Shape:
    """Return the sound's shape as decoded, whatever its header claims; InvalidInputError when it is not usable."""
    file.seek(0)
    if format_of(file.read(16)) is None:
        raise InvalidInputError(
            N_("{name} is not a sound file that is understood here."),
            remedy=N_("Give a WAV, FLAC, OGG or MP3 file; the content counts, not the name."),
            name=name,
        )
    file.seek(0)
    header = shape_of(file, name)
    file.seek(0)
    longest = int(settings.max_minutes * 60 * header.sample_rate)
    frames = 0
    for block in blocks(file, name):
        frames += len(block)
        if frames > longest:
            raise InvalidInputError(
                N_("{name} is longer than {minutes:g} minutes."),
                remedy=N_("Cut it into parts first."),
                name=name,
                minutes=settings.max_minutes,
            )
    if frames == 0:
        raise InvalidInputError(
            N_("{name} holds no sound: its length is zero."),
            remedy=N_("Record it again; the first take may have been empty."),
            name=name,
        )
    return Shape(frames, header.sample_rate, header.channels)


def shown_name(name: str) -> str:
    """Return an uploaded name fit to be shown: no folders, no control characters, not too long."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(character for character in last if character.isprintable())[-LONGEST_NAME:] or "recording"


def _receive(stream: Readable, name: str, draft: BinaryIO, max_megabytes: int) -> None:
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > max_megabytes * MEGABYTE:
            raise InvalidInputError(
                N_("{name} is larger than {limit} MB."),
                remedy=N_("Cut it into parts, or save it as FLAC, which is smaller."),
                name=name,
                limit=max_megabytes,
            )
        draft.write(chunk)
    if size == 0:
        raise InvalidInputError(N_("{name} is empty."), remedy=N_("Choose a file with sound in it."), name=name)
