"""Freezing: the clips of a persona's recordings become an immutable, fingerprinted set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.domain.identity import new_id, now
from core.domain.pace import seconds_of
from core.domain.voice import Clip, ClipSet, Recording, Reference, SetClip
from core.errors import MissingArtifactError, NotFoundError
from core.jobs.context import RunContext
from core.settings import stage_defaults
from core.stages.voice_dataset.clip_sets import Chosen, ClipSetSettings, choose, content_fingerprint
from core.stages.voice_dataset.formats.gpt_sovits import fit_for_a_list
from core.stages.voice_dataset.references import Candidate, reference_candidates
from core.stages.voice_dataset.set_statistics import set_statistics
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.store import Store
from core.store.clips import ClipFilter
from core.translation import N_

__all__ = ["ClipSetSettings", "run"]

_CHECK_EVERY = 500
"""Clips between two looks at whether somebody asked the run to stop."""


def run(settings: ClipSetSettings, *, context: RunContext, store: Store) -> dict[str, Any]:
    """Freeze a set and return its id and what is in it; MissingArtifactError when no clip is left.

    InvalidInputError, naming the clip, for words or speakers that no list file can hold.
    """
    set_id = context.step("set", lambda: new_id("set"))
    clip_set = _stored(set_id, store)
    if clip_set is None:
        context.progress(0.1, N_("Reading the clips"))
        recordings = _recordings(settings, context.run.persona_id, store)
        chosen = choose(_clips(recordings, context, store), recordings, settings)
        _check(chosen, context, store)
        context.progress(0.7, N_("Freezing the set"))
        clip_set, members = _frozen(set_id, chosen, recordings, settings, context, store)
        store.clip_sets.add(clip_set, members, who=context.run.created_by)
    context.log(f"{clip_set.name}: {clip_set.clips} clips, {clip_set.seconds:.1f} s, {clip_set.fingerprint[:12]}")
    context.progress(1.0, N_("{name} holds {count} clips"), name=clip_set.name, count=clip_set.clips)
    return {
        "clip_set_id": clip_set.id,
        "name": clip_set.name,
        "clips": clip_set.clips,
        "seconds": clip_set.seconds,
        "left_out": dict(clip_set.statistics["left_out"]),
    }


def _stored(set_id: str, store: Store) -> ClipSet | None:
    """Return the set when an earlier attempt of this run was interrupted after it had stored it."""
    try:
        return store.clip_sets.get(set_id)
    except NotFoundError:
        return None


def _recordings(settings: ClipSetSettings, persona_id: str, store: Store) -> dict[str, Recording]:
    known = {recording.id: recording for recording in store.voice.recordings(persona_id)}
    if not settings.recording_ids:
        return known
    return {one: known.get(one) or store.voice.recording(one) for one in settings.recording_ids}


def _clips(recordings: Mapping[str, Recording], context: RunContext, store: Store) -> Iterable[Clip]:
    number = 0
    for recording_id in recordings:
        for clip in store.clips.iterate(ClipFilter(context.run.persona_id, recording_id=recording_id)):
            number += 1
            if number % _CHECK_EVERY == 0:
                context.check()
            yield clip


def _check(chosen: Chosen, context: RunContext, store: Store) -> None:
    """Raise unless there are clips and every sound is there."""
    if not chosen.clips:
        raise MissingArtifactError(
            N_("No clip is left for the set; left out: {reasons}."),
            remedy=N_("Accept clips first, or allow clips that nobody has reviewed yet."),
            reasons=", ".join(f"{name} {count}" for name, count in chosen.left_out.items()) or "-",
        )
    for number, clip in enumerate(chosen.clips):
        if number % _CHECK_EVERY == 0:
            context.check()
        if not store.files.has(clip.sha256):
            raise NotFoundError(
                N_("The sound of the clip {clip} is not in the content store."),
                remedy=N_("Restore the workspace from a backup, or cut the clip anew."),
                clip=clip.id,
            )


def _frozen(
    set_id: str,
    chosen: Chosen,
    recordings: Mapping[str, Recording],
    settings: ClipSetSettings,
    context: RunContext,
    store: Store,
) -> tuple[ClipSet, list[SetClip]]:
    references = _references(chosen.clips, settings.references)
    marked = {one.clip.id for one in references}
    members = [
        _member(number, clip, recordings[clip.recording_id], settings, reference=clip.id in marked)
        for number, clip in enumerate(chosen.clips)
    ]
    persona_id = context.run.persona_id
    written = [
        replace(clip, speaker=one.speaker, language=one.language)
        for clip, one in zip(chosen.clips, members, strict=True)
    ]
    statistics = set_statistics(written, recordings, chosen.left_out)
    clip_set = ClipSet(
        id=set_id,
        persona_id=persona_id,
        name=settings.name or store.clip_sets.free_name(persona_id),
        note=settings.note,
        fingerprint=content_fingerprint(members),
        settings=settings.model_dump(mode="json"),
        created_at=now(),
        clips=len(members),
        seconds=statistics["seconds"],
        statistics={**statistics, "references": [_plain(one) for one in references]},
        run_id=context.run.id,
    )
    return clip_set, members


def _references(clips: Sequence[Clip], count: int) -> list[Candidate]:
    candidates = reference_candidates(clips, stage_defaults("voice_dataset", VoiceDatasetSettings).references)
    by_hand = sum(one.clip.reference is Reference.CHOSEN for one in candidates)
    return candidates[: max(count, by_hand)]


def _member(number: int, clip: Clip, recording: Recording, settings: ClipSetSettings, *, reference: bool) -> SetClip:
    member = SetClip(
        ordinal=number,
        clip_id=clip.id,
        revision=clip.revision,
        recording_id=recording.id,
        recording_sha256=recording.sha256,
        start=clip.start,
        end=clip.end,
        effects=clip.effects,
        sha256=clip.sha256,
        seconds=seconds_of(clip),
        text=clip.text.strip(),
        speaker=settings.speaker or clip.speaker,
        language=settings.language or clip.language,
        utterance_id=clip.utterance_id,
        reference=reference,
    )
    fit_for_a_list(member.clip_id, member.text, member.speaker)
    return member


def _plain(candidate: Candidate) -> dict[str, Any]:
    return {
        "clip_id": candidate.clip.id,
        "score": candidate.score,
        "reasons": [{"message": one.message, "values": dict(one.values)} for one in candidate.reasons],
    }
