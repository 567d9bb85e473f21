"""A clip set as the files people load: a list, a zip, a folder, each saying where every clip comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from core.domain.voice import ClipSet, SetClip
from core.errors import NotFoundError
from core.stages.voice_dataset.formats import voice_format
from core.stages.voice_dataset.formats.gpt_sovits import export_list
from core.stages.voice_dataset.formats.manifest import NAME, manifest
from core.stages.voice_dataset.formats.rows import About, Member, wavs_of
from core.stages.voice_dataset.formats.writing import write_folder, write_zip
from core.store import Store

__all__ = ["About", "export_archive", "export_folder", "export_list", "known_about"]


def export_archive(
    out: IO[bytes], clip_set: ClipSet, clips: Sequence[SetClip], *, format: str, about: About, store: Store
) -> None:
    """Write the set as a zip to a file that can seek, a wav at a time; the same set gives the same bytes.

    SettingsError for an unknown format, InvalidInputError for what it cannot hold, before anything is written.
    """
    write_zip(_members(clip_set, clips, format, about), out, store.files)


def export_folder(
    folder: Path,
    clip_set: ClipSet,
    clips: Sequence[SetClip],
    *,
    format: str,
    about: About,
    store: Store,
    absolute: bool = False,
) -> None:
    """Write what the zip holds into a new folder; with `absolute`, list files name the wavs by their full paths."""
    if absolute:
        about = replace(about, root=folder.absolute().as_posix())
    write_folder(_members(clip_set, clips, format, about), folder, store.files)


def known_about(
    clip_set: ClipSet, clips: Sequence[SetClip], store: Store, *, licence: str = "", root: str = ""
) -> About:
    """Return what the store knows beyond the set; of recordings deleted since, nothing.

    `root` stands before the paths in list files: the absolute folder in which a zip is going to be unpacked.
    """
    known = {}
    for recording_id in sorted({clip.recording_id for clip in clips}):
        try:
            known[recording_id] = store.voice.recording(recording_id)
        except NotFoundError:
            continue
    return About(store.personas.get(clip_set.persona_id), known, licence, root)


def _members(clip_set: ClipSet, clips: Sequence[SetClip], format: str, about: About) -> Iterator[Member]:
    """Return the files in order; all but the wavs are made, and thereby checked, at once."""
    row = voice_format(format)
    files = row.describe(clip_set, clips, about)
    files[NAME] = manifest(row, clip_set, clips, about, files)

    def members() -> Iterator[Member]:
        for name in sorted(files):
            yield Member(name, files[name])
        yield from wavs_of(clips, row.wavs)

    return members()
