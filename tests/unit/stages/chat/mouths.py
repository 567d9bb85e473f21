"""What speaks in the chat's tests."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

from core.domain.voice import Sound
from core.errors import ToolFailedError
from tests.contract.doubles import SineVoice, tone


class HummingMouth:
    """Speaks with the double; has a recording of the line `recorded`; fails from the `failing`-th saying on."""

    name = "sine"

    def __init__(self, *, recorded: str = "", failing: int | None = None) -> None:
        self.voice = SineVoice()
        self.recorded = recorded
        self.failing = failing

    def of_line(self, utterance_id: str) -> Sound | None:
        return tone(1, 8_000) if utterance_id == self.recorded else None

    def stream(self, text: str, *, cancel: Event, hurried: bool = False) -> Iterator[Sound]:
        if self.failing is not None and len(self.voice.spoken) >= self.failing:
            raise ToolFailedError("The voice broke.", remedy="None.")
        yield self.voice.speak(text)
