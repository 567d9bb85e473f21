"""What the buttons of the clips do: decide about one and go on, change its words, ends or sound, undo, redo.

They are callbacks, so that one drawing of the page shows what came of it. Each carries the clip as its author saw it;
a clip somebody changed meanwhile is not overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.text import ReviewStatus
from core.domain.voice import Clip, Reference
from core.settings import stage_defaults
from core.stages.voice_dataset import editing
from core.stages.voice_dataset.settings import VoiceDatasetSettings
from core.store.clips import ClipFilter
from pages.ui.clip_queues import ClipQueue
from pages.ui.decisions import careful
from pages.ui.frame import Visit
from pages.ui.i18n import _, _n
from pages.ui.state import CLIP, CLIP_TASK, CLIP_WAY, MARK, SAID, TABLE, shown


def rules() -> VoiceDatasetSettings:
    """Return the settings of the room."""
    return stage_defaults("voice_dataset", VoiceDatasetSettings)


@careful
def decide(visit: Visit, queue: ClipQueue, clip: Clip, status: ReviewStatus) -> None:
    """Accept or reject the clip and go on."""
    if clip.status is not status:
        visit.studio.store.clips.edit(clip.id, clip.revision, who=visit.who, status=status)
    go_on(visit, queue, clip)


@careful
def skip(visit: Visit, queue: ClipQueue, clip: Clip) -> None:
    """Go on without a decision."""
    go_on(visit, queue, clip)


def go_on(visit: Visit, queue: ClipQueue, clip: Clip) -> None:
    """Leave the clip for the next one of the queue."""
    CLIP_WAY.leave(clip.id)
    following = queue.after(visit, clip)
    CLIP.set(following.id if following else "")
    leave_task()


@careful
def back(visit: Visit) -> None:
    """Go back to the clip before."""
    CLIP.set(CLIP_WAY.back())
    leave_task()


@careful
def save_words(visit: Visit, queue: ClipQueue, clip: Clip, key: str, *, accept: bool, line: str | None) -> None:
    """Write what stands in the field of that key; accept the clip and go on where that is asked."""
    editing.write_words(
        clip,
        str(shown(key) or ""),
        who=visit.who,
        settings=rules(),
        store=visit.studio.store,
        status=ReviewStatus.ACCEPTED if accept else None,
        utterance_id=line,
    )
    if accept:
        go_on(visit, queue, clip)
    else:
        _stay_at(clip)


@careful
def move_ends(visit: Visit, clip: Clip, start: float, end: float) -> None:
    """Give the clip other ends."""
    editing.move_ends(clip, start, end, who=visit.who, settings=rules(), store=visit.studio.store)
    SAID.set(_("The ends are moved."))
    _stay_at(clip)


@careful
def split(visit: Visit, clip: Clip, at: float, words: tuple[str, str]) -> None:
    """Cut the clip in two and look at the first part."""
    editing.split(clip, at, words, who=visit.who, settings=rules(), store=visit.studio.store)
    SAID.set(_("The clip is cut in two; this is the first part."))
    _stay_at(clip)


@careful
def join_with_next(visit: Visit, clip: Clip) -> None:
    """Join the clip with the one after it in the recording."""
    store = visit.studio.store
    after = store.clips.after(clip, ClipFilter(visit.persona.id, clip.recording_id))
    if after is None or after.start < clip.start:
        SAID.set(_("No clip follows this one."))
        return
    editing.join(clip, after, who=visit.who, settings=rules(), store=store)
    SAID.set(_("Joined with the clip after it."))
    _stay_at(clip)


@careful
def process(visit: Visit, clip: Clip, steps: Sequence[Mapping[str, Any]]) -> None:
    """Give the clip another chain of effects."""
    editing.process(clip, steps, who=visit.who, settings=rules(), store=visit.studio.store)
    SAID.set(_("It is rendered anew from the recording."))
    MARK.renew()


@careful
def refer(visit: Visit, clip: Clip, reference: Reference) -> None:
    """Choose the clip as reference audio, exclude it, or leave it to the ranking."""
    visit.studio.store.clips.edit(clip.id, clip.revision, who=visit.who, action="reference", reference=reference)


@careful
def delete(visit: Visit, queue: ClipQueue, clip: Clip) -> None:
    """Delete the clip and go on."""
    go_on(visit, queue, clip)
    visit.studio.store.clips.delete({clip.id: clip.revision}, who=visit.who)
    SAID.set(_("The clip is deleted; undo brings it back."))


@careful
def change_many(visit: Visit, clips: Sequence[Clip], changes: Mapping[str, Any]) -> None:
    """Change the chosen clips, as one change."""
    count = visit.studio.store.clips.edit_these({one.id: one.revision for one in clips}, who=visit.who, **changes)
    _say_changed(count)


@careful
def change_all(visit: Visit, where: ClipFilter, changes: Mapping[str, Any]) -> None:
    """Change every clip of the filter, as one change."""
    _say_changed(visit.studio.store.clips.edit_all(where, who=visit.who, **changes))


@careful
def delete_many(visit: Visit, clips: Sequence[Clip]) -> None:
    """Delete the chosen clips, as one change."""
    count = visit.studio.store.clips.delete({one.id: one.revision for one in clips}, who=visit.who)
    CLIP.clear()
    TABLE.renew()
    SAID.set(_n("{count} clip deleted; undo brings it back.", "{count} clips deleted; undo brings them back.", count))


@careful
def undo(visit: Visit) -> None:
    """Take back one's last change to clips."""
    undone = visit.studio.store.clips.undo(visit.who, visit.persona.id)
    if undone:
        _show(undone.first_id, _n("Undone: {count} clip", "Undone: {count} clips", undone.records))


@careful
def redo(visit: Visit) -> None:
    """Do again what one took back last."""
    undone = visit.studio.store.clips.redo(visit.who, visit.persona.id)
    if undone:
        _show(undone.first_id, _n("Redone: {count} clip", "Redone: {count} clips", undone.records))


def leave_task() -> None:
    """Close the form and write nothing."""
    CLIP_TASK.clear()
    TABLE.renew()


def begin_task(name: str) -> None:
    """Open the form that changes the ends or the sound of the clip; close it when it is open."""
    CLIP_TASK.set("" if CLIP_TASK.get() == name else name)


def _show(clip_id: str, said: str) -> None:
    CLIP.set(clip_id)
    leave_task()
    SAID.set(said)


def _stay_at(clip: Clip) -> None:
    CLIP.set(clip.id)
    leave_task()
    MARK.renew()


def _say_changed(count: int) -> None:
    CLIP.clear()
    TABLE.renew()
    SAID.set(_n("{count} clip changed", "{count} clips changed", count))
