"""`manifest.json`: where every clip of an export comes from, down to the second of the recording."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from core.domain.voice import ClipSet, SetClip
from core.stages.voice_dataset.formats.rows import About, VoiceFormat, wav_name
from core.translation import N_

NAME = "manifest.json"
_TOOL = "chat-daiyu"
LICENCE_NOTE = N_("Whether the recordings and a voice made of them may be passed on was not said.")


def manifest(
    row: VoiceFormat, clip_set: ClipSet, clips: Sequence[SetClip], about: About, files: Mapping[str, bytes]
) -> bytes:
    """Return the manifest of this export; it says nothing of when or where it was written.

    `files` are those beside the wavs; a wav is its own mark: its name begins its sha256.
    """
    content = {
        "format": row.name,
        "tool": {"name": _TOOL, "version": tool_version()},
        "clip_set": {
            "id": clip_set.id,
            "name": clip_set.name,
            "note": clip_set.note,
            "fingerprint": clip_set.fingerprint,
            "created_at": clip_set.created_at.isoformat(),
            "settings": dict(clip_set.settings),
            "run_id": clip_set.run_id,
        },
        "persona": {"id": clip_set.persona_id, "name": about.persona.name if about.persona else ""},
        "licence": about.licence,
        "licence_note": "" if about.licence else LICENCE_NOTE,
        "counts": {"clips": len(clips), "seconds": round(sum(clip.seconds for clip in clips), 3)},
        "recordings": _recordings(clips, about),
        "clips": [_origin(clip, row.wavs) for clip in clips],
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in sorted(files.items())
        },
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


@cache
def tool_version() -> str:
    """Return this program's version, as its project file says."""
    file = Path(__file__).resolve().parents[4] / "pyproject.toml"
    return str(tomllib.loads(file.read_text(encoding="utf-8"))["project"]["version"])


def _recordings(clips: Sequence[SetClip], about: About) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for clip in clips:
        known = about.recordings.get(clip.recording_id)
        found[clip.recording_id] = {
            "name": known.name if known else "",
            "sha256": clip.recording_sha256,
            "subtitles_sha256": known.subtitles_sha256 if known else "",
        }
    return dict(sorted(found.items()))


def _origin(clip: SetClip, folder: str) -> dict[str, Any]:
    return {
        "ordinal": clip.ordinal,
        "file": f"{folder}/{wav_name(clip)}",
        "sha256": clip.sha256,
        "clip": clip.clip_id,
        "revision": clip.revision,
        "recording": clip.recording_id,
        "start": clip.start,
        "end": clip.end,
        "effects": [dict(effect) for effect in clip.effects],
        "seconds": clip.seconds,
        "text": clip.text,
        "speaker": clip.speaker,
        "language": clip.language,
        "utterance": clip.utterance_id,
        "reference": clip.reference,
    }
