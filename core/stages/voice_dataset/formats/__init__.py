"""The forms in which a clip set leaves: a row each. `docs/voice-formats.md` tells what is in them."""

from __future__ import annotations

from core.errors import SettingsError
from core.stages.voice_dataset.formats import audio_folder, gpt_sovits
from core.stages.voice_dataset.formats.rows import VoiceFormat
from core.translation import N_

VOICE_FORMATS: dict[str, VoiceFormat] = {row.name: row for row in (gpt_sovits.ROW, audio_folder.ROW)}
"""Name -> format, in the order they are offered."""


def voice_format(name: str) -> VoiceFormat:
    """Return the format; SettingsError for an unknown name."""
    if name not in VOICE_FORMATS:
        raise SettingsError(
            N_("There is no format for clips called {format}."),
            remedy=N_("Choose one of: {known}."),
            format=name,
            known=", ".join(VOICE_FORMATS),
        )
    return VOICE_FORMATS[name]
