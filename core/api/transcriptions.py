"""`POST /v1/audio/transcriptions`: what is said in a sound, written down by the recogniser that is set up.

What a stranger sends is decoded as an import's is: by its content, under limits, in a process of its own.
"""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final, Literal

import numpy as np
import soundfile
import soxr  # type: ignore[import-untyped]  # ships no types
from fastapi import File, Form, Request, UploadFile
from starlette.responses import JSONResponse, PlainTextResponse, Response

from core.api.errors import ClientLeftError
from core.api.streaming import done
from core.errors import InvalidInputError, SettingsError
from core.full_disk import no_room
from core.jobs.door import run_briefly
from core.lending import ears
from core.services import Services
from core.settings import stage_defaults
from core.stages.voice_dataset.recordings import shown_name
from core.stages.voice_dataset.sound.decoding import ANSWER, SOUND, answer_in, command
from core.stages.voice_dataset.sound.sound_file import unreadable
from core.stages.voice_dataset.words.transcribing import ServedTranscription, names_of
from core.translation import N_

if TYPE_CHECKING:
    from core.backends.asr import Transcript

_RATE: Final = 16_000
"""What every recogniser listens at; more would only be sent."""
_BLOCK: Final = 1 << 18
_DECODING_SECONDS: Final = 120.0
_NO_ROOM: Final = 1 << 20
"""Fewer free bytes than this, and it was the disk that failed: libsndfile does not tell."""
_LEAST_CONFIDENCE: Final = 1e-6
_UNKNOWN: Final = {"seek": 0, "tokens": [], "temperature": 0.0, "compression_ratio": 1.0, "no_speech_prob": 0.0}
"""What OpenAI's segments have and not every recogniser tells."""
_NAMED: Final = {"chinese": "zh", "mandarin": "zh", "english": "en", "中文": "zh"}


async def transcribe(
    request: Request,
    file: Annotated[UploadFile, File(description="Sound or video.")],
    model: Annotated[str, Form(max_length=200, description="Any; the one set up here listens.")] = "",
    language: Annotated[str, Form(max_length=40, description="Two letters, such as zh, or a browser's zh-CN.")] = "",
    prompt: Annotated[str, Form(max_length=500, description="Words to expect.")] = "",
    response_format: Annotated[Literal["json", "text", "verbose_json"], Form()] = "json",
) -> Response:
    """Answer with the words."""
    studio: Services = request.app.state.studio
    name = shown_name(file.filename or "")
    tongue = _tongue(language)
    transcript, seconds = await done(
        request, lambda stop: _heard(file.file, name, tongue, prompt, studio=studio, stop=stop)
    )
    if response_format == "text":
        return PlainTextResponse(transcript.text + "\n")
    return JSONResponse(
        _verbose(transcript, seconds) if response_format == "verbose_json" else {"text": transcript.text}
    )


def _tongue(language: str) -> str:
    """Return the two letters of a language, however a client names it; InvalidInputError for what is none."""
    told = language.strip().lower().replace("_", "-").partition("-")[0]
    tongue = _NAMED.get(told, told)
    if not re.fullmatch("[a-z]{0,3}", tongue):
        raise InvalidInputError(
            N_("There is no language {language}."), remedy=N_("Give two letters, such as zh or en."), language=told
        )
    return tongue


def _heard(
    upload: BinaryIO, name: str, language: str, prompt: str, *, studio: Services, stop: Event
) -> tuple[Transcript, float]:
    recogniser, settings = ears(), stage_defaults("transcription", ServedTranscription)
    persona = studio.store.personas.get(studio.settings.persona)
    # A folder of the workspace: what is decoded is many times the upload, and the system's folder may be small.
    with tempfile.TemporaryDirectory(dir=studio.settings.workspace) as folder:
        try:
            wav = _as_wav(upload, name, Path(folder), max_minutes=studio.settings.api.max_audio_minutes)
        except (InvalidInputError, soundfile.LibsndfileError):
            if shutil.disk_usage(folder).free < _NO_ROOM:
                raise no_room() from None
            raise
        if stop.is_set():
            raise ClientLeftError
        hint = prompt or settings.prompt or names_of(persona)
        try:
            transcript = recogniser.transcribe(wav, language=language or settings.language, prompt=hint)
        except SettingsError as error:
            if not language:
                raise
            raise InvalidInputError(error.message, remedy=error.remedy, **error.values) from None
        return transcript, soundfile.info(wav).duration


def _as_wav(upload: BinaryIO, name: str, folder: Path, *, max_minutes: float) -> Path:
    """Return the sound as one channel of 16 kHz; InvalidInputError for what is none, or too long."""
    draft, out, wav = folder / "upload", folder / "decoded", folder / "clip.wav"
    with draft.open("wb") as file:
        shutil.copyfileobj(upload, file)
    run_briefly(command(draft, out, name=name, max_minutes=max_minutes), timeout=_DECODING_SECONDS)
    if not (out / ANSWER).exists():  # it was ended by its limits
        raise unreadable(name)
    decoded = answer_in(out)
    resampler = soxr.ResampleStream(decoded.sample_rate, _RATE, 1, dtype="float32")
    with (
        soundfile.SoundFile(out / SOUND if decoded.copied else draft) as source,
        soundfile.SoundFile(wav, "w", _RATE, 1, "PCM_16", format="WAV") as target,
    ):
        for block in source.blocks(_BLOCK, dtype="float32"):
            target.write(resampler.resample_chunk(block))
        target.write(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    return wav


def _verbose(transcript: Transcript, seconds: float) -> dict[str, Any]:
    segments = [
        {
            "id": place,
            "start": one.start,
            "end": one.end,
            "text": one.text,
            "confidence": one.confidence,
            "avg_logprob": math.log(max(one.confidence or 0.0, _LEAST_CONFIDENCE)),
            **_UNKNOWN,
        }
        for place, one in enumerate(transcript.segments)
    ]
    return {
        "task": "transcribe",
        "language": transcript.language,
        "duration": round(seconds, 3),
        "text": transcript.text,
        "segments": segments,
    }
