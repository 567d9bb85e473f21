"""Makes words and sound of one reply side by side: text as it comes, each clause's sound as soon as it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from functools import partial
from threading import Event

from core.backends.llm import Delta
from core.backends.relay import apart, flowing
from core.domain.voice import Sound
from core.errors import StudioError
from core.stages.chat.clauses import ClauseSegmenter
from core.stages.chat.events import SoundReady, TextDelta, VoiceFailed
from core.stages.chat.mouth import Mouth
from core.stages.chat.pacing import Pacing, Sayings


class TextOver:
    """The model has said its last word."""


Piece = TextDelta | TextOver | SoundReady | VoiceFailed
Deltas = Callable[[Event], Iterator[Delta]]
"""Asks the model; the event tells it to stop."""
Put = Callable[[Piece], Awaitable[None]]


async def spoken(deltas: Deltas, *, mouth: Mouth | None, segmenter: ClauseSegmenter, pacing: Pacing, put: Put) -> None:
    """Put text and sound as they come, each in order, until all is said; sound never holds text up.

    A voice that fails says so once. A model that fails raises here, after the sound of what it did say. Cancelling
    ends model and voice.
    """
    sayings = Sayings()
    failure: StudioError | None = None
    async with asyncio.TaskGroup() as group:
        if mouth is not None:
            group.create_task(_speak(sayings, mouth, pacing, put))
        try:
            await _read(deltas, segmenter, sayings, put)
        except StudioError as error:
            failure = error
        finally:
            sayings.close()
    if failure is not None:
        raise failure


async def _read(deltas: Deltas, segmenter: ClauseSegmenter, sayings: Sayings, put: Put) -> None:
    async with aclosing(flowing(deltas)) as words:
        async for delta in words:
            sayings.line = sayings.line or delta.utterance_id
            await put(TextDelta(delta.text, delta.utterance_id))
            for clause in segmenter.feed(delta.text):
                sayings.add(clause)
    await put(TextOver())
    for clause in segmenter.flush():
        sayings.add(clause)


async def _speak(sayings: Sayings, mouth: Mouth, pacing: Pacing, put: Put) -> None:
    try:
        first = await sayings.take(pacing)
        if first and sayings.line and (sound := await apart(partial(mouth.of_line, sayings.line))) is not None:
            await put(SoundReady(0, sound, "", recorded=True))
            return  # her own recording is the whole reply
        sequence, words = 0, first
        while words:
            pacing.begin()
            async with aclosing(flowing(_sounds_of(mouth, words, hurried=sequence == 0))) as sounds:
                async for sound in sounds:
                    await put(SoundReady(sequence, sound, words))
                    pacing.hear(sound.seconds)
                    sequence += 1
            pacing.end(words)
            await pacing.look_ahead()
            words = await sayings.take(pacing)
    except StudioError as error:
        await put(VoiceFailed(error))


def _sounds_of(mouth: Mouth, words: str, *, hurried: bool) -> Callable[[Event], Iterator[Sound]]:
    return lambda stop: mouth.stream(words, cancel=stop, hurried=hurried)
