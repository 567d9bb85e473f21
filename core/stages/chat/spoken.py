"""Makes words and sound of one reply side by side: text as it comes, each clause's sound when it is ready."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event

from core.backends.llm import Delta
from core.backends.relay import relayed
from core.errors import StudioError
from core.stages.chat.clauses import ClauseSegmenter
from core.stages.chat.events import SoundReady, TextDelta, VoiceFailed
from core.stages.chat.mouth import Mouth


class TextOver:
    """The model has said its last word."""


Piece = TextDelta | TextOver | SoundReady | VoiceFailed
Deltas = Callable[[Event], Iterator[Delta]]
"""Asks the model; the event tells it to stop."""


def spoken(
    deltas: Deltas, *, mouth: Mouth | None, segmenter: ClauseSegmenter, cancel: Event
) -> Generator[Piece, None, None]:
    """Yield text and sound as they come, each in order; sound never holds text up.

    A voice that fails says so once. A model that fails raises here, after the sound of what it did say.
    """

    def produce(put: Callable[[Piece], None], stop: Event) -> None:
        sayings: SimpleQueue[_Say | None] = SimpleQueue()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice") as voice:
            speaking = voice.submit(_speak, sayings, mouth, put, stop)
            try:
                _read(deltas(stop), segmenter, put, sayings.put)
            finally:
                sayings.put(None)
            speaking.result()

    return relayed(produce, cancel=cancel)


@dataclass(frozen=True, slots=True)
class _Say:
    """The next thing for the voice: a clause, or a whole line of the book if she has recorded it."""

    clause: str = ""
    utterance_id: str | None = None


def _read(
    deltas: Iterator[Delta], segmenter: ClauseSegmenter, put: Callable[[Piece], None], say: Callable[[_Say], None]
) -> None:
    line: str | None = None
    for delta in deltas:
        put(TextDelta(delta.text, delta.utterance_id))
        if line is None and delta.utterance_id:
            line = delta.utterance_id
            say(_Say(utterance_id=line))
        for clause in segmenter.feed(delta.text):
            say(_Say(clause))
    put(TextOver())
    for clause in segmenter.flush():
        say(_Say(clause))


def _speak(sayings: SimpleQueue[_Say | None], mouth: Mouth | None, put: Callable[[Piece], None], stop: Event) -> None:
    sequence = 0
    silent = mouth is None
    while (saying := sayings.get()) is not None:
        if silent or stop.is_set() or mouth is None:
            continue  # the queue is emptied all the same: its end is how the writer says goodbye
        try:
            sound = mouth.of_line(saying.utterance_id) if saying.utterance_id else mouth.of_text(saying.clause)
        except StudioError as error:
            silent = True
            put(VoiceFailed(error))
            continue
        if sound is not None:
            recorded = saying.utterance_id is not None
            put(SoundReady(sequence, sound, saying.clause, recorded))
            silent = recorded  # her own recording is the whole reply
            sequence += 1
