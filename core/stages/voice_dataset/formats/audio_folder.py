"""A folder as Hugging Face's hub and `datasets.load_dataset` take it: wavs, a line of metadata each, and a card.

Source: Hugging Face `datasets` documentation, "Create an audio dataset", AudioFolder with `metadata.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from core.domain.voice import ClipSet, SetClip
from core.stages.voice_dataset.formats.rows import About, VoiceFormat, json_line, wav_name
from core.translation import N_

DATA = "data"
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

_CARD = """\
# {title}

Clips of one voice with what is said in them: {clips} clips, {minutes:.1f} minutes. Made by chat-daiyu as version
`{version}`; fingerprint `{fingerprint}`.

{note}

## Fields

- `audio`: the clip. `text`: what is said. `speaker`, `language`: who says it, in which language.
- `seconds`: how long it is. `reference`: whether it is proposed as reference audio.
- `recording`, `recording_sha256`, `start`, `end`, `effects`: the stretch (seconds) of the imported file it was cut
  from, and what was done to its sound, in order.
- `clip_id`, `utterance_id`: its number, and the line of the book it speaks; empty where none is known.

## Recordings

{recordings}

Whether the voice may be passed on, and a voice trained on it, is for you to say: put the licence into the head of this
file before you publish it.
"""


def _describe(clip_set: ClipSet, clips: Sequence[SetClip], about: About) -> dict[str, bytes]:
    rows = "".join(json_line(_row(clip, about)) for clip in clips)
    return {"README.md": _card(clip_set, clips, about).encode(), f"{DATA}/metadata.jsonl": rows.encode()}


def _row(clip: SetClip, about: About) -> dict[str, Any]:
    recording = about.recordings.get(clip.recording_id)
    return {
        "file_name": wav_name(clip),
        "text": clip.text,
        "speaker": clip.speaker,
        "language": clip.language,
        "seconds": clip.seconds,
        "reference": clip.reference,
        "recording": recording.name if recording else "",
        "recording_sha256": clip.recording_sha256,
        "start": clip.start,
        "end": clip.end,
        # As a word: a table has one type a column, and every effect has other settings.
        "effects": json.dumps([dict(effect) for effect in clip.effects], ensure_ascii=False, sort_keys=True),
        "clip_id": clip.clip_id,
        "utterance_id": clip.utterance_id or "",
    }


def _card(clip_set: ClipSet, clips: Sequence[SetClip], about: About) -> str:
    whose = about.persona.name if about.persona else ""
    head = {
        "pretty_name": f"{whose} {clip_set.name}".strip(),
        "language": list(dict.fromkeys(clip.language for clip in clips)),
        "license": about.licence or "unknown",
        "task_categories": ["text-to-speech", "automatic-speech-recognition"],
        "tags": ["audio", "chat-daiyu"],
        "size_categories": [next((words for limit, words in _SIZES if len(clips) < limit), "n>1M")],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": f"{DATA}/**"}]}],
    }
    body = _CARD.format(
        title=_inline(head["pretty_name"]) or "Clips",
        clips=len(clips),
        minutes=sum(clip.seconds for clip in clips) / 60,
        version=_inline(clip_set.name),
        fingerprint=clip_set.fingerprint,
        note=clip_set.note.strip(),
        recordings="\n".join(_recordings(clips, about)) or "None.",
    )
    return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False)}---\n\n{body}"


def _recordings(clips: Sequence[SetClip], about: About) -> list[str]:
    used = {clip.recording_id: clip.recording_sha256 for clip in clips}
    named = {one: about.recordings[one].name if one in about.recordings else "deleted since" for one in used}
    return [f"- {_inline(named[one])} (`{one}`), sha256 `{sha256}`" for one, sha256 in sorted(used.items())]


def _inline(words: object) -> str:
    """Return the words for one line of Markdown."""
    return " ".join(str(words).split()).replace("|", "\\|").replace("`", "'")


ROW = VoiceFormat("audio-folder", N_("Hugging Face audio folder (wavs, metadata and a dataset card)"), _describe, DATA)
