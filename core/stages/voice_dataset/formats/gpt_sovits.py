"""GPT-SoVITS's list of clips: a line each, `path|speaker|language|text`.

Source: RVC-Boss/GPT-SoVITS, `GPT_SoVITS/prepare_datasets/1-get-text.py`, commit 48b1a01: a line is split at `|` into
exactly four, and one that is not is skipped without a word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from core.domain.voice import ClipSet, SetClip
from core.errors import InvalidInputError
from core.stages.voice_dataset.formats.rows import About, VoiceFormat, wav_name
from core.translation import N_

LANGUAGES = ("zh", "ja", "en", "ko", "yue")
WAVS = "wavs"
_BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's classes of control characters, halves of characters, and separators of lines and paragraphs."""


def export_list(clip_set: ClipSet, clips: Iterable[SetClip], *, folder: str = WAVS) -> str:
    """Return the list file; `folder` stands before every name, relative to the list or absolute.

    InvalidInputError, naming the clip, for words, speakers or folders with | or a line break, for a clip without
    words, and for a language that GPT-SoVITS does not know.
    """
    place = fit(folder, N_("The folder {value} holds | or a line break."), N_("Export to another folder.")).rstrip("/")
    return "".join(f"{place}/{wav_name(clip)}|{_rest(clip)}\n" for clip in clips)


def fit_for_a_list(clip_id: str, text: str, speaker: str) -> None:
    """Raise InvalidInputError, naming the clip, when its words or its speaker would break a list file."""
    fit(
        text,
        N_("The words of the clip {clip} hold | or a line break, which list files cannot hold: {value}"),
        N_("Write them as one line without |."),
        clip=clip_id,
    )
    fit(
        speaker,
        N_("The speaker of the clip {clip} holds | or a line break, which list files cannot hold: {value}"),
        N_("Give the speaker another name."),
        clip=clip_id,
    )
    if not text.strip() or not speaker.strip():
        raise InvalidInputError(
            N_("The clip {clip} has no words, or no speaker."),
            remedy=N_("Write what is said there, and who says it, or reject it."),
            clip=clip_id,
        )


def fit(value: str, message: str, remedy: str, **values: object) -> str:
    """Return the value as it is; InvalidInputError when it would break a line of a list into more, or other, parts."""
    if any(sign == "|" or unicodedata.category(sign) in _BREAKS for sign in value):
        shown = value.encode("unicode_escape").decode() if not value.isprintable() else value
        raise InvalidInputError(message, remedy=remedy, value=shown[:200], **values)
    return value


def _rest(clip: SetClip) -> str:
    fit_for_a_list(clip.clip_id, clip.text, clip.speaker)
    if clip.language not in LANGUAGES:
        raise InvalidInputError(
            N_("GPT-SoVITS does not know the language {language} of the clip {clip}."),
            remedy=N_("Choose one of: {known}."),
            language=clip.language,
            clip=clip.clip_id,
            known=", ".join(LANGUAGES),
        )
    return f"{clip.speaker}|{clip.language}|{clip.text}"


def _describe(clip_set: ClipSet, clips: Sequence[SetClip], about: About) -> dict[str, bytes]:
    folder = f"{about.root.rstrip('/')}/{WAVS}" if about.root else WAVS
    references = [clip for clip in clips if clip.reference]
    lists = {"clips.list": clips, **({"references.list": references} if references else {})}
    return {name: export_list(clip_set, own, folder=folder).encode() for name, own in lists.items()}


ROW = VoiceFormat("gpt-sovits", N_("GPT-SoVITS (wavs and a .list)"), _describe, WAVS)
