"""Many visitors of one process: each hears her own reply, nobody waits for another's voice, nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import Iterator

import pytest

from core.domain.voice import Sound
from core.stages.chat.choice import Choice
from core.stages.chat.events import SoundReady, TextDelta
from core.stages.chat.live import Reply, reply_loop, under_way
from core.stages.chat.settings import ChatSettings
from core.stages.chat.talk import Interlocutor, answer, begin
from tests.contract.doubles import EchoModel
from tests.unit.stages.chat.mouths import HummingMouth

VISITORS = 50
SETTINGS = ChatSettings(history_messages=0)
CHOICE = Choice("echo", "Echo")


class ChorusMouth(HummingMouth):
    """Speaks only once every visitor's voice speaks at the same time."""

    together = threading.Barrier(VISITORS)

    def stream(self, text: str, *, cancel: threading.Event, hurried: bool = False) -> Iterator[Sound]:
        if hurried:
            self.together.wait(60)
        yield self.voice.speak(text)


@pytest.fixture
def reply_to(store, persona):
    """Begin a talk with words marked as somebody's own."""

    def begun(mark: str, mouth: HummingMouth) -> Reply:
        who = Interlocutor(persona, CHOICE, EchoModel(pause=0.001), mouth, SETTINGS, store)
        said = f"{mark}号来了。{mark}号坐下。"
        return answer(said, who, begin(persona, said, settings=SETTINGS, store=store))

    return begun


def tasks_left() -> int:
    """Return how many tasks live in the loop of the replies, but for this question."""

    async def count() -> int:
        return len(asyncio.all_tasks()) - 1

    return asyncio.run_coroutine_threadsafe(count(), reply_loop()).result(10)


@pytest.mark.slow
def test_fifty_visitors_hear_only_their_own_words_and_nobody_waits_for_anothers_voice(reply_to, store):
    replies = {f"{number:02}": reply_to(f"{number:02}", ChorusMouth()) for number in range(VISITORS)}
    for mark, reply in replies.items():
        events = list(reply.follow())
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        sounds = [event for event in events if isinstance(event, SoundReady)]
        kept = store.talks.messages(reply.conversation_id)[-1]

        assert text == kept.text == f"{mark}号来了。{mark}号坐下。"
        assert "".join(sound.text for sound in sounds) == text
        assert [sound.sequence for sound in sounds] == list(range(len(sounds)))
        assert under_way(reply.conversation_id) is None
    assert tasks_left() == 0


@pytest.mark.slow
def test_replies_leave_no_memory_behind(reply_to):
    def speak(count: int) -> None:
        for number in range(count):
            for _ in reply_to(str(number), HummingMouth()).follow():
                pass

    speak(20)
    threads = threading.active_count()
    tracemalloc.start()
    try:
        speak(20)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        speak(100)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 200_000, "two kilobytes a reply at most; a thousand are counted by benchmarks/visitors.py"
    assert threading.active_count() <= threads + 2
    assert tasks_left() == 0
