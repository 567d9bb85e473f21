"""A conversation as a file to keep: to read, for programs, or to hear."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.domain.chat import Conversation, Message, Speaker
from core.domain.markdown import escaped, on_one_line
from core.domain.persona import Persona
from core.domain.sounds import MP3_RATES, frames_at
from core.domain.text import DatasetVersion
from core.errors import InvalidInputError, NotFoundError
from core.store import Store
from core.store.files import Files
from core.translation import N_

FORMAT: Final = "chat-daiyu.conversation/1"
PAUSE: Final = 0.6
"""Seconds between two replies."""
_FINE_RATE: Final = 32_000
"""From here on an mp3 is allowed twice the bits."""

Number = npt.NDArray[np.int16]


class SoundKind(StrEnum):
    """What a file of sound is."""

    WAV = "wav"
    MP3 = "mp3"


@dataclass(frozen=True, slots=True)
class MadeBy:
    """What made a reply, by ids and by the names people gave."""

    backend: str | None
    model_id: str | None = None
    model: str | None = None
    dataset_version: DatasetVersion | None = None
    """What the model was trained on, where that is known."""
    voice: str | None = None
    """As the reply names it: the id of a trained voice, or what else spoke."""
    voice_name: str | None = None
    line_id: str | None = None
    """The line of the book it is."""


def makers(messages: Iterable[Message], store: Store) -> dict[str, MadeBy]:
    """Return reply id -> what made it; only of what a model said."""
    known: dict[tuple[str | None, str | None], MadeBy] = {}
    found: dict[str, MadeBy] = {}
    for one in messages:
        if one.speaker is not Speaker.PERSONA or one.backend is None:
            continue
        key = one.model_id, one.voice
        if key not in known:
            chain = store.custody.of_message(replace(one, utterance_id=None))
            model, voice = chain.model, chain.voice
            known[key] = MadeBy(
                None,
                one.model_id,
                model.name if model else None,
                chain.dataset_version,
                one.voice,
                voice.name if voice else None,
            )
        found[one.id] = replace(known[key], backend=one.backend, line_id=one.utterance_id)
    return found


def as_markdown(
    conversation: Conversation,
    messages: Iterable[Message],
    persona: Persona,
    *,
    names: Mapping[Speaker, str],
    facts: Mapping[str, Sequence[str]] | None = None,
    when: Callable[[datetime], str] = "{:%Y-%m-%d %H:%M} UTC".format,
) -> str:
    """Return a conversation to be read; nothing in its words formats or links.

    `names` are who speaks, `facts` lines below a message by its id, `when` how a time is written: all in the reader's
    language.
    """
    book = f" · {escaped(persona.book)}" if persona.book.strip() else ""
    parts = [
        f"# {on_one_line(conversation.title)}",
        f"{escaped(persona.name)}{book} · {when(conversation.created_at)}",
    ]
    for one in messages:
        parts += [f"## {on_one_line(names[one.speaker])} · {when(one.created_at)}", escaped(one.text)]
        parts += ["\\\n".join(f"> {on_one_line(fact)}" for fact in (facts or {}).get(one.id, ()))]
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(
    conversation: Conversation,
    messages: Iterable[Message],
    persona: Persona,
    *,
    names: Mapping[Speaker, str],
    made: Mapping[str, MadeBy],
) -> str:
    """Return a conversation for programs, with what made each reply as `makers` tells it; times are UTC."""
    whole = {
        "format": FORMAT,
        "persona": {"id": persona.id, "name": persona.name, "book": persona.book},
        "conversation": {
            "id": conversation.id,
            "title": conversation.title,
            "created_at": conversation.created_at.isoformat(),
            "updated_at": conversation.updated_at.isoformat(),
            "branched_from": conversation.branched_from,
        },
        "messages": [_plain(one, names[one.speaker], made.get(one.id)) for one in messages],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def as_sound(messages: Iterable[Message], files: Files, kind: SoundKind) -> bytes:
    """Return her spoken replies as one file, in order, a pause between them, at the finest rate among them.

    A sound that is gone or empty is left out; InvalidInputError where none is there.
    """
    spoken = [one.sound_sha256 for one in messages if one.speaker is Speaker.PERSONA and one.sound_sha256]
    rates = [rate for sha256 in spoken if (rate := _rate(sha256, files))]
    if not rates:
        raise InvalidInputError(
            N_("None of these replies has a sound."), remedy=N_("Let her speak, or save the words instead.")
        )
    if kind is SoundKind.WAV:
        return _wav(_pieces(spoken, files, max(rates)), max(rates))
    rate = next((one for one in MP3_RATES if one >= max(rates)), MP3_RATES[-1])
    return _mp3(_pieces(spoken, files, rate), rate)


def _plain(message: Message, name: str, made: MadeBy | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": message.id,
        "speaker": message.speaker.value,
        "name": name,
        "text": message.text,
        "at": message.created_at.isoformat(),
    }
    if made is None:
        return told
    version = made.dataset_version
    return told | {
        "made_by": {
            "backend": made.backend,
            "model": {"id": made.model_id, "name": made.model} if made.model_id else None,
            "dataset_version": {"id": version.id, "name": version.name, "fingerprint": version.fingerprint}
            if version
            else None,
            "voice": {"id": made.voice, "name": made.voice_name} if made.voice else None,
            "line": made.line_id,
        },
        "sound": message.sound_sha256,
        "timings": dict(message.timings),
        "memories": list(message.memories),
    }


def _rate(sha256: str, files: Files) -> int | None:
    with suppress(NotFoundError), files.open(sha256) as stream, wave.open(stream) as sound:
        return sound.getframerate() if sound.getnframes() else None
    return None


def _pieces(spoken: Iterable[str], files: Files, rate: int) -> Iterator[Number]:
    """Yield the sounds at that rate and the pauses between them, one in memory at a time."""
    begun = False
    for sha256 in spoken:
        try:
            fitting = frames_at(files.read(sha256), rate)
        except NotFoundError:
            continue
        if not len(fitting):  # FFmpeg has no frame of nothing
            continue
        if begun:
            yield np.zeros(round(PAUSE * rate), np.int16)
        begun = True
        yield fitting


def _wav(pieces: Iterable[Number], rate: int) -> bytes:
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        for piece in pieces:
            file.writeframes(piece.astype("<i2").tobytes())
    return whole.getvalue()


def _mp3(pieces: Iterable[Number], rate: int) -> bytes:
    import av  # here because it loads FFmpeg, which only this needs

    whole, at = io.BytesIO(), 0
    with av.open(whole, "w", format="mp3") as file:
        stream = file.add_stream("libmp3lame", rate=rate, layout="mono", bit_rate=64_000 * (1 + (rate >= _FINE_RATE)))
        for piece in pieces:
            frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16p", layout="mono")
            frame.sample_rate, frame.pts = rate, at
            at += len(piece)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return whole.getvalue()
