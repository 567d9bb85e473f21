"""Takes a sound or video file in: bounded while it streams, told by its content; and finds what was made of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Protocol

from core.domain.identity import new_id, now
from core.domain.voice import Recording
from core.errors import ConflictError, InvalidInputError
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.stages.voice_dataset.sound.activity import Profile, profile_of
from core.stages.voice_dataset.sound.sound_file import HEAD, blocks, format_of, mono
from core.store import Store
from core.translation import N_

SUFFIXES = ("wav", "flac", "mp3", "m4a", "aac", "ogg", "opus", "oga", "mp4", "mov", "mkv", "webm", "aif", "aiff")
"""What a browser's file dialogue offers; the content decides what a file is."""
MEGABYTE = 1_000_000
CHUNK = 1 << 20
LONGEST_NAME = 120


class Readable(Protocol):
    """An upload: anything that hands out bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""
        ...


class ContentStore(Protocol):
    """Where the bytes go: the store's files."""

    def put(self, content: Iterable[bytes]) -> str:
        """Store the content and return its sha256."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has been received."""

    name: str
    sha256: str
    size: int
    """Bytes."""


def receive(stream: Readable, name: str, *, files: ContentStore, max_megabytes: int) -> Upload:
    """Store the file as it streams; InvalidInputError, and nothing stored, when it is empty, too large or no sound."""
    shown = shown_name(name)
    size = 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for chunk in _checked(stream, shown, max_megabytes):
            size += len(chunk)
            yield chunk

    return Upload(shown, files.put(counted()), size)


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
    """Receive, decode and store a file, all in this process, for callers that wait; nothing is kept of a refused one.

    InvalidInputError for an empty, oversized, overlong, damaged or foreign file; ConflictError when it is there.
    """
    # Here because it is the decoder's half of the work, which a page does not need.
    from core.stages.voice_dataset.importing import kept
    from core.stages.voice_dataset.sound.decoding import decode

    shown = shown_name(name)
    # A folder of the workspace, because a recording may be larger than what the system's temporary folder holds.
    with tempfile.TemporaryDirectory(dir=store.workspace) as folder:
        out, draft = Path(folder), Path(folder) / "upload"
        with draft.open("wb") as file:
            file.writelines(_checked(stream, shown, max_megabytes))
        decoded = decode(draft, out, name=shown, max_minutes=settings.max_minutes)
        with draft.open("rb") as content:
            sha256 = store.files.put(content)
        refuse_known(sha256, shown, persona_id, store)
        sound = kept(sha256, decoded, out, store)
    recording = Recording(
        id=new_id("rec"),
        persona_id=persona_id,
        name=shown,
        sha256=sha256,
        seconds=decoded.seconds,
        sample_rate=decoded.sample_rate,
        channels=decoded.channels,
        imported_at=now(),
        sound_sha256=sound,
        container=decoded.container,
    )
    store.voice.add_recording(recording, who=who)
    return recording


def activity_of(recording: Recording, *, store: Store) -> Profile:
    """Return where somebody speaks in a recording, as its import found it; looked for anew where that is lost."""
    cached = cached_activity(store, recording.sound)
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        path = store.files.path(recording.sound)
        pieces = (mono(block) for block in blocks(path, recording.name))
        draft = cached.with_suffix(f".{new_id('draft')}")
        profile_of(pieces, recording.sample_rate).save(draft)
        draft.replace(cached)
    return _loaded(cached, recording.seconds)


def cached_activity(store: Store, sha256: str) -> Path:
    """Return where the profile of that sound is kept."""
    return store.workspace / "cache" / "activity" / f"{sha256}.npy"


def refuse_known(sha256: str, name: str, persona_id: str, store: Store) -> None:
    """Raise ConflictError when the persona has that file already: before it is decoded, not after."""
    known = [one.name for one in store.voice.recordings(persona_id) if one.sha256 == sha256]
    if known:
        raise ConflictError(
            N_("{name} is already there, as {known}."),
            remedy=N_("Choose it from the list of recordings."),
            name=name,
            known=known[0],
        )


def shown_name(name: str) -> str:
    """Return an uploaded name fit to be shown: no folders, no control characters, not too long."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(character for character in last if character.isprintable())[-LONGEST_NAME:] or "recording"


# A page asks at every move of a slider; three recordings are more than anybody has open.
@lru_cache(maxsize=3)
def _loaded(cached: Path, seconds: float) -> Profile:
    return Profile.load(cached, seconds)


def _checked(stream: Readable, name: str, max_megabytes: int) -> Iterator[bytes]:
    """Yield the upload; InvalidInputError as soon as it is known to be no sound, too large, or empty."""
    size = 0
    for chunk in _chunks(stream):
        if size == 0:
            _refuse_foreign(chunk, name)
        size += len(chunk)
        if size > max_megabytes * MEGABYTE:
            raise InvalidInputError(
                N_("{name} is larger than {limit} MB."),
                remedy=N_("Cut it into parts, or save it as FLAC, which is smaller."),
                name=name,
                limit=max_megabytes,
            )
        yield chunk
    if size == 0:
        raise InvalidInputError(N_("{name} is empty."), remedy=N_("Choose a file with sound in it."), name=name)


def _chunks(stream: Readable) -> Iterator[bytes]:
    head = b""
    while len(head) < HEAD and (chunk := stream.read(CHUNK)):
        head += chunk
    if head:
        yield head
    while chunk := stream.read(CHUNK):
        yield chunk


def _refuse_foreign(head: bytes, name: str) -> None:
    if format_of(head) is None:
        raise InvalidInputError(
            N_("{name} is no sound or video file that is understood here."),
            remedy=N_("Give a WAV, FLAC, MP3, M4A, OGG, MP4, MKV or WebM file; the content counts, not the name."),
            name=name,
        )
