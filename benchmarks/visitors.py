"""Fifty visitors at once on one process, round after round: how long they wait, and what is left in memory.

    python -m benchmarks.visitors [--visitors 50] [--replies 1000] [--json]

A simulated model writes each reply of 25 characters at 20 tokens a second, a simulated voice takes 0.3 s for each
second of speech; only the rooms of the chat are real. `first_sound_s` is of all replies, `alone_s` the same for a
visitor who has the process to herself; `mb_*` is what Python holds after a tenth of the replies and after all, each
time after a collection; `mixed_up` counts replies with a word of another visitor in them.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.first_audio import CHOICE, PERSONA, SETTINGS, SimulatedModel, SimulatedMouth
from core.stages.chat.events import SoundReady, TextDelta
from core.stages.chat.talk import Interlocutor, answer, begin
from core.store import Store


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--replies", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/store.db", Path(folder))
        store.personas.put(PERSONA)
        figures = measured(store, options.visitors, options.replies)
        store.close()
    for name, value in figures.items():
        print(f"{name:24}{value:>10}")
    if options.json:
        print(json.dumps(figures))


def measured(store: Store, visitors: int, replies: int) -> dict[str, float]:
    """Return the figures."""
    alone = median(spoken(store, number)[0] for number in range(3))
    firsts, mixed, held = [], 0, []
    tracemalloc.start()
    with ThreadPoolExecutor(visitors) as everybody:
        for begun in range(0, replies, visitors):
            found = list(everybody.map(lambda number: spoken(store, number), range(begun, begun + visitors)))
            firsts += [first for first, _ in found]
            mixed += sum(not pure for _, pure in found)
            if begun == replies // 10 // visitors * visitors:
                held.append(megabytes())
    held.append(megabytes())
    firsts.sort()
    return {
        "visitors": visitors,
        "replies": len(firsts),
        "alone_s": round(alone, 3),
        "first_sound_s": round(median(firsts), 3),
        "first_sound_s_p95": round(firsts[int(len(firsts) * 0.95) - 1], 3),
        "mixed_up": mixed,
        "mb_after_a_tenth": round(held[0], 2),
        "mb_at_the_end": round(held[-1], 2),
        "threads_left": sum(thread.name.startswith("reply") for thread in threading.enumerate()),
    }


def spoken(store: Store, number: int) -> tuple[float, bool]:
    """Let a visitor say something; return the seconds to her first sound and whether the reply is her own alone."""
    mark = f"{number:04}"
    model = SimulatedModel(f"{mark}，你来了。{mark}，坐罢。{mark}，喝茶。", 20)
    who = Interlocutor(PERSONA, CHOICE, model, SimulatedMouth(0.0, 0.3), SETTINGS, store)
    talk = begin(PERSONA, mark, settings=SETTINGS, store=store)
    began, first, text = time.perf_counter(), 0.0, ""
    for event in answer(mark, who, talk).follow():
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, SoundReady):
            first = first or time.perf_counter() - began
    return first, text == model.reply == store.talks.messages(talk.id)[-1].text


def megabytes() -> float:
    """Return what Python holds after a collection."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1e6


if __name__ == "__main__":
    main()
