"""How soon she is heard: the original's order, ours, and the limit, with a simulated model and voice of known speeds.

    python -m benchmarks.first_audio [--repeat 3] [--json]

The model writes tokens of one and two characters by turns, the first after 0.3 s, then 20 or 60 a second. The voice
takes 0.2 s to start and 0.3 s for each second of speech, or 0.05 s for each second without a start; four and a half
characters are a second of speech. Replies have 20, 60 and 150 characters.

`sequential`: all text, then all of it spoken at once, as the original did. `ours`: the chat's own room, from the stored
message to the first sound a reader gets (median). `limit`: the text of the first clause, then its voice: nothing that
speaks whole clauses can be sooner. A gap is a chunk that arrives after the sound before it has ended.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from threading import Event

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.backends.llm import ChatTurn, Delta, Generation
from core.domain.persona import Persona
from core.domain.voice import Sound
from core.stages.chat.choice import Choice
from core.stages.chat.clauses import ClauseSegmenter
from core.stages.chat.events import SoundReady
from core.stages.chat.settings import ChatSettings
from core.stages.chat.talk import Interlocutor, answer, begin
from core.store import Store

FIRST_TOKEN = 0.3
CHARACTERS_A_SECOND = 4.5
PLAYER_LEAD = 0.03
"""What the page's player adds before a chunk that nothing precedes."""
SETTINGS = ChatSettings()
CHOICE = Choice("simulated", "Simulated")
PERSONA = Persona("bench", "沈青", "竹声", "", "")

REPLIES = {
    20: "外头风大，你且进来坐坐，茶还是热着的呢。",
    60: "昨夜里落了一场雨，竹叶响了半宿，我便没有睡好。你问我咳不咳，倒也没什么要紧，"
    "不过是旧年的老毛病，天一冷就要来寻我一回的。",
    150: "你这话问得巧，倒像是早知道我在想什么。方才我在窗下看那几竿竹子，风一过，影子就在纸上乱晃，写了半首诗，"
    "偏生最后一句怎么也接不上。后来想想，接不上也罢，世上的事哪有件件都圆满的？你若有空，替我去后头看看那只鹦哥，"
    "它今早学了一句新的，念得比我还要好听些。看完了回来，我把这半首念给你听，你可不许笑我才好。",
}


class SimulatedModel:
    """Writes a reply at a known speed."""

    name = "simulated"

    def __init__(self, reply: str, tokens_a_second: float) -> None:
        self.reply, self.pause = reply, 1 / tokens_a_second

    def stream(self, messages: Sequence[ChatTurn], *, settings: Generation, cancel: Event) -> Iterator[Delta]:
        """Yield its tokens, each at its time."""
        due = time.perf_counter() + FIRST_TOKEN
        for token in tokens(self.reply):
            if cancel.wait(max(due - time.perf_counter(), 0)):
                return
            yield Delta(token)
            due += self.pause

    def prepare(self) -> None:
        """Nothing is awaited."""

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class SimulatedMouth:
    """Speaks at a known speed."""

    start: float
    rtf: float
    name: str = "simulated"

    def of_line(self, utterance_id: str) -> Sound | None:
        """It has no recordings."""
        return None

    def stream(self, text: str, *, cancel: Event, hurried: bool = False) -> Iterator[Sound]:
        """Yield the words as one silence of their length, when its time has come."""
        seconds = len(text) / CHARACTERS_A_SECOND
        cancel.wait(self.start + self.rtf * seconds)
        yield silence(seconds)


VOICES = {"rtf0.3+0.2s": (0.2, 0.3), "rtf0.05": (0.0, 0.05)}


def tokens(reply: str) -> Iterator[str]:
    """Yield a reply in pieces of one and two characters by turns."""
    place = 0
    for length in cycle((1, 2)):
        if place >= len(reply):
            return
        yield reply[place : place + length]
        place += length


def silence(seconds: float) -> Sound:
    """Return a sound of that length."""
    from core.backends.tts.pcm import sound_of

    return sound_of(b"\0\0" * int(seconds * 8000), 8000)


def sequential(model: SimulatedModel, mouth: SimulatedMouth) -> float:
    """Return the seconds to the first sound where all is written before all is spoken."""
    began = time.perf_counter()
    text = "".join(delta.text for delta in model.stream((), settings=SETTINGS.generation, cancel=Event()))
    next(iter(mouth.stream(text, cancel=Event())))
    return time.perf_counter() - began


def limit(model: SimulatedModel, mouth: SimulatedMouth) -> float:
    """Return the seconds that the text of the first clause and then its voice take."""
    segmenter = ClauseSegmenter(shortest=SETTINGS.first_clause, longest=SETTINGS.longest_clause)
    first = next(clause for character in model.reply for clause in segmenter.feed(character))
    began, text = time.perf_counter(), ""
    for delta in model.stream((), settings=SETTINGS.generation, cancel=Event()):
        text += delta.text
        if len(text) >= len(first):
            break
    next(iter(mouth.stream(first, cancel=Event())))
    return time.perf_counter() - began


def ours(model: SimulatedModel, mouth: SimulatedMouth, store: Store) -> tuple[float, list[float]]:
    """Return the seconds to the first sound in the chat's own room, and the gaps a visitor would hear, in seconds."""
    talk = begin(PERSONA, "问", settings=SETTINGS, store=store)
    began = time.perf_counter()
    reply = answer("问", Interlocutor(PERSONA, CHOICE, model, mouth, SETTINGS, store), talk)
    first, until, gaps = 0.0, 0.0, []
    for event in reply.follow():
        if isinstance(event, SoundReady):
            at = time.perf_counter() - began
            first, until = first or at, until or at + PLAYER_LEAD
            start = max(at + PLAYER_LEAD, until) if at > until - PLAYER_LEAD else until
            if start > until:
                gaps.append(start - until)
            until = start + event.sound.seconds
    return first, gaps


def measured(name: str, tokens_a_second: int, length: int, repeat: int, store: Store) -> dict[str, float]:
    """Return a case's figures: medians of as many rounds."""
    model = SimulatedModel(REPLIES[length], tokens_a_second)
    mouth = SimulatedMouth(*VOICES[name])
    rounds = [ours(model, mouth, store) for _ in range(repeat)]
    first = median(seconds for seconds, _ in rounds)
    least = median(limit(model, mouth) for _ in range(repeat))
    one_after_the_other = sequential(model, mouth)
    gaps = [gap for _, found in rounds for gap in found]
    return {
        "sequential_s": round(one_after_the_other, 3),
        "ours_s": round(first, 3),
        "limit_s": round(least, 3),
        "ratio_to_limit": round(first / least, 3),
        "speedup_vs_sequential": round(one_after_the_other / first, 2),
        "gaps": len(gaps),
        "longest_gap_s": round(max(gaps, default=0.0), 3),
    }


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for length, reply in REPLIES.items():
        assert len(reply) == length, (length, len(reply))
    cases = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/store.db", Path(folder))
        store.personas.put(PERSONA)
        print(f"{'case':34} {'sequential':>10} {'ours':>7} {'limit':>7} {'ratio':>6} {'sooner':>7} {'gaps':>5}")
        for voice in VOICES:
            for speed in (20, 60):
                for length in REPLIES:
                    name = f"{length} characters, {speed} tokens/s, {voice}"
                    cases[name] = figures = measured(voice, speed, length, options.repeat, store)
                    print(
                        f"{name:34} {figures['sequential_s']:10.2f} {figures['ours_s']:7.3f} {figures['limit_s']:7.3f}"
                        f" {figures['ratio_to_limit']:6.3f} {figures['speedup_vs_sequential']:6.1f}x"
                        f" {figures['gaps']:5}"
                    )
        store.close()
    if options.json:
        print(json.dumps({"cases": cases}, ensure_ascii=False))


if __name__ == "__main__":
    main()
