"""Changes one clip by hand: its ends, its sound, its words; in two, or together with its neighbour.

Each change names the revision its author saw, renders what must be rendered, and is one event that can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.domain.identity import new_id, now
from core.domain.text import ReviewStatus
from core.domain.voice import Clip, TextOrigin
from core.errors import InvalidInputError
from core.stages.voice_dataset.clips import checked_stretch, checked_text, rendered
from core.stages.voice_dataset.judging import objections
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.store import Store
from core.translation import N_

_APART = 2.0
"""Seconds between two clips beyond which they are no neighbours."""


def move_ends(clip: Clip, start: float, end: float, *, who: str, settings: VoiceDatasetSettings, store: Store) -> Clip:
    """Give a clip other ends, in seconds of its recording; ConflictError when somebody changed it meanwhile."""
    recording = store.voice.recording(clip.recording_id)
    checked_stretch(recording, start, end, settings)
    after = _rendered(replace(clip, start=round(start, 3), end=round(end, 3)), settings, store)
    return _write(clip, after, ("start", "end"), who=who, action="trim", settings=settings, store=store)


def process(
    clip: Clip, effects: Sequence[Mapping[str, Any]], *, who: str, settings: VoiceDatasetSettings, store: Store
) -> Clip:
    """Give a clip another chain of effects, from its recording on; none makes it again what was recorded."""
    after = _rendered(replace(clip, effects=tuple(effects)), settings, store)
    return _write(clip, after, ("effects",), who=who, action="sound", settings=settings, store=store)


def write_words(
    clip: Clip,
    text: str,
    *,
    who: str,
    settings: VoiceDatasetSettings,
    store: Store,
    status: ReviewStatus | None = None,
    utterance_id: str | None = None,
) -> Clip:
    """Give a clip the words that are heard in it, and decide about it where `status` says how.

    `utterance_id` is the line of the book that it speaks. InvalidInputError for signs a list file cannot hold.
    """
    words = checked_text(text)
    after = replace(clip, utterance_id=utterance_id, status=status or clip.status)
    if words != clip.text:
        after = replace(after, text=words, text_origin=TextOrigin.HAND if words else TextOrigin.NONE, confidence=None)
    changed = ("text", "text_origin", "confidence", "utterance_id", "status")
    return _write(clip, after, changed, who=who, action="edit", settings=settings, store=store)


def split(
    clip: Clip, at: float, words: tuple[str, str], *, who: str, settings: VoiceDatasetSettings, store: Store
) -> tuple[Clip, Clip]:
    """Cut a clip in two at a moment of its recording; each part has its own words and is reviewed anew."""
    recording = store.voice.recording(clip.recording_id)
    for start, end in ((clip.start, at), (at, clip.end)):
        checked_stretch(recording, start, end, settings)
    first, second = (
        replace(
            clip,
            id=clip.id if place == 0 else new_id("clip"),
            start=round(start, 3),
            end=round(end, 3),
            text=checked_text(text),
            status=ReviewStatus.PENDING,
            utterance_id=clip.utterance_id if text.strip() == clip.text else None,
            created_at=clip.created_at if place == 0 else now(),
        )
        for place, (start, end, text) in enumerate(((clip.start, at, words[0]), (at, clip.end, words[1])))
    )
    halves = [_judged(_rendered(one, settings, store), settings) for one in (first, second)]
    kept = store.clips.replace({clip.id: clip.revision}, halves, who=who, action="split")
    return kept[0], kept[1]


def join(clip: Clip, other: Clip, *, who: str, settings: VoiceDatasetSettings, store: Store) -> Clip:
    """Put a clip and one near it in the same recording together, with what lies between them."""
    first, second = sorted((clip, other), key=lambda one: one.start)
    if first.recording_id != second.recording_id or second.start - first.end > _APART:
        raise InvalidInputError(
            N_("These clips are no neighbours."),
            remedy=N_("Only clips of one recording, less than {seconds:g} s apart, are joined."),
            seconds=_APART,
        )
    start, end = first.start, max(first.end, second.end)
    checked_stretch(store.voice.recording(clip.recording_id), start, end, settings)
    joined = replace(
        clip,
        start=start,
        end=end,
        text=first.text + second.text,
        confidence=min((one.confidence for one in (first, second) if one.confidence is not None), default=None),
        status=ReviewStatus.PENDING,
        utterance_id=clip.utterance_id if clip.utterance_id == other.utterance_id else None,
    )
    seen = {one.id: one.revision for one in (clip, other)}
    after = _judged(_rendered(joined, settings, store), settings)
    return store.clips.replace(seen, [after], who=who, action="merge")[0]


def _rendered(clip: Clip, settings: VoiceDatasetSettings, store: Store) -> Clip:
    recording = store.voice.recording(clip.recording_id)
    sound = rendered(recording, clip.start, clip.end, effects=clip.effects, settings=settings, store=store)
    return replace(clip, sha256=store.files.put(sound.wav), seconds=sound.seconds, measures=sound.measures)


def _judged(clip: Clip, settings: VoiceDatasetSettings) -> Clip:
    return replace(clip, complaints=objections(clip, settings))


_SOUND = ("sha256", "seconds", "measures", "complaints")


def _write(
    before: Clip,
    after: Clip,
    names: Sequence[str],
    *,
    who: str,
    action: str,
    settings: VoiceDatasetSettings,
    store: Store,
) -> Clip:
    judged = _judged(after, settings)
    changes = {name: getattr(judged, name) for name in (*names, *_SOUND)}
    return store.clips.edit(before.id, before.revision, who=who, action=action, **changes)
