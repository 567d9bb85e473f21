"""A frozen set of little clips, for tests that train a voice; each clip is a tone of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.backends.tts import Voice
from core.domain.identity import now
from core.domain.voice import ClipSet, SetClip
from core.store import Store
from tests.contract.doubles import tone

SAID = (
    "你来了",
    "外头冷",
    "快坐下罢",
    "竹子又高了",
    "今日不写字",
    "灯还亮着",
    "雨停了么",
    "茶凉了",
    "鸟儿睡了",
    "风从南来",
)


def frozen_set(store: Store, persona_id: str, *, clips: int = 8, set_id: str = "set-1", **changes: Any) -> ClipSet:
    """Store a set of so many clips, the first of them a reference, and return it; `changes` are made to each clip."""
    return _freeze(store, persona_id, [_member(store, number, **changes) for number in range(clips)], set_id)


def spoken_set(store: Store, persona_id: str, voice: Voice, lines: Sequence[str]) -> ClipSet:
    """Store a set of the lines as a voice speaks them, the first of them a reference, and return it."""
    members = []
    for number, line in enumerate(lines):
        sound = voice.speak(line)
        spoken = {"sha256": store.files.put(sound.wav), "seconds": sound.seconds, "text": line}
        members.append(_member(store, number, **spoken))
    return _freeze(store, persona_id, members, "spoken")


def _freeze(store: Store, persona_id: str, members: Sequence[SetClip], set_id: str) -> ClipSet:
    seconds = sum(one.seconds for one in members)
    made = ClipSet(
        id=set_id,
        persona_id=persona_id,
        name=set_id,
        note="",
        fingerprint="f" * 64,
        settings={},
        created_at=now(),
        clips=len(members),
        seconds=seconds,
        statistics={},
    )
    store.clip_sets.add(made, members, who="test")
    return made


def _member(store: Store, number: int, **changes: Any) -> SetClip:
    seconds = changes.get("seconds", 3.2)
    values: dict[str, Any] = {
        "ordinal": number,
        "clip_id": f"clip-{number}",
        "revision": 0,
        "recording_id": "rec-1",
        "recording_sha256": "r" * 64,
        "start": 4.0 * number,
        "end": 4.0 * number + seconds,
        "effects": (),
        "sha256": changes.get("sha256") or store.files.put(tone(seconds, 16_000, 200 + 15 * number).wav),
        "seconds": seconds,
        "text": SAID[number % len(SAID)] * 3,
        "speaker": "daiyu",
        "language": "zh",
        "utterance_id": None,
        "reference": number == 0,
    }
    return SetClip(**{**values, **changes})
